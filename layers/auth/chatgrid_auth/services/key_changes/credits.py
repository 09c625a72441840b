"""What may be said of a key's credits, and what they become by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatgrid_auth.domain.credentials import Credits
from chatgrid_auth.domain.limits.credits import (
    INTERVALS,
    MOST_CREDITS,
    Refill,
    boundary_after,
)
from chatgrid_auth.services.key_rules import KeyProblem

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFILL = "credits.refill"


def merged(
    held: Credits | None, said: Mapping[str, Any] | None, *, now_ms: int
) -> tuple[Credits | None, list[KeyProblem]]:
    """The credits of a key after a merge patch of them, and what is wrong with that.

    Args:
        held: those that it has now; ``None`` for none, as a new key.
        said: ``remaining``, or how many to ``add`` to them, ``refill`` (``None`` ends it; else
            ``amount``, ``interval`` and, in Unix milliseconds, ``next_at``); ``None`` for none.
        now_ms: the clock, in Unix milliseconds.
    """
    if said is None:
        return None, []
    problems: list[KeyProblem] = []
    remaining = said.get("remaining", None if held is None else held.remaining)
    if remaining is None:
        problems.append(KeyProblem("credits.remaining", "invalid_type", "Required"))
    else:
        remaining += said.get("add", 0)
        if "remaining" in said or "add" in said:
            problems += _of_number("credits.remaining", remaining, least=0)
    refill = None if held is None else held.refill
    next_at_ms = None if held is None else held.next_at_ms
    if "refill" in said:
        refill, next_at_ms, wrong = _refill(refill, next_at_ms, said["refill"], now_ms=now_ms)
        problems += wrong
    if problems or remaining is None:
        return held, problems
    added = said.get("add", 0)
    return Credits(remaining=remaining, refill=refill, next_at_ms=next_at_ms, added=added), []


def _refill(
    refill: Refill | None, next_at_ms: int | None, said: Mapping[str, Any] | None, *, now_ms: int
) -> tuple[Refill | None, int | None, list[KeyProblem]]:
    """A refill after a merge patch of it, when it is due next, and what is wrong with that."""
    if said is None:
        return None, None, []
    amount = said.get("amount", None if refill is None else refill.amount)
    interval = said.get("interval", None if refill is None else refill.interval)
    named_ms = said.get("next_at")
    problems = _of_refill(said, amount, interval, now_ms=now_ms)
    if problems or amount is None or interval is None:
        return refill, next_at_ms, problems
    if named_ms is not None:
        anchor_ms = next_at_ms = named_ms
    elif refill is None or next_at_ms is None:
        anchor_ms = next_at_ms = boundary_after(interval, now_ms)
    elif interval == refill.interval:
        anchor_ms = refill.anchor_ms
    else:
        anchor_ms = next_at_ms
    return Refill(amount, interval, anchor_ms), next_at_ms, []


def _of_refill(
    said: Mapping[str, Any], amount: int | None, interval: object, *, now_ms: int
) -> list[KeyProblem]:
    problems: list[KeyProblem] = []
    if amount is None:
        problems.append(KeyProblem(f"{_REFILL}.amount", "invalid_type", "Required"))
    elif "amount" in said:
        problems += _of_number(f"{_REFILL}.amount", amount, least=1)
    if interval is None:
        problems.append(KeyProblem(f"{_REFILL}.interval", "invalid_type", "Required"))
    elif interval not in INTERVALS:
        rule = f"Must be one of: {', '.join(INTERVALS)}"
        problems.append(KeyProblem(f"{_REFILL}.interval", "invalid_value", rule))
    named_ms = said.get("next_at")
    if named_ms is not None and named_ms <= now_ms:
        problems.append(KeyProblem(f"{_REFILL}.next_at", "too_small", "Must be in the future"))
    return problems


def _of_number(path: str, number: int, *, least: int) -> list[KeyProblem]:
    if number < least:
        return [KeyProblem(path, "too_small", f"Must be at least {least}")]
    if number > MOST_CREDITS:
        return [KeyProblem(path, "too_big", f"Must be at most {MOST_CREDITS}")]
    return []
