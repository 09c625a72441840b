"""The fields of an imported key, checked by the rules that the API has for keys of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.domain.actors import SOME_OPERATOR
from chatgrid_auth.domain.credentials import Credits
from chatgrid_auth.domain.identifiers import canonical_id
from chatgrid_auth.domain.keys import PREFIX_LENGTH, SECRET
from chatgrid_auth.domain.scopes import SCOPES
from chatgrid_auth.services.key_changes.credits import merged
from chatgrid_auth.services.key_changes.kinds import check_kind
from chatgrid_auth.services.key_changes.metadata import check_metadata
from chatgrid_auth.services.key_changes.policies import (
    check_allowed_ips,
    check_allowed_origins,
    check_permissions,
)
from chatgrid_auth.services.key_import import ImportedKey
from chatgrid_auth.services.key_rules import KeyProblem, check_expiry, check_new_key
from chatgrid_cli.values import read_instant

DEFAULT_NAME = "Imported key"
#: What an export holds besides, and an import has no use for.
_PASSED_OVER = {"created_by", "last_used_at", "revocation_reason", "state", "object"}
_REASONS = (items.MANUAL, items.DORMANT, items.EXPOSED)
_TRUTHS = {"true": True, "false": False}
_KNOWN = {
    *("hash", "owner", "id", "name", "prefix", "scopes", "environment", "rate_limit"),
    *("created_at", "expires_at", "revoked_at"),
    *("enabled", "disabled_reason", "self_rotation", "metadata"),
    *("kind", "allowed_ips", "allowed_origins", "permissions", "credits"),
}
_HASH = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_HARMLESS = re.compile(r"[A-Za-z_]{1,32}", re.ASCII)


class BadField(Exception):
    """A line describes no key that could be imported.

    Args:
        code: a stable word for what is wrong.
        text: the same for a person; names the field, never the value.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRules:
    """What the stack allows, and what time it is in Unix milliseconds."""

    rate_limit_ceiling: int
    now_ms: int


