"""A key's secrets in DynamoDB: one home, one write that decides, and books that follow."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.audit_table.trail import AuditTrail
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.key_directory import DynamoKeyDirectory
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.adapters.rotation.books import GRACES
from chatgrid_auth.domain.credentials import IssuedKey
from chatgrid_auth.domain.key_errors import (
    KeyDisabled,
    NotFound,
    PreviousSecretActive,
    SecretLimitReached,
)
from chatgrid_auth.domain.keys import hash_of, is_well_formed, tag_of
from chatgrid_auth.services.api_keys import ApiKeys
from chatgrid_auth.services.key_import import ImportedKey, KeyImport
from chatgrid_auth.services.rotation import NewSecret, Rotations, Standing
from tests.support.audit import rotated
from tests.support.tables import books
from tests.support.tables.key_service import new_key
from tests.support.tables.secrets import home_of, passes, use
from tests.support.tables.stores import audit_of, keys_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_boto3_dynamodb import DynamoDBClient

NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000


class Bench:
    """Keys and their secrets over one store, with a clock of its own."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.client = client
        self.table = keys_table(client)
        self.owner = str(uuid4())
        self.now_ms = NOW_MS
        self.store = DynamoKeyStore(
            Boto3Transport(client),
            table=self.table,
            audit_table=audit_of(self.table),
            pause=lambda _: None,
        )
        self.keys = ApiKeys(
            self.store,
            now_ms=lambda: self.now_ms,
            entropy=os.urandom,
            default_rate_limit=120,
            keys_per_user=1_000,
        )
        self.rotations = Rotations(
            self.store.rotations, now_ms=lambda: self.now_ms, entropy=os.urandom
        )

    def issue(self, **facts: Any) -> IssuedKey:
        return new_key(self.keys, self.owner, **facts)

    def rotate(self, issued: IssuedKey, **how: Any) -> IssuedKey:
        self.now_ms += 1_000
        return self.rotations.rotate(self.owner, issued.key.id, **how)

    def passing(self, *issued: IssuedKey) -> list[bool]:
        return [passes(self.client, self.table, one.raw_key, now_ms=self.now_ms) for one in issued]

    def item(self, pk: str, sk: str) -> dict[str, Any] | None:
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        return self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")

    def graces(self) -> list[dict[str, Any]]:
        return self.client.query(
            TableName=self.table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": GRACES}},
            ConsistentRead=True,
        )["Items"]

    def told(self) -> list[tuple[str, str]]:
        """Action and actor's type of every entry, the oldest first."""
        trail = AuditTrail(Boto3Transport(self.client), table=audit_of(self.table))
        found = trail.page(self.owner, limit=100, after=None, descending=False)
        return [
            (one["action"].removeprefix("api_key."), one["actor"]["type"]) for one in found.items
        ]

    def directory(self) -> DynamoKeyDirectory:
        return DynamoKeyDirectory(
            Boto3Transport(self.client), table=self.table, audit_table=audit_of(self.table)
        )


@pytest.fixture
def bench(client: DynamoDBClient) -> Bench:
    return Bench(client)


def test_both_secrets_pass_on_one_home_until_the_grace_is_over(bench: Bench) -> None:
    first = bench.issue()
    second = bench.rotate(first)
    assert bench.passing(first, second) == [True, True]
    homes = [home_of(bench.client, bench.table, one.raw_key)["pk"] for one in (first, second)]
    assert homes[0] == homes[1]
    bench.now_ms += DAY_MS
    assert bench.passing(first, second) == [False, True]


def test_after_many_rotations_a_secret_is_one_hop_from_home(bench: Bench) -> None:
    secrets = [bench.issue()]
    for _ in range(4):
        secrets.append(bench.rotate(secrets[-1], force=True))
    assert bench.passing(*secrets) == [False, False, False, True, True]
    home = home_of(bench.client, bench.table, secrets[0].raw_key)
    assert home_of(bench.client, bench.table, secrets[-1].raw_key) == home
    kept = [name for name in home if len(name) in {3, 7} and name[0] in "sx"]
    assert len([name for name in kept if name[0] == "x"]) == 2
    assert len(kept) <= 4


