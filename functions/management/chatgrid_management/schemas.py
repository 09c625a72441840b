"""What the management routes take and give, as the contract words it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from chatgrid_auth.domain.credentials import ApiKey, PreviousSecret
from chatgrid_auth.domain.keys import ENVIRONMENTS
from chatgrid_auth.domain.scopes import SCOPES
from chatgrid_auth.http_api.fields import (
    PRINTABLE_SCHEMA,
    GivenInstant,
    Identifier,
    Instant,
)
from chatgrid_auth.http_api.responses import ListResponse, Response
from chatgrid_auth.services.instants import iso_instant
from chatgrid_auth.services.key_changes.metadata import LONGEST_NAME as LONGEST_PAIR_NAME
from chatgrid_auth.services.key_changes.metadata import MOST_BYTES, MOST_PAIRS
from chatgrid_auth.services.key_rules import (
    LONGEST_LIFE_SECONDS,
    LONGEST_LIFE_YEARS,
    LONGEST_NAME,
)
from chatgrid_management.credit_schemas import CreditsData, GivenKeyCredits, credits_facts
from chatgrid_management.kind_schemas import GivenKind, GivenOrigins, Kind, MakerData
from chatgrid_management.rotation_schemas import PreviousSecretData
from chatgrid_management.rule_schemas import GivenAddresses, GivenPermissions, Warnings

Scope: TypeAlias = Literal["read", "write", "admin"]
DisabledReason: TypeAlias = Literal["manual", "dormant", "exposed"]
Environment: TypeAlias = Literal["live", "test"]
RevocationReason: TypeAlias = Literal[
    "unspecified",
    "key_compromise",
    "superseded",
    "affiliation_changed",
    "cessation_of_operation",
]
#: The template's own ceiling, which the description names; the real one is a setting.
DEFAULT_CEILING = 1_000
GivenLimit: TypeAlias = Annotated[
    int, WithJsonSchema({"type": "integer", "minimum": 1, "maximum": DEFAULT_CEILING})
]
GivenLifetime: TypeAlias = Annotated[
    int,
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": LONGEST_LIFE_SECONDS}),
]
#: Whatever was given for a scope or an environment: the rules of new keys say what may be.
GivenScope: TypeAlias = Annotated[Any, WithJsonSchema({"enum": list(SCOPES), "type": "string"})]
GivenEnvironment: TypeAlias = Annotated[
    Any, WithJsonSchema({"enum": list(ENVIRONMENTS), "type": "string"})
]


METADATA = (
    f"The owner's own notes: up to {MOST_PAIRS} pairs of strings, names of 1 to {LONGEST_PAIR_NAME}"
    f" characters, {MOST_BYTES:,} bytes of UTF-8 in all, no control characters."
)


class NewApiKey(BaseModel):
    """What a key is to be."""

    # Shapes only, and the rules for the description: `services.key_rules` checks them.

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"name": "CI/CD pipeline", "scopes": ["read", "write"]}]},
    )

    name: Annotated[
        str,
        Field(
            description=f"1 to {LONGEST_NAME} characters (Unicode code points), no control "
            "characters, at least one that shows; kept as given.",
            json_schema_extra={"minLength": 1, "maxLength": LONGEST_NAME, **PRINTABLE_SCHEMA},
        ),
    ]
    scopes: Annotated[
        list[GivenScope],
        Field(
            description="What the key may do; given twice counts once.",
            json_schema_extra={"minItems": 1},
        ),
    ] = ["read", "write"]
    rate_limit: Annotated[
        GivenLimit | None,
        Field(
            description="Requests in any 60 seconds; the deployment's default (120) when left "
            "out, and at most its ceiling (1,000 unless the operator changed it)."
        ),
    ] = None
    expires_at: Annotated[
        GivenInstant | None,
        Field(
            description="ISO 8601 with an offset, in the future, "
            f"at most {LONGEST_LIFE_YEARS} years away, and within the deployment's ceiling if it "
            "has one; `null` for never. Left out, the deployment's default holds."
        ),
    ] = None
    expires_in_seconds: Annotated[
        GivenLifetime | None,
        Field(description="In place of `expires_at`: how many seconds it lives from now on."),
    ] = None
    environment: GivenEnvironment = "live"
    kind: GivenKind = "secret"
    allowed_origins: GivenOrigins = None
    enabled: Annotated[bool, Field(description="Whether it works from the start.")] = True
    self_rotation: Annotated[bool, Field(description="Whether the key may rotate itself.")] = False
    allowed_ips: GivenAddresses = None
    permissions: GivenPermissions = None
    metadata: Annotated[
        dict[str, str] | None,
        Field(description=METADATA, json_schema_extra={"maxProperties": MOST_PAIRS}),
    ] = None
    credits: Annotated[
        GivenKeyCredits | None,
        Field(description="What it may use in all; `null` for no such end."),
    ] = None

    def said_where_silence_speaks(self) -> dict[str, Any]:
        """What was said of its expiry and permissions, as the service takes it."""
        said = {
            "expires_at_ms": "expires_at",
            "expires_in_seconds": "expires_in_seconds",
            "permissions": "permissions",
        }
        return {
            name: getattr(self, field)
            for name, field in said.items()
            if field in self.model_fields_set
        }


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
        return cls.model_validate(_facts(key))


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
        return cls.model_validate({**_facts(key), **told})


class IssuedApiKeyData(ApiKeyData):
    """A key in the one answer that shows its raw form."""

    raw_key: Annotated[
        str | None,
        Field(
            description="The key itself, shown in this answer only and stored nowhere. `null` in "
            "the answer to a repeat whose secret was used, rotated or revoked since.",
            examples=["cgk_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6"],
            repr=False,
        ),
    ]

    @classmethod
    def issued(cls, key: ApiKey, raw_key: str | None) -> IssuedApiKeyData:
        """The new key in the contract's words."""
        return cls.model_validate({**_facts(key), "raw_key": raw_key})


class ApiKeyResponse(Response):
    """One key."""

    object: Literal["api_key"] = "api_key"
    data: ApiKeyData


class ApiKeyList(ListResponse[ApiKeyData | RevocableApiKeyData]):
    """One page of keys; with `status` `revoked` or `all` each tells of its revocation."""


class IssuedApiKeyResponse(Response):
    """One new key."""

    object: Literal["api_key"] = "api_key"
    data: IssuedApiKeyData


class ChangedApiKeyResponse(ApiKeyResponse):
    """One key as it is now, and what holds of it that may not have been meant."""

    warnings: Warnings


class CreatedApiKeyResponse(IssuedApiKeyResponse):
    """One new key, and what holds of it that may not have been meant."""

    warnings: Warnings


class RevokedApiKeyData(Response):
    """Which key is no more."""

    id: Identifier
    revoked: Literal[True] = True


class RevokedApiKeyResponse(Response):
    """A key has been revoked, for good."""

    object: Literal["api_key_revoked"] = "api_key_revoked"
    data: RevokedApiKeyData


def _facts(key: ApiKey) -> dict[str, object]:
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
