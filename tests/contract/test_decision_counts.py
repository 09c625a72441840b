"""What a decision costs is held in counts, which no slow machine changes.

The bounds leave a little room for versions of Python, and none for another store request, another
copy of the item or a loop over it. Times are for ``make bench``.
"""

from __future__ import annotations

import json
import os
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from email.utils import formatdate
from types import FrameType
from typing import Any

import pytest

from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
from chatgrid_auth.adapters.awslite.http_connection import HttpConnection
from chatgrid_auth.adapters.awslite.http_response import Response
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.domain.keys import generate, hash_of, tag_of
from chatgrid_authorizer import wiring
from chatgrid_authorizer.decision_metrics import MOST_HELD
from chatgrid_authorizer.response import respond as decide
from tests.contract.clients import Serve, serve
from tests.support.servers.fault_server import FaultServer, answer, error, response
from tests.support.stack.authorizer_settings import SETTINGS
from tests.support.tables.decisions import LIMIT, item_of, on_the_wire, request_with
from tests.support.tokens import CURRENT, token_of

__all__ = ["serve"]  # a fixture

SYSTEM_CALLS = {"poll", "send", "recv", "connect", "getaddrinfo", "setsockopt", "write", "open"}
REFUSED = "ConditionalCheckFailedException"


class Authorizer:
    """The authorizer on a scripted store, asked about one key."""

    def __init__(self, server: FaultServer, raw_key: str, secrets: str) -> None:
        self.server = server
        self.lines: list[str] = []
        self._event = request_with(raw_key)
        endpoints = {
            "AWS_ENDPOINT_URL_DYNAMODB": server.url,
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets,
        }
        self._gate = wiring.build({**SETTINGS, **endpoints})
        self._gate.log = self.lines.append
        now_ms = self._gate.now_ms()
        self._gate.now_ms = lambda: now_ms  # however long a busy machine takes

    def decide(self) -> Any:
        """The verdict on one request."""
        context = decide(self._event, gate=self._gate, invocation_id="i")["context"]
        return context.get("verdict", context.get("reason"))

    def decisions(self) -> list[str]:
        """The lines of decisions among those that were written."""
        return [line for line in self.lines if '"message":"decision"' in line]

    def calls(self) -> tuple[int, Counter[str]]:
        """How many calls one decision makes, in Python and out of it, and which to the system."""
        made, system_calls = 0, Counter[str]()

        def count(_: FrameType, event: str, function: object) -> None:
            nonlocal made
            made += event in {"call", "c_call"}
            name = getattr(function, "__name__", "")
            if event == "c_call" and name in SYSTEM_CALLS:
                system_calls[name] += 1

        sys.setprofile(count)
        try:
            self.decide()
        finally:
            sys.setprofile(None)
        return made, system_calls


@pytest.fixture
def raw_key() -> str:
    return generate("live", entropy=os.urandom)


Authorize = Callable[..., Authorizer]


@pytest.fixture
def authorize(serve: Serve, raw_key: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authorize]:
    """Makes an authorizer whose store answers these steps; its connection is closed at the end."""
    clients: list[DynamoDB] = []

    def remembered(**settings: Any) -> DynamoDB:
        clients.append(DynamoDB(**settings))
        return clients[-1]

    monkeypatch.setattr(wiring, "DynamoDB", remembered)
    yield lambda *steps, key=raw_key, secrets="": Authorizer(serve(*steps), key, secrets)
    for client in clients:
        client.reset()


def good(raw_key: str, times: int) -> list[Any]:
    date = {"Date": formatdate(usegmt=True)}  # as DynamoDB sends one, and the gate reads it
    return [answer(response({"Attributes": item_of(raw_key)}, headers=date))] * times


def test_an_allowed_request_is_one_store_request_and_one_line(
    authorize: Authorize, raw_key: str
) -> None:
    authorizer = authorize(*good(raw_key, 5))
    for number in range(1, 6):
        assert authorizer.decide() == "allowed"
        assert len(authorizer.server.requests) == len(authorizer.decisions()) == number
    assert authorizer.server.connections == 1


def test_a_rotated_secret_and_a_policy_cost_one_request_once_met(
    authorize: Authorize, raw_key: str
) -> None:
    """As the wire carries them: the alias, the home that names a policy, the policy, the home."""
    first = generate("live", entropy=os.urandom)
    home = hash_of(first)
    tag = tag_of(hash_of(raw_key))
    secret: dict[str, Any] = {
        items.until(tag): items.n(items.NEVER_MS),
        items.CURRENT: items.s(tag),
    }
    item = item_of(first, v=items.n(3), **secret)
    alias = on_the_wire({items.HOME: {"B": bytes.fromhex(home)}})
    policy = {"metadata": {"M": {"team": {"S": "billing"}}}}
    authorizer = authorize(
        answer(response({"__type": f"x#{REFUSED}", "Item": alias}, status=400)),
        answer(response({"__type": f"x#{REFUSED}", "Item": item}, status=400)),
        answer(response({"Item": policy})),
        *[answer(response({"Attributes": item}))] * 4,
    )
    sent = authorizer.server.requests
    assert [(authorizer.decide(), len(sent)) for _ in range(4)] == [
        ("allowed", number) for number in (4, 5, 6, 7)
    ]
    asked = [json.loads(request.body) for request in sent]
    partitions = [request["Key"]["pk"]["S"] for request in asked]
    assert partitions == ["KEY#" + hash_of(raw_key), *["KEY#" + home] * 6]
    versions = [
        one["ExpressionAttributeValues"][":v"]["N"]
        for one in asked
        if "ExpressionAttributeValues" in one
    ]
    assert versions == ["0", "0", "3", "3", "3", "3"]


