"""What a rotation takes."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from chatgrid_auth.services.rotation import DEFAULT_GRACE_SECONDS, LONGEST_GRACE_SECONDS


class NewRotation(BaseModel):
    """How a key is to be rotated."""

    # Shapes only, and the rules for the description: `services.rotation` checks them.

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"grace_period_seconds": 3_600}]},
    )

    grace_period_seconds: Annotated[
        int,
        Field(
            description="How long the former secret still works, though never longer than the key "
            "itself; with 0 it ends at once.",
            json_schema_extra={"minimum": 0, "maximum": LONGEST_GRACE_SECONDS},
        ),
    ] = DEFAULT_GRACE_SECONDS
    force: Annotated[
        bool,
        Field(
            description="Whether a previous secret that still works is ended; without it the "
            "response is 409 `previous_secret_active`."
        ),
    ] = False


#: A body of its own; none is one with the defaults.
GivenRotation = NewRotation | None
