"""API Gateway keys: those of the template, and those made while the system runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chatgrid_devkit.gateway.usage_plans import KeySource
from chatgrid_devkit.template.description import Deployment, Quota, Throttle, UsageKey, UsagePlan

_FRESH_SECONDS = 2.0
_AGAIN_SECONDS = 0.25


class TemplateKeys:
    """The keys that the template itself declares."""

    def __init__(self, keys: Iterable[UsageKey]) -> None:
        self._keys = {key.value: key for key in keys}

    async def find(self, value: str) -> UsageKey | None:
        """The key with this value."""
        return self._keys.get(value)


class FirstOf:
    """Asks one source after the other."""

    def __init__(self, *sources: KeySource) -> None:
        self._sources = sources

    async def find(self, value: str) -> UsageKey | None:
        """The key as the first source that has it knows it."""
        for source in self._sources:
            key = await source.find(value)
            if key is not None:
                return key
        return None


class ControlPlaneKeys:
    """The keys that an API Gateway control plane holds, as of a few seconds ago.

    A key is usable as soon as it is in its plan: an unknown value is looked up afresh before it
    is refused. Whatever else changes is taken up after 2 s, without a request waiting for it;
    on AWS too it takes a while.

    Args:
        read: all keys of the control plane; called in a thread.
    """

    def __init__(
        self,
        read: Callable[[], Mapping[str, UsageKey]],
        *,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._timer = timer
        self._keys: Mapping[str, UsageKey] = {}
        self._read_at: float | None = None
        self._reading: asyncio.Task[None] | None = None

    async def find(self, value: str) -> UsageKey | None:
        """The key with this value."""
        if value in self._keys:
            if self._older_than(_FRESH_SECONDS):
                self._refresh()
        elif self._older_than(_AGAIN_SECONDS):
            await asyncio.shield(self._refresh())
        return self._keys.get(value)

    def _older_than(self, seconds: float) -> bool:
        return self._read_at is None or self._timer() - self._read_at >= seconds

    def _refresh(self) -> asyncio.Task[None]:
        """Read the control plane once, however many ask for it."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_all())
            # Who waits for it is told; what is known serves on while the control plane is out.
            self._reading.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._reading

    async def _read_all(self) -> None:
        began = self._timer()
        self._keys = await asyncio.to_thread(self._read)
        self._read_at = began


def control_plane_reader(
    client: Any, deployment: Deployment, *, api_id: str, page_size: int = 500
) -> Callable[[], Mapping[str, UsageKey]]:
    """Reads keys and plans through a boto3 `apigateway` client.

    Args:
        api_id: the API's id over there; plans that cover none of its stages do not count, unless
            they cover none at all (a control plane that holds the plans alone).
    """
    stage = deployment.api.stage

    def pages(operation: str, **arguments: Any) -> Iterable[Mapping[str, Any]]:
        paginator = client.get_paginator(operation)
        for page in paginator.paginate(PaginationConfig={"PageSize": page_size}, **arguments):
            yield from page.get("items", [])

    def read() -> Mapping[str, UsageKey]:
        plans: dict[str, UsagePlan] = {}
        for plan in pages("get_usage_plans"):
            stages = plan.get("apiStages", [])
            if stages and not any(
                s.get("apiId") == api_id and s.get("stage") == stage for s in stages
            ):
                continue
            known = read_plan(plan)
            for key in pages("get_usage_plan_keys", usagePlanId=plan["id"]):
                plans[key["id"]] = known
        return {
            key["value"]: UsageKey(
                id=key["id"],
                value=key["value"],
                name=key.get("name", ""),
                enabled=bool(key.get("enabled", False)),
                plan=plans.get(key["id"]),
            )
            for key in pages("get_api_keys", includeValues=True)
            if key.get("value")
        }

    return read


def read_plan(plan: Mapping[str, Any]) -> UsagePlan:
    """A usage plan as API Gateway tells of it."""
    throttle, quota = plan.get("throttle") or {}, plan.get("quota") or {}
    return UsagePlan(
        id=plan["id"],
        name=plan.get("name", plan["id"]),
        throttle=Throttle(
            rate_per_second=float(throttle["rateLimit"]), burst=int(throttle["burstLimit"])
        )
        if "rateLimit" in throttle
        else None,
        quota=Quota(limit=int(quota["limit"]), period=quota["period"])
        if "limit" in quota
        else None,
    )
