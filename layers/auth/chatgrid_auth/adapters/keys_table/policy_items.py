"""How what DynamoDB cannot judge of a key is kept: a policy under a version, which never changes.

Whatever the authorizer is to know of a key beside its home goes into ``attributes``, and nowhere
else: creating and changing keys both write what that says. ``policies`` reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.items import s
from chatgrid_auth.adapters.keys_table.policies import ALLOWED_IPS, ALLOWED_ORIGINS, PERMISSIONS
from chatgrid_auth.domain.limits.credits import NO_REFILL
from chatgrid_auth.services.key_changes.metadata import is_told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chatgrid_auth.domain.credentials import ApiKey

#: On a record: the last version that was given to a policy of the key, never given again.
COUNTER = "policy"
#: How the credits of a key come back (``domain.limits.credits``), or that they do not.
CREDITS = "credits"
#: The version of the policy that a key is made with.
FIRST = 1


def attributes(key: ApiKey) -> dict[str, Any]:
    """What the policy of a key tells, in DynamoDB JSON; nothing for a key that needs none."""
    told: dict[str, Any] = {}
    if is_told(key.metadata):
        told["metadata"] = pairs(key.metadata)
    if key.credits is not None:
        # Also where nothing comes back: what was spent is given back under this version alone.
        told[CREDITS] = s(NO_REFILL if key.credits.refill is None else str(key.credits.refill))
    return told | rules(key)


def rules(key: ApiKey) -> dict[str, Any]:
    """The rules of a key, each in one text, on its record as in its policy."""
    kept = {
        ALLOWED_IPS: key.allowed_ips,
        ALLOWED_ORIGINS: key.allowed_origins,
        PERMISSIONS: key.permissions,
    }
    return {name: s(" ".join(values)) for name, values in kept.items() if values is not None}


def rules_of(record: Mapping[str, Any]) -> dict[str, tuple[str, ...] | None]:
    """The rules of a record, by the names that a key has for them."""
    return {
        name: tuple(record[name]["S"].split()) if name in record else None
        for name in (ALLOWED_IPS, ALLOWED_ORIGINS, PERMISSIONS)
    }


def place(key_hash: str, version: int) -> dict[str, Any]:
    """Where a policy of the key with this home lies."""
    return {"pk": s(items.credential_pk(key_hash)), "sk": s(items.policy_sk(version))}


def policy(key: ApiKey, key_hash: str, version: int) -> dict[str, Any]:
    """The policy of a key that has one, under a version."""
    return {**place(key_hash, version), **attributes(key)}


def pairs(metadata: Mapping[str, str]) -> dict[str, Any]:
    """Pairs of strings in DynamoDB JSON."""
    return {"M": {name: s(value) for name, value in metadata.items()}}
