"""Which keys a list of the operator's command shows, and why one is revoked: its options."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer

from chatgrid_auth.adapters.keys_table.key_inventory import StoredKey
from chatgrid_auth.services.key_filters import LONGEST_PREFIX, KeyFilters
from chatgrid_auth.services.key_rules import LONGEST_NAME

_NONE = "none"
_MOST_DIGITS = 12


class Scope(StrEnum):
    """What a key may be allowed."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class Status(StrEnum):
    """Which keys, by whether they are revoked."""

    ACTIVE = "active"
    REVOKED = "revoked"
    ALL = "all"


class Reason(StrEnum):
    """Why a key is revoked (RFC 5280)."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "key_compromise"
    SUPERSEDED = "superseded"
    AFFILIATION_CHANGED = "affiliation_changed"
    CESSATION_OF_OPERATION = "cessation_of_operation"


def _short(most: int, text: str) -> str:
    if not 1 <= len(text) <= most:
        raise typer.BadParameter(f"must be 1 to {most} characters long")
    return text


def _name(text: str) -> str:
    return _short(LONGEST_NAME, text)


def _prefix(text: str) -> str:
    return _short(LONGEST_PREFIX, text)


StatusOption = Annotated[
    Status | None,
    typer.Option("--status", help="Only such keys; expired and disabled ones are active too."),
]
NamePart = Annotated[
    str | None,
    typer.Option(
        "--name", parser=_name, metavar="TEXT", help="Only keys whose name contains this."
    ),
]
PrefixOption = Annotated[
    str | None,
    typer.Option(
        "--prefix",
        parser=_prefix,
        metavar="TEXT",
        help="Only keys that begin with this, at most the first 13 characters; never a whole key.",
    ),
]
ReasonOption = Annotated[
    Reason, typer.Option("--reason", help="Why; kept with the key and in the audit log.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a list is narrowed to. Times are Unix milliseconds.

    Attributes:
        unused_since_ms: keys last used, or if never used made, before that.
        expires_before_ms: keys that end before that, or have ended.
    """

    filters: KeyFilters
    unused_since_ms: int | None = None
    expires_before_ms: int | None = None

    def takes(self, stored: StoredKey) -> bool:
        """Whether a key is shown."""
        key = stored.key
        last_sign_ms = key.last_used_at_ms or key.created_at_ms
        return (
            self.filters.take_status(revoked=stored.revoked_at_ms is not None)
            and self.filters.take(name=key.name, prefix=key.prefix, environment=key.environment)
            and (self.unused_since_ms is None or last_sign_ms < self.unused_since_ms)
            and (
                self.expires_before_ms is None
                or (key.expires_at_ms is not None and key.expires_at_ms < self.expires_before_ms)
            )
        )


AllowIpOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-ip",
        metavar="ADDRESS",
        help="An address or network (CIDR) that it may be used from; again for more.",
    ),
]
PermissionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--permission",
        metavar="RESOURCE:ACTION",
        help="What it may be used for, as in boards:read, boards:* or *; again for more.",
    ),
]
CreditsOption = Annotated[
    str | None,
    typer.Option(
        "--credits", metavar="N", help="What it may use in all; none for as much as it likes."
    ),
]
RefillOption = Annotated[
    str | None,
    typer.Option(
        "--refill",
        metavar="N/INTERVAL",
        help="What it has again each day, week or month, as in 1000/month; none to end it.",
    ),
]


def said_credits(left: str | None, refill: str | None) -> dict[str, Any]:
    """What the two options say, as the rules take it; empty for nothing.

    Raises:
        typer.BadParameter: something else is said.
    """
    if left == _NONE:
        if refill is not None:
            raise typer.BadParameter("without credits there is no refill", param_hint="--refill")
        return {"credits": None}
    said: dict[str, Any] = {}
    if left is not None:
        said["remaining"] = _whole(left, "--credits")
    if refill == _NONE:
        said["refill"] = None
    elif refill is not None:
        amount, _, interval = refill.partition("/")
        said["refill"] = {"amount": _whole(amount, "--refill"), "interval": interval}
    return {"credits": said} if said else {}


def _whole(text: str, option: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS:
        raise typer.BadParameter("say a whole number", param_hint=option)
    return int(text)