def test_without_a_grace_the_former_secret_ends_at_once(bench: Bench) -> None:
    first = bench.issue()
    second = bench.rotate(first, grace_seconds=0)
    assert bench.passing(first, second) == [False, True]
    assert bench.keys.get(bench.owner, first.key.id).previous_secret is None
    assert bench.graces() == []


def test_no_former_secret_outlives_its_key(bench: Bench) -> None:
    first = bench.issue(expires_at_ms=NOW_MS + 60_000)
    second = bench.rotate(first)
    assert second.key.previous_secret is not None
    assert second.key.previous_secret.expires_at_ms == NOW_MS + 60_000
    bench.now_ms = NOW_MS + 60_000
    assert bench.passing(first, second) == [False, False]


def test_what_is_read_back_is_what_the_rotation_answered(bench: Bench) -> None:
    first = bench.issue()
    use(bench.client, bench.table, first.raw_key, at_ms=NOW_MS + 5)
    second = bench.rotate(first)
    assert second.key.previous_secret is not None
    assert second.key.previous_secret.last_used_at_ms == NOW_MS + 5
    assert bench.keys.get(bench.owner, first.key.id) == second.key
    page = bench.keys.list(bench.owner, limit=10, after=None, descending=True)
    assert page.items == [second.key]


def test_each_secret_has_its_last_use_and_the_key_the_latest(bench: Bench) -> None:
    first = bench.issue()
    second = bench.rotate(first)
    use(bench.client, bench.table, second.raw_key, at_ms=NOW_MS + 7)
    use(bench.client, bench.table, first.raw_key, at_ms=NOW_MS + 9)
    key = bench.keys.get(bench.owner, first.key.id)
    assert key.previous_secret is not None
    assert (key.previous_secret.last_used_at_ms, key.last_used_at_ms) == (NOW_MS + 9,) * 2
    bench.rotations.end_previous(bench.owner, first.key.id)
    assert bench.keys.get(bench.owner, first.key.id).last_used_at_ms == NOW_MS + 9
    third = bench.rotate(first)
    bench.rotate(third, force=True)
    assert bench.keys.get(bench.owner, first.key.id).last_used_at_ms == NOW_MS + 9


def test_an_ended_grace_ends_the_former_secret_alone(bench: Bench) -> None:
    first = bench.issue()
    second = bench.rotate(first)
    key = bench.rotations.end_previous(bench.owner, first.key.id)
    assert bench.passing(first, second) == [False, True]
    assert bench.keys.get(bench.owner, first.key.id) == key
    assert bench.graces() == []
    with pytest.raises(NotFound):
        bench.rotations.end_previous(bench.owner, first.key.id)


def test_two_rotations_at_once_make_one_secret(bench: Bench) -> None:
    first = bench.issue()
    store, second = bench.store.rotations, None
    look = store.standing

    def beaten(owner: str, key_id: str, *, now_ms: int) -> Standing | None:
        nonlocal second
        found = look(owner, key_id, now_ms=now_ms)
        if second is None:
            second = first  # once
            second = bench.rotate(first)
        return found

    slow = Rotations(store, now_ms=lambda: bench.now_ms, entropy=os.urandom)
    store.standing = beaten  # type: ignore[method-assign]
    with pytest.raises(PreviousSecretActive):
        slow.rotate(bench.owner, first.key.id)
    assert second is not None
    assert bench.passing(first, second) == [True, True]


def test_an_imported_key_rotates_into_our_format_and_keeps_its_environment(bench: Bench) -> None:
    raw_key = f"sk_test_{uuid4().hex}"
    imports = KeyImport(
        bench.store,
        now_ms=lambda: bench.now_ms,
        entropy=os.urandom,
        default_rate_limit=120,
        keys_per_user=10,
    )
    foreign = ImportedKey(
        hash=hash_of(raw_key), owner=bench.owner, name="CI", scopes=("read",), environment="test"
    )
    imported = IssuedKey(key=imports.adopt(foreign), raw_key=raw_key)
    second = bench.rotate(imported)
    assert is_well_formed(second.raw_key)
    assert second.raw_key.startswith("cgk_test_")
    assert bench.passing(imported, second) == [True, True]
    assert second.key.environment == "test"


