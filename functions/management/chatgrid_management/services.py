"""What the management routes work with, put together by ``wiring`` and held by the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from chatgrid_auth.domain.verdicts import Caller
from chatgrid_auth.services.api_keys import ApiKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class Management:
    """The services and rules behind the routes.

    Attributes:
        api_keys: issues, lists, gets and revokes keys.
    """

    api_keys: ApiKeys


async def _management(request: Request) -> Management:
    services: Management = request.app.state.management
    return services


async def _caller(request: Request) -> Caller:
    # The guard's word alone: nothing that a client sends can name another user.
    caller: Caller = request.scope["chatgrid.caller"]
    return caller


Services = Annotated[Management, Depends(_management)]
CurrentCaller = Annotated[Caller, Depends(_caller)]
