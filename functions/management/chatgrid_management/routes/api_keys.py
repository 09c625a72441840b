"""API keys, made, changed and revoked by their owner."""

from __future__ import annotations

from fastapi import Response

from chatgrid_auth.domain.error_table import NO_UPDATES
from chatgrid_auth.http_api.edge import router as new_router
from chatgrid_auth.http_api.fields import PathIdentifier
from chatgrid_auth.http_api.problems import Problem
from chatgrid_management.key_queries import Why, WithDescendants
from chatgrid_management.paths import key_id_of
from chatgrid_management.repeats import Named, tell
from chatgrid_management.schemas.changed_keys import (
    ChangedApiKeyResponse,
    CreatedApiKeyResponse,
    IssuedApiKeyData,
    RevokedApiKeyData,
    RevokedApiKeyResponse,
)
from chatgrid_management.schemas.given_credits import said_of
from chatgrid_management.schemas.key_changes import ApiKeyChanges
from chatgrid_management.schemas.keys import ApiKeyData
from chatgrid_management.schemas.kinds import scopes_of
from chatgrid_management.schemas.new_keys import NewApiKey
from chatgrid_management.schemas.rules import warnings_of
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
    answered = services.changing().idempotency.once(
        named,
        lambda claim: services.changing().api_keys.issue(
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
    key = services.changing().key_changes.change(caller.user_id, key_id_of(id), said, actor=actor)
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
    services.changing().api_keys.revoke(
        caller.user_id, key_id, descendants=descendants, reason=reason, actor=actor
    )
    return RevokedApiKeyResponse(data=RevokedApiKeyData(id=key_id))
