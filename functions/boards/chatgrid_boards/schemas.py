"""What the boards routes take and give, as the contract words it."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from chatgrid_auth.http_api.fields import (
    PRINTABLE_SCHEMA,
    Identifier,
    Instant,
    printable,
)
from chatgrid_auth.http_api.responses import ListResponse, Response
from chatgrid_auth.services.instants import iso_instant
from chatgrid_boards.store import Board

#: Far enough for any canvas, and far from where a 64-bit float loses whole pixels.
FARTHEST = 1e9

BoardName: TypeAlias = Annotated[
    str,
    Field(
        min_length=1,
        max_length=255,
        description="1 to 255 characters (Unicode code points), no control characters, "
        "at least one that shows; kept as given.",
        json_schema_extra=PRINTABLE_SCHEMA,
    ),
    AfterValidator(printable),
]
AccessLevel: TypeAlias = Annotated[
    Literal["view", "edit"] | None,
    Field(description="What others may do with a public board; `null` for nothing."),
]
Offset: TypeAlias = Annotated[float, Field(ge=-FARTHEST, le=FARTHEST, allow_inf_nan=False)]
Zoom: TypeAlias = Annotated[float, Field(ge=0.1, le=10, allow_inf_nan=False)]


class NewBoard(BaseModel):
    """What a board is to be."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"name": "Launch plan"}]}
    )

    name: BoardName
    view_mode: Annotated[
        Literal["canvas", "docs"],
        Field(description="How the board opens first. Kept, but not among a board's fields."),
    ] = "canvas"


class BoardChanges(BaseModel):
    """What is to change; fields that are left out stay as they are."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"minProperties": 1, "examples": [{"viewport_zoom": 1.5}]},
    )

    # A factory, where a default would do, keeps the placeholder out of the API's description.
    name: BoardName = Field(default_factory=str)
    is_public: bool = Field(default_factory=bool)
    public_access_level: AccessLevel = Field(default_factory=lambda: None)
    viewport_x: Offset = Field(default_factory=float)
    viewport_y: Offset = Field(default_factory=float)
    viewport_zoom: Zoom = Field(default_factory=float)


class BoardData(Response):
    """A board."""

    id: Identifier
    name: str
    created_at: Instant
    updated_at: Instant
    is_public: bool
    public_access_level: AccessLevel
    viewport_x: float
    viewport_y: float
    viewport_zoom: float

    @classmethod
    def of(cls, board: Board) -> BoardData:
        """The board in the contract's words."""
        return cls.model_validate(
            {
                "id": board.id,
                "name": board.name,
                "created_at": iso_instant(board.created_at_ms),
                "updated_at": iso_instant(board.updated_at_ms),
                "is_public": board.is_public,
                "public_access_level": board.public_access_level,
                "viewport_x": board.viewport_x,
                "viewport_y": board.viewport_y,
                "viewport_zoom": board.viewport_zoom,
            }
        )


class BoardResponse(Response):
    """One board."""

    object: Literal["board"] = "board"
    data: BoardData


class BoardList(ListResponse[BoardData]):
    """One page of boards."""


class DeletedBoardData(Response):
    """Which board is no more."""

    id: Identifier
    deleted: Literal[True] = True


class DeletedBoardResponse(Response):
    """A board has been deleted."""

    object: Literal["board"] = "board"
    data: DeletedBoardData
