"""Change a key: a merge patch (RFC 7396) of its settings, refused whole or done whole.

Two changes of one key that meet are done one after the other, each out of what the other left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from chatgrid_auth.domain import audit
from chatgrid_auth.domain.actors import SOME_OPERATOR, Actor
from chatgrid_auth.domain.audit import AuditEvent
from chatgrid_auth.domain.errors import StoreThrottled
from chatgrid_auth.domain.key_errors import NotFound
from chatgrid_auth.domain.scopes import SCOPES
from chatgrid_auth.services.audit.events import between, settings
from chatgrid_auth.services.key_changes.credits import merged as merged_credits
from chatgrid_auth.services.key_changes.kinds import check_changed, check_changes
from chatgrid_auth.services.key_changes.metadata import check_metadata, merged
from chatgrid_auth.services.key_changes.policies import (
    check_allowed_ips,
    check_permissions,
    refuse_beyond,
)
from chatgrid_auth.services.key_rules import (
    ANY_LIFETIME,
    HIGHEST_RATE_LIMIT,
    InvalidKey,
    KeyProblem,
    Lifetimes,
    check_name,
    check_rate_limit,
    check_scopes,
    resolve_expiry,
)

if TYPE_CHECKING:
    from chatgrid_auth.domain.credentials import ApiKey, Credits

MANUAL = "manual"
#: Eight changes that meet are done after one another, and a busy key's limit takes a try or two.
_TRIES = 20
_EXPIRY = ("expires_at", "expires_in_seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A key as it was seen, for a change that has to find it so.

    Attributes:
        store: what the store compares.
        unsettled: whether a change of which nobody knows the outcome may still be done to it.
    """

    key: ApiKey
    store: Any
    unsettled: bool = False


class KeyChangeStore(Protocol):
    """Where keys are changed."""

    def look(self, owner: str, key_id: str) -> Seen | None:
        """One of the owner's non-revoked keys as it stands now."""

    def change(self, seen: Seen, became: ApiKey, *, event: AuditEvent) -> ApiKey | None:
        """Make the key what it became; ``None``, and nothing is done, if it stands otherwise.

        Its previous secret ends with the key at the latest; one that has ended stays so.

        Raises:
            StoreUnavailable: it may or may not be changed.
        """


