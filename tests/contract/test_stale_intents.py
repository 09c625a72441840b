"""Changes that were cut off before they were made leave nothing behind for good."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.audit_table.trail import AuditTrail
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.key_changes.intents import Intent, new_token
from chatgrid_auth.adapters.keys_table.items import credential_pk, s
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.domain.actors import OPERATOR, Actor
from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.services.api_keys import ApiKeys
from chatgrid_auth.services.rotation import Rotations
from tests.support.audit import rotated
from tests.support.tables.key_service import new_key
from tests.support.tables.secrets import passes
from tests.support.tables.stores import audit_of, keys_table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from chatgrid_auth.domain.credentials import IssuedKey

NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000
ALIAS = "f" * 64


class Bench:
    """One key, and a clock."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.client, self.table, self.owner = client, keys_table(client), str(uuid4())
        self.now_ms = NOW_MS
        self.store = DynamoKeyStore(
            Boto3Transport(client),
            table=self.table,
            audit_table=audit_of(self.table),
            pause=lambda _: None,
        )
        clock: dict[str, Any] = {"now_ms": lambda: self.now_ms, "entropy": os.urandom}
        self.keys = ApiKeys(self.store, default_rate_limit=120, keys_per_user=9, **clock)
        self.rotations = Rotations(self.store.rotations, **clock)
        self.issued = new_key(self.keys, self.owner)
        self.id = self.issued.key.id

    def item(self, pk: str, sk: str) -> dict[str, Any] | None:
        place = {"pk": s(pk), "sk": s(sk)}
        found = self.client.get_item(TableName=self.table, Key=place, ConsistentRead=True)
        return found.get("Item")

    def alias(self, key_hash: str) -> dict[str, Any]:
        return self.item(credential_pk(key_hash), "#") or {}

    def intents(self) -> set[str]:
        record = self.item(f"USER#{self.owner}", f"KEY#{self.id}") or {}
        return {name for name in record if name.startswith("p_")}

    def leave(self, *, facts: dict[str, str] | None = None) -> Intent:
        """The intent of a rotation that was cut off before its commit."""
        event = rotated(self.owner, self.id, at_ms=self.now_ms)
        intent = Intent(token=new_token(), event=event, facts=facts or {"hash": ALIAS})
        self.client.update_item(
            TableName=self.table,
            Key={"pk": s(f"USER#{self.owner}"), "sk": s(f"KEY#{self.id}")},
            UpdateExpression=f"SET {intent.attribute} = :intent",
            ExpressionAttributeValues={":intent": s(intent.packed())},
        )
        return intent

    def rotate(self) -> IssuedKey:
        return self.rotations.rotate(self.owner, self.id, grace_seconds=0)

    def told(self) -> list[tuple[str, str]]:
        trail = AuditTrail(Boto3Transport(self.client), table=audit_of(self.table))
        found = trail.page(self.owner, limit=100, after=None, descending=False)
        return [
            (one["action"].removeprefix("api_key."), one["actor"]["type"]) for one in found.items
        ]


@pytest.fixture
def bench(client: DynamoDBClient) -> Bench:
    return Bench(client)


