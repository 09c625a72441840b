"""The figures of a soak in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from tests.soak.run import LOOK_SECONDS, Figures


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
    yield from _table("fault | requests", (f"{n} | {c}" for n, c in figures.faults.items() if c))
    yield from _table(
        "process | how many | the longest lived: seconds | MB at first | MB at last | "
        "most growth of any, MB",
        _memory(figures),
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


def _memory(figures: Figures) -> Iterator[str]:
    by_name: dict[str, list[tuple[float, float, int]]] = defaultdict(list)
    for name, first, last, looks in figures.memory:
        by_name[name].append((first, last, looks))
    for name, lives in by_name.items():
        first, last, looks = max(lives, key=lambda life: life[2])
        most = max(last - first for first, last, _ in lives)
        seconds = (looks - 1) * LOOK_SECONDS
        yield f"{name} | {len(lives)} | {seconds:.0f} | {first:.0f} | {last:.0f} | {most:+.0f}"


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
