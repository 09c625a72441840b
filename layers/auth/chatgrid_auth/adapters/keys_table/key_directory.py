"""Every ChatGrid key, as the sweep reads it, and the API Gateway key that each one names."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.audit_table.chain import AuditChain
from chatgrid_auth.adapters.dynamodb.batch_read import batch_read
from chatgrid_auth.adapters.key_changes.revocations import Revocations
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.items import current_tag, passes_until_ms, s
from chatgrid_auth.adapters.rotation.graces import end_due
from chatgrid_auth.adapters.upkeep.key_lives import DynamoKeyLives, uses_of
from chatgrid_auth.domain.errors import ConditionFailed
from chatgrid_auth.services.upkeep.keeping import Upkeep
from chatgrid_auth.services.usage_plans.ports import LiveKey, Progress, RunSummary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chatgrid_auth.adapters.dynamodb.transport import Transport
    from chatgrid_auth.domain.audit import Entry

#: Items that DynamoDB looks at for one page, most of which are not credentials.
_PAGE = 1000
#: In the partition of the work, behind all of it: how far the sweep under way has come.
_SWEEP = "sweep"


class DynamoKeyDirectory:
    """The keys table, as ``services.usage_plans.ports.Directory`` asks for it.

    Args:
        transport: DynamoDB.
        table: the keys table's name.
        audit_table: the audit table's name.
        anchor: is told of each entry that was written; it must not fail.
        dormant_after_days: how long nobody uses a key that is then disabled; 0 for never.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        table: str,
        audit_table: str,
        anchor: Callable[[Entry], None] = lambda _entry: None,
        dormant_after_days: int = 0,
    ) -> None:
        self._transport = transport
        # What it meets is seldom in the way, and the next sweep tries again.
        chain = AuditChain(transport, table=audit_table, pause=lambda _: None, anchor=anchor)
        self._revocations = Revocations(transport, table=table, chain=chain)
        self._chain = chain
        self._table = table
        lives = DynamoKeyLives(
            transport, table=table, audit_table=audit_table, pending=self._revocations.pending
        )
        self._upkeep = Upkeep(lives, dormant_after_days=dormant_after_days)

    def assign(self, key_hash: str, *, value: str) -> bool:
        """Name this API Gateway key from now on; false when the key is not live any more."""
        return self._update(
            key_hash,
            f"SET {items.GATEWAY_KEY} = :value",
            condition=f"attribute_exists(pk) AND {items.NOT_REVOKED}",
            names={"#off": items.OFF},
            values={":value": s(value), ":revoked": s(items.REVOKED)},
        )

    def unassign(self, key_hash: str, *, value: str) -> None:
        """Name none from now on, if this one was named."""
        self._update(
            key_hash,
            f"REMOVE {items.GATEWAY_KEY}",
            condition=f"{items.GATEWAY_KEY} = :value",
            names={},
            values={":value": s(value)},
        )

    def live(self, cursor: str | None) -> tuple[list[LiveKey], str | None]:
        """A page of live and half revoked keys, in no order, and where the next one starts."""
        scan = {
            "TableName": self._table,
            "FilterExpression": (
                f"sk = :credential AND begins_with(pk, :key) AND attribute_exists({items.OWNER})"
                f" AND ({items.NOT_REVOKED} OR attribute_exists({items.MARKS}))"
            ),
            "ExpressionAttributeNames": {"#off": items.OFF},
            "ExpressionAttributeValues": {
                ":credential": s(items.CREDENTIAL),
                ":key": s(items.credential_pk("")),
                ":revoked": s(items.REVOKED),
            },
            "Limit": _PAGE,
        }
        if cursor is not None:
            scan["ExclusiveStartKey"] = json.loads(cursor)
        response = self._transport.call("Scan", scan)
        last = response.get("LastEvaluatedKey")
        return [_live(item) for item in response["Items"]], None if last is None else json.dumps(
            last
        )

    def finish_revocation(self, key: LiveKey) -> None:
        """Bring the books of a half revoked key into order, and leave the work that it means."""
        self._revocations.resume(key.owner, key.key_id, key.key_hash)

    def end_graces(self, now_ms: int) -> int:
        """Tell the audit log of previous secrets whose grace has run out; how many there were."""
        return end_due(self._transport, table=self._table, chain=self._chain, now_ms=now_ms)

    def look_after(
        self,
        page: Sequence[LiveKey],
        summary: RunSummary,
        *,
        now_ms: int,
        check: Callable[[], None],
    ) -> None:
        """Give these keys' notices that are due, and disable those that nobody uses."""
        self._upkeep.look_after(page, summary, now_ms=now_ms, check=check)

    def recorded(self, keys: Sequence[tuple[str, str]]) -> dict[str, LiveKey]:
        """Of up to 100 (owner, key id), those not revoked at this moment, by key id."""
        found = batch_read(
            self._transport,
            table=self._table,
            keys=[
                {"pk": s(items.user_pk(owner)), "sk": s(items.record_sk(key_id))}
                for owner, key_id in keys
            ],
            attributes=["hash", "expires_at_ms"],
        )
        return {key.key_id: key for key in map(_recorded, found)}

    def progress(self) -> Progress | None:
        """How far the sweep under way has come; ``None`` when there is none."""
        item = self._transport.call(
            "GetItem", {"TableName": self._table, "Key": _SWEEP_KEY, "ConsistentRead": True}
        ).get("Item")
        if item is None:
            return None
        return Progress(
            cursor=item.get("cursor", {}).get("S"),
            suspects=frozenset(item.get("suspects", {}).get("SS", [])),
        )

    def advance(self, progress: Progress) -> None:
        """Remember how far the sweep has come."""
        item: dict[str, Any] = dict(_SWEEP_KEY)
        if progress.cursor is not None:
            item["cursor"] = s(progress.cursor)
        if progress.suspects:
            item["suspects"] = {"SS": sorted(progress.suspects)}
        self._transport.call("PutItem", {"TableName": self._table, "Item": item})

    def finish(self) -> None:
        """The sweep is over."""
        self._transport.call("DeleteItem", {"TableName": self._table, "Key": _SWEEP_KEY})

    def _update(
        self,
        key_hash: str,
        update: str,
        *,
        condition: str,
        names: Mapping[str, str],
        values: Mapping[str, Any],
    ) -> bool:
        """Change a credential; whether the condition held."""
        try:
            self._transport.call(
                "UpdateItem",
                {
                    "TableName": self._table,
                    "Key": {"pk": s(items.credential_pk(key_hash)), "sk": s(items.CREDENTIAL)},
                    "UpdateExpression": update,
                    "ConditionExpression": condition,
                    **({"ExpressionAttributeNames": names} if names else {}),
                    "ExpressionAttributeValues": values,
                },
            )
        except ConditionFailed:
            return False
        return True


_SWEEP_KEY = {"pk": s(items.PLANS), "sk": s(_SWEEP)}


def _live(item: Mapping[str, Any]) -> LiveKey:
    return LiveKey(
        key_id=items.uuid_text(item[items.KEY_ID]["B"]),
        owner=items.uuid_text(item[items.OWNER]["B"]),
        key_hash=item["pk"]["S"].removeprefix(items.credential_pk("")),
        expires_at_ms=passes_until_ms(item, current_tag(item)),
        usage_key=item.get(items.GATEWAY_KEY, {}).get("S"),
        half_revoked=items.MARKS in item,
        enabled=items.LEVEL in item,
        uses=uses_of(item),
        current=item.get(items.CURRENT, {}).get("S"),
    )


def _recorded(item: Mapping[str, Any]) -> LiveKey:
    expires = item.get("expires_at_ms")
    return LiveKey(
        key_id=item["sk"]["S"].removeprefix(items.record_sk("")),
        owner=item["pk"]["S"].removeprefix(items.user_pk("")),
        key_hash=item["hash"]["S"],
        expires_at_ms=None if expires is None else int(expires["N"]),
    )
