"""What four ways to limit admit and cost, on the same arrivals.

`python -m tests.benchmarks.window_compare` writes docs/benchmarks/window.{json,md,svg}.

Eight workers with clocks of their own share one simulated store, in which every request takes some
milliseconds, so that decisions interleave as they do in Lambda. The window under test runs its
shipped expressions. Everything follows from the seed.
"""

from __future__ import annotations

import heapq
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from chatgrid_auth.domain.limits import window
from chatgrid_auth.domain.limits.window_upkeep import maintenance
from tests.benchmarks.window_plot import plot
from tests.support.memory.window_model import ExactLog, Item

SEED = 20_260_310
LIMIT = 120
WORKERS = 8
MINUTE_US = 60_000_000
START_US = 29_916_666 * MINUTE_US
LATENCY_US = (2_000, 8_000)
# Clocks differ by up to half a second, as the window allows for.
CLOCK_US = 500_000
OUT = Path(__file__).parents[2] / "docs" / "benchmarks"

Decision = Generator[Callable[[], Any], Any, bool]


class Limiter(Protocol):
    """Decides through requests to the store, which it yields; each is atomic by itself."""

    def decide(self, now_ms: int) -> Decision: ...


class ThisWindow:
    """One conditional write, and seldom one more to clean up."""

    def __init__(self) -> None:
        self.item = Item.of(window.fresh(LIMIT))

    def decide(self, now_ms: int) -> Decision:
        admitted, seen = yield lambda: (self.item.admit(now_ms=now_ms), self.item.low_level)
        if window.read(seen, now_ms=now_ms, limit=LIMIT).upkeep:
            parts = maintenance(seen, now_ms=now_ms, limit=LIMIT)
            if parts:
                yield lambda: self.item.apply(parts)
        return bool(admitted)


class FixedWindow:
    """One counter for each minute, incremented under a condition."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()

    def decide(self, now_ms: int) -> Decision:
        minute = now_ms // 60_000

        def count() -> bool:
            if self.counts[minute] >= LIMIT:
                return False
            self.counts[minute] += 1
            return True

        admitted: bool = yield count
        return admitted


class TwoCounters:
    """This minute's counter and the last one's in proportion: read both, then increment."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()

    def decide(self, now_ms: int) -> Decision:
        minute, part = divmod(now_ms, 60_000)
        now, before = yield lambda: (self.counts[minute], self.counts[minute - 1])
        if now + before * (1 - part / 60_000) >= LIMIT:
            return False
        yield lambda: self.counts.update([minute])
        return True


class ReadThenWrite:
    """A log of times: read it, drop the old, add this one, write it back."""

    def __init__(self) -> None:
        self.log: list[int] = []

    def decide(self, now_ms: int) -> Decision:
        seen = yield lambda: self.log
        log = [at_ms for at_ms in seen if at_ms > now_ms - 60_000]
        if len(log) >= LIMIT:
            return False
        yield lambda: setattr(self, "log", [*log, now_ms])
        return True


LIMITERS: dict[str, Callable[[], Limiter]] = {
    "this window": ThisWindow,
    "fixed window": FixedWindow,
    "two-counter estimate": TwoCounters,
    "read, then write": ReadThenWrite,
}


def steady(chance: random.Random, *, per_minute: float, minutes: int) -> Iterator[int]:
    now_us = 0.0
    while now_us < minutes * MINUTE_US:
        yield int(now_us)
        now_us += chance.expovariate(per_minute / MINUTE_US)


def bursts(
    chance: random.Random, *, size: int, every_us: int, first_us: int, minutes: int
) -> Iterator[int]:
    for start_us in range(first_us, minutes * MINUTE_US, every_us):
        yield from sorted(start_us + chance.randrange(200_000) for _ in range(size))


SCENARIOS: dict[str, Callable[[random.Random], Iterator[int]]] = {
    "steady, 0.8 of the limit": lambda chance: steady(chance, per_minute=0.8 * LIMIT, minutes=15),
    "steady, 1.5 times the limit": lambda chance: steady(
        chance, per_minute=1.5 * LIMIT, minutes=21
    ),
    "steady, 10 times the limit": lambda chance: steady(chance, per_minute=10 * LIMIT, minutes=21),
    "bursts at the turn of the minute": lambda chance: iter(
        sorted(
            [
                *bursts(chance, size=150, every_us=3 * MINUTE_US, first_us=58_000_000, minutes=21),
                *bursts(chance, size=150, every_us=3 * MINUTE_US, first_us=63_000_000, minutes=21),
                *steady(chance, per_minute=60, minutes=21),
            ]
        )
    ),
    "a burst, then a steady minute": lambda chance: iter(
        sorted(
            [
                *bursts(chance, size=150, every_us=4 * MINUTE_US, first_us=57_500_000, minutes=20),
                *(
                    at_us + minute * MINUTE_US
                    for minute in range(1, 20, 4)
                    for at_us in steady(chance, per_minute=1.5 * LIMIT, minutes=1)
                ),
            ]
        )
    ),
    "bursts of 300 at once": lambda chance: bursts(
        chance, size=300, every_us=50_000_000, first_us=20_000_000, minutes=21
    ),
    "one every 100 seconds": lambda chance: bursts(
        chance, size=1, every_us=100_000_000, first_us=0, minutes=600
    ),
}
PLOTTED = "a burst, then a steady minute"


