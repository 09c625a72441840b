"""Who is calling, and with what."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Request

from chatgrid_auth import proxy_events
from chatgrid_auth.domain.key_errors import NotFound
from chatgrid_auth.domain.limits.beyond import DEFAULT, AppliedLimit
from chatgrid_auth.domain.verdicts import Caller, RateLimitStatus
from chatgrid_auth.http_api.edge import router as new_router
from chatgrid_auth.http_api.problems import key_revoked
from chatgrid_auth.rate_limit_headers import read_beyond
from chatgrid_auth.services.instants import iso_instant
from chatgrid_management.schemas.credits import credits_facts
from chatgrid_management.schemas.keys import optional_instant
from chatgrid_management.schemas.me import KeyHolderData, OwnKeyData, UserData, UserResponse
from chatgrid_management.schemas.tokens import HeldTokenData
from chatgrid_management.services import CurrentCaller, Management, Services

router = new_router("me")


@router.get("/me", operation_id="getMe", summary="Who am I?")
async def get_me(request: Request, caller: CurrentCaller, services: Services) -> UserResponse:
    """The user that the credential belongs to.

    With an API key also what the key is, so that its holder can look at it without an admin
    credential.
    """
    if caller.key_id is None:
        return UserResponse(data=UserData(id=caller.user_id, email=caller.email))
    context, _, _ = proxy_events.read(request.scope["aws.event"])
    limits = read_beyond(context).limits
    # Where another limit has less left, the response's headers are about that one.
    figures: RateLimitStatus | None = next(
        (one.status for one in limits if one.name == DEFAULT), request.scope["chatgrid.rate_limit"]
    )
    own = _own_key(services, caller, caller.key_id, figures, limits)
    return UserResponse(
        data=KeyHolderData(id=caller.user_id, api_key=own, token=HeldTokenData.of(caller.token))
    )


def _own_key(
    services: Management,
    caller: Caller,
    key_id: str,
    figures: RateLimitStatus | None,
    limits: Sequence[AppliedLimit],
) -> OwnKeyData:
    try:
        key = services.keys.get(caller.user_id, key_id)
    except NotFound:
        # It was there when the authorizer looked, so it has been revoked since.
        raise key_revoked() from None
    return OwnKeyData.model_validate(
        {
            "id": key.id,
            "name": key.name,
            "scopes": list(key.scopes),
            "environment": key.environment,
            "expires_at": optional_instant(key.expires_at_ms),
            "rate_limit": figures.limit if figures else key.rate_limit,
            "metadata": dict(key.metadata),
            "credits": credits_facts(key.credits),
            "rate_limit_remaining": figures.remaining if figures else key.rate_limit,
            "limits": list(map(_limit, limits)) or None,
        }
    )


def _limit(applied: AppliedLimit) -> dict[str, object]:
    status = applied.status
    return {
        "name": applied.name,
        "limit": applied.limit,
        "window_seconds": applied.window_seconds,
        "remaining": None if status is None else status.remaining,
        "reset_at": None if status is None else iso_instant(status.reset_s * 1000),
    }
