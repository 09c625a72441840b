"""Keys are changed over a real table: at once for requests, and no two changes lose each other."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.audit_table.trail import AuditTrail
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.adapters.rotation.books import GRACES
from chatgrid_auth.domain.credentials import ApiKey
from chatgrid_auth.domain.key_errors import NotFound
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.services.gate.requests import Request
from chatgrid_auth.services.key_changes.changing import KeyChanges
from chatgrid_auth.services.rotation import Rotations
from chatgrid_devkit.stack.ministack import Ministack
from tests.support.tables import books
from tests.support.tables.in_process import in_this_store
from tests.support.tables.key_service import key_service, new_key
from tests.support.tables.secrets import home_of, passes
from tests.support.tables.stores import audit_of, dynamodb, keys_table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000


class Bench:
    """One owner's key, and the gate before it."""

    def __init__(self, client: DynamoDBClient, **facts: Any) -> None:
        self.client = client
        self.table = keys_table(client)
        self.owner = str(uuid4())
        self.now_ms = NOW_MS
        self.keys = key_service(client, table=self.table, now_ms=self.clock)
        self.store = self.store_of(client)
        self.rotations = Rotations(self.store.rotations, now_ms=self.clock, entropy=os.urandom)
        issued = new_key(self.keys, self.owner, **facts)
        self.id, self.raw_key = issued.key.id, issued.raw_key
        self._decisions = KeyDecisions(Boto3Transport(client), table=self.table)

    def clock(self) -> int:
        return self.now_ms

    def store_of(self, client: Any) -> DynamoKeyStore:
        return DynamoKeyStore(
            Boto3Transport(client),
            table=self.table,
            audit_table=audit_of(self.table),
            pause=time.sleep,
        )

    def change(self, client: Any = None, **said: Any) -> ApiKey:
        """Change it, and see that it is shown as it was answered, with right books."""
        store = self.store if client is None else self.store_of(client)
        changes = KeyChanges(store.changes, now_ms=self.clock, default_rate_limit=120)
        return changes.change(self.owner, self.id, said)

    def shown(self) -> ApiKey:
        return self.keys.get(self.owner, self.id)

    def decided(self, raw_key: str = "", *, scope: str = "read") -> Any:
        found = self._decisions.admit(
            hash_of(raw_key or self.raw_key), now_ms=self.now_ms, request=Request(scope)
        )
        assert found is not None
        return found

    def admits(self, *, scope: str = "read") -> bool:
        admitted: bool = self.decided(scope=scope).admitted
        return admitted

    def home(self) -> dict[str, Any]:
        return home_of(self.client, self.table, self.raw_key)

    def wrong_books(self) -> list[str]:
        return books.errors_in(books.contents(self.client, self.table))

    def policies(self) -> list[str]:
        return sorted(
            item["sk"]["S"]
            for item in books.contents(self.client, self.table)
            if item["sk"]["S"].startswith("P#")
        )

    def graces(self) -> list[int]:
        return [
            int(item["ends_ms"]["N"])
            for item in books.contents(self.client, self.table)
            if item["pk"]["S"] == GRACES
        ]

    def told(self) -> list[str]:
        log = AuditTrail(Boto3Transport(self.client), table=audit_of(self.table))
        assert log.verify(self.owner).first_broken_seq is None
        actions = [one.document["action"] for one in log.entries(self.owner)]
        return sorted(action.removeprefix("api_key.") for action in actions)


@pytest.fixture
def bench(client: DynamoDBClient) -> Bench:
    return Bench(client)


def test_a_disabled_key_is_refused_at_once_and_works_when_enabled(bench: Bench) -> None:
    assert bench.admits()
    assert bench.change(enabled=False) == bench.shown()
    assert bench.decided().fault == "disabled"
    assert bench.wrong_books() == []
    assert bench.change(enabled=True) == bench.shown()
    assert bench.admits()
    assert bench.wrong_books() == []
    assert bench.told() == ["created", "disabled", "enabled"]


def test_a_key_made_disabled_works_from_its_enabling_on(client: DynamoDBClient) -> None:
    bench = Bench(client, enabled=False, metadata={"team": "core"})
    assert bench.decided().fault == "disabled"
    assert bench.wrong_books() == []
    bench.change(enabled=True)
    assert bench.admits()
    assert bench.decided().metadata == '{"team": "core"}'


def test_scopes_changed_while_a_key_is_off_hold_once_it_is_on(bench: Bench) -> None:
    assert not bench.admits(scope="write")
    bench.change(enabled=False)
    bench.change(scopes=["write"])
    assert bench.decided().fault == "disabled"
    bench.change(enabled=True)
    assert bench.admits(scope="write")
    bench.change(scopes=["read"])
    assert not bench.admits(scope="write")
    assert bench.admits()
    assert bench.wrong_books() == []


def test_an_expired_key_given_a_later_expiry_works_again(bench: Bench) -> None:
    bench.change(expires_in_seconds=60)
    bench.now_ms += 60_000
    assert bench.decided().fault == "expired"
    assert bench.change(enabled=True).expires_at_ms == NOW_MS + 60_000
    assert bench.change(expires_at=None) == bench.shown()
    assert bench.admits()
    assert bench.wrong_books() == []


def test_a_grace_ends_with_its_key_and_no_later_than_asked(bench: Bench) -> None:
    bench.rotations.rotate(bench.owner, bench.id, grace_seconds=86_400)
    asked = NOW_MS + DAY_MS
    for seconds, ends in ((3_600, NOW_MS + 3_600_000), (2 * 86_400, asked), (60, NOW_MS + 60_000)):
        changed = bench.change(expires_in_seconds=seconds)
        assert changed == bench.shown()
        assert changed.previous_secret is not None
        assert changed.previous_secret.expires_at_ms == ends
        assert bench.graces() == [ends]
        assert bench.wrong_books() == []


