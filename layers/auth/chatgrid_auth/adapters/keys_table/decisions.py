"""The one request that decides: a conditional ``UpdateItem`` on a credential item.

Its condition holds all that must be true of a key: it exists, is active, the secret still passes,
the scope suffices, and its window has room. Its update counts the request and stamps the use.
DynamoDB does both at once, so concurrent containers cannot overshoot; and when the condition fails,
the item comes back in the same answer and tells why.
"""

from __future__ import annotations

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.policies import NO_POLICY, Policies, breaks
from chatgrid_auth.domain.errors import ConditionFailed, StoreUnavailable
from chatgrid_auth.domain.keys import tag_of
from chatgrid_auth.domain.limits import window
from chatgrid_auth.domain.scopes import LEVELS, NO_LEVEL, SCOPES, VERIFY_PERMISSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from chatgrid_auth.adapters.keys_table.ports import Clock, Transport
    from chatgrid_auth.adapters.metering.metered_requests import MeteredRequests
    from chatgrid_auth.domain.limits.key_credits import KeyCredits
    from chatgrid_auth.domain.rules.policy import Rules
    from chatgrid_auth.services.gate.requests import Request


# A policy's version, a refill that is due, credits, the costs that are kept: whatever a container
# does not know of a key, the condition refuses, and the item that comes back tells.
_CONDITION = (
    "lvl >= :lvl AND #x > :now AND (attribute_not_exists(v) OR v = :v)"
    " AND (attribute_not_exists(due) OR due > :now)"
    " AND (attribute_not_exists(top) OR #u < top) AND attribute_not_exists(g) AND "
)
_HEAD = '{"TableName":"%s","Key":{"pk":{"S":"%s'
_TAIL = (
    '"},"sk":{"S":"' + items.CREDENTIAL + '"}},'
    '"ConditionExpression":"%s","UpdateExpression":"SET #s = :now, %s%s",'
    '"ReturnValues":"ALL_NEW","ReturnValuesOnConditionCheckFailure":"ALL_OLD",'
    '"ExpressionAttributeNames":{"#u":"used","#x":"x'
)
_GRANTED = {str(level): SCOPES[:level] for level in LEVELS.values()}


#: An alias, a policy, and a policy that changes meanwhile; then somebody changes it all the time.
_TRIES = 6
_MOST_HOMES = 2_048


class Credential:
    """What a credential item says of the secret that a request came with.

    Attributes:
        admitted: whether the request was counted.
        owner, key_id: whose key, and which.
        short_owner: the owner's UUID in 22 characters of base64, for logs.
        scopes: effective scopes, from the least to the most; none while the key is not active.
        fault: why the secret is refused whatever it is used for: ``revoked``, ``disabled``,
            ``expired`` (the key itself) or ``ended`` (this secret of it); ``None`` if it is not.
        expires_at_ms: until when the secret passes, or of a refused one the key, in Unix
            milliseconds; ``None`` for ever.
        environment: ``live`` or ``test``, as an imported key was given it; for other keys it
            says nothing, their own text does.
        former: whether the key has another secret by now; this one passes while a grace lasts.
        metadata: what backends are told of the owner's notes, as JSON; ``None`` for nothing.
        rules: what its policy says of requests; ``None`` for nothing.
        usage_key: the API Gateway key of this key's own; ``None`` while it has none.
        reading: where the key stands with its limit.
        credits: where it stands with its credits; ``None`` for a key without.
    """

    __slots__ = (
        "admitted",
        "credits",
        "environment",
        "expires_at_ms",
        "fault",
        "former",
        "key_id",
        "metadata",
        "owner",
        "reading",
        "rules",
        "scopes",
        "short_owner",
        "usage_key",
    )

    def __init__(
        self,
        item: Mapping[str, Any],
        *,
        tag: str,
        admitted: bool,
        now_ms: int,
        cost: int = 1,
    ) -> None:
        self.admitted = admitted
        owner = item[items.OWNER]["B"]
        self.owner = items.uuid_text(owner)
        self.short_owner = owner[:22]
        self.key_id = items.uuid_text(item[items.KEY_ID]["B"])
        level = item.get(items.LEVEL)
        self.scopes = () if level is None else _GRANTED[level["N"]]
        self.fault = None if admitted else _fault(item, tag, now_ms)
        # Of what has ended, the key's own end is told.
        self.expires_at_ms = items.passes_until_ms(
            item, items.current_tag(item) if self.fault else tag
        )
        self.former: bool = items.CURRENT in item and item[items.CURRENT]["S"] != tag
        self.metadata: str | None = None
        self.rules: Rules | None = None
        self.environment = "test" if items.ENVIRONMENT in item else "live"
        usage_key = item.get(items.GATEWAY_KEY)
        self.usage_key: str | None = None if usage_key is None else usage_key["S"]
        self.reading = window.read(
            item, now_ms=now_ms, limit=int(item[items.LIMIT]["N"]), cost=cost
        )
        self.credits: KeyCredits | None = None
        if items.TOP in item:
            from chatgrid_auth.domain.limits.key_credits import KeyCredits  # noqa: PLC0415 - seldom

            self.credits = KeyCredits(item)


