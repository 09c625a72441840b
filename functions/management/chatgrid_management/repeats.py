"""Requests that a client has named by `Idempotency-Key`, and what tells it of a repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

from fastapi import Depends, Header, Request, Response
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from chatgrid_auth.http_api.json_body import parse
from chatgrid_auth.services.repeatable import LONGEST_NAME, PATTERN, Repeatable, body_hash, name_of

if TYPE_CHECKING:
    from chatgrid_auth.services.idempotency import Answered

REPLAYED = "Idempotency-Replayed"


def _name(header: object) -> str:
    name = name_of(header) if isinstance(header, str) else None
    if name is None:
        rule = f"Expected 1 to {LONGEST_NAME} visible ASCII characters, bare or quoted"
        raise PydanticCustomError("invalid_value", "{rule}", {"rule": rule})
    return name


GivenName: TypeAlias = Annotated[
    str | None,
    BeforeValidator(lambda header: None if header is None else _name(header)),
    Header(
        alias="Idempotency-Key",
        description="A name of the client's own for this request, so that it may send it again: "
        f"1 to {LONGEST_NAME} visible ASCII characters, bare or quoted. Known for 24 hours.",
        json_schema_extra={"pattern": PATTERN},
    ),
]


async def _named(request: Request, name: GivenName = None) -> Repeatable | None:
    """The request, if its client may send it again."""
    if name is None:
        return None
    caller = request.scope["chatgrid.caller"]
    body = await request.body()
    path: str = request.scope["path"]
    own_key = caller.key_id if path.startswith("/me/api-key/") else ""
    return Repeatable(
        owner=caller.user_id,
        route=f"{request.method} {path} {own_key}".rstrip(),
        name=name,
        body=body_hash(parse(body) if body else {}),
    )


Named = Annotated[Repeatable | None, Depends(_named)]


def tell(response: Response, answered: Answered) -> None:
    """Say in the response's headers whether this is a repeat."""
    if answered.replayed:
        response.headers[REPLAYED] = "true"
