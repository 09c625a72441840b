"""What a million requests cost, from one dated table of prices and this run's processor times.

Lambda gives a function 1/1,769 of a processor for each MB, and bills the time from an
invocation's start to its end. So the time is what the decision computes, stretched by that
share, and what it waits for its store.
"""

from __future__ import annotations

import json
import math
from typing import Any

from tests.benchmarks.authorizer.figures import Figures
from tests.benchmarks.authorizer.material import ROOT

FULL_MB = 1_769
SIZES_MB = (128, 192, 256, 384, 512, 768, 1_024, 1_769)

Prices = dict[str, Any]


def prices() -> Prices:
    """The table."""
    path = ROOT / "docs" / "benchmarks" / "prices.json"
    found: Prices = json.loads(path.read_text("utf-8"))
    return found


def duration_ms(figures: Figures, name: str, *, memory_mb: int, table: Prices) -> float:
    """How long a warm invocation takes, computing and waiting."""
    share = min(1.0, memory_mb / FULL_MB)
    computing_ms = figures.middle("decide", name) * 1_000 + table["assumed"]["overhead_ms"]
    waits = figures.found["store"][name]["requests"]
    return float(computing_ms / share + waits * table["assumed"]["store_round_trip_ms"])


def lambda_dollars(milliseconds: float, *, memory_mb: int, table: Prices) -> float:
    """Of a million invocations of this length, the price for each included."""
    gb_seconds = math.ceil(milliseconds) / 1_000 * memory_mb / 1_024 * 1_000_000
    price = table["dollars"]
    return float(price["lambda_request_million"] + gb_seconds * price["lambda_arm64_gb_second"])


def million(figures: Figures, name: str, *, memory_mb: int, table: Prices) -> dict[str, float]:
    """Dollars for a million decisions of one kind, by what is paid for."""
    asked, price = figures.found["store"][name], table["dollars"]
    took_ms = duration_ms(figures, name, memory_mb=memory_mb, table=table)
    parts = {
        "API Gateway": price["api_gateway_rest_request_million"],
        "Lambda": lambda_dollars(took_ms, memory_mb=memory_mb, table=table),
        "DynamoDB": asked["write_units"] * price["dynamodb_write_unit_million"]
        + asked["read_units"] * price["dynamodb_read_unit_million"],
    }
    return {**parts, "together": sum(parts.values())}
