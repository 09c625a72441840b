"""Where a change meets what was left before it: a policy, a clock, a cut-off change, a reason."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from chatgrid_auth.adapters.audit_table.trail import AuditTrail
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.key_changes.disabling import Disabling
from chatgrid_auth.domain.actors import THE_SYSTEM
from chatgrid_auth.domain.audit import DISABLED
from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_auth.domain.key_errors import NotFound
from chatgrid_auth.services.key_changes.changing import KeyChanges
from chatgrid_auth.services.key_filters import KeyFilters
from tests.contract.test_key_changes import Bench, Meeting
from tests.support.audit import event
from tests.support.tables.in_process import in_this_store
from tests.support.tables.stores import audit_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from types_boto3_dynamodb import DynamoDBClient


REVOKED_ONES = KeyFilters(status="revoked")


class CutOffError(BaseException):
    """The end of a process: nothing catches it, and nothing of the process runs after it."""


class Client:
    """A client whose writes are watched.

    Args:
        met: is given the parameters of each write, and does it.
        of: which requests those are.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        met: Callable[[Any, dict[str, Any]], Any],
        of: Collection[str] = ("put_item", "transact_write_items"),
    ) -> None:
        self._client, self._met, self._of = client, met, of

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name not in self._of:
            return found
        return lambda **parameters: self._met(found, parameters)


@pytest.fixture
def bench(client: DynamoDBClient) -> Bench:
    return Bench(client)


def cut_off(bench: Bench, **said: Any) -> None:
    """Change a key in a process that ends behind the commit, before the books."""

    def met(write: Any, parameters: dict[str, Any]) -> Any:
        if "TransactItems" in parameters:
            raise CutOffError
        return write(**parameters)

    with contextlib.suppress(CutOffError):
        bench.change(Client(bench.client, met), **said)


def late(bench: Bench, **said: Any) -> Callable[[], Any]:
    """Change a key, and lose the commit on its way: what brings it to the store later on."""
    commits: list[tuple[Any, dict[str, Any]]] = []

    def met(write: Any, parameters: dict[str, Any]) -> Any:
        if parameters["Key"] == {"pk": bench.home()["pk"], "sk": bench.home()["sk"]}:
            commits.append((write, parameters))
            raise ReadTimeoutError(endpoint_url="on its way")
        return write(**parameters)

    with pytest.raises(StoreUnavailable):
        bench.change(Client(bench.client, met, of=("update_item",)), **said)
    ((write, parameters),) = commits
    return lambda: write(**parameters)


def entries(bench: Bench) -> list[Mapping[str, Any]]:
    """What the audit log tells, oldest first."""
    log = AuditTrail(Boto3Transport(bench.client), table=audit_of(bench.table))
    assert log.verify(bench.owner).first_broken_seq is None
    return sorted((one.document for one in log.entries(bench.owner)), key=lambda one: one["seq"])


def disabling(bench: Bench) -> KeyChanges:
    return KeyChanges(
        bench.store.changes, now_ms=bench.clock, default_rate_limit=120, actor=THE_SYSTEM
    )


def test_a_policy_that_lies_there_is_never_written_over(bench: Bench) -> None:
    place = {"pk": bench.home()["pk"], "sk": {"S": "P#1"}}
    bench.client.put_item(TableName=bench.table, Item={**place, "metadata": {"M": {}}})
    with pytest.raises(StoreUnavailable):
        bench.change(metadata={"team": "core"})
    found = bench.client.get_item(TableName=bench.table, Key=place)["Item"]
    assert found["metadata"] == {"M": {}}
    assert bench.decided().metadata is None


def test_a_policy_whose_first_response_was_lost_is_found_again(bench: Bench) -> None:
    def met(write: Any, parameters: dict[str, Any]) -> Any:
        if parameters.get("Item", {}).get("sk", {}).get("S", "").startswith("P#"):
            write(**parameters)
        return write(**parameters)

    bench.change(Client(bench.client, met), metadata={"team": "core"})
    assert bench.decided().metadata == '{"team": "core"}'


def test_no_home_names_a_policy_that_is_not_there_yet(bench: Bench) -> None:
    named = []

    def met(write: Any, parameters: dict[str, Any]) -> Any:
        written = write(**parameters)
        if parameters.get("Item", {}).get("sk", {}).get("S", "").startswith("P#"):
            named.append("v" in bench.home())
        return written

    bench.change(Client(bench.client, met), metadata={"team": "core"})
    assert (named, "v" in bench.home()) == ([False], True)


