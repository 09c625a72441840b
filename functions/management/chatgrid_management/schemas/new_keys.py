"""What a new key is asked for with."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from chatgrid_auth.domain.keys import ENVIRONMENTS
from chatgrid_auth.domain.scopes import SCOPES
from chatgrid_auth.http_api.fields import PRINTABLE_SCHEMA, GivenInstant
from chatgrid_auth.services.key_changes.metadata import LONGEST_NAME as LONGEST_PAIR_NAME
from chatgrid_auth.services.key_changes.metadata import MOST_BYTES, MOST_PAIRS
from chatgrid_auth.services.key_rules import (
    LONGEST_LIFE_SECONDS,
    LONGEST_LIFE_YEARS,
    LONGEST_NAME,
)
from chatgrid_management.schemas.given_credits import GivenKeyCredits
from chatgrid_management.schemas.kinds import GivenKind, GivenOrigins
from chatgrid_management.schemas.rules import GivenAddresses, GivenPermissions

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