class KeyChanges:
    """What a caller may change of its own user's keys.

    Args:
        store: where keys are changed.
        now_ms: the clock, in Unix milliseconds; it is asked after the store has answered.
        default_rate_limit: requests in 60 s for keys whose limit is cleared.
        rate_limit_ceiling: the highest limit that may be asked for here.
        rate_limit_floor: the lowest: what the dearest request takes.
        lifetimes: how long keys live at most.
        actor: who acts where a call names nobody.
    """

    def __init__(
        self,
        store: KeyChangeStore,
        *,
        now_ms: Callable[[], int],
        default_rate_limit: int,
        rate_limit_ceiling: int = HIGHEST_RATE_LIMIT,
        rate_limit_floor: int = 1,
        lifetimes: Lifetimes = ANY_LIFETIME,
        actor: Actor = SOME_OPERATOR,
    ) -> None:
        self._store = store
        self._now_ms = now_ms
        self._default_rate_limit = default_rate_limit
        self._rate_limit_ceiling = rate_limit_ceiling
        self._rate_limit_floor = rate_limit_floor
        self._lifetimes = lifetimes
        self._actor = actor

    def change(
        self, owner: str, key_id: str, said: Mapping[str, Any], *, actor: Actor | None = None
    ) -> ApiKey:
        """Change what is said of a key, and nothing else; the key as it is then.

        What it takes away is refused on the very next request. Values that the key has already
        are fine; where all are, nothing is done and no entry tells of it, unless another change
        may still be on its way: that one comes too late then.

        Args:
            said: by the API's names: ``name``, ``scopes``, ``rate_limit`` (``None`` for the
                default), ``expires_at`` in Unix milliseconds or ``expires_in_seconds`` (``None``
                for never), ``enabled``, ``self_rotation``, ``metadata`` (merged; ``None`` for no
                pairs), ``allowed_ips``, ``permissions`` (``None`` for any), ``credits`` (merged, as
                ``credits.merged`` takes it; ``None`` for none).

        Raises:
            InvalidKey: the key would break a rule.
            BeyondOwnPermissions: its permissions are not all within the actor's, as they are or
                as they would be; disabling alone is always allowed.
            NotFound: no such key, a revoked one, or somebody else's.
            StoreUnavailable: the store is out, or the key too busy; it may or may not be changed.
        """
        by = actor or self._actor
        return self._do(owner, key_id, actor, lambda key, at_ms: self._became(key, said, at_ms, by))

    def disable(
        self, owner: str, key_id: str, *, reason: str = MANUAL, actor: Actor | None = None
    ) -> ApiKey:
        """Refuse a key from its very next request on, until it is enabled.

        A key that is disabled already stays so for the reason of whoever came first: nothing is
        done then, and no entry tells of it.

        Args:
            reason: ``manual``, ``dormant`` or ``exposed``.

        Raises:
            NotFound: no such key, a revoked one, or somebody else's.
            StoreUnavailable: the store is out; it may or may not be disabled.
        """
        return self._do(
            owner,
            key_id,
            actor,
            lambda key, _: replace(key, disabled_reason=key.disabled_reason or reason),
        )

    def _do(
        self,
        owner: str,
        key_id: str,
        actor: Actor | None,
        become: Callable[[ApiKey, int], ApiKey],
    ) -> ApiKey:
        """Make a key what it is to become, out of what it is when nobody comes in between."""
        for _ in range(_TRIES):
            seen = self._store.look(owner, key_id)
            if seen is None:
                raise NotFound
            now_ms = self._now_ms()
            became = become(seen.key, now_ms)
            if became == seen.key and not seen.unsettled:
                return became.at(now_ms)
            became = replace(became, updated_at_ms=now_ms)
            event = _event(seen.key, became, actor or self._actor, now_ms)
            changed = self._store.change(seen, became, event=event)
            if changed is not None:
                return changed.at(now_ms)
        raise StoreThrottled("UpdateItem", "KeyContended")

    def _became(self, key: ApiKey, said: Mapping[str, Any], now_ms: int, by: Actor) -> ApiKey:
        """The key with what is said of it; only what is new has to keep the rules."""
        fields: dict[str, Any] = {}
        problems: list[KeyProblem] = check_changes(key.kind, said)
        if "name" in said:
            fields["name"] = said["name"]
            problems += check_name(said["name"])
        if "scopes" in said:
            problems += check_scopes(said["scopes"])
            fields["scopes"] = tuple(scope for scope in SCOPES if scope in said["scopes"])
        if "rate_limit" in said:
            limit = said["rate_limit"]
            fields["rate_limit"] = self._default_rate_limit if limit is None else limit
            if limit != key.rate_limit:
                problems += check_rate_limit(
                    limit, ceiling=self._rate_limit_ceiling, floor=self._rate_limit_floor
                )
        of_expiry = {name: said[name] for name in _EXPIRY if name in said}
        if of_expiry and of_expiry != {"expires_at": key.expires_at_ms}:
            ends_at_ms, wrong = resolve_expiry(of_expiry, lifetimes=self._lifetimes, now_ms=now_ms)
            fields["expires_at_ms"] = ends_at_ms
            problems += wrong
        if "enabled" in said:
            off = key.disabled_reason or MANUAL
            fields["disabled_reason"] = None if said["enabled"] else off
        if "self_rotation" in said:
            fields["self_rotation"] = said["self_rotation"]
        if "metadata" in said:
            fields["metadata"] = merged(key.metadata, said["metadata"])
            problems += check_metadata(fields["metadata"])
        problems += _of_rules(said, fields, by)
        held, wrong = _credits(key, said, now_ms)
        fields["credits"] = held
        problems += wrong
        problems += check_changed(key, fields)
        if problems:
            raise InvalidKey(problems)
        became = replace(key, **fields)
        _refuse_beyond(key, became, said, by)
        return became


def _refuse_beyond(key: ApiKey, became: ApiKey, said: Mapping[str, Any], by: Actor) -> None:
    """Nobody changes what is beyond it, nor beyond itself; disabling alone takes nothing more."""
    if dict(said) != {"enabled": False}:
        for held in (key.permissions, became.permissions):
            refuse_beyond(held, actor=by)


def _of_rules(said: Mapping[str, Any], fields: dict[str, Any], by: Actor) -> list[KeyProblem]:
    """What is wrong with what is said of a key's rules, which joins its fields."""
    problems: list[KeyProblem] = []
    if "allowed_ips" in said:
        problems += check_allowed_ips(said["allowed_ips"])
    if "permissions" in said:
        problems += check_permissions(said["permissions"], actor=by)
    for name in ("allowed_ips", "allowed_origins", "permissions"):
        if name in said:
            fields[name] = None if said[name] is None else tuple(said[name])
    return problems


def _credits(
    key: ApiKey, said: Mapping[str, Any], now_ms: int
) -> tuple[Credits | None, list[KeyProblem]]:
    """The credits of a key with what is said of them: on top of a refill that is due by now."""
    if "credits" not in said:
        return key.credits, []
    return merged_credits(key.at(now_ms).credits, said["credits"], now_ms=now_ms)


def _event(key: ApiKey, became: ApiKey, actor: Actor, now_ms: int) -> AuditEvent:
    action = audit.UPDATED
    if key.enabled != became.enabled:
        action = audit.ENABLED if became.enabled else audit.DISABLED
    return AuditEvent(
        action=action,
        owner=key.owner,
        target_id=key.id,
        actor=actor,
        at_ms=now_ms,
        changes=between(settings(key), settings(became)),
    )
