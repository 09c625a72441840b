"""Keys of another system, known by hash alone: taken over once, and good only where allowed."""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.adapters.keys_table.plan_queue import DynamoPlanQueue
from chatgrid_auth.adapters.rate_limits_table.user_windows import UserWindows
from chatgrid_auth.domain import keys
from chatgrid_auth.domain.key_errors import KeyExists, KeyLimitReached
from chatgrid_auth.domain.verdicts import Allowed, Refused
from chatgrid_auth.services.api_keys import ApiKeys
from chatgrid_auth.services.gate.authenticate import Authenticator
from chatgrid_auth.services.gate.requests import Request
from chatgrid_auth.services.key_import import ImportedKey, KeyImport
from chatgrid_auth.services.usage_plans.ports import Work
from tests.support.tables.decisions import NoTokens
from tests.support.tables.stores import audit_of, counting, keys_table, rate_limits_table
from tests.support.tokens import derived

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from chatgrid_auth.domain.credentials import ApiKey
    from chatgrid_auth.domain.verdicts import Verdict

NOW_MS = 1_800_000_000_000


class Imports:
    """An import, and the gate over the same store."""

    def __init__(
        self, client: DynamoDBClient, *, allowed: bool = True, keys_per_user: int = 1_000
    ) -> None:
        self.client = client
        self.table = keys_table(client)
        store = DynamoKeyStore(
            Boto3Transport(client),
            table=self.table,
            audit_table=audit_of(self.table),
            pause=lambda _: None,
        )
        self.imports = KeyImport(
            store,
            now_ms=lambda: NOW_MS,
            entropy=os.urandom,
            default_rate_limit=120,
            keys_per_user=keys_per_user,
        )
        self.keys = ApiKeys(
            store,
            now_ms=lambda: NOW_MS,
            entropy=os.urandom,
            default_rate_limit=120,
            keys_per_user=1_000,
        )
        self.requests = counting(client)
        transport = Boto3Transport(client)
        self.gate = Authenticator(
            keys=KeyDecisions(transport, table=self.table),
            users=UserWindows(
                transport,
                table=rate_limits_table(client),
                limit=200,
                now_ms=lambda: NOW_MS,
            ),
            tokens=NoTokens,
            derived=derived,
            key_tier="standard-tier",
            jwt_tier="web-tier",
            limited_tier="limited-tier",
            imported_keys=allowed,
        )

    def adopt(self, raw: str, **facts: object) -> ApiKey:
        plain: dict[str, object] = {"owner": str(uuid4()), "name": "old", "scopes": ("write",)}
        foreign = ImportedKey(hash=sha256(raw.encode()).hexdigest(), **{**plain, **facts})  # type: ignore[arg-type]
        return self.imports.adopt(foreign)

    def ask(self, credential: str) -> Verdict:
        return self.gate.decide(f"Bearer {credential}", request=Request("read"), now_ms=NOW_MS)

    def work(self) -> list[tuple[str, str]]:
        """What waits for the reconciler, and whose keys that is for."""
        queue = DynamoPlanQueue(Boto3Transport(self.client), table=self.table)
        return [(work.action, work.owner) for work in queue.pending(first_owner=str(uuid4()))]

    def finish_work(self) -> None:
        """The reconciler has done all that waited."""
        queue = DynamoPlanQueue(Boto3Transport(self.client), table=self.table)
        for work in queue.pending(first_owner=str(uuid4())):
            queue.remove(work)

    def count(self) -> int:
        return len(self.client.scan(TableName=self.table, ConsistentRead=True)["Items"])


@pytest.fixture
def make(client: DynamoDBClient) -> Callable[..., Imports]:
    return lambda **settings: Imports(client, **settings)


def old_key() -> str:
    return "sk_old_" + os.urandom(12).hex()


