"""The contract's table of errors, as the API's description needs it: who gives which, and how."""

from __future__ import annotations

from typing import Any, NamedTuple

_WHOLE = {"type": "integer", "minimum": 0}

HEADERS: dict[str, dict[str, Any]] = {
    "X-RateLimit-Limit": {"description": "Requests in any 60 seconds.", "schema": _WHOLE},
    "X-RateLimit-Remaining": {"description": "How many more are admitted now.", "schema": _WHOLE},
    "X-RateLimit-Reset": {
        "description": "Unix time in seconds at which the whole limit is there again.",
        "schema": _WHOLE,
    },
    "RateLimit-Policy": {
        "description": "Quota and window in seconds (IETF draft).",
        "schema": {"type": "string", "examples": ['"default";q=120;w=60']},
    },
    "RateLimit": {
        "description": "What remains, and in how many seconds there is more (IETF draft).",
        "schema": {"type": "string", "examples": ['"default";r=119;t=62']},
    },
    "Cache-Control": {"description": "Never stored.", "schema": {"const": "no-store"}},
    "WWW-Authenticate": {"description": "The scheme to use.", "schema": {"const": "Bearer"}},
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "Idempotency-Replayed": {
        "description": "There when the request had been answered before.",
        "schema": {"const": "true"},
    },
    "Allow": {"description": "The methods that this path has.", "schema": {"type": "string"}},
}
FIGURES = tuple(name for name in HEADERS if "RateLimit" in name)
BY_A_FUNCTION = (*FIGURES, "Cache-Control")


class Problem(NamedTuple):
    """One way in which a request can fail.

    Attributes:
        status: the HTTP status.
        codes: the envelope's code, one of these.
        case: when it happens.
        always: headers that are there whoever answers.
        sometimes: headers that are there when a function answers, and not API Gateway by itself.
    """

    status: int
    codes: tuple[str, ...]
    case: str
    always: tuple[str, ...] = ()
    sometimes: tuple[str, ...] = ()


PROBLEMS = {
    "InvalidBody": Problem(
        400, ("validation_error",), "The body breaks a rule.", always=BY_A_FUNCTION
    ),
    "InvalidChanges": Problem(
        400,
        ("validation_error", "no_updates"),
        "The body breaks a rule, or names nothing to change.",
        always=BY_A_FUNCTION,
    ),
    "InvalidQuery": Problem(
        400,
        ("validation_error", "invalid_cursor"),
        "A query parameter breaks a rule, or the cursor is none of this API's.",
        always=BY_A_FUNCTION,
    ),
    "Unauthorized": Problem(
        401,
        ("unauthorized",),
        "No credential, or one that is malformed, unknown, revoked or expired.",
        always=("WWW-Authenticate",),
    ),
    "Forbidden": Problem(403, ("forbidden",), "The credential lacks the scope.", sometimes=FIGURES),
    "NotFound": Problem(
        404,
        ("not_found",),
        "No such resource, or not the caller's.",
        sometimes=BY_A_FUNCTION,
    ),
    "BoardNotFound": Problem(
        404,
        ("board_not_found", "not_found"),
        "No such board, or not the caller's; `not_found` for a path that is none.",
        sometimes=BY_A_FUNCTION,
    ),
    "MethodNotAllowed": Problem(
        405,
        ("method_not_allowed",),
        "The path has no such method; so never given by the operations that are listed.",
        always=("Allow", *BY_A_FUNCTION),
    ),
    "Conflict": Problem(
        409,
        ("conflict",),
        "The user holds as many keys as allowed, or the same `Idempotency-Key` is still at work.",
        always=BY_A_FUNCTION,
        sometimes=("Retry-After",),
    ),
    "NotRotatable": Problem(
        409,
        ("previous_secret_active", "conflict"),
        "The previous secret still works, and `force` was not given; or the key is disabled, has "
        "expired, or was rotated meanwhile; or the same `Idempotency-Key` is still at work.",
        always=BY_A_FUNCTION,
        sometimes=("Retry-After",),
    ),
    "NameReused": Problem(
        422,
        ("idempotency_key_reused",),
        "The `Idempotency-Key` was given to a request with another body.",
        always=BY_A_FUNCTION,
    ),
    "PayloadTooLarge": Problem(
        413, ("payload_too_large",), "The body is over 64 KiB.", sometimes=BY_A_FUNCTION
    ),
    "UnsupportedMediaType": Problem(
        415,
        ("unsupported_media_type",),
        "The body is not declared as `application/json` (or `+json`) in UTF-8, unencoded.",
        sometimes=BY_A_FUNCTION,
    ),
    "RateLimited": Problem(
        429,
        ("rate_limit_exceeded", "credits_exhausted"),
        "Over a limit, or out of credits. Waiting for `Retry-After` is enough for one more such "
        "request; it is missing where no wait helps (no refill is due, or the request costs more "
        "than the whole limit), and when a usage plan's quota is used up.",
        sometimes=("Retry-After", *FIGURES),
    ),
    "InvalidReport": Problem(
        400, ("validation_error",), "The report breaks a rule.", always=("Cache-Control",)
    ),
    "NotSigned": Problem(
        401,
        ("unauthorized",),
        "GitHub's signature is missing, or is not one over this body.",
        always=("WWW-Authenticate", "Cache-Control"),
    ),
    "TooManyReports": Problem(
        429, ("rate_limit_exceeded",), "Too many reports at once.", always=("Retry-After",)
    ),
    "InternalError": Problem(
        500, ("internal_error",), "An unexpected fault.", sometimes=BY_A_FUNCTION
    ),
    "BadGateway": Problem(502, ("internal_error",), "The function died while it worked."),
    "Unavailable": Problem(
        503,
        ("service_unavailable",),
        "The store or the identity provider is out; nothing is said about the credential.",
        always=("Retry-After",),
        sometimes=BY_A_FUNCTION,
    ),
    "GatewayTimeout": Problem(504, ("internal_error",), "The function took too long."),
}
#: Those that the public operations can meet, which no limit of a credential is behind.
_PUBLIC = ("InvalidReport", "TooManyReports", "InternalError", "BadGateway", "Unavailable")
PUBLIC = {
    "/leaks": (*_PUBLIC, "PayloadTooLarge", "UnsupportedMediaType", "GatewayTimeout"),
    "/leaks/github": (*_PUBLIC, "NotSigned", "GatewayTimeout"),
}
#: Those that any operation can meet.
EVERYWHERE = (
    "Unauthorized",
    "Forbidden",
    "RateLimited",
    "InternalError",
    "BadGateway",
    "Unavailable",
    "GatewayTimeout",
)
