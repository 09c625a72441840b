"""Fixtures that more than one suite shares."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatgrid_devkit.ministack import Ministack


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    """An embedded AWS for the whole run; every test makes tables of its own in it."""
    with Ministack(tmp_path_factory.mktemp("ministack")) as running:
        yield running
