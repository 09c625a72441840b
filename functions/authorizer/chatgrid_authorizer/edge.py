"""Requests over a limit that API Gateway refuses by itself, so that no backend runs for them.

The plan of the limited tier's key is closed then: a request that names it is answered 429, with a
literal ``Retry-After`` and nothing else of the verdict. Loaded only where a deployment asks for it.
docs/decisions/0031-refused-at-the-edge.md.
"""

from __future__ import annotations

from chatgrid_auth.domain.limits.beyond import CREDITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from chatgrid_auth.domain.verdicts import Limited


class ClosedPlan:
    """Chooses between the edge, which knows one wait, and the guard, which knows each.

    Args:
        retry_after_s: the wait in seconds that the edge tells everybody.
        guarded_key: the gateway key of a plan that is open, to reach the guard by.
    """

    def __init__(self, *, retry_after_s: int, guarded_key: str) -> None:
        self._retry_after_s = retry_after_s
        self._guarded_key = guarded_key

    def key_of(self, verdict: Limited) -> str:
        """The gateway key to name: the closed plan's where its one wait is enough.

        Not for credits, which have a code of their own and may never come back, nor for a request
        that no wait helps.
        """
        wait_s = verdict.retry_after_s
        for_credits = verdict.beyond is not None and verdict.beyond.refused_by == CREDITS
        if wait_s is None or wait_s > self._retry_after_s or for_credits:
            return self._guarded_key
        return verdict.usage_key
