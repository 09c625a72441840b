"""What a policy refuses is refused by the policy that holds, uncounted, and at most 5 s longer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.decisions import Credential, KeyDecisions
from chatgrid_auth.adapters.keys_table.policies import SEEN_MS
from chatgrid_auth.domain.errors import ConditionFailed, StoreUnavailable
from chatgrid_auth.domain.keys import hash_of, tag_of
from chatgrid_auth.services.gate.requests import Request
from tests.support.tables.decisions import item_of

NOW_MS = 1_795_000_000_250
RAW_KEY = "cgk_live_" + "0" * 32
HERE, THERE = "192.0.2.1", "203.0.113.9"


class Store:
    """A key's home and its policies; judges the version, the state and the scope."""

    def __init__(self) -> None:
        self.item = item_of(RAW_KEY)
        self.policies: dict[str, dict[str, Any]] = {}
        self.versions = 0
        self.sent: list[str] = []
        self.counted = 0
        self.clock_ms = NOW_MS
        self.between: list[str | None] = []
        #: From when on which addresses held, the newest last.
        self.history: list[tuple[int, str | None]] = [(0, None)]

    def patch(self, allowed_ips: str | None, **more: str) -> None:
        """Another policy, or none; the counter goes on either way, and old ones go."""
        self.item.pop(items.VERSION, None)
        self.versions += 1
        self.history.append((self.clock_ms, allowed_ips))
        kept = {"allowed_ips": allowed_ips, **more}
        policy = {name: items.s(value) for name, value in kept.items() if value is not None}
        self.policies = {items.policy_sk(self.versions): policy} if policy else {}
        if policy:
            self.item[items.VERSION] = items.n(self.versions)

    def call_encoded(self, operation: str, body: bytes) -> dict[str, Any]:
        request = json.loads(body)
        sort_key = request["Key"]["sk"]["S"]
        self.sent.append("GetPolicy" if sort_key != items.CREDENTIAL else operation)
        if self.between:
            self.patch(self.between.pop())
        if operation == "GetItem":
            assert request["ConsistentRead"]
            found = self.item if sort_key == items.CREDENTIAL else self.policies.get(sort_key)
            return {} if found is None else {"Item": dict(found)}
        values = request["ExpressionAttributeValues"]
        level = int(self.item.get(items.LEVEL, items.n(0))["N"])
        until = int(self.item[items.until(tag_of(hash_of(RAW_KEY)))]["N"])
        version = self.item.get(items.VERSION)
        passes = int(values[":lvl"]["N"]) <= level and until > int(values[":now"]["N"])
        if version not in (None, values[":v"]) or not passes:
            raise ConditionFailed(dict(self.item))
        self.counted += 1
        return {"Attributes": dict(self.item)}

    def held_lately(self) -> set[str | None]:
        """The addresses that held at some moment of the last five seconds, now included."""
        since = self.clock_ms - SEEN_MS
        ends = [when for when, _ in self.history[1:]] + [self.clock_ms + 1]
        return {ips for (_, ips), end in zip(self.history, ends, strict=True) if end > since}


