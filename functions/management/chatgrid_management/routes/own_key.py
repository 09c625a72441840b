"""The key in one's hand: the one that the request came with, whatever its scopes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, Response

from chatgrid_auth.domain.key_errors import NotFound, SelfRotationNotAllowed
from chatgrid_auth.http_api.edge import router as new_router
from chatgrid_auth.http_api.problems import key_revoked, not_found, not_with_a_token
from chatgrid_management.key_queries import Why
from chatgrid_management.repeats import Named, tell
from chatgrid_management.schemas.changed_keys import (
    IssuedApiKeyData,
    IssuedApiKeyResponse,
    RevokedApiKeyData,
    RevokedApiKeyResponse,
)
from chatgrid_management.schemas.keys import ApiKeyData, ApiKeyResponse
from chatgrid_management.schemas.rotation import GivenRotation, NewRotation
from chatgrid_management.services import Acting, CurrentCaller, Services

router = new_router("own-key")


async def _own_key_id(caller: CurrentCaller) -> str:
    if caller.key_id is None:  # a session is no key
        raise not_found()
    return caller.key_id


async def _held_key_id(caller: CurrentCaller, key_id: Annotated[str, Depends(_own_key_id)]) -> str:
    if caller.token is not None:  # what it makes is not the key itself
        raise not_with_a_token()
    return key_id


OwnKeyId = Annotated[str, Depends(_own_key_id)]
#: Of a key that came itself.
HeldKeyId = Annotated[str, Depends(_held_key_id)]


@contextmanager
def admitted_a_moment_ago() -> Iterator[None]:
    """The key was there when the authorizer looked: if it is not now, it has been revoked since."""
    try:
        yield
    except NotFound:
        raise key_revoked() from None


@router.get("/me/api-key", operation_id="getOwnApiKey", summary="Get the key in one's hand")
async def get_own_key(
    key_id: OwnKeyId, caller: CurrentCaller, services: Services
) -> ApiKeyResponse:
    """The key that the request came with."""
    with admitted_a_moment_ago():
        key = services.keys.get(caller.user_id, key_id)
    return ApiKeyResponse(data=ApiKeyData.of(key))


@router.delete(
    "/me/api-key", operation_id="revokeOwnApiKey", summary="Revoke the key in one's hand"
)
async def revoke_own_key(
    key_id: HeldKeyId, caller: CurrentCaller, services: Services, actor: Acting, reason: Why
) -> RevokedApiKeyResponse:
    """Revoke the very key that the request is sent with, for good; also while it is over its limit.

    The example ends the key that stands in `KEY`: every later request with it is 401.
    """
    with admitted_a_moment_ago():
        services.changing().api_keys.revoke(caller.user_id, key_id, reason=reason, actor=actor)
    return RevokedApiKeyResponse(data=RevokedApiKeyData(id=key_id))


@router.post(
    "/me/api-key/rotate", operation_id="rotateOwnApiKey", summary="Rotate the key in one's hand"
)
async def rotate_own_key(
    key_id: HeldKeyId,
    caller: CurrentCaller,
    services: Services,
    actor: Acting,
    named: Named,
    response: Response,
    rotation: GivenRotation = None,
) -> IssuedApiKeyResponse:
    """Give the key that the request came with another secret, where its owner lets it.

    `raw_key` is shown in this answer only. The key's previous secret rotates nothing.
    """
    if caller.former:  # a request that comes again too: nothing new for an old secret
        raise SelfRotationNotAllowed
    wanted = rotation or NewRotation()
    with admitted_a_moment_ago():
        answered = services.changing().idempotency.once(
            named,
            lambda claim: services.changing().rotations.rotate(
                caller.user_id,
                key_id,
                grace_seconds=wanted.grace_period_seconds,
                force=wanted.force,
                by_itself=True,
                actor=actor,
                claim=claim,
            ),
            actor=actor,
            by_itself=True,
        )
    tell(response, answered)
    return IssuedApiKeyResponse(data=IssuedApiKeyData.issued(answered.key, answered.raw_key))
