"""Pages of an owner's keys, filtered, each key once, with a bound to the work of one request.

Living and revoked keys lie in two ranges of the owner's partition, each in the order of the ids.
The base table is read, strongly consistent, and the credential believed: a key that is refused is
never shown as living, whatever its record says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.dynamodb.batch_read import MOST_AT_ONCE
from chatgrid_auth.adapters.dynamodb.pages import every_item
from chatgrid_auth.adapters.keys_table import items, key_items
from chatgrid_auth.adapters.keys_table.credential_reads import read_credentials
from chatgrid_auth.adapters.keys_table.items import s
from chatgrid_auth.domain.credentials import ApiKey, Page
from chatgrid_auth.domain.identifiers import id_range
from chatgrid_auth.services.key_filters import ACTIVE, NO_FILTERS, KeyFilters

if TYPE_CHECKING:
    from chatgrid_auth.adapters.dynamodb.transport import Transport
    from chatgrid_auth.adapters.key_changes.revocations import Revocations

Record = Mapping[str, Any]

#: Records that one request looks at before it gives what it has, and a cursor.
_MOST_EXAMINED = 500


class KeyPages:
    """Reads pages.

    Args:
        transport: DynamoDB.
        table: the keys table's name.
        revocations: what brings into order what is met half done.
    """

    def __init__(
        self, transport: Transport, *, table: str, revocations: Callable[[], Revocations]
    ) -> None:
        self._transport = transport
        self._table = table
        self._revocations = revocations

    def page(
        self,
        owner: str,
        *,
        limit: int,
        after: str | None,
        descending: bool,
        filters: KeyFilters = NO_FILTERS,
    ) -> Page:
        """The owner's keys that the filters take, in the order of their ids, ``after`` that id."""
        found: list[ApiKey] = []
        examined, more = 0, True
        while more and len(found) < limit and examined < _MOST_EXAMINED:
            most = limit - len(found) if filters == NO_FILTERS else MOST_AT_ONCE
            records, more = self._records(
                owner, most=most, after=after, descending=descending, status=filters.status
            )
            examined += len(records)
            found += self.keys([record for record in records if _takes(filters, record)], filters)
            after = _id(records[-1]) if records else after
            if len(found) > limit:
                del found[limit:]
                after, more = found[-1].id, True
        return Page(items=found, has_more=more, last_id=after)

    def keys(self, records: list[Record], filters: KeyFilters) -> list[ApiKey]:
        """The keys of these records that have the status, with what lies on the credential alone:
        one request a page. What is half done with a key is finished: it was cut off.
        """
        hashes = {record["hash"]["S"] for record in records}
        if not hashes:
            return []
        credentials = read_credentials(self._transport, table=self._table, hashes=hashes)
        found: list[ApiKey] = []
        for record in records:
            credential = credentials.get(record["hash"]["S"], {})
            told = record
            if record["sk"]["S"].startswith(items.record_sk("")):
                if items.is_revoked(credential):
                    at_ms, reason = self._revocations().told_by(record, credential)
                    told = key_items.revoked(record, at_ms=at_ms, reason=reason)
                    self._revocations().finish(record, credential)
                elif items.MARKS in credential:
                    self._revocations().finish(record, credential)
                    now = self._read(record)
                    if now is None and filters.status == ACTIVE:  # revoked since
                        continue
                    told = now or record
            if filters.take_status(revoked="revoked_at_ms" in told):
                found.append(key_items.api_key(told, credential))
        return found

    def _read(self, record: Record) -> Record | None:
        found: Record | None = self._transport.call(
            "GetItem",
            {
                "TableName": self._table,
                "Key": {"pk": record["pk"], "sk": record["sk"]},
                "ConsistentRead": True,
            },
        ).get("Item")
        return found

    def _records(
        self, owner: str, *, most: int, after: str | None, descending: bool, status: str
    ) -> tuple[list[Record], bool]:
        """The next records, living ones only for that status, and whether there are more."""
        first, last = id_range(after, descending=descending)

        def ask(sk: Callable[[str], str]) -> dict[str, Record]:
            read = self._query(owner, sk(first), sk(last), most=most + 1, descending=descending)
            return {_id(record): record for record in read}

        found = ask(items.record_sk)
        if status != ACTIVE:
            # The revoked behind the living: what is revoked in between is in both, never in none.
            found |= ask(items.revoked_sk)
        ids = sorted(found, reverse=descending)
        return [found[one] for one in ids[:most]], len(ids) > most

    def _query(
        self, owner: str, first: str, last: str, *, most: int, descending: bool
    ) -> list[Record]:
        question = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":pk": s(items.user_pk(owner)),
                ":first": s(first),
                ":last": s(last),
            },
            "ScanIndexForward": not descending,
            "ConsistentRead": True,
            "Limit": most,
        }
        return list(islice(every_item(self._transport, "Query", question), most))


def _id(record: Record) -> str:
    key_id: str = record["sk"]["S"].partition("#")[2]
    return key_id


def _takes(filters: KeyFilters, record: Record) -> bool:
    return filters.take(
        name=record["name"]["S"],
        prefix=record["prefix"]["S"],
        environment=record["environment"]["S"],
    )
