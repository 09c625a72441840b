"""What stands beside the API: a health check, the document, and the way to the reference."""

from __future__ import annotations

import json
from pathlib import Path

from chatgrid_devkit.openapi.pages import Pages

DOCUMENT = {"openapi": "3.1.0"}


def pages(root: Path) -> Pages:
    return Pages(root, base_url="http://127.0.0.1:3000/v1")


def with_document(root: Path) -> Pages:
    (root / "docs").mkdir()
    (root / "docs" / "openapi.json").write_text(json.dumps(DOCUMENT))
    return pages(root)


def test_health_is_ok(tmp_path: Path) -> None:
    answer = pages(tmp_path).answer("GET", "/health", request_id="r")
    assert (answer.status, json.loads(answer.body)) == (200, {"status": "ok"})


def test_the_document_is_served_as_it_is(tmp_path: Path) -> None:
    answer = with_document(tmp_path).answer("GET", "/openapi.json", request_id="r")
    assert json.loads(answer.body) == DOCUMENT


def test_the_root_leads_to_the_reference(tmp_path: Path) -> None:
    answer = with_document(tmp_path).answer("GET", "/", request_id="r")
    assert (answer.status, dict(answer.headers)["Location"]) == (302, "/v1/reference")


def test_everything_else_is_404_in_the_envelope(tmp_path: Path) -> None:
    subject = pages(tmp_path)
    for method, path in [("GET", "/"), ("POST", "/health"), ("GET", "/docs"), ("GET", "/x")]:
        answer = subject.answer(method, path, request_id="r")
        assert answer.status == 404
        assert json.loads(answer.body)["code"] == "not_found"
