"""What a container remembers of refusals, so that hammering costs no further store requests.

Only refusals: an *allow* is never remembered. Each ends five seconds after the question to which it
was the answer was asked, or earlier, where it is known to: what an owner changes is seen then, a
revocation of a limited key as well as a raised limit. Bounded: the oldest goes first.
"""

from __future__ import annotations

from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_auth.domain.limits.window import retry_after_s
from chatgrid_auth.domain.scopes import VERIFY_PERMISSION
from chatgrid_auth.domain.verdicts import (
    INVALID_TOKEN,
    MISSING_PERMISSION,
    MISSING_SCOPE,
    WRONG_ADDRESS,
    WRONG_ORIGIN,
    Forbidden,
    Limited,
    Refused,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from chatgrid_auth.domain.limits.window import WindowState
    from chatgrid_auth.domain.rules.policy import Rules
    from chatgrid_auth.domain.verdicts import RateLimitStatus
    from chatgrid_auth.services.gate.ports import KnownKey
    from chatgrid_auth.services.gate.requests import Request

    class Refusal(Protocol):
        """Something that can say no again without asking the store."""

        def verdict(self, request: Request, *, now_ms: int) -> Refused | Forbidden | Limited: ...


#: How long any refusal is given again without asking the store.
REMEMBERED_MS = 5_000
_NEVER_MS = 1 << 62


class Refusals:
    """A bounded memory of who was refused, and until when.

    Read on the clock that decides, which goes on while a container is frozen; a monotonic one may
    stand still. On a clock that was set back, what was remembered later than now has ended.

    Args:
        capacity: how many entries at most.
        kept_ms: how long each is kept.
    """

    def __init__(self, *, capacity: int, kept_ms: int = REMEMBERED_MS) -> None:
        self._capacity = capacity
        self._kept_ms = kept_ms
        self._entries: dict[str, tuple[int, int, Refusal]] = {}

    def recall(self, name: str, *, now_ms: int) -> Refusal | None:
        """The refusal that is remembered under this name and still holds at ``now_ms``."""
        entry = self._entries.get(name)
        if entry is None:
            return None
        if not entry[0] <= now_ms < entry[1]:
            del self._entries[name]
            return None
        return entry[2]

    def remember(
        self,
        name: str,
        refusal: Refusal,
        *,
        asked_ms: int,
        until_ms: int | None = None,
        final: bool = False,
    ) -> None:
        """Keep a refusal for ``kept_ms``, in place of an older one of the same name.

        Args:
            asked_ms: when the question was asked that the refusal answers, in Unix milliseconds.
            until_ms: when it ends by itself, if that is known.
            final: whether nothing but that can end it, so that it is kept as long as there is room.
        """
        self._entries.pop(name, None)
        if len(self._entries) >= self._capacity:
            del self._entries[next(iter(self._entries))]
        end_ms = _NEVER_MS if final else asked_ms + self._kept_ms
        if until_ms is not None and until_ms < end_ms:
            end_ms = until_ms
        self._entries[name] = (asked_ms, end_ms, refusal)


class FixedRefusal:
    """A refusal that does not depend on what is asked for."""

    __slots__ = ("refused",)

    def __init__(self, refused: Refused) -> None:
        self.refused = refused

    @classmethod
    def of_canary(cls, known: KnownKey) -> FixedRefusal:
        """What is told of a canary, and of an unknown key too."""
        key_id, owner = known.key_id, known.owner
        return cls(Refused(message=INVALID_TOKEN, reason="canary", key_id=key_id, user_id=owner))

    def verdict(self, request: Request, *, now_ms: int) -> Refused:  # noqa: ARG002 - see Refusal
        """The refusal."""
        return self.refused


def forbidden(
    request: Request,
    *,
    scopes: tuple[str, ...],
    rules: Rules | None,
    figures: RateLimitStatus,
    user_id: str,
    key_id: str | None = None,
) -> Forbidden | None:
    """The first that stands against a request of a good credential: address, origin, scope,
    permission; ``None`` when nothing does.
    """
    if rules is not None:
        broken = rules.broken_by(request)
    else:
        broken = "permission" if request.permission == VERIFY_PERMISSION else None
    if broken == "address":
        message = WRONG_ADDRESS
    elif broken == "origin":
        message = WRONG_ORIGIN
    elif request.scope not in scopes:
        broken, message = request.scope, MISSING_SCOPE.format(scope=request.scope)
    elif broken is not None:
        message = MISSING_PERMISSION.format(permission=request.permission)
    else:
        return None
    return Forbidden(
        message=message, reason=broken, figures=figures, key_id=key_id, user_id=user_id
    )


class UsedUp:
    """A limit that is used up until a known moment; what forbids a request still comes first.

    Args:
        rules: what the key's policy says of requests; ``None`` for nothing.
        never: whether the request costs more than the whole limit, so that no wait is enough.
    """

    __slots__ = ("_key_id", "_never", "_reading", "_rules", "_scopes", "_usage_key", "_user_id")

    def __init__(
        self,
        reading: WindowState,
        scopes: tuple[str, ...],
        usage_key: str,
        *,
        user_id: str,
        key_id: str | None = None,
        rules: Rules | None = None,
        never: bool = False,
    ) -> None:
        self._never = never
        self._reading = reading
        self._scopes = scopes
        self._rules = rules
        self._usage_key = usage_key
        self._key_id = key_id
        self._user_id = user_id

    @classmethod
    def of(cls, known: KnownKey, usage_key: str, *, cost: int) -> UsedUp:
        """Why a key that may do what it asks for was refused by the store all the same.

        Raises:
            StoreUnavailable: for no reason that is known here.
        """
        never = cost > known.reading.limit
        if known.reading.retry_at_ms is None and not never:
            raise StoreUnavailable("UpdateItem", "RefusedWithoutReason")
        return cls(
            known.reading,
            known.scopes,
            usage_key,
            user_id=known.owner,
            key_id=known.key_id,
            rules=known.rules,
            never=never,
        )

    def until_ms(self, now_ms: int) -> int:
        """Until when this container's own clock refuses for certain, in Unix milliseconds."""
        if self._never:
            return now_ms + REMEMBERED_MS
        return self._reading.blocked_until_ms or now_ms

    def verdict(self, request: Request, *, now_ms: int) -> Forbidden | Limited:
        """What the caller is told: what forbids the request before a limit that is used up."""
        refused = forbidden(
            request,
            scopes=self._scopes,
            rules=self._rules,
            figures=self._reading,
            key_id=self._key_id,
            user_id=self._user_id,
        )
        retry_at_ms = self._reading.retry_at_ms or now_ms
        return refused or Limited(
            figures=self._reading,
            retry_after_s=None if self._never else retry_after_s(retry_at_ms, now_ms=now_ms),
            usage_key=self._usage_key,
            key_id=self._key_id,
            user_id=self._user_id,
        )
