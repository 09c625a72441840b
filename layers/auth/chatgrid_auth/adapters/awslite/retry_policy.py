"""How long a client waits, and how often it tries again."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class RetryPolicy:
    """How long to wait for what, in seconds, and how often to try.

    The authorizer's own time-out is 5 seconds: what is left of it after the budget must still
    carry the refusal, and now and then a renewal of credentials (a second at most).

    Attributes:
        attempts: how often to try in all, connections that could not be made included.
        repeats: how many of the further attempts may follow one that the store may have carried
            out, or for which it was too busy.
    """

    __slots__ = ("attempts", "backoff", "backoff_limit", "budget", "connect", "repeats", "reply")

    def __init__(
        self,
        *,
        connect: float = 0.5,
        reply: float = 1.0,
        budget: float = 2.0,
        attempts: int = 5,
        repeats: int = 1,
        backoff: float = 0.025,
        backoff_limit: float = 0.4,
    ) -> None:
        self.connect = connect
        self.reply = reply
        self.budget = budget
        self.attempts = attempts
        self.repeats = repeats
        self.backoff = backoff
        self.backoff_limit = backoff_limit

    def pause(self, failures: int, entropy: Callable[[int], bytes]) -> float:
        """Seconds to wait after this many failures: any time up to a limit that doubles.

        Drawn over the whole range, so that containers that failed together do not come back
        together.
        """
        limit = min(self.backoff_limit, self.backoff * (1 << (failures - 1)))
        return limit * int.from_bytes(entropy(2), "big") / 0xFFFF
