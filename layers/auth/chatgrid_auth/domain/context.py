"""What the authorizer tells the backend, as API Gateway carries it.

A REST API's authorizer context holds flat values, which reach the backend as strings. One module
writes and reads them, so the two cannot drift apart. A refused request's context holds no caller.

``code`` and ``message`` are for API Gateway alone. Whatever it was told, it refuses a request whose
gateway key it does not know (INVALID_API_KEY), with these two as the reason: a missing scope, which
comes without a key on purpose, or a usage plan that is out of order. Fixed texts, since nothing
escapes them there.
"""

from __future__ import annotations

from chatgrid_auth.domain.verdicts import (
    Allowed,
    Caller,
    DerivedFrom,
    Forbidden,
    Limited,
    RateLimitStatus,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Value = str | int

ALLOWED = "allowed"
FORBIDDEN = "forbidden"
RATE_LIMITED = "rate_limited"
#: What an HTTP API's guard is told, since that API gives no response of its own for it.
REFUSED = "refused"
UNAVAILABLE = "unavailable"
#: Why a request is forbidden to a key whose scope would do.
RULES = ("address", "origin", "permission")
#: What a client is told when its credential is good and the plan's gateway key is not.
PLAN_FAULT = {"code": "service_unavailable", "message": "Usage plan unavailable"}
_MOST_DIGITS = 16  # of a number that was written here; Python refuses to read a very long one


def write(verdict: Allowed | Forbidden | Limited) -> dict[str, Value]:
    """The context of a request that API Gateway lets through to its later stages."""
    figures = verdict.figures
    context: dict[str, Value] = {**PLAN_FAULT}
    if figures is not None:
        context["rate_limit"] = figures.limit
        context["rate_remaining"] = figures.remaining
        context["rate_more"] = figures.more_s
        context["rate_reset"] = figures.reset_s
    if verdict.beyond is not None:
        from chatgrid_auth.domain.limits import beyond  # noqa: PLC0415 - seldom

        context.update(beyond.write(verdict.beyond))
    if isinstance(verdict, Allowed):
        context["verdict"] = ALLOWED
        _add_caller(context, verdict.caller)
    elif isinstance(verdict, Forbidden):
        context.update(verdict=FORBIDDEN, code="forbidden", message=verdict.message)
        if verdict.reason in RULES:
            context["reason"] = verdict.reason
    else:
        context["verdict"] = RATE_LIMITED
        if verdict.retry_after_s is None:
            context["too_dear"] = "true"
        else:
            context["retry_after"] = verdict.retry_after_s
    return context


def _add_caller(context: dict[str, Value], caller: Caller) -> None:
    """What is known of a caller; what is not has no entry."""
    context["user_id"] = caller.user_id
    context["auth_mode"] = caller.auth_mode
    context["scopes"] = " ".join(caller.scopes)
    if caller.key_id is not None:
        context["key_id"] = caller.key_id
    if caller.environment is not None:
        context["environment"] = caller.environment
    if caller.email is not None:
        context["email"] = caller.email
    if caller.anonymous:
        context["anonymous"] = "true"
    if caller.expires_at_ms is not None:
        context["expires_at"] = caller.expires_at_ms
    if caller.metadata is not None:
        context["metadata"] = caller.metadata
    if caller.permissions is not None:
        context["permissions"] = " ".join(caller.permissions)
    if caller.former:
        context["former"] = "true"
    if caller.token is not None:
        context["token_expires_at"] = caller.token.expires_at_ms
        context["token_scopes"] = " ".join(caller.token.scopes)


def read_caller(context: Mapping[str, object]) -> Caller | None:
    """The caller of an allowed request; ``None`` for every other context, whatever it holds."""
    if context.get("verdict") != ALLOWED:
        return None
    user_id, auth_mode = _text(context, "user_id"), _text(context, "auth_mode")
    scopes = _text(context, "scopes")
    if user_id is None or auth_mode is None or scopes is None:
        return None
    return Caller(
        user_id=user_id,
        auth_mode=auth_mode,
        scopes=tuple(scopes.split()),
        key_id=_text(context, "key_id"),
        environment=_text(context, "environment"),
        email=_text(context, "email"),
        anonymous=context.get("anonymous") == "true",
        expires_at_ms=_number(context, "expires_at"),
        metadata=_text(context, "metadata"),
        permissions=_permissions(context),
        former=context.get("former") == "true",
        token=_token(context),
    )


def _token(context: Mapping[str, object]) -> DerivedFrom | None:
    """What came in a key's place; a context that tells half of it is read as the strictest."""
    ends, scopes = _number(context, "token_expires_at"), _text(context, "token_scopes")
    if ends is None and scopes is None:
        return None
    return DerivedFrom(expires_at_ms=ends or 0, scopes=tuple((scopes or "").split()))


def read_figures(context: Mapping[str, object]) -> RateLimitStatus | None:
    """The figures of the caller's limit; ``None`` when the context does not hold them all."""
    limit, remaining = _number(context, "rate_limit"), _number(context, "rate_remaining")
    more_s, reset_s = _number(context, "rate_more"), _number(context, "rate_reset")
    if limit is None or remaining is None or more_s is None or reset_s is None:
        return None
    return RateLimitStatus(limit=limit, remaining=remaining, more_s=more_s, reset_s=reset_s)


def is_limited(context: Mapping[str, object]) -> bool:
    """Whether the caller is over its limit."""
    return context.get("verdict") == RATE_LIMITED


def read_retry_after_s(context: Mapping[str, object]) -> int | None:
    """How long a caller over its limit must wait, in seconds.

    ``None`` for every other, and for one whom no wait helps, since its request is too dear.
    """
    if not is_limited(context) or context.get("too_dear") == "true":
        return None
    return _number(context, "retry_after") or 1


def read_broken_rule(context: Mapping[str, object]) -> str | None:
    """The rule of its key that a forbidden request breaks; ``None`` for every other."""
    rule = _text(context, "reason") if context.get("verdict") == FORBIDDEN else None
    return rule if rule in RULES else None


def _permissions(context: Mapping[str, object]) -> tuple[str, ...] | None:
    """A list that cannot be read holds nothing."""
    if "permissions" not in context:
        return None
    return tuple((_text(context, "permissions") or "").split())


def _text(context: Mapping[str, object], name: str) -> str | None:
    value = context.get(name)
    return value if isinstance(value, str) and value else None


def _number(context: Mapping[str, object], name: str) -> int | None:
    # API Gateway makes strings of all values; `sam local` leaves numbers as they are.
    value = context.get(name)
    if isinstance(value, int):
        return value
    if not isinstance(value, str) or not value.isascii() or not value.isdigit():
        return None
    return int(value) if len(value) <= _MOST_DIGITS else None
