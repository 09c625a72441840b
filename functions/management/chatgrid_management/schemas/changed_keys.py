"""Keys that were made, changed or revoked, as the answers to that show them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chatgrid_auth.domain.credentials import ApiKey
from chatgrid_auth.http_api.fields import Identifier
from chatgrid_auth.http_api.responses import Response
from chatgrid_management.schemas.keys import ApiKeyData, ApiKeyResponse, facts_of
from chatgrid_management.schemas.rules import Warnings


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
        return cls.model_validate({**facts_of(key), "raw_key": raw_key})


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