@pytest.mark.parametrize("change", ["rotate", "rotate at once", "end"])
def test_a_write_whose_first_response_was_lost_is_known_again(bench: Bench, change: str) -> None:
    """boto3 repeats it by itself, and the store refuses the repeat: it is done already."""
    first = bench.issue()
    former = bench.rotate(first) if change == "end" else first
    ask = bench.client.update_item
    lost: list[str] = []

    def twice(**asked: Any) -> Any:
        found = ask(**asked)
        if " ADD m " in asked["UpdateExpression"] and not lost:
            lost.append(change)
            return ask(**asked)
        return found

    bench.client.update_item = twice  # type: ignore[method-assign]
    if change == "end":
        bench.rotations.end_previous(bench.owner, first.key.id)
        assert bench.passing(first, former) == [False, True]
    else:
        grace_seconds = 0 if change == "rotate at once" else 60
        second = bench.rotate(first, grace_seconds=grace_seconds)
        assert bench.passing(first, second) == [bool(grace_seconds), True]
        assert bench.keys.get(bench.owner, first.key.id) == second.key
    assert lost
    assert len(bench.told()) == (3 if change == "end" else 2)


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_disabled_key_is_not_rotated(bench: Bench, when: str) -> None:
    first = bench.issue()
    look = bench.store.rotations.standing

    def disable() -> None:
        bench.client.update_item(
            TableName=bench.table,
            Key={"pk": {"S": f"KEY#{hash_of(first.raw_key)}"}, "sk": {"S": "#"}},
            UpdateExpression="SET #off = :manual REMOVE lvl",
            ExpressionAttributeNames={"#off": "off"},
            ExpressionAttributeValues={":manual": {"S": "manual"}},
        )

    def looked(owner: str, key_id: str, *, now_ms: int) -> Standing | None:
        found = look(owner, key_id, now_ms=now_ms)
        disable()
        return found

    if when == "before":
        disable()
    else:
        bench.store.rotations.standing = looked  # type: ignore[method-assign]
    with pytest.raises(KeyDisabled):
        bench.rotate(first)
    assert "cur" not in home_of(bench.client, bench.table, first.raw_key)


def test_revoking_ends_all_secrets_and_leaves_a_date_for_their_aliases(bench: Bench) -> None:
    first = bench.issue()
    second = bench.rotate(first)
    third = bench.rotate(second, force=True)
    bench.keys.revoke(bench.owner, first.key.id)
    assert bench.passing(first, second, third) == [False, False, False]
    assert bench.graces() == []
    found = bench.client.scan(TableName=bench.table, ConsistentRead=True)["Items"]
    aliases = [one for one in found if "h" in one]
    assert len(aliases) == 2
    assert all("expires_on" in one for one in aliases)
    for action in (bench.rotate, lambda one: bench.rotations.end_previous(bench.owner, one.key.id)):
        with pytest.raises(NotFound):
            action(first)


def test_a_grace_that_runs_out_is_told_of_once_by_the_system(bench: Bench) -> None:
    first = bench.issue()
    bench.rotate(first, grace_seconds=60)
    assert bench.directory().end_graces(bench.now_ms + 59_999) == 0
    bench.now_ms += 60_001
    assert bench.directory().end_graces(bench.now_ms) == 1
    assert bench.directory().end_graces(bench.now_ms) == 0
    assert bench.told()[-1] == ("previous_secret_ended", "system")
    assert [action for action, _ in bench.told()] == ["created", "rotated", "previous_secret_ended"]


def test_force_and_a_grace_of_nothing_write_no_entry_of_their_own(bench: Bench) -> None:
    first = bench.issue()
    bench.rotate(first, grace_seconds=60)
    bench.rotate(first, grace_seconds=0, force=True)
    bench.now_ms += DAY_MS
    assert bench.directory().end_graces(bench.now_ms) == 0
    assert [action for action, _ in bench.told()] == ["created", "rotated", "rotated"]


def test_a_grace_that_ran_out_is_told_even_after_another_rotation(bench: Bench) -> None:
    first = bench.issue()
    bench.rotate(first, grace_seconds=60)
    bench.now_ms += 60_001
    bench.rotate(first, grace_seconds=60)
    assert bench.directory().end_graces(bench.now_ms) == 1
    assert [action for action, _ in bench.told()][-2:] == ["rotated", "previous_secret_ended"]


