"""What must be true of the keys table at rest, whatever has happened to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.items import current_tag
from chatgrid_auth.adapters.keys_table.key_directory import DynamoKeyDirectory
from chatgrid_auth.adapters.rotation.books import GRACES
from chatgrid_auth.domain.keys import tag_of
from chatgrid_auth.domain.scopes import level_of
from tests.support.tables.stores import audit_of

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]

#: A decision's item costs one write unit up to this size.
_UNIT_BYTES = 1024


def contents(client: DynamoDBClient, table: str) -> list[Item]:
    """All items of a table."""
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return [item for page in pages for item in page["Items"]]


def swept(client: DynamoDBClient, table: str, *, audit_table: str = "") -> list[Item]:
    """All items of a table, once the sweep has finished what was cut off."""
    directory = DynamoKeyDirectory(
        Boto3Transport(client), table=table, audit_table=audit_table or audit_of(table)
    )
    cursor: str | None = None
    while True:
        found, cursor = directory.live(cursor)
        for key in found:
            if key.half_revoked:
                directory.finish_revocation(key)
        if cursor is None:
            return contents(client, table)


def errors_in(table: Iterable[Item]) -> list[str]:
    """What is half created, half revoked, doubled or miscounted; empty when the books are right."""
    credentials: dict[str, Item] = {}
    records: dict[str, Item] = {}
    counts: dict[str, int] = {}
    held: Counter[str] = Counter()
    table = list(table)
    found: list[str] = []
    for item in table:
        pk, sk = item["pk"]["S"], item["sk"]["S"]
        if pk.startswith(items.credential_pk("")):
            # An alias leads to one, and a policy is named by one.
            if sk == items.CREDENTIAL and items.HOME not in item:
                credentials[pk] = item
        elif sk == items.COUNT:
            counts[pk] = int(item["active"]["N"])
        elif sk.startswith((items.record_sk(""), items.revoked_sk(""))):
            key_hash = item["hash"]["S"]
            if key_hash in records:
                found.append(f"key {sk} has a second record")
            records[key_hash] = item
            held[pk] += sk.startswith(items.record_sk(""))
    found += _errors_of_rotation(table, records)
    for key_hash, record in records.items():
        found += _errors_of(record, credentials.pop(items.credential_pk(key_hash), None))
    found += [
        f"key {items.uuid_text(item[items.KEY_ID]['B'])} is a credential without a record"
        for item in credentials.values()
    ]
    for owner in held.keys() | counts.keys():
        if held[owner] != counts.get(owner, 0):
            found.append(f"{owner} holds {held[owner]} keys and is counted {counts.get(owner, 0)}")
    return found


def _errors_of(record: Item, credential: Item | None) -> list[str]:
    sk = record["sk"]["S"]
    if credential is None:
        return [f"key {sk} is a record without a credential"]
    found = []
    revoked = sk.startswith(items.revoked_sk(""))
    if items.is_revoked(credential) != revoked:
        found.append(f"key {sk} is half revoked: only one of credential and record says so")
    if (items.LEVEL in credential) == (items.OFF in credential):
        found.append(f"key {sk} is active and off, or neither")
    if items.MARKS in credential:
        found.append(f"key {sk} is marked for books that are in order")
    if items.uuid_text(credential[items.KEY_ID]["B"]) != sk.partition("#")[2]:
        found.append(f"key {sk} has the credential of another")
    used, cap = int(credential["used"]["N"]), int(credential["cap"]["N"])
    if cap - used != int(credential[items.LIMIT]["N"]):
        found.append(
            f"key {sk} allows {cap - used} where its limit is {credential[items.LIMIT]['N']}"
        )
    found += _errors_of_changes(record, credential)
    if not _has_secrets_of(record, credential):
        found.append(f"key {sk} has other secrets than its record says")
    if size_of(credential) >= _UNIT_BYTES:
        found.append(f"key {sk} has a credential of {size_of(credential)} bytes")
    return found


def _errors_of_changes(record: Item, credential: Item) -> Iterator[str]:
    """Where a home and its record tell of other changes."""
    sk = record["sk"]["S"]
    if credential.get(items.CHANGES) != record.get(items.CHANGES):
        yield (f"key {sk} counts other changes than its record")
    if items.LEVEL in credential and int(credential[items.LEVEL]["N"]) != level_of(
        record["scopes"]["S"].split()
    ):
        yield (f"key {sk} reaches as far as other scopes than it shows")
    if credential[items.LIMIT] != record["rate_limit"]:
        yield (f"key {sk} shows a limit of {record['rate_limit']['N']}")


def _has_secrets_of(record: Item, credential: Item) -> bool:
    """Whether a home tells of the secrets that the record names, and of no other."""
    current = tag_of((record.get("secret") or record["hash"])["S"])
    expected = {items.until(current)}
    if "previous_hash" in record:
        expected.add(items.until(tag_of(record["previous_hash"]["S"])))
    told = {name for name in credential if items.is_until(name)}
    return told == expected and current_tag(credential) == current


def _errors_of_rotation(table: Iterable[Item], records: dict[str, Item]) -> Iterator[str]:
    """What is wrong with aliases and graces."""
    named = {record["grace"]["S"] for record in records.values() if "grace" in record}
    homes = {}
    for item in table:
        pk, sk = item["pk"]["S"], item["sk"]["S"]
        if pk == GRACES and sk not in named:
            yield f"no key has the grace {sk}"
        if items.HOME in item:
            home = bytes(item[items.HOME]["B"]).hex()
            homes[pk.removeprefix(items.credential_pk(""))] = home
            if home not in records:
                yield f"an alias leads to {home}"
    for home, record in records.items():
        if homes.get((record.get("secret") or record["hash"])["S"], home) != home:
            yield f"key {record['sk']['S']} has the alias of another"


def size_of(item: Item) -> int:
    """An item's size as DynamoDB counts it, a little more for numbers."""
    return sum(
        len(name) + (len(value) // 2 + 2 if kind == "N" else len(value))
        for name, typed in item.items()
        for kind, value in typed.items()
    )
