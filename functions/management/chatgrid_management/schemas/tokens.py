"""What a derived token is asked for with, and what is told of one, as the contract words it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from chatgrid_auth.domain.tokens.format import GRANTABLE
from chatgrid_auth.domain.verdicts import DerivedFrom
from chatgrid_auth.http_api.fields import Instant
from chatgrid_auth.http_api.responses import Response
from chatgrid_auth.services.instants import iso_instant
from chatgrid_auth.services.tokens.making import (
    DEFAULT_SECONDS,
    LONGEST_SECONDS,
    SHORTEST_SECONDS,
    MadeToken,
)
from chatgrid_management.schemas.rules import GivenAddresses

TokenScope: TypeAlias = Literal["read", "write"]
#: Whatever was given for a scope: the rules of tokens say what may be.
_GivenScope = Annotated[Any, WithJsonSchema({"enum": list(GRANTABLE), "type": "string"})]


class NewToken(BaseModel):
    """What a token is to be."""

    # Shapes only, and the rules for the description: `services.tokens` checks them.

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"expires_in_seconds": 300, "scopes": ["read"]}]},
    )

    expires_in_seconds: Annotated[
        int,
        Field(
            description="How long it works, though never longer than the secret that makes it.",
            json_schema_extra={"minimum": SHORTEST_SECONDS, "maximum": LONGEST_SECONDS},
        ),
    ] = DEFAULT_SECONDS
    scopes: Annotated[
        list[_GivenScope] | None,
        Field(
            description="Any that the key's include, but never `admin`; all of those when left "
            "out (`write` for a key whose only one is `admin`).",
            json_schema_extra={"minItems": 1},
        ),
    ] = None
    allowed_ips: GivenAddresses = None


#: A body of its own; none is one with the defaults.
GivenToken = NewToken | None


class TokenData(Response):
    """A token, in the one answer that shows it."""

    access_token: Annotated[
        str, Field(description="The token itself, shown in this answer only.", repr=False)
    ]
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - RFC 6750's word, not a secret
    expires_at: Instant
    scopes: list[TokenScope]

    @classmethod
    def of(cls, made: MadeToken) -> TokenData:
        """The token in the contract's words."""
        return cls(
            access_token=made.text,
            expires_at=iso_instant(made.expires_at_ms),
            scopes=list(made.scopes),  # type: ignore[arg-type]  # the format's own
        )


class TokenResponse(Response):
    """One new token."""

    object: Literal["token"] = "token"
    data: TokenData


class HeldTokenData(Response):
    """The token that the request came with in place of its key."""

    expires_at: Instant
    scopes: Annotated[list[TokenScope], Field(description="As it was given them.")]

    @classmethod
    def of(cls, token: DerivedFrom | None) -> HeldTokenData | None:
        """The token in the contract's words; ``None`` where the key itself came."""
        if token is None:
            return None
        return cls.model_validate(
            {"expires_at": iso_instant(token.expires_at_ms), "scopes": list(token.scopes)}
        )
