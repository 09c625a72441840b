"""What may be said of credits."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from chatgrid_auth.domain.limits.credits import INTERVALS, MOST_CREDITS
from chatgrid_auth.http_api.fields import GivenInstant

GivenCredits: TypeAlias = Annotated[
    int, WithJsonSchema({"type": "integer", "minimum": 0, "maximum": MOST_CREDITS})
]
GivenAmount: TypeAlias = Annotated[
    int, WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST_CREDITS})
]
#: Whatever was given for it: the rules say what may be.
GivenInterval: TypeAlias = Annotated[
    Any, WithJsonSchema({"enum": list(INTERVALS), "type": "string"})
]
_GIVEN = ConfigDict(extra="forbid", strict=True)


class GivenRefill(BaseModel):
    """When credits come back, and how many; what is left out stays."""

    model_config = _GIVEN

    amount: Annotated[
        GivenAmount,
        Field(description="How many credits the key then has, more or less than before."),
    ] = Field(default_factory=int)
    interval: Annotated[
        GivenInterval,
        Field(description="In UTC; a month's day is kept: after the 31st the 28th, then the 31st."),
    ] = Field(default_factory=str)
    next_at: Annotated[
        GivenInstant,
        Field(description="In the future; left out, the next beginning of such an interval."),
    ] = Field(default_factory=int)


class GivenKeyCredits(BaseModel):
    """How many requests a key has left in all; what is left out stays."""

    model_config = _GIVEN

    remaining: Annotated[
        GivenCredits, Field(description="Required where the key has no credits.")
    ] = Field(default_factory=int)
    refill: Annotated[GivenRefill | None, Field(description="`null` for none.")] = Field(
        default_factory=lambda: None
    )


def said_of(given: GivenKeyCredits | None) -> dict[str, Any] | None:
    """What was said of credits, as the service takes it."""
    return None if given is None else given.model_dump(exclude_unset=True)
