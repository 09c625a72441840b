"""Take over keys that another system issued, known by their hashes alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from chatgrid_auth.domain.actors import SOME_OPERATOR, Actor
from chatgrid_auth.domain.audit import AuditEvent
from chatgrid_auth.domain.credentials import ApiKey, Credits
from chatgrid_auth.domain.identifiers import uuid7
from chatgrid_auth.domain.keys import SECRET
from chatgrid_auth.domain.scopes import SCOPES, effective
from chatgrid_auth.services.audit.events import creation


class ImportStore(Protocol):
    """Where imported keys are kept. A write is all or nothing."""

    def create(
        self,
        key: ApiKey,
        *,
        key_hash: str,
        keys_per_user: int,
        event: AuditEvent,
        imported: bool = False,
    ) -> None:
        """Keep a key.

        Raises:
            KeyExists: there is a key with this hash, or one of the owner's with this id, or an
                imported one of another owner with this id.
            KeyLimitReached: the owner already holds ``keys_per_user`` keys.
            StoreUnavailable: the store is out; the key may or may not be there.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedKey:
    """A key as its old system describes it. Times are Unix milliseconds.

    Attributes:
        hash: SHA-256 of the key, 64 lower-case hex digits.
        id: its id, kept; ``None`` for a new one.
        prefix: what may be shown of it; empty when nothing is known.
        rate_limit: requests in any 60 seconds; ``None`` for the default.
        created_at_ms: ``None`` for now.
        disabled_reason: why it is disabled, and stays so; ``None`` for a key that works.
    """

    hash: str
    owner: str
    name: str
    scopes: tuple[str, ...]
    id: str | None = None
    prefix: str = ""
    environment: str = "live"
    rate_limit: int | None = None
    created_at_ms: int | None = None
    expires_at_ms: int | None = None
    disabled_reason: str | None = None
    self_rotation: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    allowed_ips: tuple[str, ...] | None = None
    allowed_origins: tuple[str, ...] | None = None
    permissions: tuple[str, ...] | None = None
    kind: str = SECRET
    credits: Credits | None = None


class KeyImport:
    """Makes foreign keys ours, each once: what is there already is left as it is.

    Args:
        store: where keys are kept.
        now_ms: the clock, in Unix milliseconds.
        entropy: gives that many random bytes.
        default_rate_limit: requests in 60 s for keys that name no limit.
        keys_per_user: how many non-revoked keys one user may hold.
        actor: who imports.
    """

    def __init__(
        self,
        store: ImportStore,
        *,
        now_ms: Callable[[], int],
        entropy: Callable[[int], bytes],
        default_rate_limit: int,
        keys_per_user: int,
        actor: Actor = SOME_OPERATOR,
    ) -> None:
        self._actor = actor
        self._store = store
        self._now_ms = now_ms
        self._entropy = entropy
        self._default_rate_limit = default_rate_limit
        self._keys_per_user = keys_per_user

    def adopt(self, foreign: ImportedKey) -> ApiKey:
        """Keep a key under its hash. A new id sorts where the key's creation lies in time; one that
        it brings is kept, wherever that sorts.

        Raises:
            KeyExists: there is a key with this hash, or one with this id (see `ImportStore`).
            KeyLimitReached: the owner holds as many keys as allowed.
            StoreUnavailable: the store is out; asking again is safe.
        """
        effective(foreign.scopes)  # refuses what is not a scope
        created_at_ms = self._now_ms() if foreign.created_at_ms is None else foreign.created_at_ms
        key = ApiKey(
            id=foreign.id or uuid7(now_ms=created_at_ms, entropy=self._entropy),
            owner=foreign.owner,
            name=foreign.name,
            prefix=foreign.prefix,
            scopes=tuple(scope for scope in SCOPES if scope in foreign.scopes),
            environment=foreign.environment,
            rate_limit=(
                self._default_rate_limit if foreign.rate_limit is None else foreign.rate_limit
            ),
            created_at_ms=created_at_ms,
            expires_at_ms=foreign.expires_at_ms,
            created_by=self._actor.maker,
            disabled_reason=foreign.disabled_reason,
            self_rotation=foreign.self_rotation,
            metadata=foreign.metadata,
            allowed_ips=foreign.allowed_ips,
            allowed_origins=foreign.allowed_origins,
            permissions=foreign.permissions,
            kind=foreign.kind,
            credits=foreign.credits,
        )
        self._store.create(
            key,
            key_hash=foreign.hash,
            keys_per_user=self._keys_per_user,
            imported=True,
            event=creation(key, actor=self._actor, at_ms=self._now_ms()),
        )
        return key
