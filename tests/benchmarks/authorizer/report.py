"""The report, in Markdown: `report_template.md`, filled in from the figures alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.authorizer import everything_on, money
from tests.benchmarks.authorizer.budgets import budgets
from tests.benchmarks.authorizer.figures import Figures
from tests.benchmarks.authorizer.measure import PROCESSES, STORED
from tests.benchmarks.authorizer.memory import CHOSEN_MB
from tests.benchmarks.authorizer.subjects import NODE_SUBJECTS, OURS, SINGLE, USUAL, Subject

NONE = "-"
_KINDS = """
## With everything on, warm

![Processor time of a warm decision by the plain key's](authorizer-kinds.svg)

{table}

Decided in turn in one process, each by a container that has met it before; the least of eight decisions is a round's figure. The last but one is all of those above in one request: it has no budget.
"""  # noqa: E501 - a line for each paragraph, as in the template


def write(figures: Figures) -> str:
    """The whole report."""
    template = (Path(__file__).parent / "report_template.md").read_text("utf-8")
    prices = money.prices()
    return template.format(
        **_about(figures),
        **_notes(figures),
        budgets=table(figures),
        start=_start(figures),
        decision=_decision(figures),
        kinds=_kinds(figures),
        tokens=_tokens(figures),
        stored_keys=_stored_keys(figures),
        processes=_processes(figures),
        dollars=_dollars(figures, prices),
        prices_date=prices["date"],
        region=prices["region"],
        memory_mb=CHOSEN_MB,
        trip_ms=prices["assumed"]["store_round_trip_ms"],
        overhead_ms=prices["assumed"]["overhead_ms"],
    )


def table(figures: Figures) -> str:
    """The budgets, and whether they are held."""
    return _table(
        ["what", "at most", "measured", ""],
        (
            [
                budget.what,
                _number(budget.at_most, budget.unit),
                _number(budget.measured, budget.unit),
                "held" if budget.held else "**missed**",
            ]
            for budget in budgets(figures)
        ),
    )


def _number(value: float, unit: str) -> str:
    if unit == "times":
        return f"1/{1 / value:.3g}" if 0 < value < 0.5 else f"{value:.2f}"
    return f"{value:g} {unit}".rstrip() if value == int(value) else f"{value:.1f} {unit}".rstrip()


def _table(heads: list[str], rows: Iterable[list[str]]) -> str:
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _about(figures: Figures) -> dict[str, Any]:
    about = figures.found["about"]
    machine = about["machine"]
    return {
        **{name: about[name] for name in ("date", "revision", "command", "python", "rounds")},
        **{name: machine[name] for name in ("processor", "cores", "memory_mib", "system")},
        "load_before": machine["load_average_at_start"],
        "load_after": about["load_average_at_end"],
        "versions": ", ".join(f"{name} {number}" for name, number in about["versions"].items()),
    }


def _notes(figures: Figures) -> dict[str, Any]:
    """The figures that stand in sentences."""

    def start(name: str, to: str) -> float:
        return figures.ratio("start", name, to)

    node = ""
    if figures.has("start", "node"):
        node = f"`node -e 0` is {start('node', 'python'):.1f} times `python -c pass`. "
    return {
        "whole": start(f"{OURS} key whole", "python"),
        "whole_tls": start(f"{OURS} key tls whole", "python"),
        "cut": start(f"{OURS} key", "python cut"),
        "cut_tls": start(f"{OURS} key tls", "python cut"),
        "node": node,
        "bare_mib": figures.peak_mib("python"),
        "tls_mib": figures.peak_mib(f"{OURS} key tls"),
        "own_mb": figures.found["bytes"][OURS]["own code"] / 1e6,
        "malformed": figures.ratio("decide", "part decide_malformed", "part sha256_key"),
        "recognised": figures.ratio("decide", "part recognise_token", "part sha256_token"),
        "new_second": figures.middle("decide", "part first_of_its_second") * 1e6,
        "same_second": figures.middle("decide", f"{OURS} key") * 1e6,
    }


def _subjects(figures: Figures) -> Iterator[tuple[Subject, bool]]:
    """Everyone, and whether this machine could measure it."""
    measured = {subject.name for subject in figures.subjects}
    yield from ((subject, True) for subject in figures.subjects)
    yield from ((subject, False) for subject in NODE_SUBJECTS if subject.name not in measured)


def _start(figures: Figures) -> str:
    def of(name: str, to: str, measure: str = "cpu") -> str:
        known = figures.has("start", name)
        return f"{figures.ratio('start', name, to, measure):.1f}" if known else NONE

    def row(subject: Subject, present: bool) -> list[str]:
        if not present:
            return [subject.title, *["no Node here"] * 7]
        key, jwt = f"{subject.name} key", f"{subject.name} jwt"
        peaks = [figures.peak_mib(name) for name in (key, jwt) if figures.has("peak_kib", name)]
        return [
            subject.title,
            of(key, "python"),
            of(key, "python", "wall"),
            of(f"{key} tls", "python"),
            of(jwt, "python"),
            of(key, "node") if subject.node else NONE,
            " / ".join(f"{peak:.1f}" for peak in peaks),
            f"{sum(figures.found['bytes'][subject.name].values()) / 1e6:.1f}",
        ]

    heads = ["by `python -c pass`", "CPU", "wall", "CPU, TLS", "CPU, first JWT"]
    heads += ["CPU by `node -e 0`", "peak MiB: key / JWT", "MB deployed"]
    return _table(heads, (row(subject, present) for subject, present in _subjects(figures)))


def _decision(figures: Figures) -> str:
    def row(subject: Subject, present: bool) -> list[str]:
        if not present:
            return [subject.title, *["no Node here"] * 9]
        key, malformed = f"{subject.name} key", f"{subject.name} malformed"
        asked = figures.found["store"][key]
        return [
            subject.title,
            subject.store,
            "yes" if subject.counts else "no",
            f"{figures.middle('decide', key) * 1e6:.0f}",
            f"{figures.ratio('decide', key, f'{OURS} key'):.1f}",
            f"{figures.middle('decide', key, 'wall') * 1e6:.0f}",
            f"{asked['requests']:g}",
            f"{asked['write_units']:g} / {asked['read_units']:g}" if subject.dynamodb else NONE,
            f"{figures.ratio('decide', malformed, 'part sha256_key'):.0f}",
            f"{figures.found['store'][malformed]['requests']:g}",
        ]

    heads = ["", "store", "counts", "CPU µs", "CPU by ours", "wall µs", "store requests"]
    heads += ["write / read units", "mistyped key, CPU by its SHA-256", "its store requests"]
    return _table(heads, (row(subject, present) for subject, present in _subjects(figures)))


def _tokens(figures: Figures) -> str:
    def row(subject: Subject) -> list[str]:
        cells = [subject.title]
        for kind in ("jwt_first", "jwt_seen"):
            name = f"{subject.name} {kind}"
            cells.append(f"{figures.middle('decide', name) * 1e6:.0f}")
            cells.append(f"{figures.ratio('decide', name, f'{OURS} {kind}'):.1f}")
        cells.append(f"{figures.found['store'][f'{subject.name} jwt_seen']['requests']:g}")
        return cells

    heads = ["ES256", "first seen, CPU µs", "by ours", "seen again, CPU µs", "by ours"]
    heads.append("store requests")
    return _table(heads, (row(subject) for subject in figures.subjects if subject.tokens))


def _kinds(figures: Figures) -> str:
    if "everything_on" not in figures.found:
        return ""
    seconds, requests = (figures.found["everything_on"][name] for name in ("cpu", "requests"))
    heads = ["", "CPU µs", "by the plain key's", "store requests"]
    rows = (
        [
            name,
            f"{median(taken) * 1e6:.0f}",
            f"{everything_on.ratio(seconds, name):.2f}",
            f"{requests[name]:g}",
        ]
        for name, taken in seconds.items()
    )
    return _KINDS.format(table=_table(heads, rows))


def _growing(figures: Figures, section: str, name: str, base: str) -> str:
    found, first = figures.middle(section, name), figures.middle(section, base)
    return f"{found * 1e6:.0f} µs ({found / first:.2f})"


def _stored_keys(figures: Figures) -> str:
    def row(subject: Subject) -> list[str]:
        names = [f"{subject.name} {count}" for count in STORED]
        return [
            subject.title,
            *(_growing(figures, "stored_keys", name, names[0]) for name in names),
        ]

    heads = ["CPU of a decision (by the first column)"]
    heads += [f"{count:,} keys stored" for count in STORED]
    chosen = (s for s in figures.subjects if s.name in {OURS, SINGLE, USUAL})
    return _table(heads, (row(subject) for subject in chosen))


def _processes(figures: Figures) -> str:
    names = [str(count) for count in PROCESSES]
    walls = (f"{figures.middle('processes', name, 'wall') * 1e3:.2f} ms" for name in names)
    return _table(
        ["ours, by number of processes at once", *names],
        [
            ["CPU", *(_growing(figures, "processes", name, names[0]) for name in names)],
            ["wall", *walls],
        ],
    )


def _dollars(figures: Figures, prices: money.Prices) -> str:
    def row(subject: Subject, kind: str, what: str) -> list[str]:
        name = f"{subject.name} {kind}"
        cost = money.million(figures, name, memory_mb=CHOSEN_MB, table=prices)
        took = money.duration_ms(figures, name, memory_mb=CHOSEN_MB, table=prices)
        return [
            f"{subject.title}: {what}",
            f"{took:.1f}",
            f"{cost['Lambda']:.2f}",
            f"{cost['DynamoDB']:.2f}",
            f"**{cost['together'] - cost['API Gateway']:.2f}**",
            f"{cost['together']:.2f}",
        ]

    return _table(
        ["", "ms", "Lambda", "DynamoDB", "authorizing", "with API Gateway"],
        (
            row(subject, kind, what)
            for subject in figures.subjects
            if subject.name in {OURS, USUAL}
            for kind, what in (("key", "API key"), ("jwt_seen", "JWT"))
        ),
    )
