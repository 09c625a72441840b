"""The plots of docs/rate-limits.md beyond the comparison: costs, waits, and credits that are raced.

``python -m tests.benchmarks.limits_plots`` writes them all, from runs of the shipped expressions.
The credits are spent by processes against an embedded AWS, so that plot differs from run to run in
all but its end; a test reproduces the other two.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.domain.limits import window
from chatgrid_devkit.stack.ministack import Ministack
from tests.benchmarks.window_compare import OUT
from tests.benchmarks.window_plot import plot
from tests.support.aws import ACCESS_KEY
from tests.support.memory.window_model import ExactLog, Item
from tests.support.tables.containers import admitted_by
from tests.support.tables.stores import dynamodb

LIMIT, COSTS, MINUTES = 500, (1, 10, 50), 4
START_US = 1_795_000_000_000_000
PROCESSES, ATTEMPTS, CREDITS = 16, 100, 1_000

Line = tuple[str, str, Sequence[tuple[float, float]]]


def weighted() -> dict[str, list[int]]:
    """When each unit was admitted: by the window, and by an exact log of the same arrivals."""
    from tests.unit.domain.limits.test_costs_properties import Fleet  # noqa: PLC0415 - its model

    chance = random.Random(16)
    fleet, log = Fleet(limit=LIMIT, used=0), ExactLog()
    ours, exact = list[int](), list[int]()
    for step in range(MINUTES * 600):
        now_us, cost = step * 100_000, chance.choice(COSTS)
        now_ms = (START_US + now_us) // 1_000
        if fleet.request(now_ms, COSTS[1:], cost):
            ours += [now_us] * cost
        fleet.upkeep(now_ms)
        if log.count(now_us) + cost <= LIMIT:
            log.add(now_us, cost)
            exact += [now_us] * cost
    return {"this window": ours, "an exact log": exact}


def waits(*, skew_ms: int, apart_ms: int) -> list[tuple[float, float]]:
    """For a burst at each 20 ms of a second, how long until one more is admitted, in seconds.

    Args:
        skew_ms: what the window allows clocks to differ by.
        apart_ms: what they do: the burst's is ahead, the others' are right.
    """
    shipped = window.MAX_SKEW_MS
    window.MAX_SKEW_MS = skew_ms
    try:
        kind = window.Window(length_ms=60_000, bucket_ms=1_000)
        # Without the shift, as it was at first, where the skew is whole buckets.
        return [(phase / 1_000, _wait(kind, phase, apart_ms)) for phase in range(0, 1_000, 20)]
    finally:
        window.MAX_SKEW_MS = shipped


def _wait(kind: window.Window, phase_ms: int, apart_ms: int) -> float:
    start_ms = START_US // 1_000 + phase_ms
    item = Item({"used": 0, "cap": 1})
    if not _admit(item, kind, start_ms + apart_ms):
        raise AssertionError("a fresh window admits its first")
    waited_ms = 60_000
    while not _admit(item, kind, start_ms + waited_ms):
        waited_ms += 10
    return waited_ms / 1_000


def _admit(item: Item, kind: window.Window, now_ms: int) -> bool:
    admission = kind.admission(now_ms)
    when = admission.condition.replace("#u", "used")
    return item.write(f"SET {admission.assignments}", when=when, values={":c": 1})


def spent() -> list[tuple[float, int]]:
    """When each request of 16 processes on one key with 1,000 credits was answered, and how."""
    from tests.contract.test_credits import NOW_MS, Bench  # noqa: PLC0415 - its key

    with (
        tempfile.TemporaryDirectory() as state,
        Ministack(Path(state), access_key=ACCESS_KEY) as running,
    ):
        client = dynamodb(running.endpoint)
        bench = Bench(client, rate_limit=60_000, credits_said={"remaining": CREDITS})
        answers = admitted_by(
            PROCESSES,
            running.endpoint,
            bench.table,
            hash_of(bench.raw_key),
            attempts=ATTEMPTS,
            now_ms=NOW_MS,
        )
    answered = sorted(answer for each in answers for answer in each)
    return [(at - answered[0][0], admitted) for at, admitted in answered]


def chart(title: str, lines: Sequence[Line], *, across: str, low: float, high: float) -> str:
    """An SVG with these lines over one another, each with its name and colour."""
    width, height, left, top, right, base = 820, 300, 60, 48, 640, 250
    furthest = max(x for _, _, points in lines for x, _ in points)

    def place(x: float, y: float) -> str:
        share = (y - low) / (high - low)
        return f"{left + (right - left) * x / furthest:.1f},{base - (base - top) * share:.1f}"

    drawn = []
    for number, (name, colour, points) in enumerate(lines):
        path = " ".join(place(x, y) for x, y in points)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        at = f'x="{right + 12}" y="{top + 14 + 20 * number}"'
        drawn.append(f'<text {at} fill="{colour}" font-weight="600">{name}</text>')
    scale = [low + (high - low) * part / 4 for part in range(5)]
    for value in scale:
        x, y = place(0, value).split(",")
        drawn.append(f'<path d="M{x} {y}H{right}" stroke="#ddd"/>')
        drawn.append(f'<text x="{left - 8}" y="{float(y) + 4}" text-anchor="end">{value:g}</text>')
    shapes = "\n".join(drawn)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" \
font-family="system-ui, sans-serif" font-size="12">
<rect width="{width}" height="{height}" fill="#fff"/>
<text x="{left}" y="24" font-size="15" font-weight="600">{title}</text>
{shapes}
<text x="{left}" y="{base + 18}">0</text>
<text x="{right}" y="{base + 18}" text-anchor="end">{furthest:.3g} {across}</text>
</svg>
"""


def of_costs() -> str:
    """The weighted window against an exact log."""
    return plot(
        weighted(), limit=LIMIT, minutes=MINUTES, title="units, costs of 1, 10 and 50 mixed"
    )


def of_waits() -> str:
    """Waits after a full burst, with the bounds of the first design and with today's."""
    lines = [
        ("before: clocks 2 s apart", "#be123c", waits(skew_ms=2_000, apart_ms=2_000)),
        ("before: in step", "#b45309", waits(skew_ms=2_000, apart_ms=0)),
        ("now: clocks 0.5 s apart", "#7c3aed", waits(skew_ms=500, apart_ms=500)),
        ("now: in step", "#0a7d4f", waits(skew_ms=500, apart_ms=0)),
    ]
    title = "Seconds from a full burst to the next admission, by when in a second it came"
    return chart(title, lines, across="s", low=60, high=66)


def of_credits(answered: Sequence[tuple[float, int]]) -> str:
    """Requests answered and admitted, over time."""
    asked = [(at, float(number + 1)) for number, (at, _) in enumerate(answered)]
    admitted, total = list[tuple[float, float]](), 0
    for at, one in answered:
        total += one
        admitted.append((at, total))
    lines: list[Line] = [
        (f"asked: {len(asked):,}", "#b45309", _thinned(asked)),
        (f"admitted: {total:,}", "#0a7d4f", _thinned(admitted)),
    ]
    title = f"{PROCESSES} processes spend a key's {CREDITS:,} credits"
    return chart(title, lines, across="s", low=0, high=PROCESSES * ATTEMPTS)


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [*points[::20], points[-1]]


def main() -> None:
    (OUT / "limits-costs.svg").write_text(of_costs())
    (OUT / "limits-waits.svg").write_text(of_waits())
    (OUT / "limits-credits.svg").write_text(of_credits(spent()))


if __name__ == "__main__":
    main()
