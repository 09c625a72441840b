"""Keys, as they are shown."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from chatgrid_auth.domain.credentials import ApiKey, PreviousSecret
from chatgrid_auth.http_api.fields import Identifier, Instant
from chatgrid_auth.http_api.responses import ListResponse, Response
from chatgrid_auth.services.instants import iso_instant
from chatgrid_management.schemas.credits import CreditsData, credits_facts

Scope: TypeAlias = Literal["read", "write", "admin"]
DisabledReason: TypeAlias = Literal["manual", "dormant", "exposed"]
Environment: TypeAlias = Literal["live", "test"]
Kind: TypeAlias = Literal["secret", "publishable", "canary"]
RevocationReason: TypeAlias = Literal[
    "unspecified",
    "key_compromise",
    "superseded",
    "affiliation_changed",
    "cessation_of_operation",
]


class MakerData(Response):
    """What made a key."""

    type: Literal["jwt", "api_key", "operator"]
    key_id: Annotated[
        str | None,
        Field(
            description="The key that made it; `null` for the others.",
            json_schema_extra={"format": "uuid"},
        ),
    ]


class PreviousSecretData(Response):
    """A rotated key's former secret while it still passes."""

    key_prefix: Annotated[
        str, Field(description="Its first 13 characters.", examples=["cgk_live_z9y8"])
    ]
    expires_at: Annotated[Instant, Field(description="When it ends by itself.")]
    last_used_at: Annotated[Instant | None, Field(description="Its own last use.")]


class ApiKeyData(Response):
    """A key, as its owner may see it again and again."""

    id: Identifier
    kind: Kind
    key_prefix: Annotated[
        str, Field(description="The first 13 characters.", examples=["cgk_live_a1b2"])
    ]
    name: str
    scopes: list[Scope]
    environment: Environment
    rate_limit: Annotated[int, Field(description="Requests in any 60 seconds.", examples=[120])]
    enabled: Annotated[bool, Field(description="Whether nobody has disabled it.")]
    disabled_reason: Annotated[
        DisabledReason | None, Field(description="`null` while it is enabled.")
    ]
    allowed_ips: Annotated[list[str] | None, Field(description="`null` for anywhere.")]
    allowed_origins: Annotated[list[str] | None, Field(description="`null` for any page.")]
    permissions: Annotated[
        list[str] | None, Field(description="`null` for all that the scopes let do.")
    ]
    metadata: Annotated[dict[str, str], Field(description="The owner's own notes.")]
    credits: Annotated[CreditsData | None, Field(description="`null` for a key without.")]
    last_used_at: Annotated[Instant | None, Field(description="By any of its secrets.")]
    self_rotation: Annotated[bool, Field(description="Whether the key may rotate itself.")]
    previous_secret: Annotated[
        PreviousSecretData | None, Field(description="`null` when none passes any more.")
    ]
    created_by: MakerData
    created_at: Instant
    updated_at: Annotated[
        Instant, Field(description="The last change of it; use is none. `created_at` at first.")
    ]
    expires_at: Instant | None

    @classmethod
    def of(cls, key: ApiKey) -> ApiKeyData:
        """The key in the contract's words."""
        return cls.model_validate(facts_of(key))


class RevocableApiKeyData(ApiKeyData):
    """A key in a list that shows revoked ones."""

    revoked_at: Annotated[Instant | None, Field(description="`null` while it is not revoked.")]
    revocation_reason: Annotated[
        RevocationReason | None, Field(description="`null` while it is not revoked.")
    ]

    @classmethod
    def of(cls, key: ApiKey) -> RevocableApiKeyData:
        """The key in the contract's words."""
        told = {
            "revoked_at": optional_instant(key.revoked_at_ms),
            "revocation_reason": key.revocation_reason,
        }
        return cls.model_validate({**facts_of(key), **told})


class ApiKeyResponse(Response):
    """One key."""

    object: Literal["api_key"] = "api_key"
    data: ApiKeyData


class ApiKeyList(ListResponse[ApiKeyData | RevocableApiKeyData]):
    """One page of keys; with `status` `revoked` or `all` each tells of its revocation."""


def facts_of(key: ApiKey) -> dict[str, object]:
    """What every answer says of a key."""
    return {
        "id": key.id,
        "kind": key.kind,
        "key_prefix": key.prefix,
        "name": key.name,
        "scopes": list(key.scopes),
        "environment": key.environment,
        "rate_limit": key.rate_limit,
        "enabled": key.enabled,
        "disabled_reason": key.disabled_reason,
        "allowed_ips": key.allowed_ips and list(key.allowed_ips),
        "allowed_origins": key.allowed_origins and list(key.allowed_origins),
        "permissions": key.permissions and list(key.permissions),
        "metadata": dict(key.metadata),
        "credits": credits_facts(key.credits),
        "last_used_at": optional_instant(key.last_used_at_ms),
        "self_rotation": key.self_rotation,
        "previous_secret": _previous(key.previous_secret),
        "created_by": {"type": key.created_by.type, "key_id": key.created_by.key_id},
        "created_at": iso_instant(key.created_at_ms),
        "updated_at": iso_instant(key.updated_at_ms or key.created_at_ms),
        "expires_at": optional_instant(key.expires_at_ms),
    }


def _previous(secret: PreviousSecret | None) -> dict[str, object] | None:
    if secret is None:
        return None
    return {
        "key_prefix": secret.prefix,
        "expires_at": iso_instant(secret.expires_at_ms),
        "last_used_at": optional_instant(secret.last_used_at_ms),
    }


def optional_instant(unix_ms: int | None) -> str | None:
    """An instant, or none."""
    return None if unix_ms is None else iso_instant(unix_ms)
