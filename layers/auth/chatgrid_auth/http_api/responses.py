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
