"""The one shape of every error, for the description: ``http_api.problems`` writes it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class ErrorDetail(BaseModel):
    """One thing that is wrong with a request."""

    code: Literal[
        "required",
        "unrecognized_key",
        "duplicate_key",
        "invalid_type",
        "invalid_value",
        "invalid_json",
        "too_small",
        "too_big",
        "limit_exceeded",
    ]
    path: str = Field(
        description="Where: the field's name, list positions after dots (`scopes.0`); "
        "`body` for the body as a whole; which limit (`creations`)."
    )
    message: str


class ErrorResponse(BaseModel):
    """The one shape of every error."""

    object: Literal["error"]
    status: int = Field(description="The HTTP status, again.")
    code: str = Field(description="What happened, for programs.")
    message: str = Field(description="What happened, for people.")
    details: list[ErrorDetail] = Field(
        default_factory=list,
        description="Given with `validation_error`, and with `rate_limit_exceeded` where it is "
        "not the credential's own minute that is used up.",
    )
