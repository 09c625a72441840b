"""Requests that count more than one: for each such cost, a shadow of `used` that is c - 1 higher.

DynamoDB compares attributes and does no arithmetic in a condition. But "c more fit below this
ceiling" is "`used` + c - 1 is below it". So an item keeps that number for each cost, raises it with
`used`, and a request of the cost is judged by it in place of `used`: the same condition, the same
proof. `g` names the costs whose shadows are in step. Whoever finds another set there than it sent
takes the item's, if that holds its own, or puts the shadows in step anew.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Item = Mapping[str, Any]

#: Which shadows of an item are in step; and the ceiling that credits are.
GENERATION, TOP = "g", "top"
HIGHEST_COST = 999
MOST_COSTS = 3
"""How many costs beside 1 a deployment may have: an item stays one write unit with as many."""
_MOST_KEPT = 4
"""How many an item keeps while containers of two deployments ask for different ones."""


def counter(cost: int) -> str:
    """The attribute by which a request of this cost is judged."""
    return "used" if cost == 1 else f"u{cost}"


def kept(item: Item) -> tuple[int, ...]:
    """The costs whose shadows an item keeps in step, from the least to the highest."""
    held = item.get(GENERATION)
    return () if held is None else tuple(map(int, held["S"].split(",")))


def named(costs: Sequence[int]) -> dict[str, str]:
    """What `g` is for these costs."""
    return {"S": ",".join(map(str, costs))}


def sent(known: tuple[int, ...] | None, own: tuple[int, ...]) -> tuple[int, ...]:
    """The costs that a request takes an item to keep: those it was seen with, if its own are there.

    Args:
        known: what the item kept when it was last seen; ``None`` if it was not.
        own: what the request needs.
    """
    return own if known is None or not set(own) <= set(known) else known


def raised(costs: Sequence[int]) -> str:
    """The assignments that keep these shadows in step, each behind a comma."""
    return "".join(f", u{cost} = u{cost} + :c" for cost in costs)


def fresh(costs: Sequence[int], *, used: int) -> dict[str, dict[str, str]]:
    """The shadows of an item that is made now."""
    if not costs:
        return {}
    shadows = {counter(cost): {"N": str(used + cost - 1)} for cost in costs}
    return {GENERATION: named(costs), **shadows}


def in_step(item: Item, costs: Sequence[int]) -> tuple[tuple[int, ...], dict[str, Any] | None]:
    """The costs to judge by from now on, and the write that they take; none if they are there.

    The write is right whenever it is made, and however often: it goes by `used` alone.

    Args:
        costs: those that have to be there, from the least to the highest.
    """
    have = kept(item)
    if set(costs) <= set(have):
        return have, None
    wanted = tuple(sorted({*costs, *have}))
    if len(wanted) > _MOST_KEPT:
        wanted = tuple(costs)
    gone = [counter(cost) for cost in have if cost not in wanted]
    shadows = ", ".join(f"{counter(cost)} = used + :p{cost}" for cost in wanted)
    removal = f" REMOVE {', '.join(gone)}" if gone else ""
    values = {f":p{cost}": {"N": str(cost - 1)} for cost in wanted}
    return wanted, {
        "UpdateExpression": f"SET {GENERATION} = :g, {shadows}{removal}",
        "ConditionExpression": "attribute_exists(used)",
        "ExpressionAttributeValues": {":g": named(wanted), **values},
    }