def test_an_imported_key_is_admitted_where_allowed(make: Callable[..., Imports]) -> None:
    world, raw = make(), old_key()
    key = world.adopt(raw, rate_limit=7)
    verdict = world.ask(raw)
    assert isinstance(verdict, Allowed)
    caller = verdict.caller
    assert (caller.user_id, caller.key_id, caller.scopes) == (key.owner, key.id, ("read", "write"))
    assert verdict.figures.limit == 7
    assert world.keys.get(key.owner, key.id).last_used_at_ms == NOW_MS


@pytest.mark.parametrize("environment", ["live", "test"])
def test_an_imported_key_keeps_the_environment_that_it_was_given(
    make: Callable[..., Imports], environment: str
) -> None:
    world, raw = make(), old_key()
    key = world.adopt(raw, environment=environment)
    verdict = world.ask(raw)
    assert isinstance(verdict, Allowed)
    assert verdict.caller.environment == environment
    assert world.keys.get(key.owner, key.id).environment == environment


def test_where_not_allowed_an_imported_key_never_reaches_the_store(
    make: Callable[..., Imports],
) -> None:
    world, raw = make(allowed=False), old_key()
    world.adopt(raw)
    before = world.requests()
    verdict = world.ask(raw)
    assert isinstance(verdict, Refused)
    assert verdict.reason == "malformed"
    assert world.requests() == before


def test_an_imported_key_of_our_own_format_is_admitted_everywhere(
    make: Callable[..., Imports],
) -> None:
    world, raw = make(allowed=False), keys.generate("test", entropy=os.urandom)
    world.adopt(raw, environment="live")  # its own text says better
    verdict = world.ask(raw)
    assert isinstance(verdict, Allowed)
    assert verdict.caller.environment == "test"


def test_an_imported_key_that_only_looks_like_ours_is_admitted_where_allowed(
    make: Callable[..., Imports],
) -> None:
    raw = "cgk_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6"
    assert not keys.is_well_formed(raw)
    for allowed in (True, False):
        world = make(allowed=allowed)
        world.adopt(raw)
        assert isinstance(world.ask(raw), Allowed) == allowed


@pytest.mark.parametrize(
    "credential",
    ["k" * 15, "k" * 257, "schlüssel-" + "k" * 16, "tab\tinside-" + "k" * 16, "\x7f" * 20],
    ids=["short", "long", "not ASCII", "tab", "control"],
)
def test_what_no_system_issues_never_reaches_the_store(
    make: Callable[..., Imports], credential: str
) -> None:
    world = make()
    before = world.requests()
    verdict = world.ask(credential)
    assert isinstance(verdict, Refused)
    assert verdict.reason == "malformed"
    assert world.requests() == before


@pytest.mark.parametrize("length", [16, 256])
def test_keys_of_every_length_within_the_bounds_are_looked_up(
    make: Callable[..., Imports], length: int
) -> None:
    world, raw = make(), "~" * length
    world.adopt(raw)
    assert isinstance(world.ask(raw), Allowed)


def test_a_token_is_a_token_though_imported_keys_are_allowed(
    make: Callable[..., Imports],
) -> None:
    world = make()
    before = world.requests()
    verdict = world.ask("header.payload.signature")
    assert isinstance(verdict, Refused)
    assert verdict.reason == "invalid_token"
    assert world.requests() == before


def test_a_wrong_foreign_key_costs_one_request_and_then_none(
    make: Callable[..., Imports],
) -> None:
    world, raw = make(), old_key()
    for expected in (1, 0, 0):
        before = world.requests()
        verdict = world.ask(raw)
        assert isinstance(verdict, Refused)
        assert verdict.reason == "unknown"
        assert world.requests() - before == expected


def test_a_key_is_taken_over_once_and_then_left_as_it_is(make: Callable[..., Imports]) -> None:
    world, raw = make(), old_key()
    key = world.adopt(raw)
    before = world.count()
    with pytest.raises(KeyExists):
        world.adopt(raw, name="another", owner=key.owner)
    with pytest.raises(KeyExists):
        world.adopt(raw, owner=str(uuid4()))
    with pytest.raises(KeyExists):
        world.adopt(old_key(), owner=key.owner, id=key.id)
    assert world.count() == before, "a refused import leaves something behind"
    assert world.keys.get(key.owner, key.id).name == "old"


