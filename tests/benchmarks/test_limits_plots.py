"""The plots of limits are what their script makes of the code as it is."""

from __future__ import annotations

from tests.benchmarks import limits_plots
from tests.benchmarks.window_compare import OUT


def test_the_plot_of_waits_is_reproduced_and_within_its_bounds() -> None:
    assert (OUT / "limits-waits.svg").read_text() == limits_plots.of_waits()
    now = [
        *limits_plots.waits(skew_ms=500, apart_ms=0),
        *limits_plots.waits(skew_ms=500, apart_ms=500),
    ]
    assert max(wait for _, wait in now) <= 62.0
    assert max(wait for _, wait in limits_plots.waits(skew_ms=2_000, apart_ms=2_000)) > 64.9


def test_the_plot_of_costs_is_reproduced() -> None:
    assert (OUT / "limits-costs.svg").read_text() == limits_plots.of_costs()
