"""Give a key another secret. Its id, limit, budget and history stay; the former passes for a while.

A key has one secret, or two while a grace runs; never three. What is done here is refused when the
key got another secret since it was looked at, so nobody ends a secret that they did not know of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from chatgrid_auth.domain import audit, keys
from chatgrid_auth.domain.actors import SOME_OPERATOR, Actor
from chatgrid_auth.domain.audit import AuditEvent
from chatgrid_auth.domain.credentials import ApiKey, IssuedKey, PreviousSecret
from chatgrid_auth.domain.errors import StoreThrottled
from chatgrid_auth.domain.key_errors import (
    KeyDisabled,
    KeyExpired,
    KeyIsCanary,
    KeyRotatedMeanwhile,
    NoPreviousSecret,
    NotFound,
    PreviousSecretActive,
    SelfRotationNotAllowed,
)
from chatgrid_auth.services.creations import another_secret
from chatgrid_auth.services.instants import iso_instant
from chatgrid_auth.services.key_changes.policies import refuse_beyond
from chatgrid_auth.services.key_rules import InvalidKey, KeyProblem

if TYPE_CHECKING:
    from chatgrid_auth.services.repeatable import Claim

DEFAULT_GRACE_SECONDS = 86_400
LONGEST_GRACE_SECONDS = 604_800
#: Expiry, state or grace may change between the look and the write; that seldom happens twice.
_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A key as it stood at one moment, for a change that has to find it so.

    Attributes:
        key: the key.
        current: the tag of its current secret.
        current_used_at_ms: that secret's own last use, in Unix milliseconds.
        taken: how the tags begin that the store tells apart on it, two characters of each.
        seen: what the store compares.
        minted_ms: when it got other secrets, at least those of the last hour, in Unix milliseconds.
    """

    key: ApiKey
    current: str
    current_used_at_ms: int | None
    taken: frozenset[str]
    seen: Any
    minted_ms: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecret:
    """What takes the current secret's place.

    Attributes:
        hash: its SHA-256 in hex.
        prefix: what may be shown of it.
        grace_until_ms: until when the former passes if the key itself lives as long, in Unix
            milliseconds; ``None`` when it ends at once.
        minted_ms: when the key got secrets in the last hour, this one among them; ``None`` where
            nobody counts.
    """

    hash: str
    prefix: str
    grace_until_ms: int | None
    minted_ms: tuple[int, ...] | None = None


class RotationStore(Protocol):
    """Where keys have their secrets."""

    def standing(self, owner: str, key_id: str, *, now_ms: int) -> Standing | None:
        """One of the owner's non-revoked keys as it stands now."""

    def rotate(self, standing: Standing, secret: NewSecret, *, event: AuditEvent) -> bool:
        """Make this the current secret; false, and nothing is done, if the key stands otherwise.

        A previous secret ends with it.

        Raises:
            StoreUnavailable: it may or may not be the current one.
        """

    def reissue(self, standing: Standing, secret: NewSecret, *, event: AuditEvent) -> bool:
        """Put this in the place of a current secret that was never used.

        False, and nothing is done, if it was used, or the key stands otherwise. A previous secret
        stays as it is.

        Raises:
            StoreUnavailable: it may or may not be the current one.
        """

    def end_previous(self, standing: Standing, *, event: AuditEvent) -> bool:
        """End the previous secret; false, and nothing is done, if the key stands otherwise.

        Raises:
            StoreUnavailable: it may or may not have ended.
        """