def _fault(item: Mapping[str, Any], tag: str, now_ms: int) -> str | None:
    """The first in the order of refusals that holds of the secret itself."""
    if items.TRAP in item:
        return "canary"
    if items.LEVEL not in item:
        return "revoked" if items.is_revoked(item) else "disabled"
    current = items.current_tag(item)
    key_until_ms = items.passes_until_ms(item, current)
    if key_until_ms is not None and key_until_ms <= now_ms:
        return "expired"
    until_ms = items.passes_until_ms(item, tag)
    return "ended" if until_ms is not None and until_ms <= now_ms else None


class KeyDecisions:
    """Decides about keys, with one DynamoDB request each.

    A secret that came by a rotation lies under its own hash as an alias, which names the key's
    home; the first meeting with it costs a second request. So does a policy that is met for the
    first time, and the reading of it a third.

    What a policy refuses is not counted, and asks at most once in five seconds.

    Args:
        transport: DynamoDB.
        table: the keys table's name.
        clock: what ``now_ms`` is read from; ``None`` for one that is known to be right. As long as
            it is not confirmed, nothing is removed from an item: a clock that is ahead would
            remove ceilings that others still mind.
        classes: the costs beside 1 that requests may have, from the least to the highest.
    """

    _counts = True

    def __init__(
        self,
        transport: Transport,
        *,
        table: str,
        clock: Clock | None = None,
        classes: tuple[int, ...] = (),
    ) -> None:
        self._transport = transport
        self._table = table
        self._clock = clock
        self._head = (_HEAD % (table, items.credential_pk(""))).encode()
        self._admission: window.Admission | None = None
        self._tail = b""
        self._classes = classes
        self._metered: MeteredRequests | None = None
        self._ask = self._ask_metered if classes else self._ask_plainly
        # Where to ask, and for which policy: what no memory of it can make wrong. The home judges.
        self._homes: dict[str, str] = {}
        self._policies = Policies(transport, table=table)

    def admit(
        self, key_hash: str, *, now_ms: int, request: Request, tag: str | None = None
    ) -> Credential | None:
        """Count one request on this key if everything about it allows that.

        Args:
            key_hash: SHA-256 of the key in hex.
            now_ms: Unix time in milliseconds.
            request: what the key is used for.
            tag: of the secret that speaks for it, where ``key_hash`` is the key's home itself.

        Returns:
            What the key is, admitted or not; ``None`` when there is no such key.

        Raises:
            StoreUnavailable: DynamoDB could not decide.
        """
        if tag is None:
            tag = tag_of(key_hash)
        home = self._homes.get(key_hash, key_hash)
        for _ in range(_TRIES):
            policy = self._policies.held.get(home, NO_POLICY)
            rules = policy.rules  # seldom any: a call less for all other keys
            refused = breaks(rules, request) if rules else request.permission == VERIFY_PERMISSION
            if refused:
                item, admitted = self._policies.look(home, now_ms=now_ms), False
            else:
                item, admitted = self._ask(
                    home, tag, policy.version, request=request, now_ms=now_ms
                )
            if item is None:
                return None
            if items.HOME in item:
                home = items.hash_text(item[items.HOME]["B"])
                if len(self._homes) >= _MOST_HOMES:
                    del self._homes[next(iter(self._homes))]
                self._homes[key_hash] = home
                continue
            credential = Credential(
                item, tag=tag, admitted=admitted, now_ms=now_ms, cost=request.cost
            )
            if (refused or items.VERSION in item) and not self._policies.holds(
                policy, home, item, credential, asked_ms=now_ms, refused=refused
            ):
                continue
            if (credential.reading.upkeep or credential.credits) and not refused:
                from chatgrid_auth.adapters.metering import afterwards  # noqa: PLC0415 - seldom

                tables = (self._transport, self._table) if self._counts else None
                if afterwards.see_to(tables, item, credential, policy.credits, request, now_ms):
                    continue
            return credential
        raise StoreUnavailable("UpdateItem", "KeyChangesTooFast")

    def _ask_metered(
        self, home: str, tag: str, version: int, *, request: Request, now_ms: int
    ) -> tuple[Mapping[str, Any] | None, bool]:
        """The same where there are costs, or credits that are spared."""
        if self._metered is None:
            from chatgrid_auth.adapters.metering.metered_requests import (  # noqa: PLC0415 - seldom
                MeteredRequests,
            )

            self._metered = MeteredRequests(
                self._transport, self._table, self._classes, self._clock, refuse_late_answer
            )
        return self._metered.ask(home, tag, version, request=request, now_ms=now_ms)

    def _ask_plainly(
        self, home: str, tag: str, version: int, *, request: Request, now_ms: int
    ) -> tuple[Mapping[str, Any] | None, bool]:
        """The item as it is after the request, if that was admitted, or as it was if not."""
        if request.spares_credits:
            return self._ask_metered(home, tag, version, request=request, now_ms=now_ms)
        admission = window.MINUTE.admission(now_ms)
        if admission is not self._admission:
            self._tail = _tail(admission, f" REMOVE {admission.removals}")
            self._admission = admission
        confirmed = self._clock is None or self._clock.confirmed
        tag_bytes = tag.encode()
        body = (
            b'%b%b%b%b","#s":"s%b"},"ExpressionAttributeValues":'
            b'{":c":{"N":"1"},":lvl":{"N":"%d"},":v":{"N":"%d"},":now":{"N":"%d"}}}'
        ) % (
            self._head,
            home.encode(),
            self._tail if confirmed else _tail(admission, ""),
            tag_bytes,
            tag_bytes[:2],
            LEVELS.get(request.scope, NO_LEVEL),
            version,
            now_ms,
        )
        item: Mapping[str, Any] | None
        try:
            item, admitted = self._transport.call_encoded("UpdateItem", body)["Attributes"], True
        except ConditionFailed as refused:
            item, admitted = refused.item, False
            if item is not None and items.GENERATION in item:  # costs of another deployment
                self._ask = self._ask_metered
                return self._ask(home, tag, version, request=request, now_ms=now_ms)
        refuse_late_answer(self._clock, now_ms)
        return item, admitted


def refuse_late_answer(clock: Clock | None, now_ms: int) -> None:
    """The window holds for what is judged soon after the clock was read, and for nothing else.

    Raises:
        StoreUnavailable: the last answer came later than that. It may have cost a slot.
    """
    if clock is not None and clock.answered_ms - now_ms > window.MAX_FLIGHT_MS:
        raise StoreUnavailable("UpdateItem", "AnsweredLate")


def _tail(admission: window.Admission, removal: str) -> bytes:
    condition = _CONDITION + admission.condition
    return (_TAIL % (condition, admission.assignments, removal)).encode()
