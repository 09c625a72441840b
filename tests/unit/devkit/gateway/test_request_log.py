"""Log lines are whole, and hold no credential whoever writes them."""

from __future__ import annotations

import dataclasses
import errno
import io
import json
from typing import Any

import pytest

from chatgrid_devkit.gateway.redaction import MARK
from chatgrid_devkit.gateway.request_log import RequestLog, RequestRecord

DECISION = '{"level":"INFO","message":"decision","outcome":"allowed","_aws":{"Timestamp":1}}'
METRICS = '{"_aws":{"Timestamp":1},"Responses2xx":[1.0]}'


def reconciled(**run: object) -> str:
    counts = {"dry_run": False, "created": 0, "queue_depth": 0, "failed": 0, "faults": []}
    return json.dumps({"level": "INFO", "message": "reconciled", "run": {**counts, **run}})


def shown(*lines: str, verbose: bool = False) -> list[str]:
    """What comes out of lines that a function printed."""
    stream = io.StringIO()
    log = RequestLog(stream, verbose=verbose)
    for line in lines:
        log.output("F", line)
    return [line.removeprefix("F | ") for line in stream.getvalue().splitlines()]


def a_request() -> RequestRecord:
    return RequestRecord(
        request_id="r",
        received_ms=1_773_133_200_007,
        method="GET",
        path="/v1/a\n",
        resource="/a",
        status=404,
        response_type="DEFAULT_4XX",
        reason="none",
        latency_ms=1.26,
        authorizer_ms=0.96,
    )


def test_a_request_s_line_is_json_without_what_is_not_known() -> None:
    stream = io.StringIO()
    record = RequestRecord(
        request_id="r", received_ms=1_773_133_200_007, method="GET", path="/v1/a\n", status=404
    )
    record.latency_ms = 1.26
    RequestLog(stream, verbose=True).request(record)
    assert stream.getvalue().count("\n") == 1
    assert json.loads(stream.getvalue()) == {
        "timestamp": "2026-03-10T09:00:00.007Z",
        "correlation_id": "r",
        "method": "GET",
        "path": "/v1/a\n",
        "status": 404,
        "latency_ms": 1.3,
    }


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({}, r"GET /v1/a\n 404 none"),
        ({"status": 200, "latency_ms": 12.4, "outcome": "allowed"}, r"GET /v1/a\n 200 12 ms"),
        (
            {"status": 403, "outcome": "forbidden", "reason": "Missing required scope: write"},
            r"GET /v1/a\n 403 missing scope: write",
        ),
        (
            {"status": 429, "outcome": "rate_limited", "reason": "window"},
            r"GET /v1/a\n 429 over the limit",
        ),
        (
            {"status": 415, "reason": None, "response_type": None, "message": "Send JSON"},
            r"GET /v1/a\n 415 Send JSON",
        ),
        (
            {"status": 503, "response_type": "AUTHORIZER_FAILURE", "reason": None},
            r"GET /v1/a\n 503 AUTHORIZER_FAILURE (correlation_id r)",
        ),
    ],
)
def test_a_request_s_line_is_for_people_unless_all_is_wanted(
    facts: dict[str, Any], line: str
) -> None:
    stream = io.StringIO()
    RequestLog(stream).request(dataclasses.replace(a_request(), **facts))
    assert stream.getvalue() == line + "\n"


def test_lines_of_functions_carry_their_name() -> None:
    stream = io.StringIO()
    log = RequestLog(stream)
    log.output("BoardsFunction", "hello")
    log.note("ready")
    assert stream.getvalue() == "BoardsFunction | hello\ngateway | ready\n"


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        "",
        "Traceback (most recent call last):",
        '{"level":"WARNING","message":"slow"}',
        '{"level":"ERROR","message":"the store is out","_aws":{}}',
        '{"mine": 1}',
        "[1]",
        '{"level":',
        "[" * 100_000,
        '{"level": ["INFO"]}',
        '{"level": {}}',
    ],
)
def test_what_somebody_should_see_is_shown(line: str) -> None:
    assert shown(line) == [line]


@pytest.mark.parametrize("line", [DECISION, METRICS, '{"level":"DEBUG"}', reconciled()])
def test_what_every_request_or_minute_leaves_is_shown_on_demand_only(line: str) -> None:
    assert shown(line) == []
    assert shown(line, verbose=True) == [line]


def test_the_reconciler_is_heard_when_it_did_something() -> None:
    assert shown(reconciled(queue_depth=4), reconciled(sweeps=1)) == []
    assert shown(reconciled(created=2, queue_depth=1)) == ['reconciled: {"created": 2}']
    assert shown(reconciled(failed=1, faults=["x"])) == [
        'reconciled: {"failed": 1, "faults": ["x"]}'
    ]


@pytest.mark.parametrize("verbose", [False, True])
def test_everything_is_kept_in_full_beside_it(verbose: bool) -> None:
    kept = io.StringIO()
    log = RequestLog(io.StringIO(), keep=kept, verbose=verbose)
    log.output("F", DECISION)
    log.output("F", METRICS)
    log.note("ready")
    log.request(a_request())
    lines = kept.getvalue().splitlines()
    assert lines[:3] == [f"F | {DECISION}", f"F | {METRICS}", "gateway | ready"]
    assert json.loads(lines[3])["authorizer_ms"] == 1.0


def test_a_file_that_cannot_be_written_keeps_nobody_from_what_is_shown() -> None:
    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(errno.ENOSPC, "no space left")

    stream = io.StringIO()
    RequestLog(stream, keep=Full()).output("F", "hello")
    assert stream.getvalue() == "F | hello\n"


def test_a_credential_that_a_function_prints_is_removed() -> None:
    stream, kept = io.StringIO(), io.StringIO()
    key = "cgk_test_" + "z9" * 16
    RequestLog(stream, keep=kept).output("BoardsFunction", f"issued {key}")
    assert stream.getvalue() == kept.getvalue() == f"BoardsFunction | issued {MARK}\n"
