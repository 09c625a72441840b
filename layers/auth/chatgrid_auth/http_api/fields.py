"""Kinds of values that bodies, paths and answers share: names, instants, identifiers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Path
from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from chatgrid_auth.domain import names
from chatgrid_auth.domain.identifiers import is_uuid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
#: ISO 8601 as RFC 3339 narrows it, and ``+0100`` besides, since ``date +%z`` prints that.
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?(\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})",
    re.ASCII,
)
#: What ``printable`` checks, as near as a regular expression comes, for the API's description.
PRINTABLE_SCHEMA = {"pattern": names.PATTERN}


def printable(text: str) -> str:
    """The text as it is given, nothing stripped; a validator for names that people read."""
    problem = names.problem_of(text)
    if problem is not None:
        raise PydanticCustomError("invalid_value", "{problem}", {"problem": problem})
    return text


def instant_ms(text: object) -> object:
    """Unix milliseconds of an ISO 8601 instant with an offset; finer digits are cut off."""
    if not isinstance(text, str):
        raise PydanticCustomError("invalid_type", "Expected a string")
    found = _INSTANT.fullmatch(text)
    if found:
        day, minute, second, fraction, offset = found.groups()
        clock = f"{day}T{minute}{second or ':00'}{(fraction or '.0')[:7]}"
        try:
            instant = datetime.fromisoformat(clock + offset.upper())
        except ValueError:
            found = None
    if not found:
        raise PydanticCustomError(
            "invalid_value", "Expected an ISO 8601 time with an offset, e.g. 2030-01-31T12:00:00Z"
        )
    return (instant - _EPOCH) // _MILLISECOND


def iso_instant(unix_ms: int) -> str:
    """An instant in UTC with milliseconds and ``Z``."""
    instant = _EPOCH + timedelta(milliseconds=unix_ms)
    return instant.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def canonical_id(text: str) -> str | None:
    """A UUID in its one canonical form; ``None`` for what can be no identifier."""
    lower = text.lower()
    return lower if is_uuid(lower) else None


#: An instant that a client gives, as Unix milliseconds.
GivenInstant = Annotated[
    int, BeforeValidator(instant_ms), WithJsonSchema({"type": "string", "format": "date-time"})
]
#: An instant that a client is given.
Instant = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "description": "UTC, with milliseconds and `Z`.",
            "examples": ["2026-03-10T09:00:00.000Z"],
        }
    ),
]
Identifier = Annotated[str, Field(json_schema_extra={"format": "uuid"})]
PathIdentifier = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
