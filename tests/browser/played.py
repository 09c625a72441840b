"""What the API tells of one key, played: its numbers and its trail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.browser.dashboard import Dashboard

#: What the page calls a span, the granularity that it asks for, and how many buckets it shows.
SPANS = (("An hour", "minute", 60), ("A day", "hour", 24), ("30 days", "day", 30))
_STEPS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


def usage_of(start: datetime, granularity: str, count: int) -> dict[str, Any]:
    """An answer of the usage route with numbers of their own in each bucket."""
    buckets = [
        {
            "at": (start + place * _STEPS[granularity]).isoformat().replace("+00:00", "Z"),
            "allowed": 7 * place,
            "refused": 3 * (place % 5),
            "rate_limited": 2 * (place % 5),
            "forbidden": place % 5,
            "credits": 7 * place,
        }
        for place in range(count)
    ]
    route = {"allowed": 1234, "refused": 9, "rate_limited": 4, "forbidden": 5, "credits": 0}
    return {
        "object": "usage",
        "data": {
            "granularity": granularity,
            "from": buckets[0]["at"],
            "to": buckets[-1]["at"],
            "buckets": buckets,
            "routes": [{"route": "GET /boards", **route}],
        },
    }


def play_usage(dashboard: Dashboard) -> dict[str, dict[str, Any]]:
    """Let the usage route tell of numbers; what it told, by granularity."""
    told: dict[str, dict[str, Any]] = {}

    def answer(route: Any) -> None:
        asked = httpx.URL(route.request.url).params
        start = datetime.fromisoformat(asked["from"]).replace(second=0, microsecond=0)
        (count,) = (count for _, known, count in SPANS if known == asked["granularity"])
        told[asked["granularity"]] = usage_of(start, asked["granularity"], count)
        route.fulfill(json=told[asked["granularity"]])

    dashboard.page.route("**/me/api-keys/*/usage**", answer)
    return told


def play_key(dashboard: Dashboard, key: dict[str, Any]) -> None:
    """Let the API know this key, its numbers and what was done to it."""
    dashboard.page.route(
        f"**/me/api-keys/{key['id']}",
        lambda route: route.fulfill(json={"object": "api_key", "data": key}),
    )
    play_usage(dashboard)
    dashboard.page.route("**/me/audit-log**", lambda route: route.fulfill(json=_trail(key)))


def _trail(key: dict[str, Any]) -> dict[str, Any]:
    deeds = (
        ("updated", {"rate_limit": {"from": 60, "to": key["rate_limit"]}}),
        ("created", {"name": {"from": None, "to": key["name"]}}),
    )
    now = datetime.now(UTC)
    entries = [
        {
            "action": f"api_key.{deed}",
            "actor": {"type": "user", "key_id": None, "source_ip": "192.0.2.7"},
            "target": {"type": "api_key", "id": key["id"]},
            "changes": changes,
            "created_at": (now - timedelta(days=days)).isoformat().replace("+00:00", "Z"),
        }
        for days, (deed, changes) in enumerate(deeds, start=1)
    ]
    return {"object": "list", "data": entries, "has_more": False, "cursor": None}
