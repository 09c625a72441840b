"""A gate whose verdict the test chooses, and whose clock stands still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatgrid_auth.domain.verdicts import (
    Allowed,
    Caller,
    Forbidden,
    Limited,
    RateLimitStatus,
    Refused,
)
from chatgrid_auth.services.gate.requests import Routes
from chatgrid_authorizer.response import Gate

if TYPE_CHECKING:
    from chatgrid_auth.domain.verdicts import Verdict

NOW_MS = 1_800_000_000_123
FIGURES = RateLimitStatus(limit=120, remaining=119, more_s=1_800_000_004, reset_s=1_800_000_060)
ALLOWED = Allowed(
    caller=Caller(
        user_id="6f1f0a8e-6b5b-4b8e-9a36-0f2b7e4a1c11",
        auth_mode="api-key",
        scopes=("read", "write"),
        key_id="01890a5d-ac96-774b-bcce-b302099a8057",
        environment="live",
        short_user_id="bx8KjmtbS46aNg8rfkocEQ",
    ),
    figures=FIGURES,
    usage_key="its-usage-key",
)
REFUSED = Refused(message="API key has been revoked", reason="revoked")
FORBIDDEN = Forbidden(message="Missing required scope: admin", reason="admin", figures=FIGURES)
LIMITED = Limited(figures=FIGURES, retry_after_s=17, usage_key="its-usage-key")


class Asked:
    """Stands in for the authenticator: gives one verdict, and notes what it was asked."""

    def __init__(self, verdict: Verdict | Exception) -> None:
        self.verdict = verdict
        self.questions: list[dict[str, Any]] = []

    def decide(self, authorization: str | None, **asked: Any) -> Verdict:
        self.questions.append({"authorization": authorization, **asked})
        if isinstance(self.verdict, Exception):
            raise self.verdict
        return self.verdict


def gate(verdict: Verdict | Exception) -> tuple[Gate, Asked, list[str]]:
    """A gate that gives this verdict, what it was asked, and the lines that it logs."""
    asked, lines = Asked(verdict), list[str]()
    ticks, waits = iter(range(10_000)), iter(range(10_000))
    made = Gate(
        authenticator=asked,  # type: ignore[arg-type] # only what the handler calls
        now_ms=lambda: NOW_MS,
        elapsed_ms=lambda: next(ticks) * 1.5,
        store_waited_ms=lambda: next(waits) * 0.75,
        log=lines.append,
        metrics_namespace="ChatGrid/test",
        routes=Routes(permissions={}),
    )
    return made, asked, lines
