"""What answers are made of, and the list that every collection answers with."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item")


class Response(BaseModel):
    """A model that goes out only: its description promises every field, defaults included."""

    model_config = ConfigDict(
        json_schema_serialization_defaults_required=True,
        defer_build=True,  # a start waits for none that its first answer does not use
    )


class ListResponse(Response, Generic[Item]):
    """One page of a list."""

    object: Literal["list"] = "list"
    data: list[Item]
    has_more: bool = Field(description="Whether there is another page.")
    cursor: str | None = Field(description="Names the next page; `null` on the last.")


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
