from __future__ import annotations

import json
import os

from chatgrid_auth.domain import keys
from chatgrid_auth.http_api.problems import MOST_DETAILS, Problem, fault_fields, invalid_body


def _fail(text: str) -> None:
    try:
        int(text)
    except ValueError as cause:
        raise LookupError(text) from cause


def test_a_fault_is_logged_by_types_and_places_without_text() -> None:
    raw_key = keys.generate("live", entropy=os.urandom)
    try:
        _fail(raw_key)
    except LookupError as exc:
        fields = fault_fields(exc)
    assert fields["fault"] == "LookupError"
    assert fields["causes"] == ["ValueError"]
    assert str(fields["stack"]).count("test_problems.py") == 2
    assert "_fail" in str(fields["stack"])
    assert raw_key not in str(fields)


def test_a_fault_that_causes_itself_ends() -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert fault_fields(first)["causes"] == ["KeyError"]


def test_details_are_in_the_envelope_only_when_there_are_some() -> None:
    assert b"details" not in Problem(404, "not_found", "Not found").response().body
    entry = {"code": "required", "path": "body", "message": "Required"}
    assert b"details" in Problem(400, "validation_error", "x", details=[entry]).response().body


def test_a_body_full_of_mistakes_is_answered_with_the_first_of_them() -> None:
    entries = [
        {"code": "invalid_value", "path": f"scopes.{place}", "message": "Expected 'read'"}
        for place in range(32_000)
    ]
    body = bytes(invalid_body(entries).response().body)
    assert len(body) < 4_096
    *told, last = json.loads(body)["details"]
    assert told == entries[:MOST_DETAILS]
    assert last["message"] == f"{32_000 - MOST_DETAILS} more problems are not listed"
    exactly = invalid_body(entries[:MOST_DETAILS]).response().body
    assert json.loads(bytes(exactly))["details"] == entries[:MOST_DETAILS]
