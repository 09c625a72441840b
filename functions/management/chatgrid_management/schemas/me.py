"""Who is calling, as the contract words it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chatgrid_auth.http_api.fields import Identifier, Instant
from chatgrid_auth.http_api.responses import Response
from chatgrid_management.schemas.credits import CreditsData
from chatgrid_management.schemas.keys import Environment, Scope
from chatgrid_management.schemas.tokens import HeldTokenData


class UserData(Response):
    """Who is calling with a JWT."""

    id: Annotated[str, Field(description="The user's id at the identity provider.")]
    email: Annotated[str | None, Field(description="`null` when unknown.")] = None
    created_at: Annotated[Instant | None, Field(description="`null` when unknown.")] = None
    auth_mode: Literal["jwt"] = "jwt"


class LimitData(Response):
    """A limit that applied to this request."""

    name: Annotated[
        str, Field(description="`default` (the key's own), `owner`, or `route:` with the route.")
    ]
    limit: Annotated[int, Field(description="Units in any time of that length.")]
    window_seconds: int
    remaining: Annotated[
        int | None, Field(description="How many more are admitted now; `null` if it was not asked.")
    ]
    reset_at: Annotated[Instant | None, Field(description="When the whole limit is back.")]


class OwnKeyData(Response):
    """The key that the request came with."""

    id: Identifier
    name: str
    scopes: list[Scope]
    environment: Environment
    expires_at: Instant | None
    rate_limit: Annotated[int, Field(description="Requests in any 60 seconds.")]
    metadata: dict[str, str]
    credits: CreditsData | None
    rate_limit_remaining: Annotated[int, Field(description="How many more are admitted now.")]
    limits: Annotated[
        list[LimitData] | None,
        Field(description="All that applied to this request; `null` where its own is the only."),
    ]


class KeyHolderData(Response):
    """Whose key is calling, and what that key is."""

    id: Annotated[str, Field(description="The id of the user that the key belongs to.")]
    email: None = None
    created_at: None = None
    auth_mode: Literal["api-key"] = "api-key"
    api_key: OwnKeyData
    token: Annotated[
        HeldTokenData | None,
        Field(description="What came in the key's place; `null` when that came itself."),
    ] = None


class UserResponse(Response):
    """Who am I?"""

    object: Literal["user"] = "user"
    data: Annotated[UserData | KeyHolderData, Field(discriminator="auth_mode")]
