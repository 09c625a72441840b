"""What the client of a verdict would see, as facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatgrid_auth.domain import error_table
from chatgrid_auth.domain.limits.beyond import CREDITS
from chatgrid_auth.domain.verdicts import Allowed, Forbidden, Limited, Refused, assert_never

if TYPE_CHECKING:
    from chatgrid_auth.domain.verdicts import RateLimitStatus, Told, Verdict


def of_verdict(verdict: Verdict) -> dict[str, Any]:
    """Outcome, status and message, as the client would see them."""
    match verdict:
        case Refused():
            return plain("refused", error_table.INVALID_TOKEN, verdict.message)
        case Forbidden():
            forbidden = plain("forbidden", error_table.MISSING_SCOPE, verdict.message)
            return {**forbidden, **_figures(verdict.figures)}
        case Limited():
            limited, outcome = error_table.RATE_LIMITED, "rate_limited"
            if verdict.beyond is not None and verdict.beyond.refused_by == CREDITS:
                limited = error_table.CREDITS_EXHAUSTED
                outcome = limited.code
            answer = plain(outcome, limited, limited.message)
            return {**answer, **_figures(verdict.figures, verdict.beyond)}
        case Allowed():
            allowed = {"outcome": "allowed", "status": 200, "message": None}
            return {**allowed, **_figures(verdict.figures, verdict.beyond)}
        case _:
            assert_never(verdict)


def plain(outcome: str, kind: error_table.ErrorKind, message: str) -> dict[str, Any]:
    """A verdict without figures."""
    return {"outcome": outcome, "status": kind.status, "message": message}


def _figures(figures: RateLimitStatus | None, beyond: Told | None = None) -> dict[str, Any]:
    if figures is None:
        return {}
    facts = {"rate_limit": figures.limit, "rate_limit_remaining": figures.remaining}
    if beyond is not None and beyond.credits_left is not None:
        facts["credits_remaining"] = beyond.credits_left
    return facts
