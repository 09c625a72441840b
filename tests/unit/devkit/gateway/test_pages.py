"""The pages beside the API are readable and load nothing from anywhere."""

from __future__ import annotations

import json
from pathlib import Path

from chatgrid_devkit.openapi.pages import Pages

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Boards <API>", "description": "What it does"},
    "paths": {
        "/boards": {
            "parameters": [],
            "post": {
                "summary": "Make a board",
                "description": "A & B, `code`",
                "parameters": [{"$ref": "#/components/parameters/limit"}],
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Board"}}
                    }
                },
                "responses": {
                    "201": {
                        "description": "Made",
                        "content": {"application/json": {"example": {"id": "<1>"}}},
                    },
                    "429": {"$ref": "#/nowhere"},
                },
            },
        }
    },
    "components": {
        "parameters": {"limit": {"name": "limit", "in": "query"}},
        "schemas": {
            "Board": {
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "description": "1 to 255 characters"},
                    "tags": {"type": "array", "items": {"enum": ["a", "b"]}},
                    "limit": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                    "until": {"type": "string", "format": "date-time"},
                },
            }
        },
    },
}


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


def test_the_root_leads_to_the_page(tmp_path: Path) -> None:
    answer = with_document(tmp_path).answer("GET", "/", request_id="r")
    assert (answer.status, dict(answer.headers)["Location"]) == (302, "/docs")


def test_the_page_shows_every_operation(tmp_path: Path) -> None:
    answer = with_document(tmp_path).answer("GET", "/docs", request_id="r")
    page = answer.body.decode()
    assert dict(answer.headers)["Content-Type"] == "text/html; charset=utf-8"
    for text in ("POST /boards", "Make a board", "limit", "201", "Made", "429"):
        assert text in page
    assert "http://127.0.0.1:3000/v1" in page


def test_a_body_is_a_table_and_a_response_an_example(tmp_path: Path) -> None:
    page = with_document(tmp_path).answer("GET", "/docs", request_id="r").body.decode()
    for row in (
        "<td><code>name</code></td><td>string</td><td>1 to 255 characters</td>",
        "<td>list of <code>a</code> | <code>b</code>, optional</td>",
        "<td>integer or null, optional</td>",
        "<td>date-time, optional</td>",
    ):
        assert row in page
    assert "&quot;id&quot;: &quot;&lt;1&gt;&quot;" in page


def test_the_page_is_escaped_and_loads_nothing(tmp_path: Path) -> None:
    page = with_document(tmp_path).answer("GET", "/docs", request_id="r").body.decode()
    assert "Boards &lt;API&gt;" in page
    assert "A &amp; B, <code>code</code>" in page
    assert "src=" not in page
    assert "@import" not in page


def test_everything_else_is_404_in_the_envelope(tmp_path: Path) -> None:
    subject = pages(tmp_path)
    for method, path in [("GET", "/"), ("POST", "/health"), ("GET", "/docs"), ("GET", "/x")]:
        answer = subject.answer(method, path, request_id="r")
        assert answer.status == 404
        assert json.loads(answer.body)["code"] == "not_found"
