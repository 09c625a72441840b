"""The contract's table of errors: the status, code and message of each, for whoever tells clients.

Standard library only: guards load it. Some texts are taken over from `verdicts`, since the
authorizer needs those and not the table.
"""

from __future__ import annotations

from chatgrid_auth.domain import scopes, verdicts


class ErrorKind:
    """One row: what a client is told.

    Attributes:
        status: the HTTP status.
        code: what happened, for programs.
        message: what happened, for people; a template where ``{…}`` stands in it.
    """

    __slots__ = ("code", "message", "status")

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = code
        self.message = message

    def envelope(self, message: str = "") -> dict[str, object]:
        """The one shape of every error, without ``details``.

        Args:
            message: the template, filled; empty for the message as it is.
        """
        return {
            "object": "error",
            "status": self.status,
            "code": self.code,
            "message": message or self.message,
        }


INVALID_BODY = ErrorKind(400, "validation_error", "Invalid request body")
INVALID_QUERY = ErrorKind(400, "validation_error", "Invalid query parameters")
INVALID_HEADER = ErrorKind(400, "validation_error", "Invalid request headers")
INVALID_CURSOR = ErrorKind(400, "invalid_cursor", "The cursor is malformed")
NO_UPDATES = ErrorKind(400, "no_updates", "No fields to update")
INVALID_TOKEN = ErrorKind(401, "unauthorized", verdicts.INVALID_TOKEN)
REVOKED = ErrorKind(401, "unauthorized", verdicts.REVOKED)
EXPIRED = ErrorKind(401, "unauthorized", verdicts.EXPIRED)
MISSING_SCOPE = ErrorKind(403, "forbidden", verdicts.MISSING_SCOPE)
MISSING_PERMISSION = ErrorKind(403, "forbidden", verdicts.MISSING_PERMISSION)
WRONG_ADDRESS = ErrorKind(403, "forbidden", verdicts.WRONG_ADDRESS)
WRONG_ORIGIN = ErrorKind(403, "forbidden", verdicts.WRONG_ORIGIN)
BEYOND_OWN_PERMISSIONS = ErrorKind(403, "forbidden", "Beyond your own permissions")
SELF_ROTATION = ErrorKind(403, "forbidden", "Self-rotation is not allowed")
TOKEN_MAKES_NONE = ErrorKind(403, "forbidden", "A token makes no tokens")
NOT_WITH_A_TOKEN = ErrorKind(403, "forbidden", "Not allowed with a token")
ACCESS_DENIED = ErrorKind(403, "forbidden", "Access denied")
NOT_FOUND = ErrorKind(404, "not_found", "Not found")
BOARD_NOT_FOUND = ErrorKind(404, "board_not_found", "Board not found")
METHOD_NOT_ALLOWED = ErrorKind(405, "method_not_allowed", "Method not allowed")
KEY_LIMIT_REACHED = ErrorKind(409, "conflict", "A user may hold at most {maximum} API keys")
PREVIOUS_SECRET_ACTIVE = ErrorKind(
    409, "previous_secret_active", "The previous secret is still active"
)
KEY_DISABLED = ErrorKind(409, "conflict", verdicts.DISABLED)
KEY_EXPIRED = ErrorKind(409, "conflict", verdicts.EXPIRED)
KEY_IS_CANARY = ErrorKind(409, "conflict", "API key is a canary")
KEY_ROTATED_MEANWHILE = ErrorKind(409, "conflict", "API key was rotated meanwhile")
STILL_RUNNING = ErrorKind(409, "conflict", "This request is still running")
PAYLOAD_TOO_LARGE = ErrorKind(413, "payload_too_large", "Payload too large")
UNSUPPORTED_MEDIA_TYPE = ErrorKind(
    415, "unsupported_media_type", "Unsupported media type: send application/json"
)
NAME_REUSED = ErrorKind(
    422, "idempotency_key_reused", "The idempotency key was used for another request"
)
RATE_LIMITED = ErrorKind(429, "rate_limit_exceeded", "Rate limit exceeded")
CREDITS_EXHAUSTED = ErrorKind(429, "credits_exhausted", "Credits exhausted")
INTERNAL_ERROR = ErrorKind(500, "internal_error", "Internal error")
BAD_GATEWAY = ErrorKind(502, "internal_error", "Internal error")
UNAVAILABLE = ErrorKind(503, "service_unavailable", "Service unavailable")
GATEWAY_TIMEOUT = ErrorKind(504, "internal_error", "Internal error")


def forbidden(broken: str | None, scope: str, permission: str | None) -> tuple[ErrorKind, str]:
    """What a caller is told that may not do this, in words of the reader's own.

    Args:
        broken: the rule of its key that the request breaks; ``None`` where a scope is missing.
        scope: the scope that is needed.
        permission: the permission that is needed.
    """
    if broken == "address":
        return WRONG_ADDRESS, ""
    if broken == "origin":
        return WRONG_ORIGIN, ""
    if broken == "permission":
        needed = permission or scopes.EVERY_PERMISSION
        return MISSING_PERMISSION, MISSING_PERMISSION.message.format(permission=needed)
    return MISSING_SCOPE, MISSING_SCOPE.message.format(scope=scope)
