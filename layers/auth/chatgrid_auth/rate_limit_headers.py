"""Where a caller stands, as response headers; the standard library only, as the guard needs."""

from __future__ import annotations

from chatgrid_auth.domain.limits.window import MINUTE
from chatgrid_auth.domain.verdicts import RateLimitStatus


def rate_limit_headers(
    figures: RateLimitStatus | None, *, retry_after_s: int | None, now_s: float
) -> dict[str, str]:
    """The limit's headers: the well-known ``X-RateLimit-*``, and the IETF draft's fields.

    draft-ietf-httpapi-ratelimit-headers: ``RateLimit-Policy`` names quota and window (``q``,
    ``w``), ``RateLimit`` what remains and in how many seconds more does (``r``, ``t``).

    Args:
        figures: where the caller stands; ``None`` when nobody told, which makes no headers.
        retry_after_s: the wait in seconds that a refusal tells; ``None`` for an allowed request.
        now_s: Unix time in seconds.
    """
    if figures is None:
        return {}
    until_more_s = max(0, figures.more_s - int(now_s))
    if retry_after_s is not None:  # the authorizer's clock and this one may differ
        until_more_s = min(until_more_s, retry_after_s)
    return {
        "X-RateLimit-Limit": str(figures.limit),
        "X-RateLimit-Remaining": str(figures.remaining),
        "X-RateLimit-Reset": str(figures.reset_s),
        "RateLimit-Policy": f'"default";q={figures.limit};w={MINUTE.length_ms // 1000}',
        "RateLimit": f'"default";r={figures.remaining};t={until_more_s}',
    }
