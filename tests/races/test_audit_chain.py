"""However many write at once, and wherever they are cut off: one entry for each deed, one chain.

`make audit-chain` writes 10,000 entries from 16 processes; by default it is a sixteenth of that.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chatgrid_auth.adapters.audit_table import layout
from chatgrid_auth.adapters.audit_table.trail import AuditTrail
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.domain.audit import CREATED, REVOKED
from chatgrid_devkit.stack.ministack import Ministack
from tests.races.audit_writers import Writers, write
from tests.support.tables import books
from tests.support.tables.stores import audit_of, dynamodb, keys_table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

ENTRIES = int(os.environ.get("CHATGRID_AUDIT_ENTRIES", "600"))
PROCESSES = int(os.environ.get("CHATGRID_AUDIT_PROCESSES", "4"))
SEED = int(os.environ.get("RACE_SEED", "0")) or secrets.randbelow(1 << 20)
#: So few that several processes write each chain at once.
OWNERS = max(2, PROCESSES // 4)


def deeds(table: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """What the keys table tells was done: (action, key id)."""
    found: Counter[tuple[str, str]] = Counter()
    for item in table:
        kind, _, key_id = item["sk"]["S"].partition("#")
        if item["pk"]["S"].startswith(items.user_pk("")) and kind in {"KEY", "REVOKED"}:
            found[CREATED, key_id] += 1
            found[REVOKED, key_id] += kind == "REVOKED"
    return +found


def test_each_deed_has_one_entry_wherever_its_writer_was_cut_off(
    ministack: Ministack,
) -> None:
    print(f"RACE_SEED={SEED}")
    client = dynamodb(ministack.endpoint)
    writers = Writers(
        endpoint=ministack.endpoint,
        table=keys_table(client),
        owners=tuple(str(uuid4()) for _ in range(OWNERS)),
        # Some are cut off before anything is done.
        actions=ENTRIES * 13 // (PROCESSES * 10),
    )
    cut_off = write(writers, processes=PROCESSES, seed=SEED)
    table = books.swept(client, writers.table)
    assert books.errors_in(table) == []
    trail = AuditTrail(Boto3Transport(client), table=audit_of(writers.table))
    told: Counter[tuple[str, str]] = Counter()
    for owner in writers.owners:
        found = [entry.document for entry in trail.entries(owner)]
        told.update((entry["action"], entry["target"]["id"]) for entry in found)
        verified = trail.verify(owner)
        assert (verified.entries, verified.first_broken_seq) == (len(found), None)
        # By the one who did it, whoever wrote it: `system` would be a deed that nobody told of.
        assert {entry["actor"]["type"] for entry in found} == {"user"}
    assert told == deeds(table)
    assert told.total() >= ENTRIES
    assert cut_off > ENTRIES // 100, "too few faults to tell anything"
    print(f"{told.total()} entries from {PROCESSES} processes, {cut_off} of them cut off")
    for harm, seq in (
        (_changed, told.total() // OWNERS // 2),
        (_removed, told.total() // OWNERS // 3),
        (_swapped, told.total() // OWNERS // 4),
    ):
        with_harm(client, audit_of(writers.table), writers.owners[0], harm, seq, trail)


def with_harm(
    client: DynamoDBClient,
    table: str,
    owner: str,
    harm: Callable[..., None],
    seq: int,
    trail: AuditTrail,
) -> None:
    """Spoil an entry, see that it is found with its number, and put it back."""
    places = [{"pk": {"S": layout.pk(owner)}, "sk": {"S": layout.sk(at)}} for at in (seq, seq + 5)]
    former = [client.get_item(TableName=table, Key=place)["Item"] for place in places]
    harm(client, table, *former)
    assert trail.verify(owner).first_broken_seq == seq, harm.__name__
    for item in former:
        client.put_item(TableName=table, Item=item)
    assert trail.verify(owner).first_broken_seq is None


def _changed(client: Any, table: str, item: Any, _: Any) -> None:
    text = item["entry"]["S"].replace('"type":"user"', '"type":"system"')
    client.put_item(TableName=table, Item={**item, "entry": {"S": text}})


def _removed(client: Any, table: str, item: Any, _: Any) -> None:
    client.delete_item(TableName=table, Key={name: item[name] for name in ("pk", "sk")})


def _swapped(client: Any, table: str, item: Any, other: Any) -> None:
    client.put_item(TableName=table, Item={**item, "entry": other["entry"]})
    client.put_item(TableName=table, Item={**other, "entry": item["entry"]})
