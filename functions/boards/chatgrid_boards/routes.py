"""Boards: list, create, get, change, delete. Coroutines, since Lambda serves one at a time."""

from __future__ import annotations

from chatgrid_auth.domain.error_table import BOARD_NOT_FOUND, NO_UPDATES
from chatgrid_auth.domain.identifiers import canonical_id, uuid7
from chatgrid_auth.http_api.edge import router as new_router
from chatgrid_auth.http_api.fields import PathIdentifier
from chatgrid_auth.http_api.pagination import Paging, encode_cursor
from chatgrid_auth.http_api.problems import Problem
from chatgrid_boards.schemas import (
    BoardChanges,
    BoardData,
    BoardList,
    BoardResponse,
    DeletedBoardData,
    DeletedBoardResponse,
    NewBoard,
)
from chatgrid_boards.services import Owner, Services
from chatgrid_boards.store import Board

router = new_router("boards")


def board_not_found() -> Problem:
    """There is no such board, or it is somebody else's."""
    return Problem.of(BOARD_NOT_FOUND)


@router.get("/boards", operation_id="listBoards", summary="List boards")
async def list_boards(page: Paging, owner: Owner, boards: Services) -> BoardList:
    """The caller's boards."""
    found = boards.store.page(owner, limit=page.limit, after=page.after, descending=page.descending)
    return BoardList(
        data=[BoardData.of(board) for board in found.items],
        has_more=found.has_more,
        cursor=encode_cursor(found.items[-1].id) if found.has_more else None,
    )


@router.post("/boards", operation_id="createBoard", summary="Create a board", status_code=201)
async def create_board(new: NewBoard, owner: Owner, boards: Services) -> BoardResponse:
    """Create a board of the caller's own user."""
    now_ms = boards.now_ms()
    board = Board(
        id=uuid7(now_ms=now_ms, entropy=boards.entropy),
        owner=owner,
        name=new.name,
        view_mode=new.view_mode,
        created_at_ms=now_ms,
        updated_at_ms=now_ms,
    )
    boards.store.create(board)
    return BoardResponse(data=BoardData.of(board))


@router.get("/boards/{id}", operation_id="getBoard", summary="Get a board")
async def get_board(
    id: PathIdentifier,  # noqa: A002 - the parameter's name in the API
    owner: Owner,
    boards: Services,
) -> BoardResponse:
    """One of the caller's boards."""
    return BoardResponse(data=BoardData.of(boards.store.get(owner, _board_id(id))))


@router.patch("/boards/{id}", operation_id="updateBoard", summary="Change a board")
async def update_board(
    id: PathIdentifier,  # noqa: A002 - the parameter's name in the API
    changes: BoardChanges,
    owner: Owner,
    boards: Services,
) -> BoardResponse:
    """Change the fields that are given; a value equal to the present one is fine."""
    named = changes.model_dump(exclude_unset=True)
    if not named:
        raise Problem.of(NO_UPDATES)
    board = boards.store.update(owner, _board_id(id), named, now_ms=boards.now_ms())
    return BoardResponse(data=BoardData.of(board))


@router.delete("/boards/{id}", operation_id="deleteBoard", summary="Delete a board")
async def delete_board(
    id: PathIdentifier,  # noqa: A002 - the parameter's name in the API
    owner: Owner,
    boards: Services,
) -> DeletedBoardResponse:
    """Delete a board for good."""
    board_id = _board_id(id)
    boards.store.delete(owner, board_id)
    return DeletedBoardResponse(data=DeletedBoardData(id=board_id))


def _board_id(text: str) -> str:
    board_id = canonical_id(text)
    if board_id is None:
        raise board_not_found()
    return board_id
