"""Credits, as they are shown."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from chatgrid_auth.domain.credentials import Credits
from chatgrid_auth.http_api.fields import Instant
from chatgrid_auth.http_api.responses import Response
from chatgrid_auth.services.instants import iso_instant

Interval: TypeAlias = Literal["day", "week", "month"]


class RefillData(Response):
    """When credits come back, and how many."""

    amount: int
    interval: Interval
    next_at: Instant


class CreditsData(Response):
    """How many requests a key has left in all."""

    remaining: Annotated[int, Field(description="Units; a request takes what its route costs.")]
    refill: Annotated[RefillData | None, Field(description="`null` for none.")]


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
