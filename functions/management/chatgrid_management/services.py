"""What the management routes work with, put together by ``wiring`` and held by the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from chatgrid_auth.domain.actors import API_KEY, JWT, Actor
from chatgrid_auth.domain.rules.sources import source_behind
from chatgrid_auth.domain.verdicts import Caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from chatgrid_auth.services.audit.log import AuditLog
    from chatgrid_auth.services.own_keys import OwnKeys
    from chatgrid_auth.services.usage.reports import UsageReader
    from chatgrid_management.changing import Changing


@dataclass(frozen=True, slots=True, kw_only=True)
class Management:
    """The services and rules behind the routes.

    Those that are functions load and make a service for the first request that asks for it, and
    give the same from then on: a list does not wait for what rotates keys.

    Attributes:
        keys: lists and gets keys.
        changing: what makes, changes and revokes them.
        audit_log: who did what to them.
        usage: how often they were used.
        trusted_proxies: how many proxies of the deployment's own stand before the API.
    """

    keys: OwnKeys
    changing: Callable[[], Changing]
    audit_log: Callable[[], AuditLog]
    usage: Callable[[], UsageReader]
    trusted_proxies: int = 0


async def _management(request: Request) -> Management:
    services: Management = request.app.state.management
    return services


async def _caller(request: Request) -> Caller:
    # The guard's word alone: nothing that a client sends can name another user.
    caller: Caller = request.scope["chatgrid.caller"]
    return caller


async def _source(request: Request) -> str | None:
    """The address that counts as the caller's, as the authorizer has it."""
    event = request.scope["aws.event"]
    peer = (event["requestContext"].get("identity") or {}).get("sourceIp")
    management = await _management(request)
    if not isinstance(peer, str) or not management.trusted_proxies:
        return peer if isinstance(peer, str) else None
    return source_behind(event, peer, proxies=management.trusted_proxies) or None


async def _acting(request: Request) -> Actor:
    """Who acts, and by which request: what an entry of the audit log will say."""
    caller = await _caller(request)
    told = request.scope["aws.event"]["requestContext"]
    return Actor(
        type=JWT if caller.key_id is None else API_KEY,
        id=caller.user_id,
        key_id=caller.key_id,
        source_ip=await _source(request),
        request_id=told.get("requestId"),
        permissions=caller.permissions,
    )


Services = Annotated[Management, Depends(_management)]
CurrentCaller = Annotated[Caller, Depends(_caller)]
Acting = Annotated[Actor, Depends(_acting)]