def test_a_secret_that_ended_stays_so_when_its_key_lives_longer(bench: Bench) -> None:
    bench.change(expires_in_seconds=60)
    bench.rotations.rotate(bench.owner, bench.id, grace_seconds=86_400)
    bench.now_ms += 60_000
    assert bench.change(expires_at=None).previous_secret is None
    assert not passes(bench.client, bench.table, bench.raw_key, now_ms=bench.now_ms)


def test_backends_are_told_of_metadata_from_the_next_request_on(bench: Bench) -> None:
    assert bench.decided().metadata is None
    bench.change(metadata={"team": "core"})
    assert bench.decided().metadata == '{"team": "core"}'
    bench.change(metadata={"stage": "one"})
    assert bench.decided().metadata == '{"team": "core", "stage": "one"}'
    bench.change(metadata={"note": "a" * 1_500})
    assert (bench.decided().metadata, bench.policies()) == (None, [])
    bench.change(metadata={"note": None})
    assert bench.decided().metadata == '{"team": "core", "stage": "one"}'
    bench.change(metadata=None)
    assert (bench.decided().metadata, bench.policies()) == (None, [])
    bench.change(metadata={"team": "edge"})
    assert bench.policies() == ["P#4"], "a version was used again"
    assert bench.wrong_books() == []


def test_a_revoked_keys_policy_goes_when_its_home_does(bench: Bench) -> None:
    bench.change(metadata={"team": "core"}, enabled=False)
    bench.keys.revoke(bench.owner, bench.id)
    with pytest.raises(NotFound):
        bench.change(enabled=True)
    found = {
        item["sk"]["S"]: item.get(items.EXPIRES_ON)
        for item in books.contents(bench.client, bench.table)
        if item["pk"] == bench.home()["pk"]
    }
    assert found["P#1"] == found["#"] is not None
    assert bench.wrong_books() == []


#: What one of two changes says, and what the other does meanwhile.
MEETINGS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"metadata": {"a": "1"}}, {"metadata": {"b": "2"}}),
    ({"enabled": True}, {"scopes": ["write"]}),
    ({"scopes": ["write"]}, {"enabled": True}),
    ({"name": "one", "rate_limit": 5}, {"self_rotation": True, "expires_in_seconds": 60}),
]


class Meeting:
    """A client that does something once, before one of its requests."""

    def __init__(self, client: DynamoDBClient, *, at: int, what: Any) -> None:
        self._client, self._left, self._what = client, at, what

    @property
    def met(self) -> bool:
        return self._left <= 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found) or name in {"exceptions", "meta"}:
            return found

        def ask(**parameters: Any) -> Any:
            self._left -= 1
            if self._left == 0:
                self._what()
            return found(**parameters)

        return ask


@in_this_store
@pytest.mark.parametrize("changed_before", [False, True])
@pytest.mark.parametrize(("one", "other"), MEETINGS)
def test_two_changes_that_meet_at_any_step_both_hold(
    client: DynamoDBClient, one: dict[str, Any], other: dict[str, Any], changed_before: bool
) -> None:
    for at in range(1, 40):
        bench = Bench(client, enabled=False)
        if changed_before:
            bench.change(name="before")
        meeting = Meeting(client, at=at, what=lambda bench=bench: bench.change(**other))
        bench.change(meeting, **one)
        if not meeting.met:
            assert at > 7
            return
        shown = bench.shown()
        for field, value in {**one, **other}.items():
            if field == "metadata":
                assert shown.metadata == {"a": "1", "b": "2"}
            elif field == "expires_in_seconds":
                assert shown.expires_at_ms == NOW_MS + 60_000
            else:
                told = getattr(shown, field)
                assert (list(told) if field == "scopes" else told) == value
        assert bench.wrong_books() == []
        assert len(bench.told()) == 3 + changed_before
    raise AssertionError("it never came to an end")


@in_this_store
def test_a_change_and_a_rotation_that_meet_at_any_step_both_hold(client: DynamoDBClient) -> None:
    for at in range(1, 40):
        bench = Bench(client)
        secrets: list[str] = []

        def rotate(bench: Bench = bench, secrets: list[str] = secrets) -> None:
            secrets.append(bench.rotations.rotate(bench.owner, bench.id).raw_key)

        meeting = Meeting(client, at=at, what=rotate)
        bench.change(meeting, expires_in_seconds=3_600, metadata={"a": "1"})
        if not meeting.met:
            assert at > 7
            return
        shown = bench.shown()
        assert shown.previous_secret is not None
        assert shown.expires_at_ms == NOW_MS + 3_600_000 == shown.previous_secret.expires_at_ms
        assert bench.decided(secrets[0]).metadata == '{"a": "1"}'
        assert bench.graces() == [NOW_MS + 3_600_000]
        assert bench.wrong_books() == []
    raise AssertionError("it never came to an end")


def test_eight_changes_at_once_lose_nothing(ministack: Ministack) -> None:
    bench = Bench(dynamodb(ministack.endpoint))

    def change(number: int) -> None:
        bench.change(dynamodb(ministack.endpoint), metadata={f"n{number}": str(number)})

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(change, range(8)))
    assert bench.shown().metadata == {f"n{number}": str(number) for number in range(8)}
    assert bench.told() == ["created", *["updated"] * 8]
    assert len(bench.policies()) == 1
    assert bench.wrong_books() == []
