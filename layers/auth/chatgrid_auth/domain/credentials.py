"""API keys as their owner sees them: everything but the key itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from chatgrid_auth.domain.actors import SOME_OPERATOR, Maker
from chatgrid_auth.domain.keys import SECRET
from chatgrid_auth.domain.limits.credits import Refill


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousSecret:
    """A rotated key's former secret while it still passes. Times are Unix milliseconds."""

    prefix: str
    expires_at_ms: int
    last_used_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credits:
    """What a key may use in all.

    Attributes:
        remaining: units that are left.
        refill: how they come back; ``None`` if they do not.
        next_at_ms: when they do next; ``None`` without a refill.
    """

    remaining: int
    refill: Refill | None = None
    next_at_ms: int | None = None
    #: How many a change adds, whatever is spent meanwhile; 0 for one that sets them.
    added: int = 0

    def at(self, now_ms: int) -> Credits:
        """The credits as they stand at that moment, a refill that is due included."""
        if self.refill is None or self.next_at_ms is None or self.next_at_ms > now_ms:
            return self
        next_at_ms = self.refill.next_after(now_ms)
        return replace(self, remaining=self.refill.amount, next_at_ms=next_at_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is known of a key. Times are Unix milliseconds.

    Attributes:
        kind: ``secret``, ``publishable`` or ``canary``.
        last_used_at_ms: the last use of any of its secrets.
        disabled_reason: ``manual``, ``dormant`` or ``exposed``; ``None`` while it is enabled.
        metadata: the owner's own notes, which no decision looks at.
        credits: what it may use in all; ``None`` for a key without credits.
        updated_at_ms: the last change of it; ``None`` while there was none. Never its use.
        self_rotation: whether the key may rotate itself.
        previous_secret: its former secret; ``None`` when that has ended or there was none.
        allowed_ips: addresses and networks that it may be used from, as given; ``None`` for any.
        allowed_origins: the pages that it may be used by; ``None`` for any.
        permissions: what it may be used for; ``None`` for all that its scopes let it do.
        revoked_at_ms: ``None`` while it is not revoked.
        revocation_reason: one of ``audit.REVOCATION_REASONS``; ``None`` while it is not revoked.
    """

    id: str
    owner: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    environment: str
    rate_limit: int
    created_at_ms: int
    kind: str = SECRET
    expires_at_ms: int | None = None
    last_used_at_ms: int | None = None
    created_by: Maker = SOME_OPERATOR.maker
    disabled_reason: str | None = None
    self_rotation: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    credits: Credits | None = None
    updated_at_ms: int | None = None
    previous_secret: PreviousSecret | None = None
    allowed_ips: tuple[str, ...] | None = None
    allowed_origins: tuple[str, ...] | None = None
    permissions: tuple[str, ...] | None = None
    revoked_at_ms: int | None = None
    revocation_reason: str | None = None

    @property
    def enabled(self) -> bool:
        """Whether nobody has disabled it."""
        return self.disabled_reason is None

    def at(self, now_ms: int) -> ApiKey:
        """The key at that moment: without a secret that has ended, with a refill that is due."""
        previous = self.previous_secret
        ended = previous is not None and previous.expires_at_ms <= now_ms
        held = None if self.credits is None else self.credits.at(now_ms)
        if not ended and held is self.credits:
            return self
        return replace(self, previous_secret=None if ended else previous, credits=held)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A key at the one moment when its raw form is known."""

    key: ApiKey
    raw_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of keys, and whether there are more behind it.

    Attributes:
        last_id: the last id that was looked at, where the next page goes on.
    """

    items: list[ApiKey]
    has_more: bool
    last_id: str | None = None
