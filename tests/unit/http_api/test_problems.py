from __future__ import annotations

import os

from chatgrid_auth.domain import keys
from chatgrid_auth.http_api.problems import Problem, fault_fields


def _fail(text: str) -> None:
    try:
        int(text)
    except ValueError as cause:
        raise LookupError(text) from cause


def test_a_fault_is_logged_by_types_and_places_and_never_by_its_text() -> None:
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
