"""The secrets of API keys: another one, and the end of the former."""

from __future__ import annotations

from fastapi import Response

from chatgrid_auth.http_api.edge import router as new_router
from chatgrid_auth.http_api.fields import PathIdentifier
from chatgrid_management.paths import key_id_of
from chatgrid_management.repeats import Named, tell
from chatgrid_management.schemas.changed_keys import (
    IssuedApiKeyData,
    IssuedApiKeyResponse,
)
from chatgrid_management.schemas.keys import ApiKeyData, ApiKeyResponse
from chatgrid_management.schemas.rotation import GivenRotation, NewRotation
from chatgrid_management.services import Acting, CurrentCaller, Services

router = new_router("api-keys")


@router.post("/me/api-keys/{id}/rotate", operation_id="rotateApiKey", summary="Rotate an API key")
async def rotate_api_key(
    id: PathIdentifier,  # noqa: A002 - the parameter's name in the API
    caller: CurrentCaller,
    services: Services,
    actor: Acting,
    named: Named,
    response: Response,
    rotation: GivenRotation = None,
) -> IssuedApiKeyResponse:
    """Give a key another secret. `raw_key` is shown in this answer only.

    Id, name, scopes, limit and history stay, and there is one budget for both secrets. The former
    works until the grace is over. With an `Idempotency-Key` the same request again rotates nothing:
    while the new secret was never used, it gives another in its place; after that `raw_key` is
    `null`.
    """
    wanted = rotation or NewRotation()
    key_id = key_id_of(id)
    answered = services.changing().idempotency.once(
        named,
        lambda claim: services.changing().rotations.rotate(
            caller.user_id,
            key_id,
            grace_seconds=wanted.grace_period_seconds,
            force=wanted.force,
            actor=actor,
            claim=claim,
        ),
        actor=actor,
    )
    tell(response, answered)
    return IssuedApiKeyResponse(data=IssuedApiKeyData.issued(answered.key, answered.raw_key))


@router.delete(
    "/me/api-keys/{id}/previous-secret",
    operation_id="endPreviousSecret",
    summary="End a key's previous secret",
)
async def end_previous_secret(
    id: PathIdentifier,  # noqa: A002 - the parameter's name in the API
    caller: CurrentCaller,
    services: Services,
    actor: Acting,
) -> ApiKeyResponse:
    """End the grace now: the previous secret is refused on the very next request."""
    key = services.changing().rotations.end_previous(caller.user_id, key_id_of(id), actor=actor)
    return ApiKeyResponse(data=ApiKeyData.of(key))
