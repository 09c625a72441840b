"""No container goes by a policy that does not hold, whatever it remembers and whatever changes."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.domain.errors import ConditionFailed
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.services.gate.requests import Request
from tests.support.tables.decisions import item_of

NOW_MS = 1_795_000_000_250
RAW_KEY = "cgk_live_" + "0" * 32


class Store:
    """A key's home and its policies; judges nothing but the version."""

    def __init__(self) -> None:
        self.item = item_of(RAW_KEY)
        self.policies: dict[str, dict[str, Any]] = {}
        self.versions = 0
        self.requests = 0
        self.between: list[str | None] = []

    def patch(self, note: str | None) -> None:
        """Another policy, or none; the counter goes on either way, and old ones are disposed of."""
        self.item.pop(items.VERSION, None)
        self.versions += 1
        if note is not None:
            self.policies = {
                items.policy_sk(self.versions): {"metadata": {"M": {"note": {"S": note}}}}
            }
            self.item[items.VERSION] = items.n(self.versions)

    def call_encoded(self, operation: str, body: bytes) -> dict[str, Any]:
        self.requests += 1
        if self.between:
            self.patch(self.between.pop())
        request = json.loads(body)
        if operation == "GetItem":
            found = self.policies.get(request["Key"]["sk"]["S"])
            return {} if found is None else {"Item": found}
        version = self.item.get(items.VERSION)
        if version not in (None, request["ExpressionAttributeValues"][":v"]):
            raise ConditionFailed(dict(self.item))
        return {"Attributes": dict(self.item)}

    @property
    def note(self) -> str | None:
        """What backends have to be told now."""
        if items.VERSION not in self.item:
            return None
        (policy,) = self.policies.values()
        note: str = policy["metadata"]["M"]["note"]["S"]
        return note


notes = st.none() | st.sampled_from(["a", "b", "c"])


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.none() | notes.map(lambda note: (note,)), st.lists(notes)),
        max_size=20,
    )
)
def test_an_allowed_request_is_told_what_holds_when_judged(
    steps: list[tuple[int, tuple[str | None] | None, list[str | None]]],
) -> None:
    """Two containers; changes come between requests, and twice at most in the middle of one."""
    store = Store()
    containers = [KeyDecisions(store, table="t") for _ in range(2)]
    for container, change, between in steps:
        if change is not None:
            store.patch(change[0])
        store.between = between[:2]
        store.requests = 0
        found = containers[container].admit(
            hash_of(RAW_KEY), now_ms=NOW_MS, request=Request("read")
        )
        assert found is not None
        told = None if found.metadata is None else json.loads(found.metadata)["note"]
        assert (found.admitted, told) == (True, store.note)
        assert store.requests <= 3 + 2 * len(between[:2])
        store.between = []
        store.requests = 0
        containers[container].admit(hash_of(RAW_KEY), now_ms=NOW_MS, request=Request("read"))
        assert store.requests == 1
