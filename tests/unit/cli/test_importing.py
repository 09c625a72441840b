"""What becomes of lines while others write too: a key that came meanwhile is never made again."""

from __future__ import annotations

import pytest

from chatgrid_auth.adapters.keys_table.key_inventory import Holder
from chatgrid_auth.domain.credentials import ApiKey
from chatgrid_auth.domain.key_errors import KeyExists
from chatgrid_auth.services.key_import import ImportedKey
from chatgrid_cli.transfer.importing import Importer, Outcome
from chatgrid_cli.transfer.lines import Line

OWNER, OTHER = "0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def line(number: int, *, id: str | None = None) -> Line:  # noqa: A002
    key = ImportedKey(hash=f"{number:064x}", owner=OWNER, name="k", scopes=("read",), id=id)
    return Line(number=number, key=key)


def taken(_: ImportedKey) -> ApiKey:
    raise KeyExists


def made(key: ImportedKey) -> ApiKey:
    return ApiKey(
        id=key.id or "a-new-one",
        owner=key.owner,
        name=key.name,
        prefix=key.prefix,
        scopes=key.scopes,
        environment=key.environment,
        rate_limit=120,
        created_at_ms=0,
    )


def never() -> dict[str, str]:
    raise AssertionError("the whole table is read")


@pytest.mark.parametrize(
    ("holder", "outcome", "code"),
    [
        (Holder(owner=OWNER, key_id="made-meanwhile"), "existing", None),
        (Holder(owner=OTHER, key_id="made-meanwhile"), "refused", "other_owner"),
        (None, "refused", "duplicate_id"),
    ],
)
def test_a_key_that_came_meanwhile_is_told_for_what_it_is(
    holder: Holder | None, outcome: str, code: str | None
) -> None:
    """Between the look whether it exists and the write."""
    looks = 0

    def holders(hashes: list[str]) -> dict[str, Holder]:
        nonlocal looks
        looks += 1
        return {} if looks == 1 or holder is None else dict.fromkeys(hashes, holder)

    (found,) = Importer(holders=holders, hashes_by_id=dict, adopt=taken).run([line(1)])
    assert (found.line, found.outcome, found.code) == (1, outcome, code)
    assert looks == 2


def test_the_store_is_asked_once_per_hundred_lines_never_for_none() -> None:
    asked: list[int] = []

    def holders(hashes: list[str]) -> dict[str, Holder]:
        asked.append(len(hashes))
        return {}

    importer = Importer(holders=holders, hashes_by_id=never, adopt=None)
    bad = [Line(number=number, code="not_json", problem="no") for number in range(1000, 1100)]
    outcomes = list(importer.run([*(line(number) for number in range(1, 251)), *bad]))
    assert len(outcomes) == 350
    assert asked == [100, 100, 50]


def test_existing_ids_are_read_once_and_only_when_needed() -> None:
    """The ids that exist are read once, and only for a new key with an id of its own."""
    reads = 0

    def hashes_by_id() -> dict[str, str]:
        nonlocal reads
        reads += 1
        return {"mine": f"{3:064x}", "theirs": "f" * 64}

    there = {f"{1:064x}": Holder(owner=OWNER, key_id="there")}
    importer = Importer(holders=lambda _: there, hashes_by_id=hashes_by_id, adopt=made)
    found: list[Outcome] = []
    for number, key_id in enumerate(["there", None, "mine", "theirs", "new"], start=1):
        found += importer.run([line(number, id=key_id)])
        assert reads == (number > 2)
    assert [(outcome.outcome, outcome.code) for outcome in found] == [
        ("existing", None),
        ("created", None),
        ("created", None),  # this very key, come meanwhile: the store has the say
        ("refused", "duplicate_id"),
        ("created", None),
    ]
