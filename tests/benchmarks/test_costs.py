"""docs/costs.md is what the price file says, and authorizing stays within its budget."""

from __future__ import annotations

import pytest

from chatgrid_authorizer.decision_metrics import MOST_HELD
from tests.benchmarks.authorizer import costs, money
from tests.benchmarks.authorizer.costs import LOADS
from tests.unit.authorizer.test_decision_log import ALLOWED_BYTES


def test_the_document_is_what_the_price_file_says() -> None:
    written = costs.DOCUMENT.read_text("utf-8")
    assert written == costs.write(costs.figures()), "python -m tests.benchmarks.authorizer.costs"


@pytest.mark.parametrize("rate", LOADS)
def test_authorizing_a_million_costs_a_dollar_and_ten_at_most(rate: int) -> None:
    """Machines that measure the processor time differ, by a millisecond as Lambda bills it."""
    table = money.prices()
    parts = costs.authorizing(costs.figures(), rate, table=table)
    assert costs.TARGET_DOLLARS == 1.10
    assert sum(parts.values()) <= costs.TARGET_DOLLARS + costs.millisecond(table)
    assert "API Gateway" not in parts


def test_a_line_is_priced_at_the_size_that_a_test_holds() -> None:
    assumed = money.prices()["assumed"]
    assert assumed["decision_line_bytes"] == ALLOWED_BYTES
    assert costs.held(money.prices()) <= MOST_HELD


def test_a_flood_refused_at_the_edge_costs_a_sixth_at_most() -> None:
    found, table = costs.figures(), money.prices()
    guard, edge = (
        sum(costs.flood(found, at_edge=at_edge, table=table).values()) for at_edge in (False, True)
    )
    assert edge <= guard / 6


def test_every_price_says_where_it_is_known_from() -> None:
    table = money.prices()
    assert set(table["sources"]) == set(table["dollars"])


def test_api_gateways_tiers_are_paid_in_turn() -> None:
    table = money.prices()
    hundred_million = 100e6 / (730 * 3_600)
    assert costs.gateway(hundred_million, table=table) == pytest.approx(350)
    first, second = 333 * 3.50, (costs.millions(200) - 333) * 2.80
    assert costs.gateway(200, table=table) == pytest.approx(first + second)
