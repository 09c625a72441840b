"""A write that may have taken effect is repeated once, whichever client made it.

The server reads each request, may well have carried it out, and never answers it usefully: the
worst that a broken network does to a counter.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from chatgrid_auth.adapters.awslite.dynamodb_responses import RetryPolicy
from chatgrid_auth.adapters.dynamodb import lean_client
from chatgrid_auth.adapters.dynamodb.transactions import transact
from chatgrid_auth.domain.errors import StoreThrottled, StoreUnavailable
from tests.contract.clients import Connect, Serve, connect, serve
from tests.support.servers.fault_server import (
    Step,
    answer,
    answer_and_close,
    answer_and_reset,
    error,
    hang_up,
    reset,
    response,
    say_nothing,
)

__all__ = ["connect", "serve"]  # fixtures

GOOD = response({"Attributes": {"used": {"N": "1"}}})
ASKED: dict[str, Any] = {"TableName": "keys", "Key": {"pk": {"S": "a"}}}

SWALLOWED = [
    pytest.param(hang_up, id="closed"),
    pytest.param(reset, id="reset"),
    pytest.param(answer_and_reset(GOOD[:40]), id="reset within the head"),
    pytest.param(answer_and_close(GOOD[:-5]), id="truncated"),
    pytest.param(answer(error("InternalServerError", status=500)), id="500"),
]
THROTTLED = [
    pytest.param(answer(error(code)), id=code)
    for code in (
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
    )
]


@pytest.fixture
def functions_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "a-secret",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("fault", SWALLOWED)
def test_a_swallowed_decision_reaches_the_store_twice_at_most(
    serve: Serve, connect: Connect, fault: Step
) -> None:
    server = serve(*[fault] * 9)
    with pytest.raises(StoreUnavailable):
        connect(server).call("UpdateItem", ASKED)
    assert len(server.requests) == 2


@pytest.mark.parametrize("fault", [hang_up, reset])
def test_a_decision_on_a_kept_connection_reaches_the_store_twice_at_most(
    serve: Serve, connect: Connect, fault: Step
) -> None:
    server = serve(answer(GOOD), *[fault] * 9)
    one = connect(server)
    one.call("UpdateItem", ASKED)
    with pytest.raises(StoreUnavailable):
        one.call("UpdateItem", ASKED)
    assert len(server.requests) == 1 + 2


def test_a_decision_that_nobody_answers_reaches_the_store_twice_at_most(
    serve: Serve, connect: Connect
) -> None:
    server = serve(*[say_nothing] * 9)
    with pytest.raises(StoreUnavailable, match="ReadTimeout"):
        connect(server, retry_policy=RetryPolicy(reply=0.5, budget=10)).call("UpdateItem", ASKED)
    assert len(server.requests) == 2


@pytest.mark.parametrize("fault", THROTTLED)
def test_a_throttled_decision_reaches_the_store_twice_at_most(
    serve: Serve, connect: Connect, fault: Step
) -> None:
    server = serve(*[fault] * 9)
    with pytest.raises(StoreThrottled):
        connect(server).call("UpdateItem", ASKED)
    assert len(server.requests) == 2


def test_faults_of_two_kinds_are_one_repeat_together(serve: Serve, connect: Connect) -> None:
    server = serve(hang_up, answer(error("ThrottlingException")), answer(GOOD))
    with pytest.raises(StoreThrottled):
        connect(server).call("UpdateItem", ASKED)
    assert len(server.requests) == 2


def test_a_decision_that_meets_transactions_is_tried_until_they_are_over(
    serve: Serve, connect: Connect
) -> None:
    """A conflict says that nothing was written, and it passes within milliseconds."""
    conflict = answer(error("TransactionConflictException"))
    server = serve(conflict, conflict, hang_up, conflict, answer(GOOD))
    assert connect(server).call("UpdateItem", ASKED)
    assert len(server.requests) == 5


@pytest.mark.usefixtures("functions_environment")
@pytest.mark.parametrize("fault", [*SWALLOWED, *THROTTLED])
def test_a_functions_client_repeats_a_swallowed_or_throttled_write_once(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, fault: Step
) -> None:
    server = serve(*[fault] * 9)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", server.url)
    client = lean_client.dynamodb(os.environ)
    with pytest.raises(StoreUnavailable):
        client.call("UpdateItem", ASKED)
    client.reset()
    assert len(server.requests) == 2


@pytest.mark.usefixtures("functions_environment")
@pytest.mark.parametrize("fault", SWALLOWED)
def test_a_swallowed_transaction_is_repeated_once_under_its_token(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, fault: Step
) -> None:
    server = serve(*[fault] * 9)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", server.url)
    client = lean_client.dynamodb(os.environ)
    with pytest.raises(StoreUnavailable):
        transact(client, [{"Delete": ASKED}], pause=lambda _: None)
    client.reset()
    tokens = [request.json()["ClientRequestToken"] for request in server.requests]
    assert len(tokens) == 2
    assert len(set(tokens)) == 1
