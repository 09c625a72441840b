"""How keys are shown: the same names in every command and in every format."""

from __future__ import annotations

from typing import Any

from chatgrid_auth.adapters.key_inventory import StoredKey
from chatgrid_auth.domain.credentials import ApiKey
from chatgrid_devkit.cli.output import Output
from chatgrid_devkit.cli.values import instant, now_ms

COLUMNS = ("id", "user", "name", "prefix", "scopes", "limit", "state", "created", "last used")


def facts(key: ApiKey, *, revoked_at_ms: int | None = None) -> dict[str, Any]:
    """A key as JSON: the API's names, and besides whose it is and how it stands."""
    return {
        "id": key.id,
        "user_id": key.owner,
        "key_prefix": key.prefix,
        "name": key.name,
        "scopes": list(key.scopes),
        "environment": key.environment,
        "rate_limit": key.rate_limit,
        "state": state(key, revoked_at_ms=revoked_at_ms),
        "created_at": instant(key.created_at_ms),
        "expires_at": instant(key.expires_at_ms),
        "last_used_at": instant(key.last_used_at_ms),
        "revoked_at": instant(revoked_at_ms),
    }


def state(key: ApiKey, *, revoked_at_ms: int | None) -> str:
    """``active``, ``expired`` or ``revoked``."""
    if revoked_at_ms is not None:
        return "revoked"
    expired = key.expires_at_ms is not None and key.expires_at_ms <= now_ms()
    return "expired" if expired else "active"


def show_list(out: Output, found: list[StoredKey], *, has_more: bool, empty: str) -> None:
    """Print keys, or that there are none."""
    shown = [facts(stored.key, revoked_at_ms=stored.revoked_at_ms) for stored in found]
    if out.as_json:
        out.document("list", shown, has_more=has_more)
        return
    if not shown:
        out.note(empty)
        return
    names = ("id", "user_id", "name", "key_prefix", "scopes", "rate_limit", "state")
    out.table(
        COLUMNS,
        (
            [*(key[name] for name in names), key["created_at"], key["last_used_at"] or "never"]
            for key in shown
        ),
    )
    if has_more:
        out.note("There are more: raise --limit to see them.")
