"""The lean client gets through what networks and DynamoDB do to it, or says so in time."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from email.utils import formatdate
from threading import Event

import pytest

from chatgrid_auth.adapters.awslite.credentials import (
    Credentials,
    CredentialsUnavailable,
    FixedCredentials,
)
from chatgrid_auth.adapters.awslite.dynamodb_responses import RetryPolicy
from chatgrid_auth.domain.errors import ConditionFailed, StoreThrottled, StoreUnavailable
from tests.contract.clients import Connect, Pauses, Serve, connect, credentials, serve
from tests.support.servers.fault_server import (
    WAIT_SECONDS,
    Peer,
    Request,
    Step,
    answer,
    answer_and_close,
    answer_and_reset,
    drip,
    error,
    half_close,
    hang_up,
    reset,
    response,
    say_nothing,
)

__all__ = ["connect", "serve"]  # fixtures

GOOD = {"Attributes": {"used": {"N": "1"}}}
ASKED = {"TableName": "keys", "Key": {"pk": {"S": "KEY#ü"}}}
#: The budget cuts its second attempt short, and leaves a busy machine the time to begin it.
SHORT = RetryPolicy(connect=0.6, reply=0.6, budget=1.0)
#: What only a wait without an end takes longer than.
AT_ALL_SECONDS = 10.0
NOW = 1_800_000_000.0
DATE = {"Date": formatdate(NOW, usegmt=True)}


class Renewable:
    """Credentials that can be renewed once, or not at all."""

    def __init__(self, *then: Credentials) -> None:
        self.now = credentials("AKIDFIRST")
        self.then = list(then)

    def current(self, now_seconds: float) -> Credentials:
        return self.now

    def renewed(self, now_seconds: float) -> Credentials:
        if not self.then:
            raise CredentialsUnavailable("down")
        self.now = self.then.pop(0)
        return self.now


def test_a_call_is_one_request_and_its_response_comes_back(serve: Serve, connect: Connect) -> None:
    server = serve(answer(response(GOOD)))
    assert connect(server).call("UpdateItem", ASKED) == GOOD
    (request,) = server.requests
    assert request.line == "POST / HTTP/1.1"
    assert request.json() == ASKED
    assert request.headers["x-amz-target"] == "DynamoDB_20120810.UpdateItem"
    assert request.headers["content-type"] == "application/x-amz-json-1.0"
    assert request.headers["x-amz-security-token"] == "a-token"
    assert request.headers["host"] == f"127.0.0.1:{server.port}"


def test_the_time_that_calls_took_is_told_pauses_and_failures_included(
    serve: Serve, connect: Connect
) -> None:
    throttled = answer(error("ThrottlingException"))
    server = serve(throttled, answer(response(GOOD)), throttled, throttled)
    now = NOW

    def pass_time(_: float) -> None:
        nonlocal now
        now += 0.25

    client = connect(
        server, retry_policy=RetryPolicy(attempts=2), monotonic=lambda: now, sleep=pass_time
    )
    assert client.waited_seconds == 0
    client.call("UpdateItem", ASKED)
    assert client.waited_seconds == 0.25
    pass_time(0)  # between two calls: nobody waits then
    with pytest.raises(StoreThrottled):
        client.call("UpdateItem", ASKED)
    assert client.waited_seconds == 0.5


def test_a_request_that_is_json_already_goes_out_as_it_is(serve: Serve, connect: Connect) -> None:
    server = serve(answer(response(GOOD)))
    assert connect(server).call_encoded("UpdateItem", b'{ "a": 1 }') == GOOD
    assert server.requests[0].body == b'{ "a": 1 }'


def test_calls_share_one_connection(serve: Serve, connect: Connect) -> None:
    server = serve(*[answer(response({"n": n})) for n in range(5)])
    one = connect(server)
    assert [one.call("UpdateItem", {})["n"] for _ in range(5)] == [0, 1, 2, 3, 4]
    assert server.connections == 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(reset, id="reset"),
        pytest.param(hang_up, id="closed"),
        pytest.param(half_close, id="half-closed"),
        pytest.param(answer_and_reset(response(GOOD)[:40]), id="reset within the head"),
        pytest.param(answer_and_close(response(GOOD)[:-5]), id="truncated"),
        pytest.param(answer(response(GOOD, crc=1)), id="wrong checksum"),
        pytest.param(answer(response(b'{"Attributes":')), id="half of a document"),
        pytest.param(answer(response(b"{} {}")), id="two documents"),
        pytest.param(answer(response(b"[]")), id="another document"),
        pytest.param(answer(response(b"\xff")), id="not text"),
        pytest.param(answer(b"SSH-2.0-OpenSSH_9.6\r\n"), id="another protocol"),
        pytest.param(answer(b"HTTP/1.1 100 Continue\r\n\r\n"), id="unasked continue"),
        pytest.param(answer(response(GOOD) + b"HTTP/1.1 200 OK\r\n"), id="more than was asked"),
        pytest.param(answer(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000), id="endless header"),
        pytest.param(answer(response(GOOD, headers={"Content-Length": "9" * 9})), id="huge body"),
        pytest.param(answer(error("InternalServerError", status=500)), id="500"),
        pytest.param(answer(response(b"<html>", status=503)), id="503 of a proxy"),
        pytest.param(answer(response(b"", status=429)), id="429 of a proxy"),
        pytest.param(answer(error("ThrottlingException")), id="throttled"),
        pytest.param(answer(error("ProvisionedThroughputExceededException")), id="throughput"),
        pytest.param(answer(error("RequestLimitExceeded")), id="request limit"),
        pytest.param(answer(error("TransactionConflictException")), id="conflict"),
    ],
)
def test_a_passing_fault_is_tried_again(serve: Serve, connect: Connect, fault: Step) -> None:
    pauses = Pauses()
    server = serve(fault, answer(response(GOOD)))
    assert connect(server, sleep=pauses).call("UpdateItem", ASKED) == GOOD
    assert len(server.requests) == 2
    assert [request.json() for request in server.requests] == [ASKED, ASKED]
    assert pauses.seconds == [0.025]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (answer(error("ValidationException")), "ValidationException"),
        (answer(error("AccessDeniedException")), "AccessDeniedException"),
        (answer(error("ResourceNotFoundException")), "ResourceNotFoundException"),
        (answer(error("SerializationException")), "SerializationException"),
        (answer(error("no word: \r\n")), "Status400"),
        (answer(response({"message": "x"}, status=403)), "Status403"),
        (answer(response(b"", status=404)), "Status404"),
    ],
)
def test_a_refusal_that_will_not_pass_is_a_fault_at_once(
    serve: Serve, connect: Connect, fault: Step, code: str
) -> None:
    server = serve(fault, answer(response(GOOD)))
    with pytest.raises(StoreUnavailable) as unavailable:
        connect(server).call("UpdateItem", ASKED)
    assert (unavailable.value.operation, unavailable.value.code) == ("UpdateItem", code)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_never_followed(serve: Serve, connect: Connect, status: int) -> None:
    elsewhere = serve(answer(response(GOOD)))
    location = {"Location": elsewhere.url + "/"}
    server = serve(answer(response(b"", status=status, headers=location)))
    with pytest.raises(StoreUnavailable, match=f"Status{status}"):
        connect(server).call("UpdateItem", ASKED)
    assert len(server.requests) == 1
    assert elsewhere.requests == []


def test_a_failed_condition_is_told_with_the_item_as_it_was(serve: Serve, connect: Connect) -> None:
    item = {"state": {"S": "revoked"}}
    body = {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}
    for extra, expected in (({"Item": item}, item), ({}, None)):
        server = serve(answer(response(body | extra, status=400)))
        with pytest.raises(ConditionFailed) as refused:
            connect(server).call("UpdateItem", ASKED)
        assert refused.value.item == expected
        assert len(server.requests) == 1


def test_what_stays_throttled_is_told_apart_from_other_faults(
    serve: Serve, connect: Connect
) -> None:
    server = serve(*[answer(error("ThrottlingException"))] * 9)
    with pytest.raises(StoreThrottled, match="UpdateItem: ThrottlingException"):
        connect(server).call("UpdateItem", ASKED)
    assert len(server.requests) == 2


def test_pauses_double_up_to_a_limit(serve: Serve, connect: Connect) -> None:
    """Any part of a pause may be drawn."""
    retry_policy = RetryPolicy(attempts=7, repeats=7, backoff=0.025, backoff_limit=0.1)
    for byte, share in ((b"\xff", 1.0), (b"\x00", 0.0)):
        pauses = Pauses()
        server = serve(*[answer(error("ThrottlingException"))] * 7)
        client = connect(
            server, sleep=pauses, retry_policy=retry_policy, entropy=lambda n, b=byte: b * n
        )
        with pytest.raises(StoreThrottled):
            client.call("UpdateItem", ASKED)
        longest = [0.025, 0.05, 0.1, 0.1, 0.1, 0.1]
        assert pauses.seconds == [share * seconds for seconds in longest]


def test_no_pause_reaches_beyond_the_budget(serve: Serve, connect: Connect) -> None:
    pauses = Pauses()
    retry_policy = RetryPolicy(budget=10, backoff=11, backoff_limit=11)
    server = serve(answer(error("ThrottlingException")), answer(response(GOOD)))
    with pytest.raises(StoreThrottled):
        connect(server, sleep=pauses, retry_policy=retry_policy).call("UpdateItem", ASKED)
    assert pauses.seconds == []


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(say_nothing, id="silent"),
        pytest.param(drip(response(GOOD), every_seconds=0.02), id="dripping"),
    ],
)
def test_a_slow_server_costs_no_more_than_the_budget(
    serve: Serve, connect: Connect, fault: Step
) -> None:
    server = serve(fault, fault, fault, fault)
    one = connect(server, retry_policy=SHORT)
    started = time.monotonic()
    with pytest.raises(StoreUnavailable, match="UpdateItem: ReadTimeout"):
        one.call("UpdateItem", ASKED)
    took = time.monotonic() - started
    assert took < AT_ALL_SECONDS
    assert len(server.requests) >= 2, "the budget has room for a second attempt"


def test_a_slow_answer_is_not_taken_for_the_next_requests(serve: Serve, connect: Connect) -> None:
    server = serve(say_nothing, answer(response({"n": 2})))
    one = connect(server, retry_policy=RetryPolicy(reply=0.5, budget=10))
    assert one.call("UpdateItem", ASKED) == {"n": 2}
    assert server.connections == 2


def test_a_port_where_nobody_listens_is_a_fault(serve: Serve, connect: Connect) -> None:
    server = serve()
    server.stop()
    with pytest.raises(StoreUnavailable, match="UpdateItem: ConnectionRefusedError"):
        connect(server).call("UpdateItem", ASKED)


def test_a_name_that_nobody_knows_is_a_fault(serve: Serve, connect: Connect) -> None:
    server = serve()
    one = connect(server, endpoint="http://name.invalid:1/")
    with pytest.raises(StoreUnavailable, match="UpdateItem: gaierror"):
        one.call("UpdateItem", ASKED)


@pytest.mark.parametrize("end", [answer_and_close, answer_and_reset])
def test_a_connection_gone_stale_while_idle_is_replaced_before_use(
    serve: Serve, connect: Connect, end: Callable[[bytes], Step]
) -> None:
    pauses = Pauses()
    server = serve(end(response({"n": 1})), answer(response({"n": 2})))
    one = connect(server, sleep=pauses)
    one.call("UpdateItem", ASKED)
    server.wait_closed(1)
    assert one.call("UpdateItem", ASKED) == {"n": 2}
    assert len(server.requests) == 2
    assert pauses.seconds == []


def test_a_server_that_does_not_read_costs_no_more_than_the_budget(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        one = connect(None, endpoint=url, retry_policy=SHORT)
        started = time.monotonic()
        # On a busy machine the budget is gone before the connection is made.
        with pytest.raises(StoreUnavailable, match=r"UpdateItem: (Read|Connect)Timeout"):
            one.call_encoded("UpdateItem", b" " * 20_000_000)
        assert time.monotonic() - started < AT_ALL_SECONDS


@pytest.mark.parametrize("fault", [hang_up, reset])
def test_a_connection_gone_stale_while_sending_is_replaced_without_pause(
    serve: Serve, connect: Connect, fault: Step
) -> None:
    pauses = Pauses()
    server = serve(answer(response({"n": 1})), fault, answer(response({"n": 3})))
    one = connect(server, sleep=pauses)
    one.call("UpdateItem", ASKED)
    assert one.call("UpdateItem", ASKED) == {"n": 3}
    assert len(server.requests) == 3
    assert pauses.seconds == []


@pytest.mark.parametrize("fault", [answer_and_close, answer_and_reset])
def test_an_answer_that_had_begun_is_not_mistaken_for_a_stale_connection(
    serve: Serve, connect: Connect, fault: Callable[[bytes], Step]
) -> None:
    pauses = Pauses()
    whole = response({"n": 1})
    server = serve(answer(whole), fault(whole[:40]), answer(response({"n": 3})))
    one = connect(server, sleep=pauses)
    one.call("UpdateItem", ASKED)
    assert one.call("UpdateItem", ASKED) == {"n": 3}
    assert pauses.seconds == [0.025]


def test_nobody_waits_for_the_end_of_what_is_no_response(serve: Serve, connect: Connect) -> None:
    server = serve(answer(b"SSH-2.0-OpenSSH_9.6\r\n"))
    with pytest.raises(StoreUnavailable, match="UpdateItem: MalformedResponse"):
        connect(server, retry_policy=RetryPolicy(attempts=1)).call("UpdateItem", ASKED)


def test_bytes_that_nobody_asked_for_are_no_answer_to_the_next_request(
    serve: Serve, connect: Connect
) -> None:
    def answer_and_stray(peer: Peer, _: Request) -> bool:
        peer.sock.sendall(response({"n": 1}))
        may_stray.wait(WAIT_SECONDS)
        peer.sock.sendall(response({"n": "stray"}))
        has_strayed.set()
        return True

    may_stray, has_strayed = Event(), Event()
    server = serve(answer_and_stray, answer(response({"n": 2})))
    one = connect(server)
    assert one.call("UpdateItem", ASKED) == {"n": 1}
    may_stray.set()
    assert has_strayed.wait(WAIT_SECONDS)
    assert one.call("UpdateItem", ASKED) == {"n": 2}


def test_a_server_that_ends_the_connection_is_taken_at_its_word(
    serve: Serve, connect: Connect
) -> None:
    closing = response({"n": 1}, headers={"Connection": "close"})
    server = serve(answer(closing), answer(response({"n": 2})))
    one = connect(server)
    assert one.call("UpdateItem", ASKED) == {"n": 1}
    assert one.call("UpdateItem", ASKED) == {"n": 2}
    assert server.connections == 2


def test_a_chunked_answer_is_put_together(serve: Serve, connect: Connect) -> None:
    body = b'5\r\n{"a":\r\n3;x=y\r\n 1}\r\n0\r\nTrailer: t\r\n\r\n'
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    server = serve(answer(raw), answer(response(GOOD)), drip(raw, every_seconds=0))
    one = connect(server)
    assert one.call("UpdateItem", ASKED) == {"a": 1}
    assert one.call("UpdateItem", ASKED) == GOOD
    assert one.call("UpdateItem", ASKED) == {"a": 1}
    assert server.connections == 1


@pytest.mark.parametrize(
    "body",
    [
        b'5\r\n{"a":1}\r\n0\r\n\r\n',
        b"2\r\n{}XX0\r\n\r\n",
        b"zz\r\n{}\r\n0\r\n\r\n",
        b"fffffffff\r\n{}",
        b"2\r\n{}\r\n" + b"0" * 300,
        b"2\r\n{}\r\n0\r\n" + b"t: t\r\n" * 70,
        (b"80000\r\n" + b" " * 0x80000 + b"\r\n") * 3,
    ],
)
def test_a_chunked_answer_that_is_not_well_made_is_a_fault(
    serve: Serve, connect: Connect, body: bytes
) -> None:
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    retry_policy = RetryPolicy(attempts=1, reply=10, budget=10)
    server = serve(answer(raw))
    with pytest.raises(StoreUnavailable, match=r"MalformedResponse|TooLarge"):
        connect(server, retry_policy=retry_policy).call("UpdateItem", ASKED)


def test_a_large_answer_and_a_large_request_pass_whole(serve: Serve, connect: Connect) -> None:
    big = {"a": "x" * 1_000_000}
    # More than the buffers between the two hold, so that it goes out in parts.
    bigger = {"a": "".join(f"{n:07}" for n in range(1_000_000))}
    server = serve(answer(response(big)), answer(response(GOOD)))
    one = connect(server, retry_policy=RetryPolicy(reply=5, budget=10))
    assert one.call("BatchWriteItem", bigger) == big
    assert one.call("UpdateItem", ASKED) == GOOD
    assert server.requests[0].json() == bigger


@pytest.mark.parametrize("code", ["InvalidSignatureException", "RequestTimeTooSkewed"])
@pytest.mark.parametrize("skew_seconds", [-900, 900])
def test_a_clock_that_spoils_a_signature_is_one_fault_then_right(
    serve: Serve, connect: Connect, code: str, skew_seconds: int
) -> None:
    steps = (answer(error(code, headers=DATE)), *[answer(response(GOOD, headers=DATE))] * 2)
    server = serve(*steps)
    one = connect(server, clock=lambda: NOW + skew_seconds)
    with pytest.raises(StoreUnavailable, match="ClockWasWrong"):
        one.call("UpdateItem", ASKED)
    assert len(server.requests) == 1, "a repeat would carry the wrong time too"
    for _ in range(2):
        assert one.call("UpdateItem", ASKED) == GOOD
    dates = [request.headers["x-amz-date"] for request in server.requests]
    assert dates[0] != "20270115T080000Z"
    assert {date[:13] for date in dates[1:]} <= {"20270115T0800", "20270115T0759"}
    assert abs(one.clock.now_ms() - NOW * 1000) <= 1_000


@pytest.mark.parametrize("skew_seconds", [-66, 66])
@pytest.mark.parametrize("refused", [False, True])
def test_a_verdict_at_a_wrong_time_is_one_fault_then_right(
    serve: Serve, connect: Connect, skew_seconds: int, *, refused: bool
) -> None:
    code = "ConditionalCheckFailedException"
    first = error(code, headers=DATE) if refused else response(GOOD, headers=DATE)
    server = serve(answer(first), answer(response(GOOD, headers=DATE)))
    one = connect(server, clock=lambda: NOW + skew_seconds)
    with pytest.raises(StoreUnavailable, match="ClockWasWrong"):
        one.call("UpdateItem", ASKED)
    assert one.call("UpdateItem", ASKED) == GOOD
    assert len(server.requests) == 2


def test_a_corrected_clock_is_forgotten_after_a_restore(serve: Serve, connect: Connect) -> None:
    later = {"Date": formatdate(NOW + 60, usegmt=True)}
    times = [NOW + 900]
    server = serve(answer(response(GOOD, headers=DATE)), answer(response(GOOD, headers=later)))
    one = connect(server, clock=lambda: times[-1])
    with pytest.raises(StoreUnavailable):
        one.call("UpdateItem", ASKED)
    times.append(NOW + 60)
    one.reset()
    one.call("UpdateItem", ASKED)
    assert server.requests[-1].headers["x-amz-date"] == "20270115T080100Z"
    assert server.connections == 2, "the snapshot's connection is used no more"


@pytest.mark.parametrize("headers", [DATE, {"Date": "x"}, {}])
def test_a_refused_signature_with_a_right_clock_is_a_fault(
    serve: Serve, connect: Connect, headers: dict[str, str]
) -> None:
    server = serve(answer(error("InvalidSignatureException", headers=headers)))
    with pytest.raises(StoreUnavailable, match="InvalidSignatureException"):
        connect(server, clock=lambda: NOW).call("UpdateItem", ASKED)
    assert len(server.requests) == 1


def test_under_a_server_whose_clock_runs_wild_nothing_is_decided(
    serve: Serve, connect: Connect
) -> None:
    steps = [
        answer(response(GOOD, headers={"Date": formatdate(t, usegmt=True)}))
        for t in (NOW, NOW + 5000, NOW - 5000)
    ]
    server = serve(*steps)
    one = connect(server, clock=lambda: NOW + 900)
    for number in range(1, 4):
        with pytest.raises(StoreUnavailable, match="ClockWasWrong"):
            one.call("UpdateItem", ASKED)
        assert len(server.requests) == number


@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException"])
def test_refused_credentials_are_renewed_once(serve: Serve, connect: Connect, code: str) -> None:
    server = serve(answer(error(code)), answer(response(GOOD)))
    source = Renewable(credentials("AKIDSECOND"))
    assert connect(server, credentials=source).call("UpdateItem", ASKED) == GOOD
    used = [request.headers["authorization"].split("/")[0] for request in server.requests]
    assert used == [f"AWS4-HMAC-SHA256 Credential={key}" for key in ("AKIDFIRST", "AKIDSECOND")]


def test_credentials_that_stay_refused_are_a_fault(serve: Serve, connect: Connect) -> None:
    code = "ExpiredTokenException"
    others = (credentials("AKIDSECOND"), credentials("AKIDTHIRD"))
    sources = (FixedCredentials(credentials()), Renewable(), Renewable(*others))
    for source, requests in zip(sources, (1, 1, 2), strict=True):
        server = serve(*[answer(error(code))] * 3)
        with pytest.raises(StoreUnavailable, match=code):
            connect(server, credentials=source).call("UpdateItem", ASKED)
        assert len(server.requests) == requests


def test_no_credentials_is_a_fault_without_a_request(serve: Serve, connect: Connect) -> None:
    class Nothing:
        def current(self, now_seconds: float) -> Credentials:
            raise CredentialsUnavailable("down")

        renewed = current

    server = serve()
    one = connect(server, credentials=Nothing())
    one.warm()
    with pytest.raises(StoreUnavailable, match="UpdateItem: CredentialsUnavailable"):
        one.call("UpdateItem", ASKED)
    assert server.connections == 0


def test_warming_connects_and_asks_nothing(serve: Serve, connect: Connect) -> None:
    server = serve(answer(response(GOOD)))
    one = connect(server)
    one.warm()
    assert one.call("UpdateItem", ASKED) == GOOD
    assert server.connections == 1
    assert len(server.requests) == 1


def test_warming_leaves_faults_to_the_first_call(serve: Serve, connect: Connect) -> None:
    server = serve()
    server.stop()
    connect(server).warm()


@pytest.mark.parametrize("interrupted_tick", [1, 2, 3, 4, 5])
def test_an_interrupted_calls_answer_is_never_the_next_calls(
    serve: Serve, connect: Connect, interrupted_tick: int
) -> None:
    class Interrupt(BaseException):
        pass

    def echo_when_told(peer: Peer, request: Request) -> bool:
        may_answer.wait(WAIT_SECONDS)
        return answer(response(request.json()))(peer, request)

    def clock() -> float:
        ticks.append(0)
        if len(ticks) == interrupted_tick:
            raise Interrupt
        return time.monotonic()

    ticks: list[int] = []
    may_answer = Event()
    server = serve(echo_when_told, echo_when_told)
    one = connect(server, monotonic=clock)
    with pytest.raises(Interrupt):
        one.call("UpdateItem", {"n": 1})
    may_answer.set()
    assert one.call("UpdateItem", {"n": 2}) == {"n": 2}
    assert server.connections >= len(server.requests)


def test_neither_faults_nor_printing_show_a_secret(serve: Serve, connect: Connect) -> None:
    server = serve(answer(error("AccessDeniedException")))
    one = connect(server)
    with pytest.raises(StoreUnavailable) as unavailable:
        one.call("UpdateItem", ASKED)
    for text in (repr(one), repr(unavailable.value), str(unavailable.value)):
        assert "a-secret" not in text
        assert "a-token" not in text
