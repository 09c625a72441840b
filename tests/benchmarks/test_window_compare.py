"""The comparison in docs/benchmarks is what its script makes of the code as it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.benchmarks import window_compare


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    return window_compare.compare()[0]


def test_the_documented_figures_are_reproduced(figures: dict[str, Any]) -> None:
    documented = json.loads((window_compare.OUT / "window.json").read_text())
    assert documented["scenarios"] == figures
    assert (window_compare.OUT / "window.md").read_text() == window_compare.report(figures)


def test_only_this_window_never_goes_over_and_it_asks_the_store_once(
    figures: dict[str, Any],
) -> None:
    worst = {
        name: window_compare.worst(figures, name, "overshoot") for name in window_compare.LIMITERS
    }
    assert worst.pop("this window") == 1.0
    assert min(worst.values()) > 1.5
    assert window_compare.worst(figures, "this window", "requests_per_decision") <= 1.05