@pytest.fixture
def secrets(serve: Serve) -> FaultServer:
    """Secrets Manager, which gives the secret of tokens once."""
    told = {"SecretString": json.dumps({"current": CURRENT.decode()}), "CreatedDate": 1.0}
    return serve(answer(response(told)))


def test_a_token_costs_what_its_key_does_once_its_secret_is_read(
    authorize: Authorize, raw_key: str, secrets: FaultServer
) -> None:
    authorizer = authorize(*good(raw_key, 9), key=token_of(raw_key), secrets=secrets.url)
    for number in range(1, 6):
        assert authorizer.decide() == "allowed"
        assert len(authorizer.server.requests) == number
    (read,) = secrets.requests
    assert read.headers["x-amz-target"] == "secretsmanager.GetSecretValue"
    asked = json.loads(authorizer.server.requests[-1].body)
    assert asked["Key"]["pk"]["S"] == "KEY#" + hash_of(raw_key)
    made, system_calls = min((authorizer.calls() for _ in range(3)), key=lambda found: found[0])
    assert system_calls == {"poll": 2, "send": 1, "recv": 1}
    assert made <= 300  # 1.25 of a key's


def test_a_forged_token_is_no_store_request(
    authorize: Authorize, raw_key: str, secrets: FaultServer
) -> None:
    forged = token_of(raw_key, secret=b"another stack's secret")
    authorizer = authorize(key=forged, secrets=secrets.url)
    for _ in range(5):
        assert authorizer.decide() == "invalid_token"
    assert authorizer.server.connections == 0
    assert len(secrets.requests) == 1


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({items.OFF: items.s(items.REVOKED), items.LEVEL: None}, "revoked"),
        ({items.OFF: items.s(items.MANUAL), items.LEVEL: None}, "disabled"),
        ({"until_ms": 1}, "expired"),
        ({"used": LIMIT}, "rate_limited"),
    ],
    ids=["revoked", "disabled", "expired", "limited"],
)
def test_a_refused_key_is_one_store_request_and_then_none(
    authorize: Authorize, raw_key: str, facts: dict[str, Any], verdict: str
) -> None:
    item = item_of(raw_key, **facts)
    body = {"__type": f"x#{REFUSED}", "message": "", "Item": item}
    authorizer = authorize(answer(response(body, status=400)))
    for _ in range(10):
        assert authorizer.decide() == verdict
    assert len(authorizer.server.requests) == 1


def test_an_unknown_key_is_one_store_request_and_then_none(
    authorize: Authorize, raw_key: str
) -> None:
    authorizer = authorize(answer(error(REFUSED)))
    for _ in range(10):
        assert authorizer.decide() == "unknown"
    assert len(authorizer.server.requests) == 1


def test_a_mistyped_key_is_no_store_request_and_few_calls(
    authorize: Authorize, raw_key: str
) -> None:
    mistyped = raw_key[:-1] + ("0" if raw_key[-1] != "0" else "1")
    authorizer = authorize(key=mistyped)
    assert authorizer.decide() == "malformed"
    made, system_calls = authorizer.calls()
    assert not system_calls
    assert made <= 87
    assert authorizer.server.connections == 0


def test_a_warm_decision_is_four_system_calls_and_few_others(
    authorize: Authorize, raw_key: str
) -> None:
    authorizer = authorize(*good(raw_key, 6))
    authorizer.decide()
    # The least of three: a second that turns between two of them costs more, once.
    made, system_calls = min((authorizer.calls() for _ in range(3)), key=lambda found: found[0])
    assert system_calls == {"poll": 2, "send": 1, "recv": 1}
    assert made <= 240


def test_metrics_cost_a_decision_little_and_one_line_in_a_hundred(
    authorize: Authorize, raw_key: str
) -> None:
    authorizer = authorize(*good(raw_key, 1 + 2 * MOST_HELD))
    authorizer.decide()
    began = int(time.time())
    made = [authorizer.calls()[0] for _ in range(2 * MOST_HELD)]
    seconds_turned = int(time.time()) - began  # each lets one of them cost more
    assert sum(sorted(made)[: len(made) - seconds_turned]) <= 240 * (len(made) - seconds_turned)
    assert sum(calls > 280 for calls in made) <= seconds_turned
    assert max(made) <= 400
    assert len(authorizer.lines) - len(authorizer.decisions()) == 1 + 2


def test_a_decision_holds_little_memory_and_leaves_nothing_behind(
    authorize: Authorize, raw_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    authorizer = authorize()
    body = json.dumps({"Attributes": item_of(raw_key)}).encode()
    # Answered without a server, whose thread would hold memory of its own.
    monkeypatch.setattr(HttpConnection, "exchange", lambda *_: Response(200, {}, body))
    for _ in range(5):
        assert authorizer.decide() == "allowed"
    authorizer.lines.clear()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(50):
            authorizer.decide()
            authorizer.lines.clear()
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before <= 24 * 1024
    assert after - before <= 8 * 1024
