"""How keys are shown: the same names in every command and in every format."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chatgrid_auth.adapters.keys_table.key_inventory import StoredKey
from chatgrid_auth.domain.credentials import ApiKey
from chatgrid_auth.services.instants import iso_instant
from chatgrid_cli.output import Output
from chatgrid_cli.values import instant, now_ms, relative


def facts(key: ApiKey, *, revoked_at_ms: int | None = None) -> dict[str, Any]:
    """A key as JSON: the API's names, and besides whose it is and how it stands."""
    return {
        "id": key.id,
        "user_id": key.owner,
        "key_prefix": key.prefix,
        "kind": key.kind,
        "name": key.name,
        "scopes": list(key.scopes),
        "environment": key.environment,
        "rate_limit": key.rate_limit,
        "state": state(key, revoked_at_ms=revoked_at_ms),
        "enabled": key.enabled,
        "disabled_reason": key.disabled_reason,
        "self_rotation": key.self_rotation,
        "allowed_ips": key.allowed_ips and list(key.allowed_ips),
        "allowed_origins": key.allowed_origins and list(key.allowed_origins),
        "permissions": key.permissions and list(key.permissions),
        "credits": _credits(key),
        "metadata": dict(key.metadata),
        "created_by": {"type": key.created_by.type, "key_id": key.created_by.key_id},
        "created_at": instant(key.created_at_ms),
        "updated_at": instant(key.updated_at_ms or key.created_at_ms),
        "expires_at": instant(key.expires_at_ms),
        "last_used_at": instant(key.last_used_at_ms),
        "previous_secret": _previous(key),
        "revoked_at": instant(revoked_at_ms),
        "revocation_reason": key.revocation_reason,
    }


def in_words(key: ApiKey) -> dict[str, object]:
    """What of the facts a person reads more easily in words."""
    pairs = ", ".join(f"{name}={value}" for name, value in key.metadata.items())
    return {
        "enabled": "yes" if key.enabled else "no",
        "self_rotation": "yes" if key.self_rotation else "no",
        "allowed_ips": key.allowed_ips and ", ".join(key.allowed_ips),
        "allowed_origins": key.allowed_origins and ", ".join(key.allowed_origins),
        "permissions": key.permissions and ", ".join(key.permissions),
        "credits": _credits_in_words(key),
        "metadata": pairs or None,
    }


def _credits(key: ApiKey) -> dict[str, Any] | None:
    held = key.at(now_ms()).credits
    if held is None:
        return None
    refill = held.refill and {
        "amount": held.refill.amount,
        "interval": held.refill.interval,
        "next_at": instant(held.next_at_ms),
    }
    return {"remaining": held.remaining, "refill": refill}


def _credits_in_words(key: ApiKey) -> str | None:
    held = _credits(key)
    if held is None:
        return None
    refill = held["refill"]
    again = f", {refill['amount']} each {refill['interval']}, next {refill['next_at']}"
    return f"{held['remaining']} left{again if refill else ''}"


def _previous(key: ApiKey) -> dict[str, Any] | None:
    secret = key.at(now_ms()).previous_secret
    if secret is None:
        return None
    return {
        "key_prefix": secret.prefix,
        "expires_at": instant(secret.expires_at_ms),
        "last_used_at": instant(secret.last_used_at_ms),
    }


def previous(key: ApiKey) -> str | None:
    """A key's previous secret in a few words; ``None`` when it has none that works."""
    secret = key.at(now_ms()).previous_secret
    return None if secret is None else f"{secret.prefix}…, until {instant(secret.expires_at_ms)}"


def maker(key: ApiKey) -> str:
    """What made a key, in a word or two: ``jwt``, ``operator``, or ``api_key`` and its id."""
    return " ".join(filter(None, (key.created_by.type, key.created_by.key_id)))


def named(key: ApiKey) -> str:
    """A key in a sentence: its id, and the name and the prefix that people know it by."""
    return f"{key.id} ({key.name!r}{f', {key.prefix}…' if key.prefix else ''})"


def state(key: ApiKey, *, revoked_at_ms: int | None) -> str:
    """``active``, ``disabled``, ``expired`` or ``revoked``."""
    if revoked_at_ms is not None:
        return "revoked"
    if not key.enabled:
        return "disabled"
    expired = key.expires_at_ms is not None and key.expires_at_ms <= now_ms()
    return "expired" if expired else "active"


def newest_first(found: Iterable[StoredKey]) -> list[StoredKey]:
    """One user's keys in the order that the API lists them in, revoked ones among the others."""
    return sorted(found, key=lambda stored: stored.key.id, reverse=True)


def show_list(
    out: Output, found: list[StoredKey], *, has_more: bool, empty: str, one_user: bool
) -> None:
    """Print keys, or that there are none.

    Args:
        one_user: they are all of one user, whom there is no need to name.
    """
    if out.as_json:
        shown = [facts(stored.key, revoked_at_ms=stored.revoked_at_ms) for stored in found]
        out.document("list", shown, has_more=has_more)
        return
    if not found:
        out.note(empty)
        return
    rows = [_row(stored, one_user=one_user) for stored in found]
    if any(row["credits"] is not None for row in rows):
        out.listing(rows)
    else:
        out.listing([{name: row[name] for name in row if name != "credits"} for row in rows])
    if has_more:
        out.note("There are more: raise --limit to see them.")


def _row(stored: StoredKey, *, one_user: bool) -> dict[str, object]:
    key = stored.key
    held = _credits(key)
    owner = {} if one_user else {"user": key.owner}
    return {
        "id": key.id,
        "state": state(key, revoked_at_ms=stored.revoked_at_ms),
        "prefix": key.prefix or None,
        "name": key.name,
        **owner,
        "scopes": key.scopes,
        "limit": key.rate_limit,
        "credits": held and held["remaining"],
        "created": _minute(key.created_at_ms),
        "expires": _expiry(key),
        "used": "never" if key.last_used_at_ms is None else _minute(key.last_used_at_ms),
    }


def _expiry(key: ApiKey) -> str:
    ends_at_ms = key.expires_at_ms
    return "never" if ends_at_ms is None else f"{_minute(ends_at_ms)} ({relative(ends_at_ms)})"


def _minute(unix_ms: int) -> str:
    return f"{iso_instant(unix_ms)[:16]}Z"
