"""Looks after a page of keys: gives the notices that are due, and disables what nobody uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from chatgrid_auth.domain import audit
from chatgrid_auth.domain.actors import THE_SYSTEM
from chatgrid_auth.domain.audit import AuditEvent
from chatgrid_auth.services.audit.events import disabled_by_the_system
from chatgrid_auth.services.upkeep import notices
from chatgrid_auth.services.upkeep.notices import DAY_MS, Notice

if TYPE_CHECKING:
    from chatgrid_auth.services.usage_plans.ports import LiveKey, RunSummary

DORMANT = "dormant"
_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What a record tells of its key's life, beside the last use that its home knows.

    Attributes:
        created_at_ms: when it was made.
        latest_ms: the last of its making, its enabling, and uses that the home has forgotten.
    """

    created_at_ms: int
    latest_ms: int


class KeyLives(Protocol):
    """Where keys and notices are. Raises StoreUnavailable for faults."""

    def lives(self, keys: Sequence[LiveKey]) -> Mapping[str, Life]:
        """Of up to 100 keys those that are not revoked, by key id."""

    def given(self, some: Sequence[Notice]) -> Mapping[str, int]:
        """When those of up to 100 notices were given that were, by name."""

    def give(self, notice: Notice, *, at_ms: int) -> bool:
        """Give a notice, once; whether this call did it."""

    def disable_unused(self, key: LiveKey, event: AuditEvent) -> bool:
        """Disable a key that nobody has used since it was seen; whether this call did it."""


class Upkeep:
    """Looks after keys.

    Args:
        keys: where they are.
        dormant_after_days: how long nobody uses a key that is then disabled; 0 for never.
    """

    def __init__(self, keys: KeyLives, *, dormant_after_days: int) -> None:
        self._keys = keys
        self._after_days = dormant_after_days

    def look_after(
        self,
        page: Sequence[LiveKey],
        summary: RunSummary,
        *,
        now_ms: int,
        check: Callable[[], None],
    ) -> None:
        """Do what is due for these keys; what is done already is passed over.

        Args:
            check: called before each key that something is done to; raises when time is up.
        """
        some = (key for key in page if self._may_be_due(key, now_ms))
        while part := list(islice(some, _AT_ONCE)):
            check()
            lives = self._keys.lives(part)
            known = [key for key in part if key.key_id in lives]
            self._tell_of_expiry(known, lives, summary, now_ms=now_ms, check=check)
            self._end_idle(known, lives, summary, now_ms=now_ms, check=check)

    def _tell_of_expiry(
        self,
        keys: Sequence[LiveKey],
        lives: Mapping[str, Life],
        summary: RunSummary,
        *,
        now_ms: int,
        check: Callable[[], None],
    ) -> None:
        due: list[Notice] = []
        for key in keys:
            notice = _expiring(key, lives[key.key_id], now_ms)
            if notice is not None:
                due.append(notice)
        given = self._keys.given(due)
        for notice in due:
            if notice.name not in given:
                check()
                summary.noticed += self._keys.give(notice, at_ms=now_ms)

    def _end_idle(
        self,
        keys: Sequence[LiveKey],
        lives: Mapping[str, Life],
        summary: RunSummary,
        *,
        now_ms: int,
        check: Callable[[], None],
    ) -> None:
        idle: list[tuple[LiveKey, int, Notice | None]] = []
        for key in keys:
            if self._can_be_dormant(key, now_ms):
                last_ms = max(lives[key.key_id].latest_ms, key.last_used_at_ms or 0)
                idle.append((key, last_ms, self._dormant(key, last_ms, now_ms)))
        warned = self._keys.given([one for _, _, one in idle if one is not None])
        for key, last_ms, notice in idle:
            at_ms = None if notice is None else warned.get(notice.name)
            if notices.may_be_disabled(
                last_life_ms=last_ms, after_days=self._after_days, warned_at_ms=at_ms, now_ms=now_ms
            ):
                check()
                summary.dormant += self._keys.disable_unused(key, _event(key, now_ms))
            elif notice is not None and at_ms is None:
                check()
                summary.noticed += self._keys.give(notice, at_ms=now_ms)

    def _may_be_due(self, key: LiveKey, now_ms: int) -> bool:
        """Whether its record has to be asked; what its home tells says so of few keys."""
        if key.half_revoked:
            return False
        expires = key.expires_at_ms
        farthest_ms = notices.EXPIRING_DAYS[-1] * DAY_MS
        if expires is not None and now_ms < expires <= now_ms + farthest_ms:
            return True
        if not self._can_be_dormant(key, now_ms):
            return False
        ahead_ms = max(days for days in (0, *notices.DORMANT_DAYS) if days < self._after_days)
        return now_ms >= key.seen_alive_ms + (self._after_days * DAY_MS - ahead_ms * DAY_MS)

    def _can_be_dormant(self, key: LiveKey, now_ms: int) -> bool:
        expired = key.expires_at_ms is not None and key.expires_at_ms <= now_ms
        return self._after_days > 0 and key.enabled and not expired

    def _dormant(self, key: LiveKey, last_ms: int, now_ms: int) -> Notice | None:
        return notices.dormant(
            key.owner, key.key_id, last_life_ms=last_ms, after_days=self._after_days, now_ms=now_ms
        )


def _event(key: LiveKey, now_ms: int) -> AuditEvent:
    return AuditEvent(
        action=audit.DISABLED,
        owner=key.owner,
        target_id=key.key_id,
        actor=THE_SYSTEM,
        at_ms=now_ms,
        changes=disabled_by_the_system(DORMANT),
    )


def _expiring(key: LiveKey, life: Life, now_ms: int) -> Notice | None:
    if key.expires_at_ms is None:
        return None
    return notices.expiring(
        key.owner,
        key.key_id,
        expires_at_ms=key.expires_at_ms,
        created_at_ms=life.created_at_ms,
        now_ms=now_ms,
    )
