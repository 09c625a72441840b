"""Boards in DynamoDB, each in its owner's partition, so nobody can reach another's.

Writes that need the board to be there say so in a condition: a change never brings a deleted
board back to life.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chatgrid_auth.domain.errors import ConditionFailed
from chatgrid_auth.domain.identifiers import id_range
from chatgrid_auth.domain.key_errors import NotFound

if TYPE_CHECKING:
    from chatgrid_auth.adapters.dynamodb.transport import Transport

#: DynamoDB keeps no number nearer to zero than this, and no viewport tells it from zero.
_TINIEST = 1e-100


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A board. Times are Unix milliseconds."""

    id: str
    owner: str
    name: str
    created_at_ms: int
    updated_at_ms: int
    view_mode: str = "canvas"
    is_public: bool = False
    public_access_level: str | None = None
    viewport_x: float = 0.0
    viewport_y: float = 0.0
    viewport_zoom: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardPage:
    """A page of boards, and whether there are more behind it."""

    items: list[Board]
    has_more: bool


class BoardStore:
    """The boards table.

    Args:
        transport: asks DynamoDB.
        table: the table's name; keys ``pk`` and ``sk``.
    """

    def __init__(self, transport: Transport, *, table: str) -> None:
        self._transport = transport
        self._table = table

    def create(self, board: Board) -> None:
        """Keep a new board, once, even when the answer to a try is lost and it is sent again.

        Raises:
            ConditionFailed: there is another board with this id.
        """
        try:
            self._transport.call(
                "PutItem",
                {
                    "TableName": self._table,
                    "Item": {**_key(board.owner, board.id), **_attributes(_facts(board))},
                    "ConditionExpression": "attribute_not_exists(pk)",
                },
            )
        except ConditionFailed:
            if self.get(board.owner, board.id) != board:
                raise

    def get(self, owner: str, board_id: str) -> Board:
        """One of the owner's boards, as the last write left it.

        Raises:
            NotFound: no such board, or somebody else's.
        """
        response = self._transport.call(
            "GetItem",
            {"TableName": self._table, "Key": _key(owner, board_id), "ConsistentRead": True},
        )
        if "Item" not in response:
            raise NotFound
        return _board(response["Item"])

    def page(self, owner: str, *, limit: int, after: str | None, descending: bool) -> BoardPage:
        """The owner's boards in the order of their ids, ``after`` that id. One request."""
        first, last = id_range(after, descending=descending)
        found = self._transport.call(
            "Query",
            {
                "TableName": self._table,
                "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
                "ExpressionAttributeValues": {
                    ":pk": _key(owner, "")["pk"],
                    ":first": _key(owner, first)["sk"],
                    ":last": _key(owner, last)["sk"],
                },
                "ScanIndexForward": not descending,
                "ConsistentRead": True,
                "Limit": limit + 1,  # at 2 KB each, far from the 1 MB that a query may return
            },
        )["Items"]
        return BoardPage(
            items=[_board(item) for item in found[:limit]], has_more=len(found) > limit
        )

    def update(
        self, owner: str, board_id: str, changes: Mapping[str, object], *, now_ms: int
    ) -> Board:
        """Change the named facts of a board, and nothing else; the board after that.

        Raises:
            NotFound: no such board, or somebody else's.
        """
        values = _attributes({**changes, "updated_at_ms": now_ms})
        try:
            response = self._transport.call(
                "UpdateItem",
                {
                    "TableName": self._table,
                    "Key": _key(owner, board_id),
                    "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in values),
                    "ConditionExpression": "attribute_exists(pk)",
                    "ExpressionAttributeNames": {f"#{name}": name for name in values},
                    "ExpressionAttributeValues": {f":{name}": values[name] for name in values},
                    "ReturnValues": "ALL_NEW",
                },
            )
        except ConditionFailed:
            raise NotFound from None
        return _board(response["Attributes"])

    def delete(self, owner: str, board_id: str) -> None:
        """Delete a board for good.

        Raises:
            NotFound: no such board, or somebody else's.
        """
        try:
            self._transport.call(
                "DeleteItem",
                {
                    "TableName": self._table,
                    "Key": _key(owner, board_id),
                    "ConditionExpression": "attribute_exists(pk)",
                },
            )
        except ConditionFailed:
            raise NotFound from None


def _key(owner: str, board_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"USER#{owner}"}, "sk": {"S": f"BOARD#{board_id}"}}


def _facts(board: Board) -> dict[str, object]:
    return {
        "name": board.name,
        "view_mode": board.view_mode,
        "created_at_ms": board.created_at_ms,
        "updated_at_ms": board.updated_at_ms,
        "is_public": board.is_public,
        "public_access_level": board.public_access_level,
        "viewport_x": board.viewport_x,
        "viewport_y": board.viewport_y,
        "viewport_zoom": board.viewport_zoom,
    }


def _attributes(facts: Mapping[str, object]) -> dict[str, Any]:
    return {name: _attribute(value) for name, value in facts.items()}


def _attribute(value: object) -> dict[str, Any]:
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": repr(value if abs(value) >= _TINIEST else 0)}
        case _:
            return {"S": str(value)}


def _board(item: Mapping[str, Any]) -> Board:
    return Board(
        id=item["sk"]["S"].removeprefix("BOARD#"),
        owner=item["pk"]["S"].removeprefix("USER#"),
        name=item["name"]["S"],
        view_mode=item["view_mode"]["S"],
        created_at_ms=int(item["created_at_ms"]["N"]),
        updated_at_ms=int(item["updated_at_ms"]["N"]),
        is_public=item["is_public"]["BOOL"],
        public_access_level=item["public_access_level"].get("S"),
        viewport_x=float(item["viewport_x"]["N"]),
        viewport_y=float(item["viewport_y"]["N"]),
        viewport_zoom=float(item["viewport_zoom"]["N"]),
    )
