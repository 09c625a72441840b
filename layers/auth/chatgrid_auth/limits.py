"""A backend's own limits: the same exact window, named by the backend, in one store request.

``hit("exports", caller, limit=10, window_seconds=3600)`` counts a request and tells whether it was
within the limit. Who calls is whom the guard let through: a key with its former secret and its
tokens, or a user with all sessions. The standard library only, as for the guard; it watches its
clock and gives up late answers as the gate does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatgrid_auth import settings
from chatgrid_auth.adapters.awslite.credential_chain import credentials_from
from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
from chatgrid_auth.adapters.rate_limits_table.counted_windows import CountedWindows
from chatgrid_auth.domain import errors
from chatgrid_auth.domain.limits import any_length

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chatgrid_auth.domain.verdicts import Caller

_HIGHEST_LIMIT = 60_000


class Hit:
    """What became of a request.

    Attributes:
        allowed: whether it was counted; one that was not costs nothing.
        remaining: how many units more are admitted now.
        retry_after_s: seconds after which one more of this cost is; ``None`` if it was counted, or
            costs more than the whole limit.
    """

    __slots__ = ("allowed", "remaining", "retry_after_s")

    def __init__(self, *, allowed: bool, remaining: int, retry_after_s: int | None) -> None:
        self.allowed = allowed
        self.remaining = remaining
        self.retry_after_s = retry_after_s


class Limits:
    """A backend's named limits, on the rate-limits table. For one request at a time, as in Lambda.

    Args:
        dynamodb: the client, whose clock is taken.
        table: the rate-limits table's name.
    """

    def __init__(self, dynamodb: DynamoDB, *, table: str) -> None:
        clock = dynamodb.clock
        self._now_ms = clock.now_ms
        self._windows = CountedWindows(dynamodb, table=table, now_ms=clock.now_ms, clock=clock)
        self._kinds: dict[int, any_length.AnyLength] = {}

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Limits:
        """Those of a Lambda function, by its environment; ``RATE_LIMITS_TABLE`` names the table.

        Raises:
            SettingError: a variable is missing.
            CredentialsUnavailable: the environment provides no credentials.
        """
        dynamodb = DynamoDB(
            region=settings.text(environ, "AWS_REGION"),
            credentials=credentials_from(environ),
            errors=errors,
            endpoint=environ.get("AWS_ENDPOINT_URL_DYNAMODB"),
        )
        return cls(dynamodb, table=settings.text(environ, "RATE_LIMITS_TABLE"))

    def hit(
        self, name: str, caller: Caller, *, limit: int, window_seconds: int, cost: int = 1
    ) -> Hit:
        """Count a request if it is within the limit, in any time of that length.

        Args:
            name: of the limit, without ``#``.
            caller: whom the guard let through.
            limit: units, from 1 to 60,000.
            window_seconds: from 1 to 86,400.
            cost: units of this request, from 1 to 999.

        Raises:
            ValueError: one of these is not so.
            StoreUnavailable: DynamoDB could not decide.
        """
        if not name or "#" in name or not 1 <= limit <= _HIGHEST_LIMIT or not 1 <= cost <= 999:
            raise ValueError("a limit has a name, 1 to 60000 units, and costs from 1 to 999")
        kind = self._kinds.get(window_seconds)
        if kind is None:
            kind = self._kinds[window_seconds] = any_length.of_seconds(window_seconds)
        whose = f"user#{caller.user_id}" if caller.key_id is None else f"key#{caller.key_id}"
        place = f"LIMIT#{name}#{window_seconds}#{whose}"
        allowed, state = self._windows.hit(place, limit=limit, kind=kind, cost=cost)
        retry_after_s = None
        if not allowed and cost <= limit:
            now_ms = self._now_ms()
            retry_after_s = kind.wait_s(state.retry_at_ms or now_ms, now_ms=now_ms)
        return Hit(allowed=allowed, remaining=state.remaining, retry_after_s=retry_after_s)