class Container:
    """The authorizer's decisions in one container."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._decisions = KeyDecisions(store, table="t")

    def ask(self, source: str = HERE, **facts: Any) -> Credential:
        self.store.sent.clear()
        request = Request(facts.pop("scope", "read"), source=source, **facts)
        found = self._decisions.admit(hash_of(RAW_KEY), now_ms=self.store.clock_ms, request=request)
        assert found is not None
        return found


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def container(store: Store) -> Container:
    return Container(store)


POLICIES = st.none() | st.sampled_from([HERE, THERE, f"{HERE} {THERE}", "0.0.0.0/0"])
STEPS = st.tuples(
    st.integers(0, 1),
    st.sampled_from([HERE, THERE]),
    st.sampled_from([0, 1, 2_000, 4_999, 5_000, 5_001]),
    st.none() | POLICIES.map(lambda policy: (policy,)),
    st.lists(POLICIES, max_size=2),
)


@settings(max_examples=300)
@given(st.lists(STEPS, max_size=20))
def test_no_allow_is_stale_and_no_refusal_older_than_five_seconds(steps: list[Any]) -> None:
    """Two containers; changes come between requests, and in the middle of them."""
    store = Store()
    containers = [Container(store), Container(store)]
    for number, source, later_ms, change, between in steps:
        store.clock_ms += later_ms
        if change is not None:
            store.patch(change[0])
        store.between = list(between)
        counted = store.counted
        found = containers[number].ask(source)
        met = len(between) - len(store.between)
        store.between = []
        assert store.counted - counted == found.admitted
        assert len(store.sent) <= 3 + 2 * met
        if found.admitted:
            now = store.history[-1][1]
            assert now is None or source in now or now == "0.0.0.0/0"
        else:
            lately = store.held_lately()
            assert any(ips is not None and source not in ips and "/" not in ips for ips in lately)
            assert found.rules is not None


def test_an_allowed_source_costs_one_request_and_a_new_policy_two_more(
    store: Store, container: Container
) -> None:
    for allowed in (HERE, f"{HERE} {THERE}", "192.0.2.0/24"):
        store.patch(allowed)
        assert container.ask().admitted
        assert store.sent == ["UpdateItem", "GetPolicy", "UpdateItem"]
        for _ in range(5):
            assert container.ask().admitted
            assert store.sent == ["UpdateItem"]


def test_a_refused_source_asks_once_in_five_seconds_and_counts_nothing(
    store: Store, container: Container
) -> None:
    store.patch(HERE)
    assert not container.ask(THERE).admitted
    assert store.sent == ["UpdateItem", "GetPolicy"]
    for later_ms, sent in ((0, []), (4_999, []), (1, ["GetItem"]), (0, []), (5_000, ["GetItem"])):
        store.clock_ms += later_ms
        assert not container.ask(THERE).admitted
        assert store.sent == sent
    assert store.counted == 0


def test_a_removed_address_is_refused_on_the_very_next_request(
    store: Store, container: Container
) -> None:
    store.patch(f"{HERE} {THERE}")
    assert container.ask(THERE).admitted
    store.patch(HERE)
    refused = container.ask(THERE)
    assert not refused.admitted
    assert refused.fault is None
    assert store.counted == 1


def test_what_was_refused_may_come_again_when_five_seconds_are_over(
    store: Store, container: Container
) -> None:
    store.patch(HERE)
    assert not container.ask(THERE).admitted
    store.clock_ms += 1_000
    store.patch(None)
    store.clock_ms += SEEN_MS - 1_000
    assert container.ask(THERE).admitted


def test_a_key_that_is_dead_hears_so_and_not_of_its_addresses(
    store: Store, container: Container
) -> None:
    """Once what was seen of it is five seconds old, or its own end has come."""
    store.patch(HERE)
    assert not container.ask(THERE).admitted
    until = items.until(tag_of(hash_of(RAW_KEY)))
    store.item[until] = items.n(store.clock_ms + 7_000)
    store.clock_ms += SEEN_MS
    assert container.ask(THERE).fault is None
    store.clock_ms += 2_000
    assert container.ask(THERE).fault == "expired"
    store.item[items.OFF] = items.s(items.REVOKED)
    del store.item[items.LEVEL]
    assert container.ask(THERE).fault == "revoked"


@pytest.mark.parametrize(
    ("policy", "asked", "admitted"),
    [
        ({"permissions": "boards:read"}, {"permission": "boards:read"}, True),
        ({"permissions": "boards:read"}, {"permission": "boards:write"}, False),
        ({"permissions": "boards:read"}, {"permission": None}, True),
        ({"permissions": "*"}, {"permission": "keys:verify"}, False),
        ({"permissions": "* keys:verify"}, {"permission": "keys:verify"}, True),
        ({}, {"permission": "keys:verify"}, False),
        ({"allowed_origins": "https://a.example"}, {"origin": "https://a.example"}, True),
        ({"allowed_origins": "https://a.example"}, {"origin": "null"}, False),
        ({"allowed_origins": "https://a.example"}, {"origin": None}, False),
        ({"allowed_ips": "0.0.0.0/0"}, {"source": ""}, False),
        ({"allowed_ips": "::/0"}, {"source": HERE}, False),
    ],
)
def test_each_rule_is_judged_before_anything_is_counted(
    store: Store, policy: dict[str, str], asked: dict[str, Any], admitted: bool
) -> None:
    kept = dict(policy)
    if kept:
        store.patch(kept.pop("allowed_ips", None), **kept)
    for _ in range(2):
        assert Container(store).ask(**asked).admitted is admitted
    assert store.counted == 2 * admitted


def test_a_policy_that_cannot_be_read_is_a_fault_and_no_refusal(
    store: Store, container: Container
) -> None:
    store.patch("192.0.2.1/24")
    with pytest.raises(StoreUnavailable, match="UnreadablePolicy"):
        container.ask()
    assert store.counted == 0


def test_however_many_keys_are_refused_little_is_remembered(store: Store) -> None:
    policies = KeyDecisions(store, table="t")._policies
    for number in range(2_000):
        policies.saw(str(number), {}, asked_ms=0, ends_ms=None)
    assert len(policies._seen) <= 256
