"""What changes keys, put together for the first change."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from chatgrid_auth.services.api_keys import ApiKeys
from chatgrid_auth.services.idempotency import Idempotency
from chatgrid_auth.services.key_changes.changing import KeyChanges
from chatgrid_auth.services.key_store import KeyStore
from chatgrid_auth.services.rotation import Rotations
from chatgrid_auth.services.tokens.making import Homes, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from chatgrid_auth.services.key_changes.changing import KeyChangeStore
    from chatgrid_auth.services.repeatable import Notes
    from chatgrid_auth.services.rotation import RotationStore
    from chatgrid_auth.services.tokens.making import SigningSecret
    from chatgrid_management.wiring import Settings


class Keys(KeyStore, Homes, Protocol):
    """Where keys are kept, and their secrets, and what is remembered of requests for them."""

    @property
    def rotations(self) -> RotationStore: ...

    @property
    def changes(self) -> KeyChangeStore: ...

    @property
    def notes(self) -> Notes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Changing:
    """The services of one change each.

    Attributes:
        api_keys: issues and revokes keys.
        key_changes: changes keys.
        rotations: gives keys other secrets.
        idempotency: answers requests that come again.
        tokens: makes tokens of keys.
    """

    api_keys: ApiKeys
    key_changes: KeyChanges
    rotations: Rotations
    idempotency: Idempotency
    tokens: Tokens


def compose(
    configured: Settings, *, store: Keys, token_secret: SigningSecret, now_ms: Callable[[], int]
) -> Changing:
    """The services over any store."""
    return Changing(
        api_keys=ApiKeys(
            store,
            now_ms=now_ms,
            entropy=os.urandom,
            default_rate_limit=configured.rate_limit_default,
            rate_limit_ceiling=configured.rate_limit_ceiling,
            rate_limit_floor=configured.rate_limit_floor,
            lifetimes=configured.lifetimes,
            creations_per_hour=configured.key_creations_per_hour,
            keys_per_user=configured.keys_per_user,
        ),
        key_changes=KeyChanges(
            store.changes,
            now_ms=now_ms,
            default_rate_limit=configured.rate_limit_default,
            rate_limit_ceiling=configured.rate_limit_ceiling,
            rate_limit_floor=configured.rate_limit_floor,
            lifetimes=configured.lifetimes,
        ),
        rotations=Rotations(
            store.rotations,
            now_ms=now_ms,
            entropy=os.urandom,
            secrets_per_hour=configured.key_creations_per_hour,
        ),
        idempotency=Idempotency(
            store.notes,
            store.rotations,
            now_ms=now_ms,
            entropy=os.urandom,
            secrets_per_hour=configured.key_creations_per_hour,
        ),
        tokens=Tokens(store, token_secret, now_ms=now_ms),
    )
