"""Fixtures that more than one suite shares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chatgrid_devkit.ministack import Ministack


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    """An embedded AWS for the whole run; every test makes tables of its own in it."""
    with Ministack(tmp_path_factory.mktemp("ministack")) as running:
        yield running


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests run on several processes, keep those together that share what is costly."""
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        shares_a_stack = "stack" in getattr(item, "fixturenames", ())
        group = f"{folder}/stack" if shares_a_stack else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