def test_whether_a_key_may_rotate_itself_is_kept(bench: Bench) -> None:
    may, may_not = bench.issue(self_rotation=True), bench.issue()
    kept = [bench.keys.get(bench.owner, one.key.id).self_rotation for one in (may, may_not)]
    assert kept == [True, False]


def test_the_books_of_rotated_keys_are_in_order(bench: Bench) -> None:
    one, two, three = bench.issue(), bench.issue(), bench.issue()
    bench.rotate(one)
    bench.rotate(bench.rotate(two, grace_seconds=0), force=True)
    bench.rotate(three)
    bench.rotations.end_previous(bench.owner, three.key.id)
    four = bench.issue()
    bench.rotate(four)
    bench.keys.revoke(bench.owner, four.key.id)
    contents = books.contents(bench.client, bench.table)
    assert [item for item in contents if "h" in item]
    assert books.errors_in(contents) == []


def test_two_graces_that_end_with_their_key_are_one(bench: Bench) -> None:
    """The expiry cuts both, so both would lie in one place."""
    first = bench.issue(expires_at_ms=NOW_MS + 3_600_000)
    bench.rotate(first)
    third = bench.rotate(first, force=True)
    assert bench.passing(third) == [True]
    assert len(bench.graces()) == 1
    assert books.errors_in(books.contents(bench.client, bench.table)) == []


def test_no_hash_of_a_secret_is_in_the_audit_log(bench: Bench) -> None:
    first = bench.issue()
    second = bench.rotate(first)
    found = bench.client.scan(TableName=audit_of(bench.table), ConsistentRead=True)["Items"]
    text = repr(found)
    assert "rotated" in text
    assert not [one for one in (first, second) if hash_of(one.raw_key) in text]


def test_rotations_that_came_too_late_leave_nothing_on_the_record(bench: Bench) -> None:
    first = bench.issue()
    standing = bench.store.rotations.standing(bench.owner, first.key.id, now_ms=bench.now_ms)
    assert standing is not None
    bench.rotate(first)
    for number in range(3):
        secret = NewSecret(hash=f"{number}" * 64, prefix="cgk_live_late", grace_until_ms=None)
        event = rotated(bench.owner, first.key.id, at_ms=bench.now_ms)
        assert not bench.store.rotations.rotate(standing, secret, event=event)
    record = bench.item(f"USER#{bench.owner}", f"KEY#{first.key.id}")
    assert record is not None
    assert [name for name in record if name.startswith("p_")] == []


def test_a_rotation_between_the_two_reads_is_seen(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = bench.issue()
    rotations, whole = bench.store.rotations, bench.store.rotations._whole
    read = whole._item
    crossing = [lambda: bench.rotate(first, grace_seconds=0)]

    def crossed(place: dict[str, Any]) -> Mapping[str, Any] | None:
        found = read(place)
        if crossing:
            crossing.pop()()
        return found

    monkeypatch.setattr(whole, "_item", crossed)
    standing = rotations.standing(bench.owner, first.key.id, now_ms=bench.now_ms)
    assert standing is not None
    record, _ = standing.seen
    assert tag_of(record["secret"]["S"]) == standing.current


def test_secrets_that_are_made_at_once_are_all_counted(bench: Bench) -> None:
    first = bench.issue()
    braked = Rotations(
        bench.store.rotations, now_ms=lambda: bench.now_ms, entropy=os.urandom, secrets_per_hour=2
    )
    rotations, standing = bench.store.rotations, bench.store.rotations.standing
    seen = standing(bench.owner, first.key.id, now_ms=bench.now_ms)
    assert seen is not None
    braked.rotate(bench.owner, first.key.id, force=True)
    late = NewSecret(hash="a" * 64, prefix="cgk_live_late", grace_until_ms=None, minted_ms=(1,))
    event = rotated(bench.owner, first.key.id, at_ms=bench.now_ms)
    assert not rotations.rotate(seen, late, event=event)
    assert bench.item(f"KEY#{'a' * 64}", "#") is None  # it did not even begin
    braked.rotate(bench.owner, first.key.id, force=True)
    with pytest.raises(SecretLimitReached):
        braked.rotate(bench.owner, first.key.id, force=True)
    bench.rotate(first, force=True)  # an operator's are not counted
