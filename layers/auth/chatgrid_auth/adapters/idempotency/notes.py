"""Requests that may come again, among what belongs to their user in the keys table.

| pk | sk | holds |
| --- | --- | --- |
| ``USER#<owner>`` | ``REPEAT#<hash of route and name>`` | version, body's hash, key's id, tags |

In the keys table, since a key and the note of the request that made it are written in one
transaction and restored together, and since losing a note would let a request be done twice.
DynamoDB disposes of them by the table's TTL; until it does, their end is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.keys_table import items, key_items
from chatgrid_auth.adapters.keys_table.items import n, s
from chatgrid_auth.domain.errors import ConditionFailed
from chatgrid_auth.services.repeatable import Note, NoteChange, Repeatable

if TYPE_CHECKING:
    from chatgrid_auth.adapters.dynamodb.transport import Transport
    from chatgrid_auth.domain.credentials import ApiKey

Item = Mapping[str, Any]


class DynamoNotes:
    """The keys table, as ``services.idempotency.Notes`` asks for it.

    Args:
        transport: DynamoDB.
        table: the keys table's name.
    """

    def __init__(self, transport: Transport, *, table: str) -> None:
        self._transport = transport
        self._table = table

    def find(self, request: Repeatable) -> Note | None:
        """What is remembered of a request, forgotten or not by now."""
        item = self._read(_place(request))
        return None if item is None else _note(item)

    def change(self, change: NoteChange) -> bool:
        """Make a change; false, and nothing is done, if the note is another one by now."""
        ((kind, write),) = written(self._table, change).items()
        question = {**write, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        try:
            self._transport.call(f"{kind}Item", question)
        except ConditionFailed as refused:
            # A write whose first response was lost, and that was sent again, meets itself.
            found = refused.item and refused.item["version"]["S"]
            return found == (change.note and change.note.version)
        return True

    def any_key(self, owner: str, key_id: str) -> ApiKey | None:
        """One of the owner's keys, a revoked one too."""
        for sk in (items.revoked_sk(key_id), items.record_sk(key_id)):
            record = self._read({"pk": s(items.user_pk(owner)), "sk": s(sk)})
            if record is not None:
                home = {
                    "pk": s(items.credential_pk(record["hash"]["S"])),
                    "sk": s(items.CREDENTIAL),
                }
                return key_items.api_key(record, self._read(home) or {})
        return None

    def _read(self, place: Item) -> Item | None:
        question = {"TableName": self._table, "Key": place, "ConsistentRead": True}
        found: Item | None = self._transport.call("GetItem", question).get("Item")
        return found


def written(table: str, change: NoteChange) -> dict[str, Any]:
    """The write that makes a change, for a transaction too: refused if the note is another one."""
    parts: dict[str, Any] = {
        "TableName": table,
        "ConditionExpression": "attribute_not_exists(pk)",
    }
    if change.seen is not None:
        parts["ConditionExpression"] = "version = :seen"
        parts["ExpressionAttributeValues"] = {":seen": s(change.seen.version)}
    if change.note is None:
        return {"Delete": {**parts, "Key": _place(change.request)}}
    return {"Put": {**parts, "Item": {**_place(change.request), **_facts(change.note)}}}


def _place(request: Repeatable) -> dict[str, Any]:
    return {"pk": s(items.user_pk(request.owner)), "sk": s(items.repeat_sk(request.place))}


def _facts(note: Note) -> dict[str, Any]:
    facts = {
        "version": s(note.version),
        "body": s(note.body),
        "ends_at_ms": n(note.ends_at_ms),
        "runs_until_ms": n(note.runs_until_ms),
        items.EXPIRES_ON: n(-(-note.ends_at_ms // 1_000)),
        "minted": {"L": [s(tag) for tag in note.minted]},
    }
    if note.key_id is not None:
        facts["id"] = s(note.key_id)
    if note.base is not None:
        facts["base"] = s(note.base)
    if note.done:
        facts["done"] = {"BOOL": True}
    return facts


def _note(item: Item) -> Note:
    return Note(
        version=item["version"]["S"],
        body=item["body"]["S"],
        ends_at_ms=int(item["ends_at_ms"]["N"]),
        runs_until_ms=int(item["runs_until_ms"]["N"]),
        key_id=item.get("id", {}).get("S"),
        minted=tuple(tag["S"] for tag in item["minted"]["L"]),
        base=item.get("base", {}).get("S"),
        done="done" in item,
    )
