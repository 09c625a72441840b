"""API keys, issued and revoked by their owner."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query, Request, Response

from chatgrid_auth.domain.identifiers import canonical_id
from chatgrid_auth.http_api.details import detail
from chatgrid_auth.http_api.edge import router as new_router
from chatgrid_auth.http_api.fields import PathIdentifier
from chatgrid_auth.http_api.pagination import Paging, encode_cursor
from chatgrid_auth.http_api.problems import invalid_query, not_found
from chatgrid_management.repeats import Named, tell
from chatgrid_management.schemas import (
    ApiKeyData,
    ApiKeyList,
    ApiKeyResponse,
    IssuedApiKeyData,
    IssuedApiKeyResponse,
    NewApiKey,
    RevokedApiKeyData,
    RevokedApiKeyResponse,
)
from chatgrid_management.services import Acting, CurrentCaller, Services

router = new_router("api-keys")

Descendants = Annotated[
    Literal["true", "false"], Query(description="Whether the keys that it made go with it.")
]


@router.post(
    "/me/api-keys", operation_id="createApiKey", summary="Create an API key", status_code=201
)
async def create_api_key(
    new: NewApiKey,
    caller: CurrentCaller,
    services: Services,
    actor: Acting,
    named: Named,
    response: Response,
) -> IssuedApiKeyResponse:
    """Create a key of the caller's own user. `raw_key` is shown in this answer only.

    With an `Idempotency-Key` the same request again has the same `id` and makes no second key.
    While the secret was never used, the repeat gives another in its place, and the first is refused
    as revoked; after that `raw_key` is `null`.
    """
    answered = services.idempotency.once(
        named,
        lambda claim: services.api_keys.issue(
            caller.user_id,
            name=new.name,
            scopes=new.scopes,
            environment=new.environment,
            rate_limit=new.rate_limit,
            **new.said_of_expiry(),
            actor=actor,
            claim=claim,
        ),
        actor=actor,
    )
    tell(response, answered)
    return IssuedApiKeyResponse(data=IssuedApiKeyData.issued(answered.key, answered.raw_key))


@router.get("/me/api-keys", operation_id="listApiKeys", summary="List API keys")
async def list_api_keys(page: Paging, caller: CurrentCaller, services: Services) -> ApiKeyList:
    """The caller's keys that are not revoked; expired ones stay until they are."""
    found = services.api_keys.list(
        caller.user_id, limit=page.limit, after=page.after, descending=page.descending
    )
    return ApiKeyList(
        data=[ApiKeyData.of(key) for key in found.items],
        has_more=found.has_more,
        cursor=encode_cursor(found.items[-1].id) if found.has_more else None,
    )


@router.get("/me/api-keys/{id}", operation_id="getApiKey", summary="Get an API key")
async def get_api_key(
    id: PathIdentifier,  # noqa: A002 - the parameter's name in the API
    caller: CurrentCaller,
    services: Services,
) -> ApiKeyResponse:
    """One of the caller's keys that is not revoked."""
    key = services.api_keys.get(caller.user_id, key_id_of(id))
    return ApiKeyResponse(data=ApiKeyData.of(key))


@router.delete("/me/api-keys/{id}", operation_id="revokeApiKey", summary="Revoke an API key")
async def revoke_api_key(
    id: PathIdentifier,  # noqa: A002 - the parameter's name in the API
    request: Request,
    caller: CurrentCaller,
    services: Services,
    actor: Acting,
    descendants: Descendants = "false",
) -> RevokedApiKeyResponse:
    """Revoke a key for good: it is refused on the very next request.

    With `descendants=true` the keys that it made, and all that those made, go with it, also where
    it was revoked before; what was cut off half-way is done by the same request again.
    """
    if len(request.query_params.getlist("descendants")) > 1:
        raise invalid_query([detail("invalid_value", "descendants", "Given more than once")])
    key_id = key_id_of(id)
    services.api_keys.revoke(caller.user_id, key_id, descendants=descendants == "true", actor=actor)
    return RevokedApiKeyResponse(data=RevokedApiKeyData(id=key_id))


def key_id_of(text: str) -> str:
    """The id in a path; what can be none is as unknown as any other."""
    key_id = canonical_id(text)
    if key_id is None:
        raise not_found()
    return key_id