class Outcome(NamedTuple):
    """admitted_us: real times at which requests were counted; requests: to the store."""

    admitted_us: list[int]
    requests: int


def run(limiter: Limiter, arrivals: list[int], seed: int) -> Outcome:
    """All arrivals through one limiter; each worker takes the next arrival at random."""
    chance = random.Random(seed)
    clocks = [chance.randrange(CLOCK_US) for _ in range(WORKERS)]
    queue: list[tuple[int, int, Decision, Callable[[], Any] | None]] = []
    for number, at_us in enumerate(arrivals):
        now_ms = (START_US + at_us + chance.choice(clocks)) // 1_000
        heapq.heappush(queue, (at_us, number, limiter.decide(now_ms), None))
    admitted, requests = [], 0
    while queue:
        at_us, number, decision, operation = heapq.heappop(queue)
        try:
            operation = decision.send(operation() if operation else None)
        except StopIteration as done:
            if done.value:
                admitted.append(at_us)
            continue
        requests += 1
        heapq.heappush(queue, (at_us + chance.randint(*LATENCY_US), number, decision, operation))
    return Outcome(admitted, requests)


def most_in_a_minute(admitted_us: list[int]) -> int:
    """The most admitted in any 60 seconds of real time."""
    log = ExactLog()
    return max((log.add(at_us) for at_us in admitted_us), default=0)


def compare() -> tuple[dict[str, Any], dict[str, list[int]]]:
    """The figures of every limiter under every scenario, and the admissions that are plotted."""
    figures: dict[str, Any] = {}
    plotted: dict[str, list[int]] = {}
    for number, (scenario, arrive) in enumerate(SCENARIOS.items()):
        arrivals = list(arrive(random.Random(SEED + number)))
        exact = ExactLog()
        ideal = sum(exact.admit(at_us, limit=LIMIT) for at_us in arrivals)
        rows = {}
        for name, make in LIMITERS.items():
            outcome = run(make(), arrivals, SEED + number)
            rows[name] = {
                "overshoot": round(most_in_a_minute(outcome.admitted_us) / LIMIT, 3),
                "admitted_of_exact": round(len(outcome.admitted_us) / ideal, 3),
                "requests_per_decision": round(outcome.requests / len(arrivals), 3),
            }
            if scenario == PLOTTED:
                plotted[name] = outcome.admitted_us
        figures[scenario] = {"arrivals": len(arrivals), "exact_log": ideal, "limiters": rows}
    return figures, plotted


def worst(figures: dict[str, Any], name: str, figure: str) -> float:
    found: float = max(scenario["limiters"][name][figure] for scenario in figures.values())
    return found


def report(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    names = list(LIMITERS)
    lines = [
        "# Four ways to limit, on the same arrivals",
        "",
        f"Limit {LIMIT} in 60 seconds, {WORKERS} workers whose clocks differ by up to 0.5 s, store "
        f"requests of {LATENCY_US[0] // 1000} to {LATENCY_US[1] // 1000} ms, seed {SEED}. Written "
        "by `python -m tests.benchmarks.window_compare`; the same seed gives the same figures.",
        "",
        "![Admitted in the last 60 seconds](window.svg)",
        "",
    ]
    for title, figure, ideal in (
        ("Most admitted in any 60 seconds ÷ limit (1.000 is the promise)", "overshoot", True),
        ("Admitted ÷ what an exact log with a perfect clock admits", "admitted_of_exact", False),
        ("Store requests for each decision", "requests_per_decision", True),
    ):
        lines += [
            f"## {title}",
            "",
            f"| arrivals | {' | '.join(names)} |",
            "| --- |" + " ---: |" * len(names),
        ]
        for scenario, row in figures.items():
            cells = [f"{row['limiters'][name][figure]:.3f}" for name in names]
            lines.append(f"| {scenario} ({row['arrivals']:,}) | {' | '.join(cells)} |")
        if ideal:
            cells = [f"**{worst(figures, name, figure):.3f}**" for name in names]
            lines.append(f"| **at worst** | {' | '.join(cells)} |")
        lines.append("")
    lines += [
        "More than an exact log (above 1 in the second table) is overshoot, not efficiency. The",
        "fixed window and the two-counter estimate go over by design: they do not know when within",
        "a minute requests came. Reading first and writing later goes over because workers decide",
        "on what others are about to change, and lose what another has just written.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    figures, plotted = compare()
    OUT.mkdir(parents=True, exist_ok=True)
    result = {"seed": SEED, "limit": LIMIT, "workers": WORKERS, "scenarios": figures}
    (OUT / "window.json").write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    (OUT / "window.md").write_text(report(figures))
    (OUT / "window.svg").write_text(plot(plotted, limit=LIMIT, minutes=8, title=PLOTTED))
    sys.stdout.write(report(figures))


if __name__ == "__main__":
    main()
