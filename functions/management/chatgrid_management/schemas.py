"""What the management routes take and give, as the contract words it."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from chatgrid_auth.domain.credentials import ApiKey
from chatgrid_auth.http_api.fields import (
    PRINTABLE_SCHEMA,
    GivenInstant,
    Identifier,
    Instant,
    iso_instant,
    printable,
)
from chatgrid_auth.http_api.responses import ListResponse, Response

Scope: TypeAlias = Literal["read", "write", "admin"]
Environment: TypeAlias = Literal["live", "test"]


#: The ceiling is a setting, so the route checks it; described is the template's own.
GivenLimit: TypeAlias = Annotated[
    int, Field(ge=1), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 100_000})
]


class NewApiKey(BaseModel):
    """What a key is to be."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"name": "CI/CD pipeline", "scopes": ["read", "write"]}]},
    )

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            description="1 to 64 characters (Unicode code points), no control characters, "
            "not blank; kept as given.",
            json_schema_extra=PRINTABLE_SCHEMA,
        ),
        AfterValidator(printable),
    ]
    scopes: Annotated[
        list[Scope],
        Field(min_length=1, description="What the key may do; given twice counts once."),
    ] = ["read", "write"]
    rate_limit: Annotated[
        GivenLimit | None,
        Field(
            description="Requests in any 60 seconds; the deployment's default (120) when left "
            "out, and at most its ceiling (100,000 unless the operator changed it)."
        ),
    ] = None
    expires_at: Annotated[
        GivenInstant | None,
        Field(description="ISO 8601 with an offset, in the future, at most 100 years away."),
    ] = None
    environment: Environment = "live"


class ApiKeyData(Response):
    """A key, as its owner may see it again and again."""

    id: Identifier
    key_prefix: Annotated[
        str, Field(description="The first 13 characters.", examples=["cgk_live_a1b2"])
    ]
    name: str
    scopes: list[Scope]
    rate_limit: Annotated[int, Field(description="Requests in any 60 seconds.", examples=[120])]
    last_used_at: Instant | None
    created_at: Instant
    expires_at: Instant | None

    @classmethod
    def of(cls, key: ApiKey) -> ApiKeyData:
        """The key in the contract's words."""
        return cls.model_validate(_facts(key))


class IssuedApiKeyData(ApiKeyData):
    """A key in the one answer that shows its raw form."""

    raw_key: Annotated[
        str,
        Field(
            description="The key itself, shown in this answer only and stored nowhere.",
            examples=["cgk_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6"],
            repr=False,
        ),
    ]

    @classmethod
    def issued(cls, key: ApiKey, raw_key: str) -> IssuedApiKeyData:
        """The new key in the contract's words."""
        return cls.model_validate({**_facts(key), "raw_key": raw_key})


class ApiKeyResponse(Response):
    """One key."""

    object: Literal["api_key"] = "api_key"
    data: ApiKeyData


class ApiKeyList(ListResponse[ApiKeyData]):
    """One page of keys."""


class IssuedApiKeyResponse(Response):
    """One new key."""

    object: Literal["api_key"] = "api_key"
    data: IssuedApiKeyData


class RevokedApiKeyData(Response):
    """Which key is no more."""

    id: Identifier
    revoked: Literal[True] = True


class RevokedApiKeyResponse(Response):
    """A key has been revoked, for good."""

    object: Literal["api_key_revoked"] = "api_key_revoked"
    data: RevokedApiKeyData


class UserData(Response):
    """Who is calling with a JWT."""

    id: Annotated[str, Field(description="The user's id at the identity provider.")]
    email: Annotated[str | None, Field(description="`null` when unknown.")] = None
    created_at: Annotated[Instant | None, Field(description="`null` when unknown.")] = None
    auth_mode: Literal["jwt"] = "jwt"


class OwnKeyData(Response):
    """The key that the request came with."""

    id: Identifier
    name: str
    scopes: list[Scope]
    environment: Environment
    expires_at: Instant | None
    rate_limit: Annotated[int, Field(description="Requests in any 60 seconds.")]
    rate_limit_remaining: Annotated[int, Field(description="How many more are admitted now.")]


class KeyHolderData(Response):
    """Whose key is calling, and what that key is."""

    id: Annotated[str, Field(description="The id of the user that the key belongs to.")]
    email: None = None
    created_at: None = None
    auth_mode: Literal["api-key"] = "api-key"
    api_key: OwnKeyData


class UserResponse(Response):
    """Who am I?"""

    object: Literal["user"] = "user"
    data: Annotated[UserData | KeyHolderData, Field(discriminator="auth_mode")]


def _facts(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "key_prefix": key.prefix,
        "name": key.name,
        "scopes": list(key.scopes),
        "rate_limit": key.rate_limit,
        "last_used_at": optional_instant(key.last_used_at_ms),
        "created_at": iso_instant(key.created_at_ms),
        "expires_at": optional_instant(key.expires_at_ms),
    }


def optional_instant(unix_ms: int | None) -> str | None:
    """An instant, or none."""
    return None if unix_ms is None else iso_instant(unix_ms)
