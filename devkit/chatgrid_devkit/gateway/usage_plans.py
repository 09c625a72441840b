"""Usage plans enforced: a token bucket and a quota for each API Gateway key.

AWS calls its own enforcement best effort; this one is exact, so that tests can rely on it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from chatgrid_devkit.gateway.gateway_responses import GatewayError
from chatgrid_devkit.template.description import Quota, Throttle, UsageKey


class KeySource(Protocol):
    """Where the gateway looks up API Gateway keys."""

    async def find(self, value: str) -> UsageKey | None:
        """The key with this value, with the plan that covers the stage, if any."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at_ms: int


@dataclass(slots=True)
class _Used:
    period: str
    count: int = 0


class Throttler:
    """A token bucket; a request takes one token or is refused."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}

    def take(self, name: str, throttle: Throttle, now_ms: int) -> bool:
        """Whether the bucket of that name had a token to give."""
        bucket = self._buckets.setdefault(name, _Bucket(float(throttle.burst), now_ms))
        gained = (now_ms - bucket.filled_at_ms) / 1000 * throttle.rate_per_second
        bucket.tokens = min(float(throttle.burst), bucket.tokens + max(gained, 0.0))
        bucket.filled_at_ms = max(now_ms, bucket.filled_at_ms)
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True


class UsagePlans:
    """What each key has used so far; in memory, so a restart forgives."""

    def __init__(self, keys: KeySource) -> None:
        self._keys = keys
        self._throttler = Throttler()
        self._used: dict[str, _Used] = {}

    async def admit(self, key_value: str | None, now_ms: int) -> UsageKey:
        """The key that pays for the request.

        Raises:
            GatewayError: INVALID_API_KEY (none, unknown, disabled, in no plan of the stage),
                QUOTA_EXCEEDED or THROTTLED.
        """
        key = await self._keys.find(key_value) if key_value else None
        if key is None or not key.enabled or key.plan is None:
            raise GatewayError("INVALID_API_KEY", reason=_why_invalid(key_value, key))
        used = self._usage(key, key.plan.quota, now_ms)
        if key.plan.quota and used.count >= key.plan.quota.limit:
            raise GatewayError("QUOTA_EXCEEDED")
        name = f"{key.plan.id}/{key.value}"
        if key.plan.throttle and not self._throttler.take(name, key.plan.throttle, now_ms):
            raise GatewayError("THROTTLED", reason="usage plan")
        used.count += 1
        return key

    def _usage(self, key: UsageKey, quota: Quota | None, now_ms: int) -> _Used:
        period = _period(quota, now_ms)
        used = self._used.get(key.value)
        if used is None or used.period != period:
            used = self._used[key.value] = _Used(period)
        return used


def _why_invalid(value: str | None, key: UsageKey | None) -> str:
    if not value:
        return "the authorizer named no key"
    if key is None:
        return "no such key"
    return "the key is in no plan of this stage" if key.enabled else "the key is disabled"


def _period(quota: Quota | None, now_ms: int) -> str:
    """A name for the quota period that the moment lies in (UTC; weeks start on Sunday)."""
    moment = time.gmtime(now_ms / 1000)
    match quota.period if quota else "":
        case "DAY":
            return time.strftime("%Y-%m-%d", moment)
        case "WEEK":
            return time.strftime("%Y week %U", moment)
        case "MONTH":
            return time.strftime("%Y-%m", moment)
        case _:
            return ""
