"""Every error leaves a function in the contract's one envelope, never in a framework's own.

``Problem`` is the exception that a route raises; ``install`` makes an application answer
with it for everything else that can go wrong as well.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Match, Route

from chatgrid_auth.domain import error_table
from chatgrid_auth.domain.errors import Fault, StoreUnavailable
from chatgrid_auth.domain.key_errors import (
    BeyondOwnPermissions,
    CreationLimitReached,
    InvalidCursor,
    KeyDisabled,
    KeyExpired,
    KeyIsCanary,
    KeyLimitReached,
    KeyRotatedMeanwhile,
    MakerRevoked,
    NameReused,
    NoPreviousSecret,
    NotFound,
    PreviousSecretActive,
    ScopeMissing,
    SecretLimitReached,
    SelfRotationNotAllowed,
    StillRunning,
    TokenMakesNone,
)
from chatgrid_auth.http_api.details import WHOLE_BODY, detail, details_of
from chatgrid_auth.services.key_rules import InvalidKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

Failure = TypeVar("Failure", bound=Exception)

#: How many things that are wrong with a request are told; a body may hold tens of thousands.
MOST_DETAILS = 20
#: How long a client waits before it asks again, when a part that we depend on is out.
RETRY_AFTER_SECONDS = 1


class Problem(HTTPException):
    """A response other than success, with the contract's status, code and message.

    Args:
        status: the HTTP status.
        code: the contract's code.
        message: fixed text; never anything that the client sent.
        details: what is wrong in a body or a query, entry by entry.
        headers: more headers for the response.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, message, headers)
        self.code = code
        self.message = message
        self.details = details

    @classmethod
    def of(
        cls,
        kind: error_table.ErrorKind,
        message: str = "",
        *,
        details: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Problem:
        """A row of the contract's table; ``message`` is its template, filled."""
        return cls(
            kind.status, kind.code, message or kind.message, details=details, headers=headers
        )

    def response(self) -> JSONResponse:
        """The response in the envelope."""
        content: dict[str, Any] = {
            "object": "error",
            "status": self.status_code,
            "code": self.code,
            "message": self.message,
        }
        if self.details:
            content["details"] = _the_first(self.details)
        return JSONResponse(content, status_code=self.status_code, headers=self.headers)


def _the_first(details: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """As many as are told, and of the rest how many there are."""
    told, more = list(details[:MOST_DETAILS]), len(details) - MOST_DETAILS
    if more > 0:
        told.append(detail("too_big", WHOLE_BODY, f"{more} more problems are not listed"))
    return told


class Log(Protocol):
    """What of a logger is used here."""

    def error(self, msg: str, *, extra: Mapping[str, object]) -> None:
        """Record what should not have happened."""


def invalid_body(details: Sequence[Mapping[str, str]]) -> Problem:
    """The body breaks the rules listed in ``details``."""
    return Problem.of(error_table.INVALID_BODY, details=details)


def invalid_query(details: Sequence[Mapping[str, str]]) -> Problem:
    """The query breaks the rules listed in ``details``."""
    return Problem.of(error_table.INVALID_QUERY, details=details)


def invalid_key(broken: InvalidKey) -> Problem:
    """The body describes a key that breaks the rules of keys."""
    return invalid_body([detail(one.code, one.path, one.message) for one in broken.problems])


def key_limit_reached(maximum: int) -> Problem:
    """The user has to revoke a key before there can be another."""
    kind = error_table.KEY_LIMIT_REACHED
    return Problem.of(kind, kind.message.format(maximum=maximum))


def creation_limit_reached(reached: CreationLimitReached) -> Problem:
    """The user has made as many keys in the last hour as one may, or given one as many secrets."""
    secrets = isinstance(reached, SecretLimitReached)
    path, what = ("rotations", "secrets of a key") if secrets else ("creations", "API keys")
    message = f"At most {reached.maximum} new {what} in any hour"
    return Problem.of(
        error_table.RATE_LIMITED,
        details=[detail("limit_exceeded", path, message)],
        headers={"Retry-After": str(reached.retry_after_s)},
    )


#: What is told in the same words whatever led to it.
_FIXED: dict[type[Exception], error_table.ErrorKind] = {
    NotFound: error_table.NOT_FOUND,
    NoPreviousSecret: error_table.NOT_FOUND,
    InvalidCursor: error_table.INVALID_CURSOR,
    PreviousSecretActive: error_table.PREVIOUS_SECRET_ACTIVE,
    KeyDisabled: error_table.KEY_DISABLED,
    KeyExpired: error_table.KEY_EXPIRED,
    KeyIsCanary: error_table.KEY_IS_CANARY,
    KeyRotatedMeanwhile: error_table.KEY_ROTATED_MEANWHILE,
    SelfRotationNotAllowed: error_table.SELF_ROTATION,
    TokenMakesNone: error_table.TOKEN_MAKES_NONE,
    BeyondOwnPermissions: error_table.BEYOND_OWN_PERMISSIONS,
    NameReused: error_table.NAME_REUSED,
}


def not_found() -> Problem:
    """There is no such thing, or it is somebody else's."""
    return Problem.of(error_table.NOT_FOUND)


def not_with_a_token() -> Problem:
    """The key itself may do this, and nothing that was made of it."""
    return Problem.of(error_table.NOT_WITH_A_TOKEN)


def scope_missing(scope: str) -> Problem:
    """The scope is not the caller's to give away."""
    kind = error_table.MISSING_SCOPE
    return Problem.of(kind, kind.message.format(scope=scope))


def key_revoked() -> Problem:
    """The key that the request came with has been revoked since."""
    return Problem.of(error_table.REVOKED, headers={"WWW-Authenticate": "Bearer"})


def internal_error() -> Problem:
    """Something unexpected; the log knows what, the client does not."""
    return Problem.of(error_table.INTERNAL_ERROR)


def service_unavailable() -> Problem:
    """The store is out; nothing is said about the request."""
    return _soon(error_table.UNAVAILABLE)


def _soon(kind: error_table.ErrorKind) -> Problem:
    return Problem.of(kind, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def fault_fields(exc: BaseException) -> dict[str, object]:
    """What a log may say of an exception: types and places, never its text.

    A validation error's text quotes what it validated, a raw key included.
    """
    chain: list[BaseException] = []
    link: BaseException | None = exc
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    frames = traceback.extract_tb(exc.__traceback__)
    return {
        "fault": type(exc).__name__,
        "causes": [type(link).__name__ for link in chain[1:]],
        "stack": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def install(app: FastAPI, *, log: Log) -> None:
    """Make ``app`` answer every failure in the envelope, and log those that are ours."""

    def fault(_request: Request, exc: Fault) -> Problem:
        code = exc.code if isinstance(exc, StoreUnavailable) else ""
        log.error("store unavailable", extra={**fault_fields(exc), "store_code": code})
        return service_unavailable()

    def fixed(_request: Request, exc: Exception) -> Problem:
        return Problem.of(_FIXED[type(exc)])

    def unexpected(_request: Request, exc: Exception) -> Problem:
        log.error("unexpected fault", extra=fault_fields(exc))
        return internal_error()

    handle(app, HTTPException, _from_framework)
    handle(app, RequestValidationError, _from_validation)
    for failure in _FIXED:
        handle(app, failure, fixed)
    handle(app, InvalidKey, lambda _request, exc: invalid_key(exc))
    handle(app, CreationLimitReached, lambda _request, exc: creation_limit_reached(exc))
    handle(app, ScopeMissing, lambda _request, exc: scope_missing(exc.scope))
    handle(app, MakerRevoked, lambda _request, _exc: key_revoked())
    handle(app, KeyLimitReached, lambda _request, exc: key_limit_reached(exc.maximum))
    handle(app, StillRunning, lambda _request, _exc: _soon(error_table.STILL_RUNNING))
    handle(app, Fault, fault)
    handle(app, Exception, unexpected)


def handle(
    app: FastAPI, kind: type[Failure], problem: Callable[[Request, Failure], Problem]
) -> None:
    """Make ``app`` answer exceptions of this kind with that problem."""

    async def handler(request: Request, exc: Exception) -> Response:
        return problem(request, cast("Failure", exc)).response()

    app.add_exception_handler(kind, handler)


def _from_framework(request: Request, exc: HTTPException) -> Problem:
    if isinstance(exc, Problem):
        return exc
    match exc.status_code:
        case 404:
            return not_found()
        case 405:
            headers = {"Allow": ", ".join(_allowed_methods(request))}
            return Problem.of(error_table.METHOD_NOT_ALLOWED, headers=headers)
        case _:
            return internal_error()


def _from_validation(_request: Request, exc: RequestValidationError) -> Problem:
    errors = exc.errors()
    places = {error["loc"][0] for error in errors}
    found = details_of(errors)
    if "query" in places:
        return invalid_query(found)
    kind = error_table.INVALID_HEADER if places == {"header"} else error_table.INVALID_BODY
    return Problem.of(kind, details=found)


def _allowed_methods(request: Request) -> list[str]:
    methods = {"OPTIONS"}  # API Gateway answers it by itself
    for route in request.app.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods or set()
    if "GET" in methods:
        methods.add("HEAD")
    return sorted(methods)
