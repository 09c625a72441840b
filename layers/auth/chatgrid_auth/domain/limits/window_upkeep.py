"""What a window needs now and then: stale names removed, numbers kept short, its limit changed.

Every answer is a set of UpdateItem parameters under a condition that holds only while the item is
as it was read, so that of several containers that see the same need only one fulfils it. A failed
condition needs no retry: the next request that sees the need repeats it.
"""

from __future__ import annotations

from chatgrid_auth.domain.limits.costs import GENERATION, TOP, counter, kept
from chatgrid_auth.domain.limits.window import (
    MAX_FLIGHT_MS,
    MAX_SKEW_MS,
    MINUTE,
    REBASE_AT,
    RING,
    checkpoint_names,
    checkpoint_of,
    is_checkpoint,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from chatgrid_auth.domain.limits.window import Window

    Item = Mapping[str, Any]

HEADROOM = 100_000
"""A rebase leaves values this high, so that lowering a limit afterwards makes none negative."""
LATENESS_MS = 10_000
"""Within which a rewrite reaches the store: younger checkpoints fail its condition."""


def maintenance(
    item: Item, *, now_ms: int, limit: int, window: Window = MINUTE
) -> dict[str, Any] | None:
    """The UpdateItem parameters that put an item in order, or None when nothing is to do."""
    live, stale = _sort(item, window, now_ms)
    used = int(item["used"]["N"])
    change = limit - (int(item["cap"]["N"]) - used)
    base = _base(used, [ceiling + change for ceiling in live.values()])
    if change or base:
        coming = _coming(window, now_ms)
        update = _rewrite(live, stale, coming, limit=limit, change=change, base=base)
        if base:
            _move_others(update, item)
        return update
    if stale and len(live) + len(stale) > window.most:
        return {
            "UpdateExpression": f"REMOVE {', '.join(stale)}",
            "ConditionExpression": "attribute_exists(used)",
        }
    return None


def change_limit(item: Item, *, now_ms: int, limit: int) -> dict[str, Any]:
    """The UpdateItem parameters that give a credential another limit, exactly from then on.

    Every request admitted afterwards is at most the `limit`-th of the 60 s that end with it: live
    checkpoints move by the difference. Read the item anew and repeat when the condition fails.

    Args:
        now_ms: at most `MAX_SKEW_MS` ahead of the true time, and two seconds behind.
    """
    live, stale = _sort(item, MINUTE, now_ms)
    change = limit - (int(item["cap"]["N"]) - int(item["used"]["N"]))
    coming = _coming(MINUTE, now_ms)
    update = _rewrite(live, stale, coming, limit=limit, change=change, base=0)
    update["UpdateExpression"] = update["UpdateExpression"].replace("SET ", "SET lim = :room, ", 1)
    return update


def _sort(item: Item, window: Window, now_ms: int) -> tuple[dict[str, int], list[str]]:
    """Checkpoints that may still apply, with their ceilings, and the names of those that do not."""
    oldest = window.reader(now_ms) - window.kept
    live: dict[str, int] = {}
    stale: list[str] = []
    for name in filter(is_checkpoint, item):
        if (checkpoint_of(name) - oldest) % RING < RING // 2:
            live[name] = int(item[name]["N"])
        else:
            stale.append(name)
    return live, stale


def _coming(window: Window, now_ms: int) -> list[str]:
    """Names that may have been written since an item was read, or may be until it is rewritten."""
    reach_ms = MAX_FLIGHT_MS + MAX_SKEW_MS
    first = window.written(now_ms - reach_ms)
    last = window.written(now_ms + reach_ms + LATENESS_MS)
    return checkpoint_names(first, last - first + 1)


def _base(used: int, ceilings: list[int]) -> int:
    """What to subtract from all numbers; above half of `used`, so that twice is impossible."""
    if used < REBASE_AT:
        return 0
    base = min(used, *ceilings) - HEADROOM if ceilings else used - HEADROOM
    return base if 2 * base > used else 0


def _move_others(update: dict[str, Any], item: Item) -> None:
    """Makes a rebase take with it what else is counted from `used`, and only if it is all there."""
    moved = [counter(cost) for cost in kept(item)]
    conditions = [f"attribute_not_exists({GENERATION})", f"attribute_not_exists({TOP})"]
    if moved:
        conditions[0] = f"{GENERATION} = :g"
        update["ExpressionAttributeValues"][":g"] = item[GENERATION]
    if TOP in item:
        conditions[1] = f"attribute_exists({TOP})"
        moved.append(TOP)
    others = "".join(f"{name} = {name} - :base, " for name in moved)
    update["UpdateExpression"] = update["UpdateExpression"].replace("SET ", f"SET {others}", 1)
    update["ConditionExpression"] = " AND ".join([update["ConditionExpression"], *conditions])


def _rewrite(
    live: dict[str, int],
    stale: list[str],
    coming: list[str],
    *,
    limit: int,
    change: int,
    base: int,
) -> dict[str, Any]:
    """Moves every live ceiling by `change`, all numbers down by `base`, and `cap` into step."""
    conditions = [
        "attribute_exists(used)",
        *(f"attribute_exists({name})" for name in live),
        *(f"attribute_not_exists({name})" for name in coming if name not in live),
    ]
    assignments = ["cap = used + :room"]
    values = {":room": limit - base}
    if base:
        conditions.append("used >= :base")
        assignments.append("used = used - :base")
        values[":base"] = base
    if live:
        newest = max(live, key=live.__getitem__)
        conditions.append(f"{newest} = :seen")
        values[":seen"] = live[newest]
    if live and change != base:
        assignments += [f"{name} = {name} + :shift" for name in live]
        values[":shift"] = change - base
    removal = f" REMOVE {', '.join(stale)}" if stale else ""
    return {
        "UpdateExpression": f"SET {', '.join(assignments)}{removal}",
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeValues": {name: {"N": str(value)} for name, value in values.items()},
    }
