"""docs/costs.md: what authorizing costs, all in, and what each switch adds.

``python -m tests.benchmarks.authorizer.costs`` writes it anew, from docs/benchmarks/prices.json,
the processor time in docs/benchmarks/authorizer.json and the lines that the code writes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from chatgrid_authorizer.decision_log import Measured
from chatgrid_authorizer.decision_metrics import HELD_MS, MOST_HELD, DecisionMetrics
from tests.benchmarks.authorizer import money
from tests.benchmarks.authorizer.figures import Figures
from tests.benchmarks.authorizer.material import ROOT
from tests.benchmarks.authorizer.memory import CHOSEN_MB
from tests.benchmarks.authorizer.subjects import OURS

DOCUMENT = ROOT / "docs" / "costs.md"
LOADS = (100, 1_000, 10_000)
"""Requests a second, day and night."""

FLOOD_RATE = 1_000
"""Requests a second of one key that somebody floods the API with."""

TARGET_DOLLARS = 1.10
"""What authorizing a million requests may cost, all in but API Gateway's own price."""

_MONTH_SECONDS = 730 * 3_600
_GB = 1e9  # the smaller of the two readings, so the dearer one


class Switch(NamedTuple):
    """One of the template's parameters, and what it adds in a month at each load."""

    name: str
    dollars: tuple[float, ...]


def figures() -> Figures:
    """The last run of the benchmark."""
    return Figures(
        json.loads((ROOT / "docs" / "benchmarks" / "authorizer.json").read_text("utf-8"))
    )


def millions(rate: float) -> float:
    """Millions of requests in a month of 730 hours."""
    return rate * _MONTH_SECONDS / 1e6


def authorizing(found: Figures, rate: int, *, table: money.Prices) -> dict[str, float]:
    """Dollars for authorizing a million requests of keys at this load, by what is paid for."""
    parts = money.million(found, f"{OURS} key", memory_mb=CHOSEN_MB, table=table)
    assumed, price = table["assumed"], table["dollars"]
    series = assumed["decision_metric_series"] * price["metric_month"]
    return {
        "DynamoDB, one write unit": parts["DynamoDB"],
        "Lambda": parts["Lambda"],
        "decision lines": logged(assumed["decision_line_bytes"], lines=1, table=table),
        "metric lines": logged(metric_bytes(table), lines=1 / held(table), table=table),
        "metrics themselves": series / millions(rate),
    }


def millisecond(table: money.Prices) -> float:
    """Dollars for one more billed millisecond in each of a million invocations."""
    two, one = (
        money.lambda_dollars(took_ms, memory_mb=CHOSEN_MB, table=table) for took_ms in (2, 1)
    )
    return two - one


def logged(size_bytes: float, *, lines: float, table: money.Prices) -> float:
    """Dollars for a million times so many bytes, in so many lines, taken in and kept."""
    assumed, price = table["assumed"], table["dollars"]
    gb = 1e6 * (size_bytes + lines * assumed["log_event_overhead_bytes"]) / _GB
    kept = assumed["logs_compressed_to"] * assumed["logs_kept_months"]
    return float(gb * (price["logs_gb"] + kept * price["logs_stored_gb_month"]))


def held(table: money.Prices) -> int:
    """How many decisions share a line of metrics."""
    rate = table["assumed"]["decisions_per_second_of_an_environment"]
    return int(min(MOST_HELD, rate * HELD_MS / 1_000))


def metric_bytes(table: money.Prices) -> float:
    """Bytes of a line of metrics for each decision in it, as the code writes them."""
    metrics, count, took_ms = DecisionMetrics("ChatGrid/chatgrid-auth"), held(table), 7.77
    lines: list[str] = []
    for number in range(1 + count):
        now_ms = 1_800_000_000_000 + number * HELD_MS // count
        measured = Measured(now_ms=now_ms, took_ms=took_ms, store_ms=took_ms, cold_start=False)
        lines += metrics.record(("allowed", "api-key"), measured)
    return len(lines[-1]) / count


def flood(found: Figures, *, at_edge: bool, table: money.Prices) -> dict[str, float]:
    """Dollars for a million requests of a key over its limit, nearly all refused from memory.

    The edge's 429 is API Gateway's own, which it does not bill; else a guarded function gives it.
    """
    assumed, price = table["assumed"], table["dollars"]
    took_ms = money.duration_ms(found, f"{OURS} malformed", memory_mb=CHOSEN_MB, table=table)
    guard_ms = assumed["guard_invocation_ms"]
    guard = money.lambda_dollars(guard_ms, memory_mb=CHOSEN_MB, table=table)
    return {
        "authorizer": money.lambda_dollars(took_ms, memory_mb=CHOSEN_MB, table=table),
        "decision lines": logged(assumed["refusal_line_bytes"], lines=1, table=table),
        "API Gateway": 0.0 if at_edge else price["api_gateway_rest_request_million"],
        "backend, for the guard's answer": 0.0 if at_edge else guard,
    }


def gateway(rate: float, *, table: money.Prices) -> float:
    """Dollars for API Gateway's own part of a month."""
    left, before, dollars = millions(rate), 0.0, 0.0
    for tier in table["api_gateway_tiers"]:
        room = left if tier["up_to_million"] is None else tier["up_to_million"] - before
        taken = min(left, room)
        dollars += taken * tier["dollars"]
        left, before = left - taken, before + taken
    return dollars


