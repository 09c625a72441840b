"""Issue and revoke API keys: what their owner can do with them, beside looking at them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chatgrid_auth.domain import audit, keys
from chatgrid_auth.domain.actors import SOME_OPERATOR, Actor
from chatgrid_auth.domain.audit import AuditEvent
from chatgrid_auth.domain.credentials import ApiKey, IssuedKey
from chatgrid_auth.domain.identifiers import uuid7
from chatgrid_auth.domain.key_errors import NotFound
from chatgrid_auth.domain.scopes import SCOPES
from chatgrid_auth.services.audit.events import creation
from chatgrid_auth.services.descendants import living_descendants
from chatgrid_auth.services.key_changes.changing import MANUAL
from chatgrid_auth.services.key_changes.credits import merged
from chatgrid_auth.services.key_changes.kinds import check_kind
from chatgrid_auth.services.key_changes.metadata import check_metadata
from chatgrid_auth.services.key_changes.policies import (
    check_allowed_ips,
    check_permissions,
    permissions_of_new,
)
from chatgrid_auth.services.key_rules import (
    ANY_LIFETIME,
    HIGHEST_RATE_LIMIT,
    UNSAID,
    InvalidKey,
    Lifetimes,
    Unsaid,
    check_new_key,
    resolve_expiry,
)
from chatgrid_auth.services.own_keys import OwnKeys

if TYPE_CHECKING:
    from chatgrid_auth.services.key_store import KeyStore
    from chatgrid_auth.services.repeatable import Claim


class ApiKeys(OwnKeys):
    """What a caller may do with the keys of its own user, and with no others.

    Args:
        store: where keys are kept.
        now_ms: the clock, in Unix milliseconds.
        entropy: gives that many random bytes, from the operating system's generator.
        default_rate_limit: requests in 60 s for keys that name no limit.
        keys_per_user: how many non-revoked keys one user may hold.
        rate_limit_ceiling: the highest limit that may be asked for here.
        rate_limit_floor: the lowest: what the dearest request takes.
        lifetimes: how long keys live, where nobody says it and at most.
        creations_per_hour: how many keys one user may make in any hour; 0 for any number.
        actor: who acts where a call names nobody.
    """

    def __init__(  # noqa: PLR0913 - what a deployment sets
        self,
        store: KeyStore,
        *,
        now_ms: Callable[[], int],
        entropy: Callable[[int], bytes],
        default_rate_limit: int,
        keys_per_user: int,
        rate_limit_ceiling: int = HIGHEST_RATE_LIMIT,
        rate_limit_floor: int = 1,
        lifetimes: Lifetimes = ANY_LIFETIME,
        creations_per_hour: int = 0,
        actor: Actor = SOME_OPERATOR,
    ) -> None:
        super().__init__(store, now_ms=now_ms)
        self._entropy = entropy
        self._default_rate_limit = default_rate_limit
        self._rate_limit_ceiling = rate_limit_ceiling
        self._rate_limit_floor = rate_limit_floor
        self._lifetimes = lifetimes
        self._creations_per_hour = creations_per_hour
        self._keys_per_user = keys_per_user
        self._actor = actor

    def issue(  # noqa: PLR0913 - a key's settings are parameters
        self,
        owner: str,
        *,
        name: str,
        scopes: Sequence[str],
        environment: str,
        rate_limit: int | None,
        kind: str = keys.SECRET,
        allowed_origins: Sequence[str] | None = None,
        enabled: bool = True,
        self_rotation: bool = False,
        metadata: Mapping[str, str] | None = None,
        allowed_ips: Sequence[str] | None = None,
        permissions: Sequence[str] | Unsaid | None = UNSAID,
        credits_said: Mapping[str, Any] | None = None,
        expires_at_ms: int | Unsaid | None = UNSAID,
        expires_in_seconds: int | Unsaid | None = UNSAID,
        actor: Actor | None = None,
        claim: Claim | None = None,
    ) -> IssuedKey:
        """Make a key. Its raw form is in the answer, and nowhere else, ever.

        The key tells for good who made it.

        Args:
            kind: one of ``keys.KINDS``.
            allowed_origins: the pages that may use a publishable key; ``None`` for other keys.
            allowed_ips: where it may be used from; ``None`` for anywhere.
            permissions: what for; ``None`` for all that its scopes let it do. Where nothing is
                said, its maker's own.
            expires_at_ms: when it ends, in Unix milliseconds; ``None`` for never. Where neither
                this nor ``expires_in_seconds`` is said, it lives as long as keys do by default.
            credits_said: what it may use in all, as ``key_changes.credits.merged`` takes it.
            claim: on the request that asks for it, where its client may send that again.

        Raises:
            InvalidKey: it breaks a rule.
            BeyondOwnPermissions: its permissions are not all within its maker's.
            KeyLimitReached: the owner holds as many keys as allowed.
            CreationLimitReached: the owner made as many in the last hour as allowed.
            MakerRevoked: the key that makes it has been revoked.
            StoreUnavailable: the store is out.
        """
        actor = actor or self._actor
        now_ms = self._now_ms()
        said = {"expires_at": expires_at_ms, "expires_in_seconds": expires_in_seconds}
        ends_at_ms, of_expiry = resolve_expiry(
            {name: value for name, value in said.items() if not isinstance(value, Unsaid)},
            lifetimes=self._lifetimes,
            now_ms=now_ms,
        )
        has_credits, of_credits = merged(None, credits_said, now_ms=now_ms)
        problems = [
            *check_kind(
                kind, scopes=scopes, allowed_origins=allowed_origins, self_rotation=self_rotation
            ),
            *check_new_key(
                name=name,
                scopes=scopes,
                environment=environment,
                rate_limit=rate_limit,
                of_expiry=of_expiry,
                rate_limit_ceiling=self._rate_limit_ceiling,
                rate_limit_floor=self._rate_limit_floor,
            ),
            *check_allowed_ips(allowed_ips),
            *check_permissions(permissions, actor=actor),
            *check_metadata(metadata or {}),
            *of_credits,
        ]
        if problems:
            raise InvalidKey(problems)
        granted = permissions_of_new(permissions, actor=actor)
        raw_key = keys.generate(environment, entropy=self._entropy, kind=kind)
        key = ApiKey(
            id=uuid7(now_ms=now_ms, entropy=self._entropy),
            owner=owner,
            name=name,
            prefix=keys.prefix_of(raw_key),
            scopes=tuple(scope for scope in SCOPES if scope in scopes),
            environment=environment,
            kind=kind,
            allowed_origins=None if allowed_origins is None else tuple(allowed_origins),
            rate_limit=self._default_rate_limit if rate_limit is None else rate_limit,
            created_at_ms=now_ms,
            expires_at_ms=ends_at_ms,
            created_by=actor.maker,
            disabled_reason=None if enabled else MANUAL,
            self_rotation=self_rotation,
            metadata=dict(metadata or {}),
            allowed_ips=None if allowed_ips is None else tuple(allowed_ips),
            permissions=granted,
            credits=has_credits,
        )
        key_hash = keys.hash_of(raw_key)
        self._store.create(
            key,
            key_hash=key_hash,
            keys_per_user=self._keys_per_user,
            creations_per_hour=self._creations_per_hour,
            event=creation(key, actor=actor, at_ms=now_ms),
            note=None if claim is None else claim.created(key.id, keys.tag_of(key_hash)),
        )
        return IssuedKey(key=key, raw_key=raw_key)

    def revoke(
        self,
        owner: str,
        key_id: str,
        *,
        descendants: bool = False,
        reason: str = audit.UNSPECIFIED,
        actor: Actor | None = None,
    ) -> tuple[str, ...]:
        """Revoke a key for good: it is refused on the very next request.

        Args:
            descendants: whether the keys that it made, and those that they made, go with it. No
                revoked key makes another, so none is missed. Cut off half-way, the same call
                does the rest.
            reason: one of ``audit.REVOCATION_REASONS``, for all of them.

        Returns:
            The ids of all that were revoked.

        Raises:
            NotFound: nothing was left to revoke: no such key, a revoked one, or somebody else's.
            StoreUnavailable: the store is out; with descendants, some may be left.
        """
        revoked = [key_id] if self._revoke(owner, key_id, reason, actor) else []
        ended = [key_id]
        while descendants:
            # One whose books were held up could still make others. Reading it finishes them.
            for one in ended:
                self._store.get(owner, one)
            # What was being made while the last look was taken is seen by the next.
            found = living_descendants(key_id, self._store.made_by_keys(owner))
            ended = [one for one in found if self._revoke(owner, one, reason, actor)]
            revoked += ended
            if not ended:  # none is left, or somebody else is at it
                break
        if not revoked:
            raise NotFound
        return tuple(revoked)

    def _revoke(self, owner: str, key_id: str, reason: str, actor: Actor | None) -> bool:
        event = self._event(audit.REVOKED, owner, key_id, actor=actor, at_ms=self._now_ms())
        why = {audit.REVOCATION_REASON: {"from": None, "to": reason}}
        return self._store.revoke(owner, key_id, event=replace(event, changes=why))

    def _event(
        self, action: str, owner: str, key_id: str, *, actor: Actor | None, at_ms: int
    ) -> AuditEvent:
        return AuditEvent(
            action=action,
            owner=owner,
            target_id=key_id,
            actor=actor or self._actor,
            at_ms=at_ms,
        )
