"""Plots of the figures, as SVG by hand: no library has to be installed for a few bars."""

from __future__ import annotations

import math
from html import escape

from tests.benchmarks.authorizer import everything_on
from tests.benchmarks.authorizer.figures import Figures
from tests.benchmarks.authorizer.measure import PROCESSES, STORED
from tests.benchmarks.authorizer.subjects import OURS

_WIDTH, _LABEL, _ROW, _TOP = 880, 400, 30, 56
_OURS, _OTHER, _LIMIT = "#0a7d4f", "#94a3b8", "#be123c"


def draw(figures: Figures) -> dict[str, str]:
    """The pictures by file name."""
    starts = [
        (subject.title, figures.ratio("start", f"{subject.name} key", "python"))
        for subject in figures.subjects
    ]
    decisions = [
        (subject.title, figures.middle("decide", f"{subject.name} key") * 1e6)
        for subject in figures.subjects
    ]
    kinds = {}
    if "everything_on" in figures.found:
        seconds = figures.found["everything_on"]["cpu"]
        kinds["authorizer-kinds.svg"] = bars(
            "Processor time of a warm decision, by the plain key's",
            [(name, everything_on.ratio(seconds, name)) for name in seconds],
            unit="times",
            limit=everything_on.AT_MOST,
        )
    return {
        **kinds,
        "authorizer-start.svg": bars(
            "Processor time to the first decision, in bare Python starts",
            starts,
            unit="times",
            limit=4,
        ),
        "authorizer-decision.svg": bars(
            "Processor time of a warm key decision, loopback stub", decisions, unit="µs"
        ),
        "authorizer-growth.svg": lines(figures),
    }


def bars(
    title: str, values: list[tuple[str, float]], *, unit: str, limit: float | None = None
) -> str:
    """Horizontal bars, the first of them ours; ``limit`` is a line across."""
    height = _TOP + _ROW * len(values) + 16
    room = _WIDTH - _LABEL - 90
    scale = room / max(value for _, value in values)
    rows = []
    for place, (label, value) in enumerate(values):
        top = _TOP + _ROW * place
        colour = _OURS if place == 0 else _OTHER
        rows.append(
            f'<text x="{_LABEL - 10}" y="{top + 15}" text-anchor="end">{escape(label)}</text>'
            f'<rect x="{_LABEL}" y="{top}" width="{max(1, value * scale):.1f}" height="20"'
            f' fill="{colour}"/>'
            f'<text x="{_LABEL + value * scale + 8:.1f}" y="{top + 15}">{value:.3g} {unit}</text>'
        )
    if limit is not None:
        x = _LABEL + limit * scale
        rows.append(
            f'<path d="M{x:.1f} {_TOP - 8}V{height - 12}" stroke="{_LIMIT}"'
            ' stroke-dasharray="4 3"/>'
            f'<text x="{x:.1f}" y="{_TOP - 14}" fill="{_LIMIT}" text-anchor="middle">budget</text>'
        )
    return _picture(title, height, "".join(rows))


def lines(figures: Figures) -> str:
    """Our decision's processor time against the number of keys, and of processes."""
    panels = [
        ("keys stored", [(n, figures.middle("stored_keys", f"{OURS} {n}")) for n in STORED]),
        ("processes at once", [(n, figures.middle("processes", str(n))) for n in PROCESSES]),
    ]
    top, bottom, width = 70, 250, 330
    peak = max(seconds for _, points in panels for _, seconds in points) * 1.25
    drawn = []
    for place, (name, points) in enumerate(panels):
        left = 70 + place * 410
        first, last = math.log(points[0][0]), math.log(points[-1][0])
        spots = [
            (
                left + width * (math.log(count) - first) / (last - first),
                bottom - (bottom - top) * seconds / peak,
            )
            for count, seconds in points
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        drawn.append(
            f'<path d="M{left} {top}V{bottom}H{left + width}" fill="none" stroke="#475569"/>'
            f'<polyline points="{path}" fill="none" stroke="{_OURS}" stroke-width="2"/>'
            f'<text x="{left + width / 2}" y="{bottom + 40}" text-anchor="middle">{name}</text>'
        )
        for (count, seconds), (x, y) in zip(points, spots, strict=True):
            drawn.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{_OURS}"/>'
                f'<text x="{x:.1f}" y="{y - 9:.1f}" text-anchor="middle">{seconds * 1e6:.0f}</text>'
                f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{count:,}</text>'
            )
    return _picture("Processor time of one of our decisions, µs", bottom + 60, "".join(drawn))


def _picture(title: str, height: int, content: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
        f' width="{_WIDTH}" height="{height}" font-family="system-ui, sans-serif" font-size="13"'
        ' fill="#0f172a">'
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>'
        f'<text x="20" y="26" font-size="16" font-weight="600">{escape(title)}</text>'
        f"{content}</svg>\n"
    )
