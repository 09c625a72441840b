"""``/leaks``: for whoever finds a key, and for GitHub.

The first tells a reporter nothing. Whatever is in a report, one message is left in the queue and
the response says how many strings came: what is known here is looked at later, elsewhere.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any

from fastapi import Header, Request
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError

from chatgrid_auth.domain.actors import SYSTEM, Actor
from chatgrid_auth.domain.error_table import INVALID_TOKEN
from chatgrid_auth.http_api.edge import router as new_router
from chatgrid_auth.http_api.json_body import parse
from chatgrid_auth.http_api.problems import Problem
from chatgrid_auth.services.leaks.reports import Sighting, hash_of_reported, hashes_of
from chatgrid_leaks.schemas import (
    GithubFeedback,
    GithubMatch,
    LeakReport,
    LeakReportData,
    LeakReportResponse,
)
from chatgrid_leaks.services import RequestId, Services

router = new_router("leaks")

_MATCHES = TypeAdapter(list[GithubMatch])
_MATCHES_SCHEMA: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["token", "type"],
                        "properties": {
                            name: {"type": "string"} for name in ("token", "type", "url", "source")
                        },
                    },
                    "examples": [
                        [{"token": "as it was found", "type": "chatgrid_api_key", "url": None}]
                    ],
                }
            }
        },
    }
}


@router.post(
    "/leaks",
    operation_id="reportLeaks",
    summary="Report leaked credentials",
    status_code=202,
)
async def report_leaks(
    report: LeakReport, services: Services, request_id: RequestId
) -> LeakReportResponse:
    """Report keys or tokens that were found where they should not be. Nobody has to sign in.

    The response is the same whatever is in the report. What is known is acted upon within 10 s.
    """
    hashes = hashes_of(report.credentials, imported=services.imported)
    services.queue.put(hashes, request_id=request_id)
    return LeakReportResponse(data=LeakReportData(received=len(report.credentials)))


@router.post(
    "/leaks/github",
    operation_id="reportLeaksAsGithub",
    summary="Report leaked credentials as GitHub",
    openapi_extra=_MATCHES_SCHEMA,
)
async def report_leaks_as_github(
    request: Request,
    services: Services,
    request_id: RequestId,
    key_id: Annotated[
        str | None, Header(alias="Github-Public-Key-Identifier", examples=["<identifier>"])
    ] = None,
    signature: Annotated[
        str | None, Header(alias="Github-Public-Key-Signature", examples=["<signature>"])
    ] = None,
) -> list[GithubFeedback]:
    """GitHub's secret-scanning partner protocol. The signature is verified before anything is read.

    What is known is acted upon before the response.
    """
    body = await request.body()
    signed = key_id and signature
    if not signed or not services.github().hold(
        body, key_id=key_id, signature=signature, now_ms=services.now_ms()
    ):
        raise Problem.of(INVALID_TOKEN, headers={"WWW-Authenticate": "Bearer"})
    matches = _matches(body)
    hashes = {
        match.token: hash_of_reported(match.token, imported=services.imported) for match in matches
    }
    ours = services.leaks.act(
        [
            Sighting(secret_hash=key_hash, url=match.url)
            for match in matches
            if (key_hash := hashes[match.token]) is not None
        ],
        actor=Actor(type=SYSTEM, request_id=request_id),
    )
    told = {(match.token, match.type): hashes[match.token] in ours for match in matches}
    return [
        GithubFeedback(
            token_hash=sha256(token.encode()).hexdigest(),
            token_type=kind,
            label="true_positive" if known else "false_positive",
        )
        for (token, kind), known in told.items()
    ]


def _matches(body: bytes) -> list[GithubMatch]:
    try:
        return _MATCHES.validate_python(parse(body))
    except ValidationError as broken:
        raise RequestValidationError(
            [{**error, "loc": ("body", *error["loc"])} for error in broken.errors()]
        ) from None
