"""Leaked keys in DynamoDB: looked up by hash in at most two requests, whatever was reported.

Each tells of a secret once: its record remembers which of the key's secrets were told of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.dynamodb.transactions import update
from chatgrid_auth.adapters.key_changes.disabling import EXPOSED, Disabling
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.credential_reads import read_credentials
from chatgrid_auth.adapters.keys_table.items import current_tag
from chatgrid_auth.domain.errors import Cancelled
from chatgrid_auth.domain.keys import PUBLISHABLE, tag_of
from chatgrid_auth.services.audit.events import disabled_by_the_system
from chatgrid_auth.services.leaks.acting import Exposed

if TYPE_CHECKING:
    from chatgrid_auth.adapters.audit_table.chain import AuditChain
    from chatgrid_auth.adapters.dynamodb.transport import Transport
    from chatgrid_auth.adapters.key_changes.revocations import Revocations
    from chatgrid_auth.domain.audit import AuditEvent

Item = Mapping[str, Any]


class DynamoExposedKeys:
    """The keys table, as ``services.leaks.acting.ExposedKeys`` asks for it.

    Args:
        transport: DynamoDB.
        table: the keys table's name.
        chain: adds the entries of the audit log.
        revocations: ends keys, and finishes what others have begun.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        table: str,
        chain: AuditChain,
        revocations: Revocations,
    ) -> None:
        self._transport = transport
        self._table = table
        self._chain = chain
        self._revocations = revocations
        self._disabling = Disabling(transport, table=table, pending=revocations.pending)

    def find(self, hashes: Iterable[str], *, now_ms: int) -> dict[str, Exposed]:
        """Those of up to 100 secrets that are ours, by hash; tokens by what names them."""
        tags = {one: one.partition(".")[2] or tag_of(one) for one in hashes}
        places = {one: one.partition(".")[0] for one in tags}
        items_at = self._read(set(places.values()))
        found = {one: items_at[place] for one, place in places.items() if place in items_at}
        homes = {
            key_hash: items.hash_text(item[items.HOME]["B"])
            for key_hash, item in found.items()
            if items.HOME in item
        }
        at_home = self._read(set(homes.values())) if homes else {}
        exposed: dict[str, Exposed] = {}
        for key_hash, item in found.items():
            home = at_home.get(homes[key_hash]) if key_hash in homes else item
            # The alias of a rotation that was refused may outlive its key: nobody holds that.
            if home is not None and items.OWNER in home:
                exposed[key_hash] = _exposed(key_hash, home, tags[key_hash], now_ms=now_ms)
        return exposed

    def disable(self, exposed: Exposed, event: AuditEvent) -> bool:
        """Disable the key, if it is enabled; whether this call did it."""
        record = self._record(exposed)
        if record is None:
            return False
        changes = {**disabled_by_the_system(items.EXPOSED), **event.changes}
        event = replace(event, changes=changes)
        return self._disabling.disable(record, event, why=items.EXPOSED, told=exposed.tag)

    def note(self, exposed: Exposed, event: AuditEvent) -> bool:
        """Tell the audit log, once for each secret; whether this call did it."""
        if self._record(exposed) is None:
            return False
        tag = exposed.tag
        place = (items.user_pk(exposed.owner), items.record_sk(exposed.key_id))
        told = update(
            self._table,
            place,
            f"ADD {EXPOSED} :tags",
            {":tags": {"SS": [tag]}, ":tag": items.s(tag)},
            condition=f"attribute_exists(pk) AND NOT contains({EXPOSED}, :tag)",
        )
        try:
            self._chain.transact([told], event)
        except Cancelled:  # told of already, or revoked meanwhile
            return False
        return True

    def revoke(self, exposed: Exposed, event: AuditEvent) -> bool:
        """Revoke the key; whether this call did it."""
        record = self._record(exposed)
        return record is not None and self._revocations.revoke(record, event)

    def _record(self, exposed: Exposed) -> dict[str, Any] | None:
        """The key's record; none of a publishable key, which is no secret that could leak.

        Anybody may read it in a page, and make tokens of it: nobody shall end it by telling so.
        """
        place = {
            "pk": items.s(items.user_pk(exposed.owner)),
            "sk": items.s(items.record_sk(exposed.key_id)),
        }
        question = {"TableName": self._table, "Key": place, "ConsistentRead": True}
        found: dict[str, Any] | None = self._transport.call("GetItem", question).get("Item")
        public = found is not None and found.get("kind") == items.s(PUBLISHABLE)
        return None if public else found

    def _read(self, hashes: Iterable[str]) -> dict[str, dict[str, Any]]:
        return read_credentials(self._transport, table=self._table, hashes=hashes)


def _exposed(key_hash: str, home: Item, tag: str, *, now_ms: int) -> Exposed:
    until = home.get(items.until(tag))
    passes = until is not None and int(until["N"]) > now_ms
    # A current secret that has ended with its key passes again under a later expiry.
    counts = not items.is_revoked(home) and (passes or tag == current_tag(home))
    return Exposed(
        owner=items.uuid_text(home[items.OWNER]["B"]),
        key_id=items.uuid_text(home[items.KEY_ID]["B"]),
        secret_hash=key_hash,
        tag=tag,
        counts=counts,
    )