def cut_off(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> str:
    """A rotation whose process ends before its commit; the hash of the secret that it drew."""
    aliases: list[str] = []
    call = Boto3Transport.call

    def dying(self: Boto3Transport, operation: str, payload: dict[str, Any]) -> Any:
        response = call(self, operation, payload)
        if operation == "PutItem" and "h" in payload["Item"]:
            aliases.append(payload["Item"]["pk"]["S"].removeprefix("KEY#"))
            raise StoreUnavailable(operation, "Dead")
        return response

    with monkeypatch.context() as patched:
        patched.setattr(Boto3Transport, "call", dying)
        with pytest.raises(StoreUnavailable):
            bench.rotate()
    (alias,) = aliases
    return alias


def test_a_rotation_that_was_cut_off_is_cleared_away_a_day_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    alias = cut_off(bench, monkeypatch)
    assert bench.alias(alias)
    (left,) = bench.intents()
    bench.now_ms += DAY_MS
    bench.rotate()
    assert bench.intents() == {left}  # somebody may still be at it
    assert "expires_on" not in bench.alias(alias)
    bench.now_ms += 1
    current = bench.rotate()
    assert bench.intents() == set()
    assert int(bench.alias(alias)["expires_on"]["N"]) <= bench.now_ms // 1_000
    assert "expires_on" not in bench.alias(hash_of(current.raw_key))
    assert passes(bench.client, bench.table, current.raw_key, now_ms=bench.now_ms)


def test_a_committed_change_is_never_taken_for_a_stale_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its books may be a week late: the mark at home tells that it was made."""
    with monkeypatch.context() as patched:
        patched.setattr(bench.store.rotations._pending, "finish", lambda *_: None)
        current = bench.rotate()
    (left,) = bench.intents()
    record = bench.item(f"USER#{bench.owner}", f"KEY#{bench.id}")
    assert record is not None
    bench.now_ms += 7 * DAY_MS
    bench.store.rotations._pending._stale.clear(record, now_ms=bench.now_ms)
    assert bench.intents() == {left}
    assert "expires_on" not in bench.alias(hash_of(current.raw_key))
    bench.rotate()
    assert [action for action, _ in bench.told()] == ["created", "rotated", "rotated"]


def test_a_change_finished_between_the_two_reads_keeps_its_alias(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending = bench.store.rotations._pending
    with monkeypatch.context() as patched:
        patched.setattr(pending, "finish", lambda *_: None)
        current = bench.rotate()
    record = bench.item(f"USER#{bench.owner}", f"KEY#{bench.id}") or {}
    stale, read = pending._stale, pending._stale._read
    crossing = [lambda: bench.store.rotations.standing(bench.owner, bench.id, now_ms=NOW_MS)]

    def crossed(place: Any) -> Any:
        found = read(place)
        if crossing:
            crossing.pop()()
        return found

    monkeypatch.setattr(stale, "_read", crossed)
    stale.clear(record, now_ms=NOW_MS + 7 * DAY_MS)
    assert not crossing
    assert "expires_on" not in bench.alias(hash_of(current.raw_key))


def test_the_alias_of_a_refused_rotation_comes_to_its_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = bench.store.rotations.standing(bench.owner, bench.id, now_ms=bench.now_ms)
    other = bench.rotate()
    monkeypatch.setattr(bench.store.rotations, "standing", lambda *_, **__: standing)
    with pytest.raises(StoreUnavailable):
        bench.rotate()
    found = bench.client.scan(TableName=bench.table, ConsistentRead=True)["Items"]
    aliases = {item["pk"]["S"]: "expires_on" in item for item in found if "h" in item}
    assert aliases.pop(credential_pk(hash_of(other.raw_key))) is False
    assert list(aliases.values()) == [True] * 5


def fill(bench: Bench) -> None:
    """Leave intents until the record takes no more: 400 KB."""
    size = 50_000
    while size > 50:
        try:
            bench.leave(facts={"hash": ALIAS, "padding": "x" * size})
        except bench.client.exceptions.ClientError:
            size //= 2


def test_a_key_whose_record_is_full_of_intents_can_be_revoked(bench: Bench) -> None:
    fill(bench)
    with pytest.raises(StoreUnavailable):
        bench.rotate()
    operator = Actor(type=OPERATOR, id="arn:aws:iam::123456789012:user/ada")
    bench.keys.revoke(bench.owner, bench.id, actor=operator)
    assert bench.intents() == set()
    assert bench.item(f"USER#{bench.owner}", f"KEY#{bench.id}") is None
    assert bench.item(f"USER#{bench.owner}", f"REVOKED#{bench.id}")
    assert bench.told() == [("created", "operator"), ("revoked", "operator")]
