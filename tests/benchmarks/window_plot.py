"""A plot of how many requests each limiter had admitted in the 60 seconds before each moment."""

from __future__ import annotations

from html import escape

from tests.support.memory.window_model import ExactLog

_WIDTH, _PANEL, _LEFT, _TOP, _GAP = 820, 120, 60, 54, 44
_COLOURS = ("#0a7d4f", "#b45309", "#7c3aed", "#be123c")
_SECOND_US = 1_000_000


def _levels(admitted_us: list[int], seconds: int) -> list[int]:
    """Admitted in the last 60 s, at each half second."""
    log, pending = ExactLog(), iter(admitted_us)
    upcoming = next(pending, None)
    levels = []
    for half in range(2 * seconds + 1):
        now_us = half * _SECOND_US // 2
        while upcoming is not None and upcoming <= now_us:
            log.add(upcoming)
            upcoming = next(pending, None)
        levels.append(log.count(now_us))
    return levels


def _panel(name: str, levels: list[int], *, top: int, colour: str, limit: int, peak: int) -> str:
    right = _WIDTH - 20
    base = top + _PANEL

    def y(level: float) -> float:
        return round(base - _PANEL * level / peak, 1)

    step = (right - _LEFT) / (len(levels) - 1)
    points = " ".join(
        f"{_LEFT + i * step:.1f},{y(level)}"
        for i, level in enumerate(levels)
        if not level == levels[i - 1] == levels[(i + 1) % len(levels)] or i in (0, len(levels) - 1)
    )
    most = max(levels)
    times = f"{most / limit:.2f}"
    return f"""
<text x="{_LEFT}" y="{top - 8}" fill="{colour}" font-weight="600">{escape(name)}</text>
<text x="{right}" y="{top - 8}" text-anchor="end">at most {most}: {times} of the limit</text>
<line x1="{_LEFT}" y1="{base}" x2="{right}" y2="{base}" stroke="#888"/>
<polygon points="{_LEFT},{base} {points} {right},{base}" fill="{colour}" fill-opacity="0.18"/>
<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>
<path d="M{_LEFT} {y(limit)}H{right}" stroke="#222" stroke-dasharray="5 4"/>
<text x="{_LEFT - 8}" y="{y(limit) + 4}" text-anchor="end">{limit}</text>
<text x="{_LEFT - 8}" y="{base + 4}" text-anchor="end">0</text>"""


def plot(admitted: dict[str, list[int]], *, limit: int, minutes: int, title: str) -> str:
    """An SVG with one panel for each limiter, all to the same scale."""
    levels = {name: _levels(times, 60 * minutes) for name, times in admitted.items()}
    peak = max(max(series) for series in levels.values())
    height = _TOP + len(levels) * (_PANEL + _GAP) + 6
    panels = "".join(
        _panel(
            name,
            series,
            top=_TOP + 18 + number * (_PANEL + _GAP),
            colour=_COLOURS[number % len(_COLOURS)],
            limit=limit,
            peak=peak,
        )
        for number, (name, series) in enumerate(levels.items())
    )
    ticks = "".join(
        f'<text x="{_LEFT + (_WIDTH - 20 - _LEFT) * minute / minutes:.1f}" y="{height - 4}" '
        f'text-anchor="middle">{minute} min</text>'
        for minute in range(minutes + 1)
    )
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" \
font-family="system-ui, sans-serif" font-size="12">
<rect width="{_WIDTH}" height="{height}" fill="#fff"/>
<text x="{_LEFT}" y="24" font-size="15" font-weight="600">Admitted in the last 60 seconds: \
{escape(title)}</text>{panels}
{ticks}
</svg>
"""