def test_a_change_by_a_slower_clock_is_told_behind_the_one_before(bench: Bench) -> None:
    cut_off(bench, name="first", metadata={"a": "1"})
    bench.now_ms -= 400
    assert bench.change(name="second", metadata={"b": "2"}) == bench.shown()
    assert bench.shown().name == "second"
    assert bench.shown().metadata == {"a": "1", "b": "2"}
    told = [one["changes"].get("name") for one in entries(bench)[1:]]
    assert [one["to"] for one in told] == ["first", "second"]
    assert bench.wrong_books() == []


def test_a_key_revoked_after_a_cut_off_change_tells_of_both(bench: Bench) -> None:
    cut_off(bench, name="changed", rate_limit=7, metadata={"team": "core"})
    bench.keys.revoke(bench.owner, bench.id)
    assert bench.decided().fault == "revoked"
    assert [one["action"] for one in entries(bench)] == [
        "api_key.created",
        "api_key.updated",
        "api_key.revoked",
    ]
    (gone,) = bench.store.page(
        bench.owner, limit=10, after=None, descending=False, filters=REVOKED_ONES
    ).items
    assert (gone.name, gone.rate_limit, gone.metadata) == ("changed", 7, {"team": "core"})
    assert bench.wrong_books() == []


@pytest.mark.parametrize("enabled", [True, False])
def test_nothing_that_was_lost_lands_behind_an_answer_that_says_otherwise(
    client: DynamoDBClient, enabled: bool
) -> None:
    bench = Bench(client, enabled=enabled)
    lost = late(bench, enabled=not enabled)
    assert bench.change(enabled=enabled).enabled is enabled  # as it is, and has to stay
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        lost()
    assert bench.shown().enabled is enabled
    assert bench.admits() is enabled
    assert bench.wrong_books() == []


def test_whoever_disables_a_key_first_gives_the_reason(bench: Bench) -> None:
    service = disabling(bench)
    assert service.disable(bench.owner, bench.id, reason="exposed").disabled_reason == "exposed"
    assert bench.decided().fault == "disabled"
    assert service.disable(bench.owner, bench.id, reason="dormant") == bench.shown()
    assert bench.change(enabled=False).disabled_reason == "exposed"
    (told,) = entries(bench)[1:]
    assert told["action"] == "api_key.disabled"
    assert told["actor"]["type"] == "system"
    assert told["changes"] == {
        "enabled": {"from": True, "to": False},
        "disabled_reason": {"from": None, "to": "exposed"},
    }
    assert bench.change(enabled=True).disabled_reason is None
    assert bench.admits()


def test_a_revoked_key_is_not_found_by_who_disables(bench: Bench) -> None:
    bench.keys.revoke(bench.owner, bench.id)
    with pytest.raises(NotFound):
        disabling(bench).disable(bench.owner, bench.id, reason="exposed")


@in_this_store
@pytest.mark.parametrize("said", [{"scopes": ["write"]}, {"enabled": False}, {"metadata": None}])
def test_a_change_and_the_systems_disabling_that_meet_both_hold(
    client: DynamoDBClient, said: dict[str, Any]
) -> None:
    """The system's own way looks at nothing first, and does not count."""
    for at in range(1, 40):
        bench = Bench(client, metadata={"team": "core"})

        def disable(bench: Bench = bench) -> None:
            place = {"pk": {"S": f"USER#{bench.owner}"}, "sk": {"S": f"KEY#{bench.id}"}}
            record = bench.client.get_item(TableName=bench.table, Key=place)["Item"]
            transport = Boto3Transport(bench.client)
            pending = bench.store._writers().revocations.pending
            told = event(DISABLED, bench.owner, bench.id, at_ms=bench.now_ms)
            Disabling(transport, table=bench.table, pending=pending).disable(
                record, told, why="exposed"
            )

        meeting = Meeting(client, at=at, what=disable)
        bench.change(meeting, **said)
        if not meeting.met:
            assert at > 5
            return
        assert bench.decided().fault == "disabled"
        assert bench.wrong_books() == []
        assert bench.change(enabled=True) == bench.shown()
        assert bench.admits(scope=said.get("scopes", ["read"])[0])
        assert (bench.decided().metadata is None) == ("metadata" in said)
        assert bench.wrong_books() == []
    raise AssertionError("it never came to an end")
