"""Whatever refuses a request, it spends neither window nor credits: a property over all kinds.

But for one slot: what the owner's or the route's limit refuses, or a fault of theirs, may cost the
key's window a request of that cost, and the owner's too where it was the route.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.keys_table.items import CREDENTIAL, NEVER_MS, credential_pk, n, s, until
from chatgrid_auth.adapters.rate_limits_table.counted_windows import CountedWindows
from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_auth.domain.keys import hash_of, tag_of
from chatgrid_auth.domain.verdicts import Allowed, Forbidden, Limited, Refused
from chatgrid_auth.limit_settings import RouteLimit
from chatgrid_auth.services.gate.metered import MeteredGate
from chatgrid_auth.services.gate.requests import Request
from tests.contract.test_credits import OWNER, Bench
from tests.support.tables.in_process import in_process_dynamodb
from tests.support.tables.key_service import new_key

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from chatgrid_auth.domain.verdicts import Verdict

HOME, AWAY = "203.0.113.5", "198.51.100.9"
KEY_LIMIT, OWNER_LIMIT, ROUTE_LIMIT = 40, 90, 3
CLASSES = (5, 50)
RULES: dict[str, Any] = {"allowed_ips": ["203.0.113.0/24"], "permissions": ["boards:read"]}
PAGE: dict[str, Any] = {"kind": "publishable", "allowed_origins": ["https://app.example.org"]}


class Flaky:
    """DynamoDB, one of whose requests fails before it is done."""

    def __init__(self, client: DynamoDBClient) -> None:
        self._behind = Boto3Transport(client)
        self.fails_at = -1
        self.lost_giving_back = False

    def call_encoded(self, operation: str, body: bytes) -> Any:
        self.fails_at -= 1
        if self.fails_at == -1:
            self.lost_giving_back = b"SET top = top + :c" in body
            raise StoreUnavailable(operation, "Timeout")
        return self._behind.call_encoded(operation, body)


class World(Bench):
    """A key with credits and rules in a deployment with costs, owners' budgets, a route's limit."""

    def __init__(self, client: DynamoDBClient, *, left: int, rules: dict[str, Any]) -> None:
        super().__init__(client, rate_limit=KEY_LIMIT, credits_said={"remaining": left}, **rules)
        self.store = Flaky(client)
        self.gate = self.new_gate()

    def new_gate(self) -> MeteredGate:
        container = self.new_container()
        container._keys = KeyDecisions(self.store, table=self.table, classes=CLASSES)
        windows = CountedWindows(
            self.store, table=self.windows, now_ms=lambda: self.now_ms, classes=CLASSES
        )
        return MeteredGate(
            container,
            windows=windows,
            owner_limit=OWNER_LIMIT,
            routes={"POST /exports": RouteLimit(ROUTE_LIMIT, 3_600)},
            limited_tier="limited",
        )

    def send(self, *, raw_key: str = "", **facts: Any) -> Verdict | StoreUnavailable:
        about: dict[str, Any] = {
            "scope": "read",
            "permission": "boards:read",
            "source": HOME,
            "origin": "https://app.example.org",
            "route": "GET /boards",
            **facts,
        }
        try:
            return self.gate.decide(
                f"Bearer {raw_key or self.raw_key}", request=Request(**about), now_ms=self.now_ms
            )
        except StoreUnavailable as fault:
            return fault

    def counts(self) -> tuple[int, int, int, int]:
        """Admitted on the key, on its owner and on its route, and credits left."""
        key = {"pk": s(credential_pk(hash_of(self.raw_key))), "sk": s(CREDENTIAL)}
        home = self.client.get_item(TableName=self.table, Key=key)["Item"]
        rows = self.client.scan(TableName=self.windows)["Items"]
        used = {row["pk"]["S"].split("#")[0]: int(row["used"]["N"]) for row in rows}
        units = int(home["used"]["N"])
        return units, used.get("OWNER", 0), used.get("ROUTE", 0), int(home["top"]["N"]) - units


def revoked(world: World) -> dict[str, Any]:
    world.issuing.revoke(OWNER, world.id)
    return {}


def disabled(world: World) -> dict[str, Any]:
    world.changes.disable(OWNER, world.id)
    return {}


def expired(world: World) -> dict[str, Any]:
    world.changes.change(OWNER, world.id, {"expires_in_seconds": 1})
    world.now_ms += 1_000
    return {}


def ended(world: World) -> dict[str, Any]:
    """The key has another secret since now, and this one no grace."""
    key_hash = hash_of(world.raw_key)
    old, new = until(tag_of(key_hash)), until("zzzzzz")
    world.client.update_item(
        TableName=world.table,
        Key={"pk": s(credential_pk(key_hash)), "sk": s(CREDENTIAL)},
        UpdateExpression=f"SET #old = :now, {new} = :end, cur = :z",
        ExpressionAttributeNames={"#old": old},
        ExpressionAttributeValues={":now": n(world.now_ms), ":end": n(NEVER_MS), ":z": s("zzzzzz")},
    )
    return {}


def short_of_credits(world: World) -> dict[str, Any]:
    world.patch(remaining=4)
    return {"cost": 5}


def over_its_own(world: World) -> dict[str, Any]:
    while isinstance(world.send(cost=5), Allowed):
        pass
    return {"cost": 5}


def over_its_owners(world: World) -> dict[str, Any]:
    """Other keys of the same user take the whole budget."""
    for _ in range(3):
        other = new_key(world.issuing, OWNER, rate_limit=KEY_LIMIT).raw_key
        while isinstance(world.send(raw_key=other, cost=5), Allowed):
            pass
    world.gate = world.new_gate()
    return {"cost": 5}


def over_its_routes(world: World) -> dict[str, Any]:
    while isinstance(world.send(route="POST /exports"), Allowed):
        pass
    return {"route": "POST /exports"}


def out_of_order(number: int) -> Callable[[World], dict[str, Any]]:
    def fails(world: World) -> dict[str, Any]:
        world.store.fails_at = number + 1
        return {"route": "POST /exports", "cost": 5}

    return fails


#: How a request comes to be refused, and what is then said of it.
KINDS: dict[str, tuple[Callable[[World], dict[str, Any]], type | tuple[type, ...], str]] = {
    "malformed": (lambda _: {"raw_key": "x"}, Refused, "malformed"),
    "unknown": (lambda w: {"raw_key": unknown(w)}, Refused, "unknown"),
    "revoked": (revoked, Refused, "revoked"),
    "disabled": (disabled, Refused, "disabled"),
    "expired": (expired, Refused, "expired"),
    "ended": (ended, Refused, "ended"),
    "address": (lambda _: {"source": AWAY}, Forbidden, "address"),
    "origin": (lambda _: {"origin": "https://elsewhere.example"}, Forbidden, "origin"),
    "scope": (lambda _: {"scope": "write"}, Forbidden, "write"),
    "permission": (lambda _: {"permission": "boards:write"}, Forbidden, "permission"),
    "credits": (short_of_credits, Limited, "credits"),
    "limit": (over_its_own, Limited, "default"),
    "too dear": (lambda _: {"cost": 50}, Limited, "default"),
    "owner": (over_its_owners, Limited, "owner"),
    "route": (over_its_routes, Limited, "route:POST /exports"),
    **{
        f"fault {number}": (out_of_order(number), (StoreUnavailable, Allowed), "")
        for number in range(4)
    },
}
LATER = ("owner", "route")


def unknown(world: World) -> str:
    """A key of this format that another table has."""
    raw_key = new_key(world.issuing, OWNER).raw_key
    world.client.delete_item(
        TableName=world.table,
        Key={"pk": s(credential_pk(hash_of(raw_key))), "sk": s(CREDENTIAL)},
    )
    return raw_key


def said_of(verdict: object) -> str:
    match verdict:
        case Refused() | Forbidden():
            return verdict.reason
        case Limited():
            return verdict.beyond.refused_by if verdict.beyond else "default"
        case _:
            return ""


@pytest.fixture(scope="module")
def client() -> Iterator[DynamoDBClient]:
    with in_process_dynamodb() as running:
        yield running


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=6)
@given(
    earlier=st.lists(st.tuples(st.integers(0, 70_000), st.sampled_from([1, 5])), max_size=3),
    left=st.integers(65, 75),
    again=st.lists(st.sampled_from([0, 10, 5_000]), max_size=2),
)
def test_a_refused_request_of_any_kind_spends_nothing(
    client: DynamoDBClient,
    kind: str,
    earlier: list[tuple[int, int]],
    left: int,
    again: list[int],
) -> None:
    refuse, expected, reason = KINDS[kind]
    world = World(client, left=left, rules=PAGE if kind == "origin" else RULES)
    for gap_ms, cost in earlier:
        world.now_ms += gap_ms
        assert isinstance(world.send(cost=cost), Allowed)
    facts = refuse(world)
    cost = facts.get("cost", 1)
    for gap_ms in [0, *again]:
        world.now_ms += gap_ms
        before = world.counts()
        verdict = world.send(**facts)
        units, owners, routes, spent = (
            now - then for now, then in zip(world.counts(), before, strict=True)
        )
        if isinstance(verdict, Allowed):
            # The fault is over or was none of this request's, or an earlier use is a window ago.
            assert kind.startswith("fault") or (gap_ms and kind in {"limit", "owner", "route"})
            assert (units, owners, routes, spent) == (cost, cost, 1, -cost)
            continue
        assert isinstance(verdict, expected)
        assert said_of(verdict) == reason
        fault = isinstance(verdict, StoreUnavailable)
        assert units in ({0, cost} if fault or reason.startswith(LATER) else {0})
        assert owners in ({0, cost} if fault or reason.startswith("route") else {0})
        assert routes == 0
        assert spent == 0
    assert not world.store.lost_giving_back


def test_a_credit_that_cannot_be_given_back_is_lost_and_never_made(client: DynamoDBClient) -> None:
    world = World(client, left=60, rules=RULES)
    facts = over_its_routes(world)
    world.gate = world.new_gate()
    for number in range(1, 9):
        world.now_ms += 5_000
        before = world.counts()
        world.store.fails_at = number
        world.send(**facts)
        lost = before[3] - world.counts()[3]
        assert lost == int(world.store.lost_giving_back)
        if world.store.lost_giving_back:
            return
    raise AssertionError("no request gave a credit back")