def switches(table: money.Prices) -> list[Switch]:
    """What each switch adds in a month."""
    assumed, price = table["assumed"], table["dollars"]
    access = logged(assumed["access_line_bytes"], lines=1, table=table)
    platform = logged(assumed["platform_lines_bytes"], lines=assumed["platform_lines"], table=table)
    runs = assumed["reconciler_runs_month"] / 1e6
    run = money.lambda_dollars(assumed["reconciler_run_ms"], memory_mb=CHOSEN_MB, table=table)
    own_keys = runs * run + assumed["reconciler_metric_series"] * price["metric_month"]
    monitoring = (
        assumed["alarm_metrics"] * price["alarm_metric_month"]
        + assumed["dashboards"] * price["dashboard_month"]
    )
    each = len(LOADS)
    return [
        Switch("`AccessLog` on", tuple(access * millions(rate) for rate in LOADS)),
        Switch("`Tracing` on (X-Ray)", tuple(_traced(rate, table=table) for rate in LOADS)),
        Switch(
            "platform lines at `INFO` instead of `WARN`, of one function",
            tuple(platform * millions(rate) for rate in LOADS),
        ),
        Switch("`OwnGatewayKeys` (reconciler, 14 metrics)", (own_keys,) * each),
        Switch("monitoring (alarms, dashboard)", (monitoring,) * each),
    ]


def _traced(rate: int, *, table: money.Prices) -> float:
    """X-Ray takes the first request of each second and a share of the others."""
    assumed = table["assumed"]
    first = assumed["traced_per_second"]
    traces = first + assumed["traced_share"] * (rate - first)
    return float(traces * _MONTH_SECONDS / 1e6 * table["dollars"]["xray_trace_million"])


def write(found: Figures) -> str:
    """The document."""
    table = money.prices()
    template = (Path(__file__).parent / "costs_template.md").read_text("utf-8")
    return template.format(
        target=TARGET_DOLLARS,
        millisecond=millisecond(table),
        date=table["date"],
        region=table["region"],
        memory=CHOSEN_MB,
        trip_ms=table["assumed"]["store_round_trip_ms"],
        overhead_bytes=table["assumed"]["log_event_overhead_bytes"],
        stored_share=table["assumed"]["logs_compressed_to"],
        held=held(table),
        metric_bytes=metric_bytes(table),
        series=table["assumed"]["decision_metric_series"],
        parts=_parts(found, table),
        months=_months(found, table),
        switches=_switches(table),
        floods=_floods(found, table),
        guard_ms=table["assumed"]["guard_invocation_ms"],
        prices=_prices(table),
    )


def _parts(found: Figures, table: money.Prices) -> str:
    by_load = [authorizing(found, rate, table=table) for rate in LOADS]
    rows = [(name, *(f"{parts[name]:.3f}" for parts in by_load)) for name in by_load[0]]
    rows.append(("**all in**", *(f"**{sum(parts.values()):.2f}**" for parts in by_load)))
    return _table(("dollars for a million", *(f"{rate:,}/s" for rate in LOADS)), rows)


def _months(found: Figures, table: money.Prices) -> str:
    rows = []
    for rate in LOADS:
        own = sum(authorizing(found, rate, table=table).values()) * millions(rate)
        edge = gateway(rate, table=table)
        cells = (f"{rate:,}/s", f"{millions(rate):,.0f}", f"{own:,.0f}", f"{edge:,.0f}")
        rows.append((*cells, f"{own + edge:,.0f}"))
    heads = ("load", "million requests", "authorizing", "API Gateway itself", "together")
    return _table(heads, rows)


def _switches(table: money.Prices) -> str:
    rows = []
    for name, dollars in switches(table):
        each = dollars[1] / millions(LOADS[1])
        rows.append((name, f"{each:.3f}", *(f"{month:,.2f}" for month in dollars)))
    heads = ("switch", "a million, at 1,000/s", *(f"a month at {rate:,}/s" for rate in LOADS))
    return _table(heads, rows)


def _floods(found: Figures, table: money.Prices) -> str:
    guard, edge = (flood(found, at_edge=at_edge, table=table) for at_edge in (False, True))
    rows: list[tuple[str, ...]] = [
        (name, f"{guard[name]:.3f}", f"{edge[name]:.3f}") for name in guard
    ]
    sums = [sum(parts.values()) for parts in (guard, edge)]
    rows.append(("**together**", *(f"**{dollars:.2f}**" for dollars in sums)))
    hour = FLOOD_RATE * 3_600 / 1e6
    rows.append((f"an hour of {FLOOD_RATE:,}/s", *(f"{hour * each:,.2f}" for each in sums)))
    return _table(("dollars for a million", "left to the guard", "refused at the edge"), rows)


def _prices(table: money.Prices) -> str:
    rows = [
        (name.replace("_", " "), f"{dollars:.10f}".rstrip("0").rstrip("."), table["sources"][name])
        for name, dollars in table["dollars"].items()
    ]
    return _table(("price", "dollars", "known from"), rows)


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [heads, ("---", *["---:"] * (len(heads) - 1)), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    DOCUMENT.write_text(write(figures()), "utf-8")
