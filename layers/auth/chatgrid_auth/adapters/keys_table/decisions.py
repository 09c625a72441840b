"""The one request that decides: a conditional ``UpdateItem`` on a credential item.

Its condition holds all that must be true of a key: it exists, is active and not expired, has the
scope, and its window has room. Its update counts the request and stamps the use. DynamoDB does
both at once, so concurrent containers cannot overshoot; and when the condition fails, the item
comes back in the same answer and tells why.
"""

from __future__ import annotations

import json

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.domain import window
from chatgrid_auth.domain.errors import ConditionFailed, StoreUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    class Transport(Protocol):
        """DynamoDB in its own JSON; raises ConditionFailed and StoreUnavailable."""

        def call_encoded(self, operation: str, body: bytes) -> dict[str, Any]: ...

    class Clock(Protocol):
        """Whether the store has borne out the time since anything may have changed it."""

        confirmed: bool


_CONDITION = (
    "attribute_exists(pk) AND #state = :active"
    " AND (attribute_not_exists(expires) OR expires > :now)"
    " AND contains(scopes, :scope) AND "
)
_HEAD = '{"TableName":"%s","Key":{"pk":{"S":"%s'
_TAIL = (
    '"},"sk":{"S":"' + items.CREDENTIAL + '"}},'
    '"ConditionExpression":"%s","UpdateExpression":"SET seen = :now, %s%s",'
    '"ExpressionAttributeNames":{"#state":"state"},'
    '"ReturnValues":"ALL_NEW","ReturnValuesOnConditionCheckFailure":"ALL_OLD",'
    '"ExpressionAttributeValues":{":one":{"N":"1"},":active":{"S":"' + items.ACTIVE + '"},'
    '":scope":{"S":"'
)


class Credential:
    """What a credential item said in the answer to a decision.

    Attributes:
        admitted: whether the request was counted.
        owner, key_id: whose key, and which.
        scopes: effective scopes, from the least to the most.
        active: whether the key is not revoked.
        expires_at_ms: Unix milliseconds; ``None`` for never.
        environment: ``live`` or ``test``, as an imported key was given it; for other keys it
            says nothing, their own text does.
        usage_key: the API Gateway key of this key's own; ``None`` while it has none.
        reading: where the key stands with its limit.
    """

    __slots__ = (
        "active",
        "admitted",
        "environment",
        "expires_at_ms",
        "key_id",
        "owner",
        "reading",
        "scopes",
        "usage_key",
    )

    def __init__(self, item: Mapping[str, Any], *, admitted: bool, now_ms: int) -> None:
        self.admitted = admitted
        self.owner: str = item["owner"]["S"]
        self.key_id: str = item["id"]["S"]
        self.scopes = tuple(item["scopes"]["S"].split())
        self.active = item["state"]["S"] == items.ACTIVE
        expires = item.get("expires")
        self.expires_at_ms = None if expires is None else int(expires["N"])
        self.environment = "test" if items.ENVIRONMENT in item else "live"
        usage = item.get("usage")
        self.usage_key: str | None = None if usage is None else usage["S"]
        self.reading = window.read(item, now_ms=now_ms, limit=int(item["limit"]["N"]))


class KeyDecisions:
    """Decides about keys, with one DynamoDB request each.

    Args:
        transport: DynamoDB.
        table: the keys table's name.
        clock: what ``now_ms`` is read from; ``None`` for one that is known to be right. As long as
            it is not confirmed, nothing is removed from an item: a clock that is ahead would
            remove ceilings that others still mind.
    """

    def __init__(self, transport: Transport, *, table: str, clock: Clock | None = None) -> None:
        self._transport = transport
        self._table = table
        self._clock = clock
        self._head = (_HEAD % (table, items.credential_pk(""))).encode()
        self._bucket = -1
        self._tail = b""

    def admit(self, key_hash: str, *, now_ms: int, scope: str) -> Credential | None:
        """Count one request on this key if everything about it allows that.

        Args:
            key_hash: SHA-256 of the key in hex.
            now_ms: Unix time in milliseconds.
            scope: the scope that the request needs.

        Returns:
            What the key is, admitted or not; ``None`` when there is no such key.

        Raises:
            StoreUnavailable: DynamoDB could not decide.
        """
        admission = window.admission(now_ms)
        if admission.bucket != self._bucket:
            self._tail = _tail(admission, f" REMOVE {admission.removals}")
            self._bucket = admission.bucket
        confirmed = self._clock is None or self._clock.confirmed
        body = b'%b%b%b%b"},":now":{"N":"%d"}}}' % (
            self._head,
            key_hash.encode(),
            self._tail if confirmed else _tail(admission, ""),
            scope.encode(),
            now_ms,
        )
        try:
            item = self._transport.call_encoded("UpdateItem", body)["Attributes"]
            admitted = True
        except ConditionFailed as refused:
            if refused.item is None:
                return None
            item, admitted = refused.item, False
        credential = Credential(item, admitted=admitted, now_ms=now_ms)
        if credential.reading.upkeep:
            self._put_in_order(item, limit=credential.reading.limit, now_ms=now_ms)
        return credential

    def _put_in_order(self, item: Mapping[str, Any], *, limit: int, now_ms: int) -> None:
        """What the item needs now and then, so that it never costs a second write unit."""
        from chatgrid_auth.domain.window_upkeep import maintenance  # noqa: PLC0415 - seldom

        upkeep = maintenance(item, now_ms=now_ms, limit=limit)
        if upkeep is None:
            return
        key = {"pk": item["pk"], "sk": item["sk"]}
        body = {"TableName": self._table, "Key": key, **upkeep}
        try:
            self._transport.call_encoded("UpdateItem", json.dumps(body).encode())
        except (ConditionFailed, StoreUnavailable):
            return  # the request is decided already; the next one sees the same need


def _tail(admission: window.Admission, removal: str) -> bytes:
    condition = _CONDITION + admission.condition
    return (_TAIL % (condition, admission.assignments, removal)).encode()
