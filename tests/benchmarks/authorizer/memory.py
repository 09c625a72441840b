"""docs/memory-sizing.md: what each size of the function costs, and how long it takes."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.authorizer import money
from tests.benchmarks.authorizer.figures import Figures
from tests.benchmarks.authorizer.subjects import OURS

CHOSEN_MB = 512
SMALLER_MB = 256
SMALLEST_MB = 128
LARGER_MB = 1_024
_KEY = f"{OURS} key"


def write(figures: Figures) -> str:
    """The document."""
    prices = money.prices()
    template = (Path(__file__).parent / "memory_template.md").read_text("utf-8")

    def took_ms(size_mb: int) -> float:
        return money.duration_ms(figures, _KEY, memory_mb=size_mb, table=prices)

    def cents(size_mb: int) -> float:
        return 100 * _lambda(figures, size_mb, prices)

    jwt_ms, start_ms = _jwt_ms(figures), _start_ms(figures)
    whole = money.million(figures, _KEY, memory_mb=CHOSEN_MB, table=prices)
    return template.format(
        chosen=CHOSEN_MB,
        smaller=SMALLER_MB,
        top=f"{money.FULL_MB:,}",
        date=figures.found["about"]["date"],
        processor=figures.found["about"]["machine"]["processor"],
        prices_date=prices["date"],
        trip_ms=prices["assumed"]["store_round_trip_ms"],
        overhead_ms=prices["assumed"]["overhead_ms"],
        key_mib=figures.peak_mib(f"{OURS} key tls"),
        jwt_mib=figures.peak_mib(f"{OURS} jwt"),
        table=_table(figures, prices),
        gain_ms=took_ms(SMALLER_MB) - took_ms(CHOSEN_MB),
        gain_cents=cents(CHOSEN_MB) - cents(SMALLER_MB),
        next_ms=took_ms(CHOSEN_MB) - took_ms(LARGER_MB),
        next_cents=cents(LARGER_MB) - cents(CHOSEN_MB),
        smaller_saves=cents(CHOSEN_MB) - cents(SMALLER_MB),
        late_ms=took_ms(SMALLEST_MB) - took_ms(CHOSEN_MB),
        small_saves=cents(CHOSEN_MB) - cents(SMALLEST_MB),
        million=whole["together"],
        jwt_cpu_ms=jwt_ms,
        jwt_128_s=jwt_ms / _share(SMALLEST_MB) / 1_000,
        jwt_chosen_s=jwt_ms / _share(CHOSEN_MB) / 1_000,
        start_cpu_ms=start_ms,
    )


def _share(size_mb: int) -> float:
    return min(1.0, size_mb / money.FULL_MB)


def _start_ms(figures: Figures) -> float:
    """Processor time of our part of a cold start, over TLS: what a bare start takes is not ours."""
    whole = figures.middle("start", f"{OURS} key tls") - figures.middle("start", "python cut")
    return whole * 1_000


def _jwt_ms(figures: Figures) -> float:
    """Processor time that the first JWT takes beyond what a key would."""
    return (figures.middle("start", f"{OURS} jwt") - figures.middle("start", _KEY)) * 1_000


def _lambda(figures: Figures, size_mb: int, prices: money.Prices) -> float:
    took_ms = money.duration_ms(figures, _KEY, memory_mb=size_mb, table=prices)
    return money.lambda_dollars(took_ms, memory_mb=size_mb, table=prices)


def _table(figures: Figures, prices: money.Prices) -> str:
    heads = ["MB", "share of a vCPU", "a decision, ms", "Lambda for a million, dollars"]
    heads += ["cold start of our code, s", "first JWT, s"]
    lines = [f"| {' | '.join(heads)} |", "| ---: " * len(heads) + "|"]
    for size_mb in money.SIZES_MB:
        share = _share(size_mb)
        took_ms = money.duration_ms(figures, _KEY, memory_mb=size_mb, table=prices)
        cells = [
            f"{took_ms:.1f}",
            f"{_lambda(figures, size_mb, prices):.3f}",
            f"{_start_ms(figures) / share / 1_000:.2f}",
            f"{_jwt_ms(figures) / share / 1_000:.2f}",
        ]
        name = f"**{size_mb:,}**" if size_mb == CHOSEN_MB else f"{size_mb:,}"
        lines.append(f"| {name} | {share:.3f} | {' | '.join(cells)} |")
    return "\n".join(lines)
