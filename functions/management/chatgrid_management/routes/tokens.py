"""Derived tokens, made by the key in one's hand."""

from __future__ import annotations

from fastapi import Request

from chatgrid_auth.domain.error_table import INVALID_TOKEN
from chatgrid_auth.http_api.edge import router as new_router
from chatgrid_auth.http_api.problems import Problem
from chatgrid_auth.services.gate.authenticate import bearer_credential
from chatgrid_management.routes.own_key import OwnKeyId, admitted_a_moment_ago
from chatgrid_management.schemas.tokens import GivenToken, NewToken, TokenData, TokenResponse
from chatgrid_management.services import CurrentCaller, Services

router = new_router("own-key")


@router.post("/me/tokens", operation_id="createToken", summary="Make a token", status_code=201)
async def create_token(
    request: Request,
    key_id: OwnKeyId,  # noqa: ARG001 - a session has none
    caller: CurrentCaller,
    services: Services,
    token: GivenToken = None,
) -> TokenResponse:
    """Make a short-lived token of the key that the request came with, to hand on in its place.

    It may do what the key may, but no `admin` thing; it spends the key's limit, and ends with the
    key. A token makes no tokens.
    """
    raw_key = bearer_credential(request.headers.get("authorization"))
    if raw_key is None:  # API Gateway hands on the header that the authorizer judged
        raise Problem.of(INVALID_TOKEN, headers={"WWW-Authenticate": "Bearer"})
    wanted = token or NewToken()
    with admitted_a_moment_ago():
        made = services.changing().tokens.make(
            caller,
            raw_key,
            expires_in_seconds=wanted.expires_in_seconds,
            scopes=wanted.scopes,
            allowed_ips=wanted.allowed_ips,
        )
    return TokenResponse(data=TokenData.of(made))
