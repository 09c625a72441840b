"""The windows of JWT users: a minute each, on the rate-limits table."""

from __future__ import annotations

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.rate_limits_table.counted_windows import CountedWindows
from chatgrid_auth.domain.limits.any_length import of_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from chatgrid_auth.adapters.keys_table.ports import Clock, Transport
    from chatgrid_auth.domain.limits.window import WindowState

#: The window of every session.
MINUTE = of_seconds(60)


class UserWindows:
    """Counts requests of users, with one DynamoDB request each but for a user's first.

    Args:
        transport, table, now_ms, clock, classes: as in ``CountedWindows``.
        limit: units in any 60 seconds for each user.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        table: str,
        limit: int,
        now_ms: Callable[[], int],
        clock: Clock | None = None,
        classes: tuple[int, ...] = (),
    ) -> None:
        self._windows = CountedWindows(
            transport, table=table, now_ms=now_ms, clock=clock, classes=classes
        )
        self._limit = limit

    def admit(self, user_id: str, *, cost: int = 1) -> tuple[bool, WindowState]:
        """Count one request of this user if its window has room.

        Returns:
            Whether it was counted, and where the user stands now.

        Raises:
            StoreUnavailable: DynamoDB could not decide.
        """
        place = items.user_pk(user_id)
        return self._windows.hit(place, limit=self._limit, kind=MINUTE, cost=cost)
