"""Credits, as the contract words them: what may be said of them, and what is shown."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from chatgrid_auth.domain.credentials import Credits
from chatgrid_auth.domain.limits.credits import INTERVALS, MOST_CREDITS
from chatgrid_auth.http_api.fields import GivenInstant, Instant
from chatgrid_auth.http_api.responses import Response
from chatgrid_auth.services.instants import iso_instant

Interval: TypeAlias = Literal["day", "week", "month"]
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


class RefillData(Response):
    """When credits come back, and how many."""

    amount: int
    interval: Interval
    next_at: Instant


class CreditsData(Response):
    """How many requests a key has left in all."""

    remaining: Annotated[int, Field(description="Units; a request takes what its route costs.")]
    refill: Annotated[RefillData | None, Field(description="`null` for none.")]


def said_of(given: GivenKeyCredits | None) -> dict[str, Any] | None:
    """What was said of credits, as the service takes it."""
    return None if given is None else given.model_dump(exclude_unset=True)


def credits_facts(held: Credits | None) -> dict[str, object] | None:
    """Credits in the contract's words."""
    if held is None:
        return None
    refill: dict[str, object] | None = None
    if held.refill is not None and held.next_at_ms is not None:
        refill = {
            "amount": held.refill.amount,
            "interval": held.refill.interval,
            "next_at": iso_instant(held.next_at_ms),
        }
    return {"remaining": held.remaining, "refill": refill}
