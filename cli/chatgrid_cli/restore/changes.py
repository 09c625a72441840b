"""What the audit log tells was changed of keys, so that a restored table can be told again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatgrid_auth.domain.audit import DISABLED, ENABLED, EXPOSED, UPDATED
from chatgrid_auth.domain.credentials import ApiKey
from chatgrid_auth.services.audit.events import settings
from chatgrid_auth.services.instants import instant_ms
from chatgrid_auth.services.key_changes.changing import KeyChanges

#: Actions that tell of settings alone.
OF_SETTINGS = frozenset({UPDATED, DISABLED, ENABLED, EXPOSED})
_SHAPES: Mapping[str, tuple[type, ...]] = {
    "name": (str,),
    "scopes": (list,),
    "rate_limit": (int,),
    "enabled": (bool,),
    "disabled_reason": (str, type(None)),
    "self_rotation": (bool,),
    "expires_at": (str, type(None)),
    "metadata": (dict,),
}


def told_of(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """The settings that an entry tells of; ``None`` if it tells of others, or was spoiled."""
    found: dict[str, Any] = {}
    changes = document.get("changes")
    if not isinstance(changes, dict):
        return None
    for name, change in changes.items():
        value = change.get("to") if isinstance(change, dict) else change
        if not isinstance(value, _SHAPES.get(name, ())):
            return None
        found[name] = value
    return found


def missing(key: ApiKey, told: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the settings that the key does not have."""
    has = settings(key)
    return {name: value for name, value in told.items() if has[name] != value}


def make_again(changes: KeyChanges, key: ApiKey, wanted: Mapping[str, Any]) -> None:
    """Give a key these settings.

    Raises:
        InvalidKey: they break a rule that holds by now, as an expiry does that has passed.
        NotFound: it is gone.
        StoreUnavailable: it may or may not have them.
    """
    said = {name: value for name, value in wanted.items() if name != "disabled_reason"}
    off = wanted.get("disabled_reason")
    if off is not None:  # first: what follows may be refused
        changes.disable(key.owner, key.id, reason=off)
        said.pop("enabled", None)
    if said.get("expires_at") is not None:
        said["expires_at"] = instant_ms(said["expires_at"])
    if "metadata" in said:
        said["metadata"] = {**dict.fromkeys(key.metadata), **said["metadata"]}
    if said:
        changes.change(key.owner, key.id, said)
