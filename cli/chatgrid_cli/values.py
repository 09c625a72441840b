"""What operators may write for instants, identifiers and names; the API's own rules."""

from __future__ import annotations

import re
import time
from typing import Annotated

import typer

from chatgrid_auth.domain.identifiers import canonical_id
from chatgrid_auth.services.instants import instant_ms, iso_instant
from chatgrid_auth.services.key_rules import (
    UNSAID,
    KeyProblem,
    Unsaid,
    check_expiry,
    check_name,
)

_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhdw])", re.ASCII)
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


_UNITS = ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"))
#: An expiry that was said, and is none.
NEVER = 0


def now_ms() -> int:
    """The clock, in Unix milliseconds."""
    return time.time_ns() // 1_000_000


def read_instant(text: str) -> int:
    """Unix milliseconds of an ISO 8601 instant.

    Raises:
        ValueError: it is none.
    """
    return instant_ms(text)


def instant(unix_ms: int | None) -> str | None:
    """An instant as the API writes it."""
    return None if unix_ms is None else iso_instant(unix_ms)


def uuid(text: str) -> str:
    found = canonical_id(text)
    if found is None:
        raise typer.BadParameter("this is not a UUID")
    return found


def _name(text: str) -> str:
    _refuse(check_name(text))
    return text


def _expiry(text: str) -> int:
    if text == "never":
        return NEVER
    duration = _DURATION.fullmatch(text)
    if duration:
        return now_ms() + int(duration[1]) * _UNIT_MS[duration[2]]
    try:
        found = read_instant(text)
    except ValueError:
        raise typer.BadParameter(
            "an ISO 8601 time with an offset (2030-01-31T12:00:00Z), a duration (90d, 12h) or never"
        ) from None
    return found


def _moment(text: str, *, sign: int) -> int:
    duration = _DURATION.fullmatch(text)
    if duration:
        return now_ms() + sign * int(duration[1]) * _UNIT_MS[duration[2]]
    try:
        return read_instant(text)
    except ValueError:
        raise typer.BadParameter(
            "an ISO 8601 time with an offset (2030-01-31T12:00:00Z), or a duration: 30d, 12h"
        ) from None


def _past(text: str) -> int:
    return _moment(text, sign=-1)


def _coming(text: str) -> int:
    return _moment(text, sign=1)


def relative(unix_ms: int) -> str:
    """How far an instant lies from now, in its largest whole unit: ``in 3 days``."""
    distance = unix_ms - now_ms()
    for length, unit in _UNITS:
        size = abs(distance) // length
        if size:
            words = f"{size} {unit}{'' if size == 1 else 's'}"
            return f"in {words}" if distance > 0 else f"{words} ago"
    return "now"


def said_expiry(expires: int | None, *, option: str = "--expires") -> int | Unsaid | None:
    """What an option says of a key's expiry: an instant that may be one, ``None`` for never.

    Raises:
        typer.BadParameter: no key may end then.
    """
    if expires is None:
        return UNSAID
    if expires == NEVER:
        return None
    _refuse(check_expiry(expires, now_ms=now_ms()), param_hint=f"'{option}'")
    return expires


def _refuse(problems: list[KeyProblem], *, param_hint: str | None = None) -> None:
    if problems:
        message = problems[0].message
        raise typer.BadParameter(message[0].lower() + message[1:], param_hint=param_hint)


UnusedSince = Annotated[
    int | None,
    typer.Option(
        "--unused-since",
        parser=_past,
        metavar="TIME",
        help="Only keys not used since then: 2030-01-31T12:00:00Z, or 30d for 30 days ago.",
    ),
]
ExpiresBefore = Annotated[
    int | None,
    typer.Option(
        "--expires-before",
        parser=_coming,
        metavar="TIME",
        help="Only keys that end before then: 2030-01-31T12:00:00Z, or 30d for in 30 days.",
    ),
]
Since = Annotated[
    int | None,
    typer.Option(
        "--since",
        parser=_past,
        metavar="TIME",
        help="From then on: 2030-01-31T12:00:00Z, or 7d for 7 days ago; by default a day.",
    ),
]
UserOption = Annotated[
    str, typer.Option("--user", parser=uuid, metavar="UUID", help="Whose key: the user's id.")
]
MaybeUser = Annotated[
    str | None,
    typer.Option("--user", parser=uuid, metavar="UUID", help="Only this user's keys."),
]
UserArgument = Annotated[
    str, typer.Argument(parser=uuid, metavar="USER", help="The user's id, a UUID.")
]
KeyArgument = Annotated[
    str,
    typer.Argument(
        parser=uuid, metavar="KEY_ID", help="The key's id, a UUID; never the key itself."
    ),
]
NameOption = Annotated[
    str, typer.Option("--name", parser=_name, metavar="TEXT", help="A name that people know it by.")
]
ExpiresOption = Annotated[
    int | None,
    typer.Option(
        "--expires",
        parser=_expiry,
        metavar="TIME",
        help="When it ends: 2030-01-31T12:00:00Z, 90d, 12h or never; by default as the stack says.",
    ),
]
