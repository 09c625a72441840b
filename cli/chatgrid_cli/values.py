"""What operators may write for instants, identifiers and names; the API's own rules."""

from __future__ import annotations

import re
import time
from typing import Annotated, cast

import typer
from pydantic_core import PydanticCustomError

from chatgrid_auth.http_api.fields import canonical_id, instant_ms, iso_instant
from chatgrid_auth.http_api.fields import printable as printable_name

LONGEST_NAME = 64
LONGEST_LIFE_MS = 36_525 * 86_400_000
_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhdw])", re.ASCII)
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def now_ms() -> int:
    """The clock, in Unix milliseconds."""
    return time.time_ns() // 1_000_000


def read_instant(text: str) -> int:
    """Unix milliseconds of an ISO 8601 instant.

    Raises:
        ValueError: it is none.
    """
    try:
        found = instant_ms(text)
    except PydanticCustomError as error:
        raise ValueError(error.message()) from None
    return cast("int", found)


def read_name(text: str) -> str:
    """A name of 1 to 64 characters, as given.

    Raises:
        ValueError: it is none.
    """
    if not 1 <= len(text) <= LONGEST_NAME:
        raise ValueError("a name has 1 to 64 characters")
    try:
        return printable_name(text)
    except PydanticCustomError as error:
        raise ValueError(error.message()) from None


def instant(unix_ms: int | None) -> str | None:
    """An instant as the API writes it."""
    return None if unix_ms is None else iso_instant(unix_ms)


def uuid(text: str) -> str:
    found = canonical_id(text)
    if found is None:
        raise typer.BadParameter("this is not a UUID")
    return found


def _name(text: str) -> str:
    try:
        return read_name(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _expiry(text: str) -> int:
    duration = _DURATION.fullmatch(text)
    if duration:
        return now_ms() + int(duration[1]) * _UNIT_MS[duration[2]]
    try:
        found = read_instant(text)
    except ValueError:
        raise typer.BadParameter(
            "an ISO 8601 time with an offset (2030-01-31T12:00:00Z), or a duration: 90d, 12h"
        ) from None
    return found


def checked_expiry(expires_at_ms: int | None) -> int | None:
    """An expiry that lies in the future, and at most 100 years away.

    Raises:
        typer.BadParameter: it does not.
    """
    if expires_at_ms is not None and not 0 < expires_at_ms - now_ms() <= LONGEST_LIFE_MS:
        raise typer.BadParameter(
            "the expiry must lie in the future, at most 100 years away", param_hint="'--expires'"
        )
    return expires_at_ms


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
        help="When it ends: 2030-01-31T12:00:00Z, or 90d, 12h; by default never.",
    ),
]
