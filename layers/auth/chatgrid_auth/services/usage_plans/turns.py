"""Whose work comes when: every owner has a turn before anyone has a second one.

One user who makes and revokes keys by the thousand delays nobody else's key for longer than it
takes to do one piece of everybody's work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from chatgrid_auth.services.usage_plans.ports import Work


def in_turn(pending: Iterable[Work], *, now_ms: int) -> list[Work]:
    """The work that can be done now, in the order in which it is to be done.

    Activations come first: they need no call of API Gateway. Then a piece of each owner's work,
    then a second one of each, and so on: an owner's removals before its new keys, and in each
    round all removals before all new keys, since they make room for them.
    """
    ready: list[Work] = []
    rest: list[Work] = []
    for work in sorted(pending, key=lambda work: (work.action != "retire", work.key_id)):
        if work.action == "retire" or work.ready_at_ms is None or work.value is None:
            rest.append(work)
        elif work.ready_at_ms <= now_ms:
            ready.append(work)
    had: Counter[str] = Counter()
    rounds: list[tuple[int, Work]] = []
    for work in rest:
        rounds.append((had[work.owner], work))
        had[work.owner] += 1
    # Sorting is stable: what was in order above stays so within a round.
    rounds.sort(key=lambda entry: entry[0])
    return ready + [work for _, work in rounds]
