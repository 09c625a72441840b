"""What the gate makes of credits; loaded for the first key that has some."""

from __future__ import annotations

from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_auth.domain.limits.beyond import CREDITS, DEFAULT, Beyond
from chatgrid_auth.domain.limits.window import retry_after_s
from chatgrid_auth.domain.verdicts import Forbidden
from chatgrid_auth.services.gate.refusals import REMEMBERED_MS, UsedUp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from chatgrid_auth.domain.limits.key_credits import KeyCredits
    from chatgrid_auth.domain.verdicts import Limited
    from chatgrid_auth.services.gate.ports import KnownKey
    from chatgrid_auth.services.gate.requests import Request


class UsedUpWithCredits(UsedUp):
    """A key with credits that was refused: for want of them, of room in its window, or of both.

    Raises:
        StoreUnavailable: it lacks neither.
    """

    __slots__ = ("_held",)

    def __init__(self, known: KnownKey, held: KeyCredits, usage_key: str, *, cost: int) -> None:
        never = cost > known.reading.limit
        if not held.short and not never and known.reading.retry_at_ms is None:
            raise StoreUnavailable("UpdateItem", "RefusedWithoutReason")
        super().__init__(
            known.reading,
            known.scopes,
            usage_key,
            user_id=known.owner,
            key_id=known.key_id,
            rules=known.rules,
            never=never,
        )
        self._held = held

    def until_ms(self, now_ms: int) -> int:
        """Until when nothing but its owner lets the key through, in Unix milliseconds."""
        if not self._held.short:
            return super().until_ms(now_ms)
        until_ms = now_ms + REMEMBERED_MS
        due_ms = self._held.due_ms
        return until_ms if due_ms is None else min(until_ms, due_ms)

    def verdict(self, request: Request, *, now_ms: int) -> Forbidden | Limited:
        """What the caller is told: lacking credits before lacking room, with the later wait."""
        verdict = super().verdict(request, now_ms=now_ms)
        if isinstance(verdict, Forbidden):
            return verdict
        held = self._held
        verdict.beyond = Beyond(
            refused_by=CREDITS if held.short else DEFAULT, credits_left=max(0, held.left)
        )
        if held.short and not self._never:
            if held.due_ms is None or not held.comes_back:
                verdict.retry_after_s = None
            else:
                at_ms = max(held.due_ms, self._reading.retry_at_ms or 0)
                verdict.retry_after_s = retry_after_s(at_ms, now_ms=now_ms)
        return verdict
