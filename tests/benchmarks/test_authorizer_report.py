"""The report in docs is what its script makes of the figures beside it, and the budgets hold."""

from __future__ import annotations

import json

import pytest

from tests.benchmarks.authorizer import memory, money, plots, report
from tests.benchmarks.authorizer.budgets import budgets
from tests.benchmarks.authorizer.figures import Figures
from tests.benchmarks.authorizer.material import ROOT
from tests.support.stack.templates import deployed

DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def figures() -> Figures:
    """The figures of the run that the documents tell of."""
    text = (DOCS / "benchmarks" / "authorizer.json").read_text("utf-8")
    return Figures(json.loads(text))


def test_the_documents_are_what_the_figures_say(figures: Figures) -> None:
    written = {
        "benchmarks/authorizer.md": report.write(figures),
        "memory-sizing.md": memory.write(figures),
        **{f"benchmarks/{name}": picture for name, picture in plots.draw(figures).items()},
    }
    stale = [name for name, text in written.items() if (DOCS / name).read_text("utf-8") != text]
    assert not stale, "python -m tests.benchmarks.authorizer.run --again writes them anew"


def test_every_budget_held_when_it_was_last_measured(figures: Figures) -> None:
    missed = [budget.what for budget in budgets(figures) if not budget.held]
    assert [what for what in missed if not what.startswith("stretch")] == []


def test_the_template_asks_for_the_memory_that_the_document_argues_for() -> None:
    function = deployed().resources["AuthorizerFunction"]
    assert function["MemorySize"] == memory.CHOSEN_MB


def test_less_memory_is_never_faster(figures: Figures) -> None:
    table = money.prices()
    took = [
        money.duration_ms(figures, "ours key", memory_mb=size, table=table)
        for size in money.SIZES_MB
    ]
    assert took == sorted(took, reverse=True)


def test_a_million_costs_what_its_parts_do(figures: Figures) -> None:
    cost = money.million(figures, "usual key", memory_mb=512, table=money.prices())
    together = cost.pop("together")
    assert together == pytest.approx(sum(cost.values()))
