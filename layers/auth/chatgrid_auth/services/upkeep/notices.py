"""Which notice is due for a key, by its age alone: each has a name, under which it is given once.

A name holds what the notice hangs on: an expiry that is moved, or a use, makes it another one, and
the key is told of anew.
"""

from __future__ import annotations

from dataclasses import dataclass

DAY_MS = 86_400_000
#: Days before a key expires, and before a dormant one is disabled, on which that is told.
EXPIRING_DAYS = (1, 7, 14)
DORMANT_DAYS = (3, 14)
EXPIRING = "api_key.expiring"
DORMANT = "api_key.dormant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that will happen to a key.

    Attributes:
        kind: ``api_key.expiring`` or ``api_key.dormant``.
        hangs_on_ms: the expiry, or the last sign of life.
        days: how many days before, at most.
        due_at_ms: when it happens, unless something is done.
    """

    kind: str
    owner: str
    key_id: str
    hangs_on_ms: int
    days: int
    due_at_ms: int

    @property
    def name(self) -> str:
        """Under which it is given once, among its owner's."""
        return f"{self.key_id}#{self.kind}#{self.hangs_on_ms}#{self.days}"


def expiring(
    owner: str, key_id: str, *, expires_at_ms: int, created_at_ms: int, now_ms: int
) -> Notice | None:
    """That a key expires; nothing of days that it never had before it.

    Where several are due, as after an outage, the nearest one tells it all.
    """
    if now_ms >= expires_at_ms:
        return None
    for days in EXPIRING_DAYS:
        begins_ms = expires_at_ms - days * DAY_MS
        if created_at_ms < begins_ms <= now_ms:
            return Notice(
                kind=EXPIRING,
                owner=owner,
                key_id=key_id,
                hangs_on_ms=expires_at_ms,
                days=days,
                due_at_ms=expires_at_ms,
            )
    return None


def dormant(
    owner: str, key_id: str, *, last_life_ms: int, after_days: int, now_ms: int
) -> Notice | None:
    """That a key will be disabled which nobody uses; never less than the least days ahead."""
    due_at_ms = last_life_ms + after_days * DAY_MS
    for days in DORMANT_DAYS:
        if days < after_days and now_ms >= due_at_ms - days * DAY_MS:
            return Notice(
                kind=DORMANT,
                owner=owner,
                key_id=key_id,
                hangs_on_ms=last_life_ms,
                days=days,
                due_at_ms=max(due_at_ms, now_ms + DORMANT_DAYS[0] * DAY_MS),
            )
    return None


def may_be_disabled(
    *, last_life_ms: int, after_days: int, warned_at_ms: int | None, now_ms: int
) -> bool:
    """Whether a dormant key's time is over, and whoever wanted to know has known for days.

    Args:
        warned_at_ms: when the last notice was given; ``None`` if it was not.
    """
    if now_ms < last_life_ms + after_days * DAY_MS:
        return False
    least = DORMANT_DAYS[0]
    if after_days <= least:  # too short a time to tell anybody
        return True
    return warned_at_ms is not None and now_ms >= warned_at_ms + least * DAY_MS
