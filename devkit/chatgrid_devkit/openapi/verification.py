"""``/keys/verify`` described. The authorizer serves it, which loads no framework that could."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, ConfigDict, Field

from chatgrid_auth.http_api.responses import Response

_EXAMPLE: Any = {
    "credential": "cgk_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6",
    "method": "GET",
    "resource": "/boards",
    "source_ip": "203.0.113.7",
}
router = APIRouter(tags=["keys"])


class VerificationRequest(BaseModel):
    """A credential, and what it is presented for: either a scope, or a method and a resource."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [_EXAMPLE]}
    )

    credential: Annotated[str, Field(description="As the client sent it, without `Bearer`.")]
    scope: Annotated[Literal["read", "write", "admin"] | None, Field()] = None
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] | None = None
    resource: Annotated[
        str | None, Field(description="As your API declares it: `/boards/{id}`.")
    ] = None
    permission: Annotated[str | None, Field(description="Needed beside it; `resource:action`.")] = (
        None
    )
    cost: Annotated[
        int,
        Field(
            ge=0, description="At most the dearest route's. 0 judges like 1, and counts nothing."
        ),
    ] = 1
    source_ip: Annotated[
        str | None,
        Field(description="Where the client calls from. A key with addresses is refused without."),
    ] = None
    origin: Annotated[
        str | None,
        Field(description="As the client sent it. A publishable key is refused without its own."),
    ] = None


class VerifiedCaller(Response):
    """Whose credential it is."""

    user_id: str
    key_id: str | None
    auth_mode: Literal["api-key", "jwt"]
    scopes: list[str]
    permissions: list[str] | None
    environment: str | None
    metadata: dict[str, str] | None
    expires_at: str | None


class VerifiedLimit(Response):
    """Where the caller stands after this request, with the limit that has the least left."""

    limit: int
    remaining: int
    reset_at: str


class VerificationData(Response):
    """The gate's verdict."""

    valid: bool
    code: Literal[
        "valid",
        "invalid",
        "revoked",
        "expired",
        "disabled",
        "forbidden",
        "ip_not_allowed",
        "rate_limited",
        "credits_exhausted",
    ]
    message: str | None
    caller: VerifiedCaller | None
    rate_limit: VerifiedLimit | None
    retry_after_seconds: int | None


class VerificationResponse(Response):
    """A verdict."""

    object: Literal["verification"] = "verification"
    data: VerificationData


@router.post("/keys/verify", operation_id="verifyCredential", summary="Verify a credential")
async def verify(asked: VerificationRequest) -> VerificationResponse:
    """What the gate says of a credential, for backends that stand elsewhere.

    Needs the permission `keys:verify`, which only an operator gives.
    """
    raise NotImplementedError  # the authorizer serves it; here it is only described


def app() -> FastAPI:
    """An application to be described, never served."""
    described = FastAPI()
    described.include_router(router)
    return described
