"""A verdict for a backend elsewhere is the authorizer's own, at one store request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.keys_table.glances import KeyGlances
from chatgrid_auth.adapters.keys_table.policies import ALLOWED_ORIGINS
from chatgrid_auth.adapters.rate_limits_table.counted_windows import CountedWindows
from chatgrid_auth.adapters.rate_limits_table.glances import WindowGlances
from chatgrid_auth.adapters.rate_limits_table.user_windows import UserWindows
from chatgrid_auth.domain import context, keys
from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_auth.domain.scopes import VERIFY_PERMISSION
from chatgrid_auth.domain.verdicts import API_KEY, Allowed, Caller, RateLimitStatus
from chatgrid_auth.services.gate.authenticate import Authenticator
from chatgrid_auth.services.gate.metered import MeteredGate
from chatgrid_auth.services.gate.requests import Request, Routes
from chatgrid_authorizer.response import Gate, respond
from tests.events.test_authorizer_events import EVENTS, KNOWN, NOW_MS, OWNER, items_of
from tests.support.tables.decisions import NoTokens
from tests.support.tables.stores import keys_table, moto_client, rate_limits_table
from tests.support.tokens import derived

if TYPE_CHECKING:
    from chatgrid_auth.services.gate.metered import Windows

FIGURES = RateLimitStatus(limit=120, remaining=119, more_s=1, reset_s=2)


class Counting:
    """A transport that notes what it is asked, and can be out."""

    def __init__(self, transport: Boto3Transport) -> None:
        self._transport = transport
        self.asked: list[str] = []
        self.out = False

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        return self.call_encoded(operation, json.dumps(request).encode())

    def call_encoded(self, operation: str, body: bytes) -> dict[str, Any]:
        self.asked.append(operation)
        if self.out:
            raise StoreUnavailable(operation, "Timeout")
        return self._transport.call_encoded(operation, body)


class World:
    """The gate over a store that knows a key of every state."""

    def __init__(self, client: Any) -> None:
        self.table = keys_table(client)
        plain = Boto3Transport(client)
        self.transport = Counting(plain)
        self._client = client
        self.keys: dict[str, str] = {}
        self.lines: list[str] = []
        decisions = KeyDecisions(self.transport, table=self.table)
        for file in EVENTS.glob("*.json"):
            text = file.read_text()
            at = text.find("cgk_")
            raw = text[at : at + keys.KEY_LENGTH]
            name = raw[9:-7].rstrip("0").removeprefix("event")
            facts = KNOWN.get(f"event{name}")
            if facts and keys.is_well_formed(raw) and name not in self.keys:
                self.keys[name] = raw
                for item in items_of(raw, facts):
                    plain.call("PutItem", {"TableName": self.table, "Item": item})
                if facts.get("used"):
                    decisions.admit(keys.hash_of(raw), now_ms=NOW_MS, request=Request("read"))
        self.limits_table = rate_limits_table(client)
        users = UserWindows(plain, table=self.limits_table, limit=200, now_ms=lambda: NOW_MS)

        def authenticator(of: KeyDecisions) -> Authenticator:
            return Authenticator(
                keys=of,
                users=users,
                tokens=NoTokens,
                derived=derived,
                key_tier="standard",
                jwt_tier="web",
                limited_tier="limited",
            )

        self.judging = authenticator
        self.gate = Gate(
            authenticator=authenticator(decisions),
            now_ms=lambda: NOW_MS,
            elapsed_ms=lambda: 0.0,
            store_waited_ms=lambda: 0.0,
            log=self.lines.append,
            metrics_namespace="ChatGrid/test",
            routes=Routes(permissions={}),
            dearest=10,
            glances=lambda: authenticator(KeyGlances(self.transport, table=self.table)),
        )

        self.transport.asked.clear()

    def item(self, name: str) -> dict[str, Any]:
        """What lies under the hash of a key."""
        key = {"pk": {"S": f"KEY#{keys.hash_of(self.keys[name])}"}, "sk": {"S": "#"}}
        found: dict[str, Any] = self._client.get_item(
            TableName=self.table, Key=key, ConsistentRead=True
        )["Item"]
        return found

    def set_credits(self, name: str, *, left: int) -> None:
        """Give a key so many credits, as a change of it does."""
        item = self.item(name)
        item["top"] = {"N": str(int(item["used"]["N"]) + left)}
        self._client.put_item(TableName=self.table, Item=item)

    def allow_origin(self, name: str, origin: str) -> None:
        """Give a key a policy that names an origin, as a publishable key has one."""
        item = self.item(name)
        policy = {"pk": item["pk"], "sk": items.s(items.policy_sk(1))}
        item[items.VERSION] = items.n(1)
        for put in (item, {**policy, ALLOWED_ORIGINS: items.s(origin)}):
            self._client.put_item(TableName=self.table, Item=put)

    def share(self, owner_limit: int) -> None:
        """Give each user a budget for all its keys, as a deployment may."""
        plain, now_ms = self.gate.authenticator, self.gate.now_ms
        looks, table = self.gate.glances, self.limits_table

        def behind(authenticator: Any, windows: Windows) -> MeteredGate:
            return MeteredGate(
                authenticator,
                windows=windows,
                owner_limit=owner_limit,
                routes={},
                limited_tier="limited",
            )

        counted = CountedWindows(self.transport, table=table, now_ms=now_ms)
        read = WindowGlances(self.transport, table=table, now_ms=now_ms)
        assert looks is not None
        look = behind(looks(), read)
        self.gate.authenticator, self.gate.glances = behind(plain, counted), lambda: look

    def ask(self, body: object, **event: Any) -> tuple[int, dict[str, Any]]:
        """Status and body of the response to a caller who may ask."""
        self.transport.asked.clear()
        response = respond(asked(body, **event), gate=self.gate)
        return response["statusCode"], json.loads(response["body"])

    def told(self, name: str, **asked: Any) -> dict[str, Any]:
        """What is told of one of the keys."""
        asked = asked if "scope" in asked or "method" in asked else {"scope": "read", **asked}
        status, body = self.ask({"credential": self.keys.get(name, name), **asked})
        assert (status, body["object"]) == (200, "verification"), body
        data: dict[str, Any] = body["data"]
        return data


def asked(
    body: object, *, permissions: tuple[str, ...] | None = (VERIFY_PERMISSION,), **event: Any
) -> dict[str, Any]:
    caller = Caller(
        user_id="u", auth_mode=API_KEY, scopes=("read",), key_id="k", permissions=permissions
    )
    told = context.write(Allowed(caller=caller, figures=FIGURES, usage_key="t"))
    return {
        "httpMethod": "POST",
        "resource": "/keys/verify",
        "headers": {"Content-Type": "application/json"},
        "requestContext": {
            "requestId": "r",
            "authorizer": {name: str(value) for name, value in told.items()},
        },
        "body": json.dumps(body),
        **event,
    }


@pytest.fixture
def world() -> Iterator[World]:
    with moto_client() as client:
        yield World(client)


BOTH_COSTS = pytest.mark.parametrize("cost", [0, 1])


@BOTH_COSTS
@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("revoked", "revoked", "API key has been revoked"),
        ("ended", "revoked", "API key has been revoked"),
        ("disabled", "disabled", "API key is disabled"),
        ("expired", "expired", "API key has expired"),
        ("limited", "rate_limited", "Rate limit exceeded"),
        ("nobody's", "invalid", "Missing or invalid token"),
        ("", "invalid", "Missing or invalid token"),
        ("good ", "invalid", "Missing or invalid token"),
    ],
)
def test_each_refusal_has_the_gates_own_words(
    world: World, name: str, code: str, message: str, cost: int
) -> None:
    told = world.told(name, cost=cost)
    assert (told["valid"], told["code"], told["message"]) == (False, code, message)
    assert told["caller"] is None
    assert (told["retry_after_seconds"] is not None) == (code == "rate_limited")


@BOTH_COSTS
def test_a_valid_key_tells_whose_it_is_at_one_request(world: World, cost: int) -> None:
    told = world.told("good", cost=cost)
    assert world.transport.asked == (["UpdateItem"] if cost else ["GetItem"])
    assert (told["valid"], told["code"], told["message"]) == (True, "valid", None)
    caller = told["caller"]
    assert (caller["user_id"], caller["auth_mode"]) == (OWNER, "api-key")
    assert caller["scopes"] == ["read", "write"]
    assert (caller["permissions"], caller["metadata"], caller["expires_at"]) == (None, {}, None)
    assert told["rate_limit"]["remaining"] == 120 - cost
    assert told["retry_after_seconds"] is None


def test_at_no_cost_nothing_of_the_key_changes_and_nothing_is_logged(world: World) -> None:
    before = world.item("good")
    for _ in range(3):
        assert world.told("good", cost=0)["valid"]
    assert world.item("good") == before
    assert world.lines == []
    world.told("good", cost=1)
    assert world.item("good") != before
    assert '"resource":"/keys/verify"' in world.lines[0]


@BOTH_COSTS
def test_what_a_key_may_do_goes_by_scope_or_by_route(world: World, cost: int) -> None:
    for asked in ({"scope": "write"}, {"method": "DELETE", "resource": "/boards/{id}"}):
        told = world.told("read", cost=cost, **asked)
        assert (told["code"], told["message"]) == ("forbidden", "Missing required scope: write")
        assert world.told("good", cost=cost, **asked)["valid"]
    assert world.told("read", cost=cost, method="GET", resource="/boards")["valid"]


@BOTH_COSTS
def test_a_key_without_credits_left_is_told_so(world: World, cost: int) -> None:
    world.set_credits("good", left=0)
    told = world.told("good", cost=cost)
    assert (told["valid"], told["code"]) == (False, "credits_exhausted")
    assert (told["message"], told["retry_after_seconds"]) == ("Credits exhausted", None)
    world.set_credits("read", left=1)  # another key: a refusal is remembered for some seconds
    assert world.told("read", cost=cost)["valid"]
    assert world.told("read", cost=cost)["valid"] is (cost == 0)


def test_any_cost_up_to_the_dearest_is_judged_and_counted(world: World) -> None:
    decisions = KeyDecisions(world.transport, table=world.table, classes=(10,))
    world.gate.authenticator = world.judging(decisions)
    left = [world.told("good", cost=cost)["rate_limit"]["remaining"] for cost in (10, 5, 1)]
    assert left == [110, 105, 104]


@BOTH_COSTS
def test_a_page_is_told_by_its_origin(world: World, cost: int) -> None:
    world.allow_origin("good", "https://app.example.org")
    assert world.told("good", cost=cost, origin="https://app.example.org")["valid"]
    for origin in ({}, {"origin": "https://evil.example.org"}, {"origin": "null"}):
        told = world.told("good", cost=cost, **origin)
        assert (told["code"], told["message"]) == ("forbidden", "Origin not allowed")


def test_an_owners_budget_is_judged_at_no_cost_and_spent_at_one(world: World) -> None:
    world.share(owner_limit=1)
    world.set_credits("good", left=9)
    for _ in range(2):
        told = world.told("good", cost=0)
        assert (told["valid"], told["rate_limit"]["limit"]) == (True, 1)
    assert world.told("good", cost=1)["valid"]
    before = world.item("good")
    told = world.told("good", cost=0)
    assert (told["code"], told["rate_limit"]["remaining"]) == ("rate_limited", 0)
    assert told["retry_after_seconds"] is not None
    assert world.item("good") == before, "a look gives no credit back that it never took"
    assert world.told("good", cost=1)["code"] == "rate_limited"


@BOTH_COSTS
def test_an_outage_is_503_and_never_an_invalid_credential(world: World, cost: int) -> None:
    world.transport.out = True
    question = {"credential": world.keys["good"], "scope": "read", "cost": cost}
    response = respond(asked(question), gate=world.gate)
    assert response["statusCode"] == 503
    assert response["headers"]["Retry-After"] == "1"
    assert json.loads(response["body"])["code"] == "service_unavailable"


@pytest.mark.parametrize("permissions", [None, (), ("*",), ("keys:*",), ("keys:read",)])
def test_only_the_one_permission_lets_a_caller_ask(
    world: World, permissions: tuple[str, ...] | None
) -> None:
    question = {"credential": world.keys["good"], "scope": "read"}
    response = respond(asked(question, permissions=permissions), gate=world.gate)
    assert response["statusCode"] == 403
    assert json.loads(response["body"])["message"] == "Missing required permission: keys:verify"
    assert world.transport.asked == []


def test_a_request_that_the_authorizer_did_not_see_asks_nothing(world: World) -> None:
    status, body = world.ask({"credential": "x", "scope": "read"}, requestContext={})
    assert (status, body["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("body", "code", "path"),
    [
        ({"scope": "read"}, "required", "credential"),
        ({"credential": 7, "scope": "read"}, "invalid_type", "credential"),
        ({"credential": "x"}, "invalid_value", "body"),
        ({"credential": "x", "scope": "read", "method": "GET"}, "invalid_value", "body"),
        ({"credential": "x", "method": "GET"}, "required", "resource"),
        ({"credential": "x", "resource": "/boards"}, "required", "method"),
        ({"credential": "x", "scope": "root"}, "invalid_value", "scope"),
        ({"credential": "x", "method": "get", "resource": "/b"}, "invalid_value", "method"),
        ({"credential": "x", "method": "GET", "resource": "b"}, "invalid_value", "resource"),
        ({"credential": "x", "scope": "read", "permission": "x"}, "invalid_value", "permission"),
        ({"credential": "x", "scope": "read", "cost": -1}, "invalid_value", "cost"),
        ({"credential": "x", "scope": "read", "cost": 11}, "invalid_value", "cost"),
        ({"credential": "x", "scope": "read", "cost": True}, "invalid_type", "cost"),
        ({"credential": "x", "scope": "read", "cost": "1"}, "invalid_type", "cost"),
        ({"credential": "x", "scope": "read", "source_ip": "10.0.0"}, "invalid_value", "source_ip"),
        ({"credential": "x", "scope": "read", "origin": 7}, "invalid_type", "origin"),
        ({"credential": "x", "scope": "read", "user_id": "u"}, "unrecognized_key", "body"),
        (["credential"], "invalid_type", "body"),
    ],
)
def test_a_body_that_is_not_right_is_400_and_says_where(
    world: World, body: object, code: str, path: str
) -> None:
    status, told = world.ask(body)
    assert (status, told["code"], told["message"]) == (
        400,
        "validation_error",
        "Invalid request body",
    )
    assert [(each["code"], each["path"]) for each in told["details"]] == [(code, path)]
    assert world.transport.asked == []


@pytest.mark.parametrize("text", [None, "", "{", '{"a":1,"a":2}', "[" * 9_999])
def test_what_is_no_json_is_400(world: World, text: str | None) -> None:
    response = respond({**asked({}), "body": text}, gate=world.gate)
    status, told = response["statusCode"], json.loads(response["body"])
    assert (status, told["code"]) == (400, "validation_error")


def test_another_method_or_media_type_or_size_is_told_so(world: World) -> None:
    assert world.ask({"credential": "x" * 65_536, "scope": "read"})[0] == 413
    question = {"credential": "x", "scope": "read"}
    assert world.ask(question, httpMethod="PUT")[0] == 405
    assert world.ask(question, headers={"Content-Type": "text/plain"})[0] == 415


def test_no_response_and_no_line_repeats_what_was_sent(world: World) -> None:
    raw = world.keys["good"]
    for body in (
        {"credential": raw, "scope": "read"},
        {"credential": raw, raw: 1},
        {"credential": raw, "scope": raw, "method": raw, "source_ip": raw, "permission": raw},
    ):
        response = respond(asked(body), gate=world.gate)
        assert raw not in json.dumps(response)
    assert raw not in "".join(world.lines)
