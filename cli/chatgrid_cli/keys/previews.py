"""What the gate would decide now, read and not counted: for operators, never for the gate.

In place of the counting adapters, these make the authenticator tell the verdict and its reason
without using anybody's budget and without stamping a use. By the time a request comes, the answer
may be another one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.decisions import Credential
from chatgrid_auth.adapters.keys_table.items import s
from chatgrid_auth.adapters.keys_table.policies import NO_POLICY, Policies, breaks
from chatgrid_auth.domain.keys import tag_of
from chatgrid_auth.domain.limits import window

if TYPE_CHECKING:
    from typing import Any

    from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
    from chatgrid_auth.services.gate.requests import Request


class KeyPreview:
    """As ``decisions.KeyDecisions``, but reads only.

    Args:
        transport: DynamoDB.
        table: the keys table's name.
    """

    def __init__(self, transport: Boto3Transport, *, table: str) -> None:
        self._transport = transport
        self._table = table
        self._policies = Policies(transport, table=table)

    def admit(
        self, key_hash: str, *, now_ms: int, request: Request, tag: str | None = None
    ) -> Credential | None:
        """What the key is, and whether this request would be admitted now."""
        item = self._item(key_hash)
        if item is not None and items.HOME in item:
            item = self._item(items.hash_text(item[items.HOME]["B"]))
        if item is None:
            return None
        credential = Credential(
            item,
            tag=tag or tag_of(key_hash),
            admitted=False,
            now_ms=now_ms,
            cost=request.cost,
        )
        version = item.get(items.VERSION)
        if version is not None:
            home = item["pk"]["S"].removeprefix(items.credential_pk(""))
            self._policies.fetch(home, int(version["N"]))
            credential.rules = self._policies.held.get(home, NO_POLICY).rules
        credential.admitted = (
            credential.fault is None
            and not breaks(credential.rules, request)
            and request.scope in credential.scopes
            and not window.blocked(item, now_ms=now_ms, cost=request.cost)
        )
        return credential

    def _item(self, key_hash: str) -> dict[str, Any] | None:
        key = {"pk": s(items.credential_pk(key_hash)), "sk": s(items.CREDENTIAL)}
        return _read(self._transport, self._table, key)


class UserPreview:
    """As ``user_windows.UserWindows``, but reads only.

    Args:
        transport: DynamoDB.
        table: the rate-limits table's name.
        limit: requests in any 60 seconds for each user.
        now_ms: the clock, in Unix milliseconds.
    """

    def __init__(
        self, transport: Boto3Transport, *, table: str, limit: int, now_ms: Callable[[], int]
    ) -> None:
        self._transport = transport
        self._table = table
        self._limit = limit
        self._now_ms = now_ms

    def admit(self, user_id: str, *, cost: int = 1) -> tuple[bool, window.WindowState]:
        """Whether a request of this user would be admitted now, and where the user stands."""
        now_ms = self._now_ms()
        key = {"pk": s(items.user_pk(user_id))}
        item = _read(self._transport, self._table, key) or window.fresh(self._limit)
        return (
            not window.blocked(item, now_ms=now_ms, cost=cost),
            window.read(item, now_ms=now_ms, limit=self._limit, cost=cost),
        )


def _read(transport: Boto3Transport, table: str, key: dict[str, Any]) -> dict[str, Any] | None:
    response = transport.call("GetItem", {"TableName": table, "Key": key, "ConsistentRead": True})
    return response.get("Item")