def test_of_two_imports_under_one_id_only_one_is_made(
    make: Callable[..., Imports],
) -> None:
    """Two imports that saw no such id: the claim of the first stands in the way of the second."""
    world, raw = make(), old_key()
    key = world.adopt(raw, id=str(uuid4()))
    before = world.count()
    with pytest.raises(KeyExists):
        world.adopt(old_key(), id=key.id)
    world.keys.revoke(key.owner, key.id)
    with pytest.raises(KeyExists):
        world.adopt(old_key(), id=key.id, owner=key.owner)
    assert world.count() == before, "a refused import leaves something behind"
    assert world.work() == [("retire", key.owner)]
    world.finish_work()
    with pytest.raises(KeyExists):
        world.adopt(old_key(), id=key.id)


def test_work_left_of_no_key_does_not_hold_up_an_import(
    make: Callable[..., Imports],
) -> None:
    """As after the loss of a table: the sweep has the orphan retired while the key comes back."""
    world, key_id = make(), str(uuid4())
    queue = DynamoPlanQueue(Boto3Transport(world.client), table=world.table)
    queue.add(Work(key_id=key_id, action="retire", owner="", key_hash=None))
    key = world.adopt(old_key(), id=key_id)
    assert world.work() == [("provision", key.owner)]


def test_a_revoked_key_does_not_come_back_by_an_import(make: Callable[..., Imports]) -> None:
    world, raw = make(), old_key()
    key = world.adopt(raw)
    world.keys.revoke(key.owner, key.id)
    with pytest.raises(KeyExists):
        world.adopt(raw, owner=key.owner)
    assert isinstance(world.ask(raw), Refused)


def test_an_import_keeps_to_the_ceiling_of_keys_per_user(
    make: Callable[..., Imports],
) -> None:
    world, owner = make(keys_per_user=1), str(uuid4())
    world.adopt(old_key(), owner=owner)
    with pytest.raises(KeyLimitReached):
        world.adopt(old_key(), owner=owner)


def test_imported_keys_are_listed_where_their_creation_lies_in_time(
    make: Callable[..., Imports],
) -> None:
    world, owner = make(), str(uuid4())
    ages = [5_000, 1_000, 3_000]
    for age in ages:
        world.adopt(old_key(), owner=owner, name=str(age), created_at_ms=NOW_MS - age)
    page = world.keys.list(owner, limit=9, after=None, descending=False)
    assert [key.name for key in page.items] == ["5000", "3000", "1000"]
    assert [key.created_at_ms for key in page.items] == [NOW_MS - a for a in (5_000, 3_000, 1_000)]


@pytest.mark.parametrize("descending", [False, True])
def test_an_imported_key_is_listed_where_its_id_sorts(
    make: Callable[..., Imports], descending: bool
) -> None:
    """Pages go by id. One that is no UUIDv7 of the key's creation says another time than that."""
    world, owner = make(), str(uuid4())
    late, early = "f47ac10b-58cc-4372-a567-0e02b2c3d479", "00000000-0000-4000-8000-000000000000"
    kept = [world.adopt(old_key(), owner=owner, id=key_id).id for key_id in (late, early)]
    new = [
        world.adopt(old_key(), owner=owner, created_at_ms=NOW_MS - age).id for age in (9_000, 1_000)
    ]
    found: list[str] = []
    more = True
    while more:
        after = found[-1] if found else None
        page = world.keys.list(owner, limit=1, after=after, descending=descending)
        found += [key.id for key in page.items]
        more = page.has_more
    assert kept == [late, early]
    assert found == [early, *new, late][:: -1 if descending else 1]
