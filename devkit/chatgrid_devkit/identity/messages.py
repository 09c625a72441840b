"""What the local identity provider reads off requests, and its answers in Supabase's shapes."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

_VERSION = {"X-Supabase-Api-Version": "2024-01-01"}
_ALLOWED_HEADERS = "authorization, apikey, content-type, x-client-info, x-supabase-api-version"


async def body(request: Request) -> dict[str, Any]:
    """A body's object of JSON; an empty one when it is none."""
    try:
        given = await request.json()
    except (ValueError, RecursionError):
        return {}
    return given if isinstance(given, dict) else {}


def challenge(given: dict[str, Any]) -> str:
    """The S256 challenge that a code will have to answer; empty for one that nothing can."""
    method = str(given.get("code_challenge_method")).lower()
    return str(given.get("code_challenge", "")) if method == "s256" else ""


def bearer(request: Request) -> str:
    """The access token that a request presents."""
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def back_to(address: str, parameters: dict[str, str]) -> Response:
    """A redirect to a page, with more in its query."""
    parts = urlsplit(address)
    query = urlencode([*parse_qsl(parts.query), *parameters.items()])
    return RedirectResponse(urlunsplit(parts._replace(query=query)), status_code=303)


def is_json(request: Request) -> bool:
    """Whether it says so: a page of another site cannot, unless it is asked first."""
    kind = request.headers.get("content-type", "").partition(";")[0]
    return kind.strip().lower() == "application/json"


def cors(origin: str) -> dict[str, str]:
    """What lets a page of this origin read the answer; the origin was checked before."""
    if not origin:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Headers": _ALLOWED_HEADERS,
        "Access-Control-Allow-Methods": "GET, POST, PUT, OPTIONS",
        "Access-Control-Expose-Headers": "x-supabase-api-version",
        "Vary": "Origin",
    }


def refusal(status: int, code: str, message: str) -> Response:
    """An error in the words of Supabase's Auth."""
    return JSONResponse({"code": code, "message": message}, status_code=status, headers=_VERSION)


def not_json() -> Response:
    """What says that a body must say that it is JSON."""
    return refusal(415, "validation_failed", "Content-Type must be application/json")