class Rotations:
    """What a caller may do with the secrets of its own user's keys.

    Args:
        store: where keys have their secrets.
        now_ms: the clock, in Unix milliseconds.
        entropy: gives that many random bytes, from the operating system's generator.
        actor: who acts where a call names nobody.
        secrets_per_hour: how many other secrets a key may get in any hour; 0 for any number.
    """

    def __init__(
        self,
        store: RotationStore,
        *,
        now_ms: Callable[[], int],
        entropy: Callable[[int], bytes],
        actor: Actor = SOME_OPERATOR,
        secrets_per_hour: int = 0,
    ) -> None:
        self._secrets_per_hour = secrets_per_hour
        self._store = store
        self._now_ms = now_ms
        self._entropy = entropy
        self._actor = actor

    def rotate(
        self,
        owner: str,
        key_id: str,
        *,
        grace_seconds: int = DEFAULT_GRACE_SECONDS,
        force: bool = False,
        by_itself: bool = False,
        actor: Actor | None = None,
        claim: Claim | None = None,
    ) -> IssuedKey:
        """Give a key another secret. Its raw form is in the answer, and nowhere else, ever.

        Args:
            grace_seconds: how long the former secret passes, at most as long as the key itself.
            force: whether a previous secret that still passes is ended.
            by_itself: whether it is the key that asks.
            claim: on the request that asks for it, where its client may send that again.

        Raises:
            InvalidKey: no grace may be as long as this.
            NotFound: no such key, a revoked one, or somebody else's.
            SelfRotationNotAllowed: the key asks, and may not.
            BeyondOwnPermissions: the key's permissions are not all within the actor's.
            KeyConflict: it stands so that it cannot be rotated, or somebody else was faster.
            SecretLimitReached: it got as many secrets in the last hour as one may.
            StoreUnavailable: the store is out; the key may or may not have been rotated.
        """
        problems = check_grace(grace_seconds)
        if problems:
            raise InvalidKey(problems)
        first: str | None = None
        for _ in range(_TRIES):
            now_ms = self._now_ms()
            standing = self._standing(owner, key_id, now_ms)
            key = standing.key
            if by_itself and not key.self_rotation:
                raise SelfRotationNotAllowed
            refuse_beyond(key.permissions, actor=actor or self._actor)
            _check(key, force=force, now_ms=now_ms)
            first = first or standing.current
            if standing.current != first:
                raise KeyRotatedMeanwhile
            until_ms = now_ms + grace_seconds * 1_000 if grace_seconds else None
            times = another_secret(standing.minted_ms, now_ms=now_ms, most=self._secrets_per_hour)
            raw_key, secret = mint(
                standing, entropy=self._entropy, grace_until_ms=until_ms, minted_ms=times
            )
            if claim is not None:
                claim.minting(secret.hash, key_id=key.id, base=first, current=standing.current)
            rotated = _rotated(standing, secret, now_ms)
            event = self._event(audit.ROTATED, key, rotated, actor, now_ms)
            if self._store.rotate(standing, secret, event=event):
                return IssuedKey(key=rotated, raw_key=raw_key)
        raise StoreThrottled("UpdateItem", "KeyContended")

    def end_previous(self, owner: str, key_id: str, *, actor: Actor | None = None) -> ApiKey:
        """End a key's previous secret: it is refused on the very next request.

        Raises:
            NotFound: no such key, a revoked one, or somebody else's.
            NoPreviousSecret: it has no such secret.
            StoreUnavailable: the store is out; the secret may or may not have ended.
        """
        for _ in range(_TRIES):
            now_ms = self._now_ms()
            standing = self._standing(owner, key_id, now_ms)
            if standing.key.previous_secret is None:
                raise NoPreviousSecret
            ended = replace(standing.key, previous_secret=None, updated_at_ms=now_ms)
            event = self._event(audit.PREVIOUS_SECRET_ENDED, standing.key, ended, actor, now_ms)
            if self._store.end_previous(standing, event=event):
                return ended
        raise StoreThrottled("UpdateItem", "KeyContended")

    def _standing(self, owner: str, key_id: str, now_ms: int) -> Standing:
        standing = self._store.standing(owner, key_id, now_ms=now_ms)
        if standing is None:
            raise NotFound
        return standing

    def _event(
        self, action: str, was: ApiKey, became: ApiKey, actor: Actor | None, now_ms: int
    ) -> AuditEvent:
        return AuditEvent(
            action=action,
            owner=was.owner,
            target_id=was.id,
            actor=actor or self._actor,
            at_ms=now_ms,
            changes=_changes(was, became),
        )


def mint(
    standing: Standing,
    *,
    entropy: Callable[[int], bytes],
    grace_until_ms: int | None,
    minted_ms: tuple[int, ...] | None,
) -> tuple[str, NewSecret]:
    """The raw form of a new secret that the store can tell from those that the key has, and it."""
    while True:
        raw_key = keys.generate(standing.key.environment, entropy=entropy, kind=standing.key.kind)
        key_hash = keys.hash_of(raw_key)
        if keys.tag_of(key_hash)[:2] not in standing.taken:
            break
    prefix = keys.prefix_of(raw_key)
    return raw_key, NewSecret(
        hash=key_hash, prefix=prefix, grace_until_ms=grace_until_ms, minted_ms=minted_ms
    )


def check_grace(grace_seconds: int) -> list[KeyProblem]:
    """What is wrong with a grace."""
    if grace_seconds < 0:
        return [KeyProblem("grace_period_seconds", "too_small", "Must be at least 0")]
    if grace_seconds > LONGEST_GRACE_SECONDS:
        most = f"Must be at most {LONGEST_GRACE_SECONDS}"
        return [KeyProblem("grace_period_seconds", "too_big", most)]
    return []


def _check(key: ApiKey, *, force: bool, now_ms: int) -> None:
    if key.kind == keys.CANARY:
        raise KeyIsCanary
    if not key.enabled:
        raise KeyDisabled
    if key.expires_at_ms is not None and key.expires_at_ms <= now_ms:
        raise KeyExpired
    if key.previous_secret is not None and not force:
        raise PreviousSecretActive


def _rotated(standing: Standing, secret: NewSecret, now_ms: int) -> ApiKey:
    """The key as it is when this is its current secret."""
    key, previous = standing.key, None
    if secret.grace_until_ms is not None:
        previous = PreviousSecret(
            prefix=key.prefix,
            expires_at_ms=min(secret.grace_until_ms, key.expires_at_ms or secret.grace_until_ms),
            last_used_at_ms=standing.current_used_at_ms,
        )
    return replace(key, prefix=secret.prefix, previous_secret=previous, updated_at_ms=now_ms)


def _changes(was: ApiKey, became: ApiKey) -> audit.Changes:
    changes: dict[str, dict[str, Any]] = {
        "previous_secret": {"from": _shown(was), "to": _shown(became)}
    }
    if was.prefix != became.prefix:
        changes["key_prefix"] = {"from": was.prefix, "to": became.prefix}
    return changes


def _shown(key: ApiKey) -> dict[str, str] | None:
    previous = key.previous_secret
    if previous is None:
        return None
    return {"key_prefix": previous.prefix, "expires_at": iso_instant(previous.expires_at_ms)}
