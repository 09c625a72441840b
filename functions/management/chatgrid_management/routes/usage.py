"""How often the caller's keys and sessions were used."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from fastapi import Depends, Query, Request
from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from chatgrid_auth.http_api.details import detail
from chatgrid_auth.http_api.edge import router as new_router
from chatgrid_auth.http_api.fields import Instant, PathIdentifier, instant_ms
from chatgrid_auth.http_api.problems import invalid_query
from chatgrid_auth.http_api.responses import Response
from chatgrid_auth.services.instants import iso_instant
from chatgrid_auth.services.usage.reports import BadSpan, Report, Span, report, span_of
from chatgrid_management.key_queries import each_once
from chatgrid_management.paths import key_id_of
from chatgrid_management.services import CurrentCaller, Services

router = new_router("usage")

Granularity = Literal["minute", "hour", "day"]
_Count = Annotated[int, Field(ge=0)]


class UsageCounts(Response):
    """Numbers of requests."""

    allowed: _Count
    refused: Annotated[int, Field(ge=0, description="All that were not allowed.")]
    rate_limited: Annotated[int, Field(ge=0, description="Of the refused: over a limit.")]
    forbidden: Annotated[int, Field(ge=0, description="Of the refused: not within its rights.")]
    credits: Annotated[int, Field(ge=0, description="Credits that were spent.")]


class UsageBucket(UsageCounts):
    """What happened in one minute, hour or day."""

    at: Instant


class RouteUsage(UsageCounts):
    """What happened on one route."""

    route: Annotated[str, Field(examples=["GET /boards"])]


class UsageData(Response):
    """Every bucket of the span, and its twenty busiest routes."""

    granularity: Granularity
    from_: Annotated[Instant, Field(alias="from")]
    to: Instant
    buckets: list[UsageBucket]
    routes: list[RouteUsage]


class UsageResponse(Response):
    """How often something was used."""

    object: Literal["usage"] = "usage"
    data: UsageData

    @classmethod
    def of(cls, told: Report) -> UsageResponse:
        """The answer that tells of this."""
        return cls(
            data=UsageData.model_validate(
                {
                    "granularity": told.span.granularity,
                    "from": iso_instant(told.span.from_ms),
                    "to": iso_instant(told.span.to_ms),
                    "buckets": [
                        {"at": iso_instant(bucket.start_ms), **bucket.counts}
                        for bucket in told.buckets
                    ],
                    "routes": [{"route": route, **counts} for route, counts in told.routes],
                }
            )
        )


# No `GivenInstant | None`: the paths of a union's errors tell of types.
_Moment = Annotated[
    int | SkipJsonSchema[None],
    BeforeValidator(instant_ms),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
_From = Annotated[
    _Moment,
    Query(alias="from", description="The first instant; a day before the end without it."),
]
_To = Annotated[
    _Moment,
    Query(
        description="The first instant that is not asked for; without it the running bucket's end."
    ),
]
_Granularity = Annotated[
    Granularity,
    Query(description="Minutes are kept for 2 days, hours for 90, days for 2 years."),
]


async def _span(
    request: Request, from_: _From = None, to: _To = None, granularity: _Granularity = "hour"
) -> Span:
    each_once(request, "from", "to", "granularity")
    now_ms = time.time_ns() // 1_000_000
    try:
        return span_of(granularity=granularity, from_ms=from_, to_ms=to, now_ms=now_ms)
    except BadSpan as bad:
        raise invalid_query([detail("invalid_value", bad.field, str(bad))]) from None


Asked = Annotated[Span, Depends(_span)]


@router.get("/me/usage", operation_id="getUsage", summary="Read usage")
async def get_usage(span: Asked, caller: CurrentCaller, services: Services) -> UsageResponse:
    """How often all of the caller's keys and sessions were used, at most 180 seconds behind.

    Whole buckets in UTC: `from` and `to` are moved outwards to where buckets begin and end.
    """
    found = services.usage().of_owner(
        caller.user_id, granularity=span.granularity, from_ms=span.from_ms, to_ms=span.to_ms
    )
    return UsageResponse.of(report(found, span))


@router.get("/me/api-keys/{id}/usage", operation_id="getApiKeyUsage", summary="Read a key's usage")
async def get_api_key_usage(
    id: PathIdentifier,  # noqa: A002 - the parameter's name in the API
    span: Asked,
    caller: CurrentCaller,
    services: Services,
) -> UsageResponse:
    """How often one of the caller's keys was used; revoked ones too, as long as they are known."""
    key_id = key_id_of(id)
    services.keys.known(caller.user_id, key_id)
    found = services.usage().of_key(
        key_id, granularity=span.granularity, from_ms=span.from_ms, to_ms=span.to_ms
    )
    return UsageResponse.of(report(found, span))
