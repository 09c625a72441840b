"""The figures of a soak in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from tests.soak.run import Figures


def report(figures: Figures) -> str:
    """What to print at the end; Markdown, so that it can be pasted into the documentation."""
    return "\n".join(_lines(figures))


def _lines(figures: Figures) -> Iterator[str]:
    settings = figures.settings
    yield ""
    yield (
        f"{figures.requests} requests in {figures.seconds:.0f} s from {settings.users} clients, "
        f"{sum(figures.faults.values())} store requests met a fault, "
        f"{figures.killed_workers} workers were killed; seed {settings.seed}."
    )
    yield from _table("request | answers | slowest, s", _outcomes(figures))
    yield from _table("fault | requests", (f"{n} | {c}" for n, c in figures.faults.items()))
    yield from _table(
        "process | MB at first | MB at last | growth",
        (f"{name} | {a:.0f} | {b:.0f} | {b - a:+.0f}" for name, a, b, _ in figures.memory),
    )
    yield ""
    if figures.windows:
        most, limit = figures.windows[0]
        full = sum(most == limit for most, limit in figures.windows)
        yield (
            f"Most admitted in any 60 s: {most} of {limit}, the fullest of {len(figures.windows)} "
            f"windows ({full} of them reached their limit)."
        )
    yield (
        f"Books: {figures.keys_checked} keys compared with what their clients were told, "
        f"{figures.items_checked} items of the keys table with each other."
    )
    yield f"Promises broken: {len(figures.broken)}"
    yield from (f"- {promise}" for promise in figures.broken[:50])


def _outcomes(figures: Figures) -> Iterator[str]:
    by_request: dict[str, list[str]] = defaultdict(list)
    for outcome, count in figures.outcomes.items():
        request, _, status = outcome.rpartition(" ")
        by_request[request].append(f"{status}: {count}")
    for request, answers in by_request.items():
        yield f"{request} | {', '.join(answers)} | {figures.slowest[request]:.1f}"


def _table(head: str, rows: Iterable[str]) -> Iterator[str]:
    yield ""
    yield f"| {head} |"
    yield f"| {' | '.join('---' for _ in head.split(' | '))} |"
    yield from (f"| {row} |" for row in rows)
