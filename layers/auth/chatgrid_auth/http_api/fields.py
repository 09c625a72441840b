"""Kinds of values that bodies, paths and answers share: names, instants, identifiers."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from chatgrid_auth.domain import readable_text
from chatgrid_auth.services import instants

#: What ``printable`` checks, as near as a regular expression comes, for the API's description.
PRINTABLE_SCHEMA = {"pattern": readable_text.PATTERN}


def printable(text: str) -> str:
    """The text as it is given, nothing stripped; a validator for names that people read."""
    problem = readable_text.problem_of(text)
    if problem is not None:
        raise PydanticCustomError("invalid_value", "{problem}", {"problem": problem})
    return text


def instant_ms(text: object) -> object:
    """Unix milliseconds of an ISO 8601 instant with an offset; finer digits are cut off."""
    if not isinstance(text, str):
        raise PydanticCustomError("invalid_type", "Expected a string")
    try:
        return instants.instant_ms(text)
    except ValueError as error:
        raise PydanticCustomError("invalid_value", "{problem}", {"problem": str(error)}) from None


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