def imported_key(fields: Mapping[str, object], rules: ImportRules) -> ImportedKey:
    """The key that these fields describe; ``None`` counts as not given.

    Raises:
        BadField: they describe none.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    for name in given.keys() - _KNOWN - _PASSED_OVER:
        shown = f"the field {name}" if _HARMLESS.fullmatch(name) else "a field"
        raise BadField("unknown_field", f"{shown} is none that an import knows")
    if "revoked_at" in given:
        raise BadField("revoked", "a revoked key is not imported: without it, it is refused")
    created_at_ms = _instant(given, "created_at")
    if created_at_ms is not None and not 0 <= created_at_ms <= rules.now_ms:
        raise BadField("bad_created_at", "created_at does not lie in the past")
    expires_at_ms = _instant(given, "expires_at")
    called = _text(given, "name")
    scopes = _scopes(given)
    environment = _text(given, "environment") or "live"
    key = ImportedKey(
        hash=_hash(given),
        owner=_uuid(given, "owner") or _missing("owner"),
        id=_uuid(given, "id"),
        name=DEFAULT_NAME if called is None else called,
        prefix=_prefix(given),
        scopes=tuple(scope for scope in SCOPES if scope in scopes),
        environment=environment,
        rate_limit=_rate_limit(given),
        created_at_ms=created_at_ms,
        expires_at_ms=expires_at_ms,
        disabled_reason=_disabled_reason(given),
        self_rotation=_truth(given, "self_rotation") or False,
        metadata=_metadata(given),
        allowed_ips=_rule(given, "allowed_ips", check_allowed_ips),
        allowed_origins=_rule(given, "allowed_origins", check_allowed_origins),
        permissions=_rule(given, "permissions", _check_permissions),
        kind=_text(given, "kind") or SECRET,
        credits=_credits(given, now_ms=rules.now_ms),
    )
    broken = check_new_key(
        name=key.name,
        scopes=scopes,
        environment=environment,
        rate_limit=key.rate_limit,
        of_expiry=check_expiry(expires_at_ms, now_ms=rules.now_ms, may_have_expired=True),
        rate_limit_ceiling=rules.rate_limit_ceiling,
    )
    broken += check_kind(
        key.kind,
        scopes=key.scopes,
        allowed_origins=key.allowed_origins,
        self_rotation=key.self_rotation,
    )
    if broken:
        path, _, message = broken[0]
        field = path.partition(".")[0]
        raise BadField(f"bad_{field}", f"{field}: {message[0].lower()}{message[1:]}")
    return key


def _missing(name: str) -> str:
    raise BadField(f"missing_{name}", f"{name} is missing")


def _text(given: Mapping[str, object], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise BadField(f"bad_{name}", f"{name} is not a text")
    return value


def _hash(given: Mapping[str, object]) -> str:
    found = _text(given, "hash") or _missing("hash")
    if not _HASH.fullmatch(found):
        raise BadField("bad_hash", "hash is not a SHA-256 in hex (64 digits)")
    return found.lower()


def _uuid(given: Mapping[str, object], name: str) -> str | None:
    text = _text(given, name)
    if text is None:
        return None
    found = canonical_id(text)
    if found is None:
        raise BadField(f"bad_{name}", f"{name} is not a UUID")
    return found


def _prefix(given: Mapping[str, object]) -> str:
    text = _text(given, "prefix") or ""
    if len(text) > PREFIX_LENGTH or not (text.isascii() and text.isprintable()) or " " in text:
        raise BadField(
            "bad_prefix", "prefix is not at most the first 13 characters, printable ASCII"
        )
    return text


def _scopes(given: Mapping[str, object]) -> list[object]:
    value = given.get("scopes")
    if value is None:
        _missing("scopes")
    names = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(names, list):
        raise BadField("bad_scopes", "scopes is not a list")
    return names


def _rate_limit(given: Mapping[str, object]) -> int | None:
    value = given.get("rate_limit")
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = int(value)
    if value is not None and type(value) is not int:
        raise BadField("bad_rate_limit", "rate_limit is not a whole number")
    return value


def _disabled_reason(given: Mapping[str, object]) -> str | None:
    """Why the key is disabled: what an owner turned off is not turned on by moving it."""
    enabled, reason = _truth(given, "enabled"), _text(given, "disabled_reason")
    if reason is not None and reason not in _REASONS:
        raise BadField("bad_disabled_reason", f"disabled_reason is not {' or '.join(_REASONS)}")
    if enabled and reason is not None:
        raise BadField("bad_enabled", "enabled is true, and there is a disabled_reason")
    return items.MANUAL if enabled is False and reason is None else reason


def _metadata(given: Mapping[str, object]) -> dict[str, str]:
    value = _object(given, "metadata", {})
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise BadField("bad_metadata", "metadata is not an object of strings")
    told: dict[str, str] = value
    if broken := check_metadata(told):
        message = broken[0].message
        raise BadField("bad_metadata", f"metadata: {message[0].lower()}{message[1:]}")
    return told


def _object(given: Mapping[str, object], name: str, unsaid: object) -> object:
    """What is said as an object, or in a cell of a CSV file as JSON."""
    value = given.get(name, unsaid)
    if isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value


def _credits(given: Mapping[str, object], *, now_ms: int) -> Credits | None:
    """The credits that a key comes with; a refill whose time has passed is due at once."""
    if "credits" not in given:
        return None
    said = _shaped(_object(given, "credits", None), {"remaining": int, "refill": dict})
    if "refill" in said:
        refill = _shaped(said["refill"], {"amount": int, "interval": str, "next_at": str})
        if "next_at" in refill:
            refill["next_at"] = next_at_ms = max(1, _instant(refill, "next_at") or 0)
            now_ms = min(now_ms, next_at_ms - 1)
        said["refill"] = refill
    held, broken = merged(None, said, now_ms=now_ms)
    if broken:
        path, _, message = broken[0]
        raise BadField("bad_credits", f"{path}: {message[0].lower()}{message[1:]}")
    return held


def _shaped(value: object, shape: Mapping[str, type]) -> dict[str, Any]:
    """An object of such values; ``None`` counts as not given."""
    given = {} if not isinstance(value, dict) else value
    if given is not value or any(
        type(one) is not shape.get(name) for name, one in given.items() if one is not None
    ):
        raise BadField("bad_credits", "credits is no object as the API shows one")
    return {name: one for name, one in given.items() if one is not None}


def _rule(
    given: Mapping[str, object], name: str, check: Callable[[list[str]], list[KeyProblem]]
) -> tuple[str, ...] | None:
    value = given.get(name)
    if value is None:
        return None
    values = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise BadField(f"bad_{name}", f"{name} is not a list of texts")
    if broken := check(values):
        message = broken[0].message
        raise BadField(f"bad_{name}", f"{name}: {message[0].lower()}{message[1:]}")
    return tuple(values)


def _check_permissions(values: list[str]) -> list[KeyProblem]:
    return check_permissions(values, actor=SOME_OPERATOR)


def _truth(given: Mapping[str, object], name: str) -> bool | None:
    value = given.get(name)
    if isinstance(value, str):
        value = _TRUTHS.get(value.lower(), value)
    if value is not None and not isinstance(value, bool):
        raise BadField(f"bad_{name}", f"{name} is neither true nor false")
    return value


def _instant(given: Mapping[str, object], name: str) -> int | None:
    text = _text(given, name)
    if text is None:
        return None
    try:
        return read_instant(text)
    except ValueError:
        raise BadField(f"bad_{name}", f"{name} is not an ISO 8601 time with an offset") from None
