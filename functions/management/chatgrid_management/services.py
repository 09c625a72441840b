"""What the management routes work with, put together by ``wiring`` and held by the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from chatgrid_auth.domain.actors import API_KEY, JWT, Actor
from chatgrid_auth.domain.rules.sources import source_behind
from chatgrid_auth.domain.verdicts import Caller
from chatgrid_auth.services.api_keys import ApiKeys
from chatgrid_auth.services.audit.log import AuditLog
from chatgrid_auth.services.idempotency import Idempotency
from chatgrid_auth.services.key_changes.changing import KeyChanges
from chatgrid_auth.services.rotation import Rotations
from chatgrid_auth.services.tokens.making import Tokens
from chatgrid_auth.services.usage.reports import UsageReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Management:
    """The services and rules behind the routes.

    Attributes:
        api_keys: issues, lists, gets and revokes keys.
        key_changes: changes them.
        rotations: gives keys other secrets.
        idempotency: answers requests that come again.
        tokens: makes tokens of keys.
        audit_log: who did what to them.
        usage: how often they were used.
        trusted_proxies: how many proxies of the deployment's own stand before the API.
    """

    api_keys: ApiKeys
    key_changes: KeyChanges
    rotations: Rotations
    idempotency: Idempotency
    tokens: Tokens
    audit_log: AuditLog
    usage: UsageReader
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
