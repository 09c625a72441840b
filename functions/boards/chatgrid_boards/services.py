"""What the boards routes work with, put together by ``wiring`` and held by the app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from chatgrid_auth.domain.verdicts import Caller
from chatgrid_boards.store import BoardStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Boards:
    """The store behind the routes, the clock in Unix milliseconds, and randomness."""

    store: BoardStore
    now_ms: Callable[[], int]
    entropy: Callable[[int], bytes]


async def _boards(request: Request) -> Boards:
    boards: Boards = request.app.state.boards
    return boards


async def _owner(request: Request) -> str:
    # The guard's word alone: nothing that a client sends can name another user.
    caller: Caller = request.scope["chatgrid.caller"]
    return caller.user_id


Services = Annotated[Boards, Depends(_boards)]
Owner = Annotated[str, Depends(_owner)]
