"""Where a caller stands, as response headers; the standard library only, as the guard needs."""

from __future__ import annotations

from collections.abc import Mapping

from chatgrid_auth.domain import error_table
from chatgrid_auth.domain.limits import beyond as further
from chatgrid_auth.domain.limits.beyond import AppliedLimit, Beyond
from chatgrid_auth.domain.limits.window import MINUTE
from chatgrid_auth.domain.verdicts import RateLimitStatus

#: What the details of a 429 say of the limit that refused.
_MESSAGES = {
    further.DEFAULT: "The limit of this credential is used up",
    further.OWNER: "The limit of all keys and sessions of this user is used up",
    further.CREDITS: "No credits are left for this request",
}
_OF_ROUTE = "The limit of this route is used up"


def read_beyond(context: Mapping[str, object]) -> Beyond:
    """What an authorizer's context tells beside the minute of the credential."""
    return further.read(context)


def rate_limit_headers(
    figures: RateLimitStatus | None,
    *,
    retry_after_s: int | None,
    now_s: float,
    beyond: Beyond | None = None,
) -> dict[str, str]:
    """The limit's headers: the well-known ``X-RateLimit-*``, and the IETF draft's fields.

    draft-ietf-httpapi-ratelimit-headers: ``RateLimit-Policy`` names the quota and window of each
    limit that applies (``q``, ``w``), ``RateLimit`` what remains of those that were asked, and in
    how many seconds more does (``r``, ``t``). ``X-RateLimit-*`` is the one with the least left.

    Args:
        figures: where the caller stands with that one; ``None`` when nobody told, which makes no
            headers.
        retry_after_s: the wait in seconds that a refusal tells; ``None`` for an allowed request.
        now_s: Unix time in seconds.
        beyond: further limits and credits; ``None`` for none.
    """
    if figures is None:
        return {}
    limits = beyond.limits if beyond is not None else ()
    if not limits:
        own = AppliedLimit(further.DEFAULT, figures.limit, MINUTE.length_ms // 1_000, figures)
        limits = [own]
    headers = {
        "X-RateLimit-Limit": str(figures.limit),
        "X-RateLimit-Remaining": str(figures.remaining),
        "X-RateLimit-Reset": str(figures.reset_s),
        "RateLimit-Policy": ", ".join(
            f'"{one.name}";q={one.limit};w={one.window_seconds}' for one in limits
        ),
        "RateLimit": ", ".join(
            f'"{one.name}";r={one.status.remaining};'
            f"t={_until_more_s(one.status, retry_after_s=retry_after_s, now_s=now_s)}"
            for one in limits
            if one.status is not None
        ),
    }
    if beyond is not None and beyond.credits_left is not None:
        headers["X-Credits-Remaining"] = str(beyond.credits_left)
    return headers


def limit_refusal(beyond: Beyond) -> dict[str, object]:
    """The body of a 429: which limit it was, where more than one could have refused."""
    name = beyond.refused_by
    kind = error_table.CREDITS_EXHAUSTED if name == further.CREDITS else error_table.RATE_LIMITED
    envelope = kind.envelope()
    if name:
        message = _MESSAGES.get(name, _OF_ROUTE)
        envelope["details"] = [{"code": "limit_exceeded", "path": name, "message": message}]
    return envelope


def _until_more_s(status: RateLimitStatus, *, retry_after_s: int | None, now_s: float) -> int:
    wait_s = max(0, status.more_s - int(now_s))
    # The authorizer's clock and this one may differ.
    return wait_s if retry_after_s is None else min(wait_s, retry_after_s)
