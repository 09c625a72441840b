"""Log lines are whole, and hold no credential whoever writes them."""

from __future__ import annotations

import io
import json

from chatgrid_devkit.redaction import MARK
from chatgrid_devkit.requestlog import RequestLog, RequestRecord


def test_a_request_s_line_is_json_without_what_is_not_known() -> None:
    stream = io.StringIO()
    record = RequestRecord(
        request_id="r", received_ms=1_773_133_200_007, method="GET", path="/v1/a\n", status=404
    )
    record.latency_ms = 1.26
    RequestLog(stream).request(record)
    assert stream.getvalue().count("\n") == 1
    assert json.loads(stream.getvalue()) == {
        "time": "2026-03-10T09:00:00.007Z",
        "request_id": "r",
        "method": "GET",
        "path": "/v1/a\n",
        "status": 404,
        "latency_ms": 1.3,
    }


def test_lines_of_functions_carry_their_name() -> None:
    stream = io.StringIO()
    log = RequestLog(stream)
    log.output("BoardsFunction", "hello")
    log.note("ready")
    assert stream.getvalue() == "BoardsFunction | hello\ngateway | ready\n"


def test_lines_that_are_metrics_alone_are_left_out() -> None:
    stream = io.StringIO()
    log = RequestLog(stream)
    log.output("BoardsFunction", '{"_aws":{"Timestamp":1},"Responses2xx":[1.0]}')
    log.output("AuthorizerFunction", '{"message":"decision","_aws":{"Timestamp":1}}')
    assert stream.getvalue().count("\n") == 1
    assert "decision" in stream.getvalue()


def test_a_credential_that_a_function_prints_is_removed() -> None:
    stream = io.StringIO()
    key = "cgk_test_" + "z9" * 16
    RequestLog(stream).output("BoardsFunction", f"issued {key}")
    assert stream.getvalue() == f"BoardsFunction | issued {MARK}\n"
