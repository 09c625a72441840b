"""What a change of a key takes, as the contract words it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from chatgrid_auth.http_api.fields import PRINTABLE_SCHEMA, GivenInstant
from chatgrid_auth.services.key_changes.metadata import MOST_PAIRS
from chatgrid_auth.services.key_rules import LONGEST_NAME
from chatgrid_management.schemas.given_credits import GivenKeyCredits, said_of
from chatgrid_management.schemas.kinds import GivenOrigins
from chatgrid_management.schemas.new_keys import METADATA, GivenLifetime, GivenLimit, GivenScope
from chatgrid_management.schemas.rules import GivenAddresses, GivenPermissions


class ApiKeyChanges(BaseModel):
    """A merge patch (RFC 7396): what is left out stays, and `null` clears."""

    # Shapes only, and the rules for the description: `services.key_changes` checks them.

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"minProperties": 1, "examples": [{"enabled": False}]},
    )

    # A factory, where a default would do, keeps the placeholder out of the API's description.
    name: Annotated[
        str,
        Field(json_schema_extra={"minLength": 1, "maxLength": LONGEST_NAME, **PRINTABLE_SCHEMA}),
    ] = Field(default_factory=str)
    scopes: Annotated[
        list[GivenScope],
        Field(description="In place of those that it has.", json_schema_extra={"minItems": 1}),
    ] = Field(default_factory=list)
    rate_limit: Annotated[
        GivenLimit | None,
        Field(description="Requests in any 60 seconds; `null` for the deployment's default."),
    ] = Field(default_factory=lambda: None)
    expires_at: Annotated[
        GivenInstant | None,
        Field(description="As for a new key; `null` for never. An expired key works again."),
    ] = Field(default_factory=lambda: None)
    expires_in_seconds: Annotated[
        GivenLifetime | None,
        Field(description="In place of `expires_at`: how many seconds it lives from now on."),
    ] = Field(default_factory=lambda: None)
    enabled: Annotated[
        bool, Field(description="`false` disables the key, which can be taken back.")
    ] = Field(default_factory=bool)
    self_rotation: Annotated[bool, Field(description="Whether the key may rotate itself.")] = Field(
        default_factory=bool
    )
    allowed_ips: GivenAddresses = Field(default_factory=lambda: None)
    allowed_origins: GivenOrigins = Field(default_factory=lambda: None)
    permissions: GivenPermissions = Field(default_factory=lambda: None)
    metadata: Annotated[
        dict[str, str | None] | None,
        Field(
            description=f"{METADATA} Merged with those that the key has; a `null` deletes its "
            "pair, and `null` for the whole all of them.",
            json_schema_extra={"maxProperties": 2 * MOST_PAIRS},
        ),
    ] = Field(default_factory=lambda: None)

    credits: Annotated[
        GivenKeyCredits | None,
        Field(description="Merged with those that the key has; `null` ends them."),
    ] = Field(default_factory=lambda: None)

    def said(self) -> dict[str, Any]:
        """What was said, by the API's names, as the service takes it."""
        said = {name: getattr(self, name) for name in sorted(self.model_fields_set)}
        if "credits" in said:
            said["credits"] = said_of(self.credits)
        return said
