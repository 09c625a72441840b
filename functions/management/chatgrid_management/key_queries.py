"""What a query may say of keys: which of them a list shows, and why one is revoked."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Query, Request
from pydantic import AfterValidator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from chatgrid_auth.domain.keys import ENVIRONMENTS
from chatgrid_auth.http_api.details import detail
from chatgrid_auth.http_api.problems import invalid_query
from chatgrid_auth.services.key_filters import LONGEST_PREFIX, KeyFilters
from chatgrid_auth.services.key_rules import LONGEST_NAME
from chatgrid_management.schemas.keys import RevocationReason

_Status = Annotated[
    Literal["active", "revoked", "all"],
    Query(description="`active` keys are all that are not revoked, disabled and expired ones too."),
]


def _known_environment(text: str | None) -> str | None:
    # No `Literal | None`: the paths of a union's errors tell of types.
    if text is not None and text not in ENVIRONMENTS:
        raise PydanticCustomError("invalid_value", "Expected 'live' or 'test'")
    return text


_Environment = Annotated[
    str | SkipJsonSchema[None],
    Query(description="Only such keys.", json_schema_extra={"enum": list(ENVIRONMENTS)}),
    AfterValidator(_known_environment),
]
_Name = Annotated[
    str | SkipJsonSchema[None],
    Query(
        min_length=1,
        max_length=LONGEST_NAME,
        description="Keys whose name contains this, without regard to case.",
    ),
]
_Prefix = Annotated[
    str | SkipJsonSchema[None],
    Query(
        min_length=1,
        max_length=LONGEST_PREFIX,
        description="Keys whose `key_prefix` begins with this. Never a whole key.",
    ),
]
Descendants = Annotated[
    Literal["true", "false"], Query(description="Whether the keys that it made go with it.")
]
Reason = Annotated[RevocationReason, Query(description="Why, in the words of RFC 5280.")]


def each_once(request: Request, *names: str) -> None:
    """Refuse a query that says one of these more than once.

    Raises:
        Problem: it does.
    """
    repeated = [
        detail("invalid_value", name, "Given more than once")
        for name in names
        if len(request.query_params.getlist(name)) > 1
    ]
    if repeated:
        raise invalid_query(repeated)


async def _filters(
    request: Request,
    status: _Status = "active",
    environment: _Environment = None,
    name: _Name = None,
    prefix: _Prefix = None,
) -> KeyFilters:
    each_once(request, "status", "environment", "name", "prefix")
    return KeyFilters(status=status, environment=environment, name=name, prefix=prefix)


async def _reason(request: Request, reason: Reason = "unspecified") -> str:
    each_once(request, "reason")
    return reason


async def _descendants(request: Request, descendants: Descendants = "false") -> bool:
    each_once(request, "descendants")
    return descendants == "true"


Filters = Annotated[KeyFilters, Depends(_filters)]
WithDescendants = Annotated[bool, Depends(_descendants)]
Why = Annotated[str, Depends(_reason)]
