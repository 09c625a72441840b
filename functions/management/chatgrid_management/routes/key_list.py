"""API keys, as their owner looks at them."""

from __future__ import annotations

from chatgrid_auth.http_api.edge import router as new_router
from chatgrid_auth.http_api.fields import PathIdentifier
from chatgrid_auth.http_api.pagination import Paging, encode_cursor
from chatgrid_auth.services.key_filters import ACTIVE
from chatgrid_management.key_queries import Filters
from chatgrid_management.paths import key_id_of
from chatgrid_management.schemas.keys import (
    ApiKeyData,
    ApiKeyList,
    ApiKeyResponse,
    RevocableApiKeyData,
)
from chatgrid_management.services import CurrentCaller, Services

router = new_router("api-keys")


@router.get("/me/api-keys", operation_id="listApiKeys", summary="List API keys")
async def list_api_keys(
    page: Paging, filters: Filters, caller: CurrentCaller, services: Services
) -> ApiKeyList:
    """The caller's keys that are not revoked; expired ones stay until they are.

    A filtered page may hold fewer keys than `limit`, even none, with `has_more` true.
    """
    found = services.keys.list(
        caller.user_id,
        limit=page.limit,
        after=page.after,
        descending=page.descending,
        filters=filters,
    )
    shown = ApiKeyData if filters.status == ACTIVE else RevocableApiKeyData
    more = found.has_more and found.last_id is not None
    return ApiKeyList(
        data=[shown.of(key) for key in found.items],
        has_more=more,
        cursor=encode_cursor(found.last_id) if more and found.last_id else None,
    )


@router.get("/me/api-keys/{id}", operation_id="getApiKey", summary="Get an API key")
async def get_api_key(
    id: PathIdentifier,  # noqa: A002 - the parameter's name in the API
    caller: CurrentCaller,
    services: Services,
) -> ApiKeyResponse:
    """One of the caller's keys that is not revoked."""
    key = services.keys.get(caller.user_id, key_id_of(id))
    return ApiKeyResponse(data=ApiKeyData.of(key))
