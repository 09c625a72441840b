"""API keys, issued and revoked by their owner."""

from __future__ import annotations

from fastapi import Response

from chatgrid_auth.domain.error_table import NO_UPDATES
from chatgrid_auth.domain.identifiers import canonical_id
from chatgrid_auth.http_api.edge import router as new_router
from chatgrid_auth.http_api.fields import PathIdentifier
from chatgrid_auth.http_api.pagination import Paging, encode_cursor
from chatgrid_auth.http_api.problems import Problem, not_found
from chatgrid_auth.services.key_filters import ACTIVE
from chatgrid_management.change_schemas import ApiKeyChanges
from chatgrid_management.credit_schemas import said_of
from chatgrid_management.key_queries import Filters, Why, WithDescendants
from chatgrid_management.kind_schemas import scopes_of
from chatgrid_management.repeats import Named, tell
from chatgrid_management.rule_schemas import warnings_of
from chatgrid_management.schemas import (
    ApiKeyData,
    ApiKeyList,
    ApiKeyResponse,
    ChangedApiKeyResponse,
    CreatedApiKeyResponse,
    IssuedApiKeyData,
    NewApiKey,
    RevocableApiKeyData,
    RevokedApiKeyData,
    RevokedApiKeyResponse,
)
from chatgrid_management.services import Acting, CurrentCaller, Services

router = new_router("api-keys")


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
) -> CreatedApiKeyResponse:
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
            scopes=scopes_of(new.kind, new.scopes, said="scopes" in new.model_fields_set),
            environment=new.environment,
            kind=new.kind,
            allowed_origins=new.allowed_origins,
            rate_limit=new.rate_limit,
            enabled=new.enabled,
            self_rotation=new.self_rotation,
            metadata=new.metadata,
            allowed_ips=new.allowed_ips,
            **new.said_where_silence_speaks(),
            credits_said=said_of(new.credits),
            actor=actor,
            claim=claim,
        ),
        actor=actor,
    )
    tell(response, answered)
    return CreatedApiKeyResponse(
        data=IssuedApiKeyData.issued(answered.key, answered.raw_key),
        warnings=warnings_of(answered.key, actor),
    )


@router.get("/me/api-keys", operation_id="listApiKeys", summary="List API keys")
async def list_api_keys(
    page: Paging, filters: Filters, caller: CurrentCaller, services: Services
) -> ApiKeyList:
    """The caller's keys that are not revoked; expired ones stay until they are.

    A filtered page may hold fewer keys than `limit`, even none, with `has_more` true.
    """
    found = services.api_keys.list(
        caller.user_id,
        limit=page.limit,
        after=page.after,
        descending=page.descending,
        filters=filters,
    )
    shown = ApiKeyData if filters.status == ACTIVE else RevocableApiKeyData
    more = found.has_more and found.last_id is not None
    return ApiKeyList(
        data=[shown.of(key) for key in found.items],
        has_more=more,
        cursor=encode_cursor(found.last_id) if more and found.last_id else None,
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


@router.patch("/me/api-keys/{id}", operation_id="updateApiKey", summary="Change an API key")
async def update_api_key(
    id: PathIdentifier,  # noqa: A002 - the parameter's name in the API
    changes: ApiKeyChanges,
    caller: CurrentCaller,
    services: Services,
    actor: Acting,
) -> ChangedApiKeyResponse:
    """Change what is named of a key, by a merge patch; equal values are fine.

    What a change takes away is refused on the very next request. Changes of different fields that
    are made at the same time all hold.
    """
    said = changes.said()
    if not said:
        raise Problem.of(NO_UPDATES)
    key = services.key_changes.change(caller.user_id, key_id_of(id), said, actor=actor)
    return ChangedApiKeyResponse(data=ApiKeyData.of(key), warnings=warnings_of(key, actor))


@router.delete("/me/api-keys/{id}", operation_id="revokeApiKey", summary="Revoke an API key")
async def revoke_api_key(
    id: PathIdentifier,  # noqa: A002 - the parameter's name in the API
    caller: CurrentCaller,
    services: Services,
    actor: Acting,
    descendants: WithDescendants,
    reason: Why,
) -> RevokedApiKeyResponse:
    """Revoke a key for good: it is refused on the very next request.

    With `descendants=true` the keys that it made, and all that those made, go with it, also where
    it was revoked before; what was cut off half-way is done by the same request again.
    """
    key_id = key_id_of(id)
    services.api_keys.revoke(
        caller.user_id, key_id, descendants=descendants, reason=reason, actor=actor
    )
    return RevokedApiKeyResponse(data=RevokedApiKeyData(id=key_id))


def key_id_of(text: str) -> str:
    """The id in a path; what can be none is as unknown as any other."""
    key_id = canonical_id(text)
    if key_id is None:
        raise not_found()
    return key_id
