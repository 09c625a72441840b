"""Walking the pages gives each item that existed throughout exactly once.

Ids are UUIDv7: their order is the order of creation, so the place where a page ended is the
last item's id and nothing else. It stays a place when that item is deleted, and items made
or deleted elsewhere move nothing past it.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import BeforeValidator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from chatgrid_auth.domain.key_errors import InvalidCursor
from chatgrid_auth.http_api.details import detail
from chatgrid_auth.http_api.problems import invalid_query

_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
#: 16 bytes in base64url: the last character carries two bits only.
CURSOR_PATTERN = r"^[A-Za-z0-9_-]{21}[AQgw]$"
_CURSOR = re.compile(CURSOR_PATTERN, re.ASCII)


def _digits(text: object) -> object:
    if isinstance(text, str) and not _INTEGER.fullmatch(text):
        raise PydanticCustomError("invalid_type", "Expected an integer")
    return text


Limit = Annotated[
    int, Query(ge=1, le=100, description="Items on a page."), BeforeValidator(_digits)
]
Cursor = Annotated[
    str | SkipJsonSchema[None],
    Query(
        description="Where to go on: the `cursor` of the page before. Opaque.",
        json_schema_extra={"pattern": CURSOR_PATTERN},
    ),
]
Order = Annotated[Literal["asc", "desc"], Query(description="By `created_at`.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Which page a client asks for; ``after`` is the id that the page before ended with."""

    limit: int
    after: str | None
    descending: bool


async def page_request(
    request: Request, limit: Limit = 50, cursor: Cursor = None, order: Order = "desc"
) -> PageRequest:
    """The page that the query asks for.

    Raises:
        Problem: a parameter is given more than once.
        InvalidCursor: the cursor is none of ours.
    """
    repeated = [
        detail("invalid_value", name, "Given more than once")
        for name in ("limit", "cursor", "order")
        if len(request.query_params.getlist(name)) > 1
    ]
    if repeated:
        raise invalid_query(repeated)
    after = None if cursor is None else decode_cursor(cursor)
    return PageRequest(limit=limit, after=after, descending=order == "desc")


Paging = Annotated[PageRequest, Depends(page_request)]


def encode_cursor(item_id: str) -> str:
    """The cursor for the page after the one that ended with this id."""
    return urlsafe_b64encode(UUID(item_id).bytes).rstrip(b"=").decode()


def decode_cursor(cursor: str) -> str:
    """The id that a page ended with.

    Raises:
        InvalidCursor: this API gave no such cursor.
    """
    if not _CURSOR.fullmatch(cursor):
        raise InvalidCursor
    return str(UUID(bytes=urlsafe_b64decode(cursor + "==")))
