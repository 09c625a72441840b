"""Fixtures that more than one suite shares."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.loaders import Loader, create_loader
from hypothesis import HealthCheck, settings

from chatgrid_devkit.stack.ministack import Ministack
from tests.support.aws import ACCESS_KEY

# A terminal that is forced on whoever asks for colours, as CI services are known to: the tests of
# the operator's command read words.
os.environ["_TYPER_FORCE_DISABLE_TERMINAL"] = "1"
for forced in ("FORCE_COLOR", "PY_COLORS"):
    os.environ.pop(forced, None)

# How busy the machine is, is not what is tested. CI asks the same questions each time: a new one
# is for whoever can look at the answer.
settings.register_profile(
    "steady",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
    print_blob=True,
)
settings.load_profile("steady")


_READ: dict[str | None, dict[Any, Any]] = {}


def _loader_of_what_was_read(search_path: str | None = None) -> Loader:
    """A session's own: boto3 adds a path to each, and looks in all paths for what is in none."""
    loader = create_loader(search_path)
    vars(loader)["_cache"] = _READ.setdefault(search_path, {})
    return loader


# What boto3 knows of AWS's services is read once, not for each session: most of a client's cost.
# It is data; credentials and settings stay with each session.
vars(botocore.session)["create_loader"] = _loader_of_what_was_read


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    """An embedded AWS for the whole run; every test makes tables of its own in it."""
    with Ministack(tmp_path_factory.mktemp("ministack"), access_key=ACCESS_KEY) as running:
        yield running


@pytest.fixture(autouse=True)
def no_session_of_another_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 would keep the credentials of whichever test first made a client by the environment."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests run on several processes, keep those together that share what is costly."""
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        shares_a_stack = "stack" in getattr(item, "fixturenames", ())
        group = f"{folder}/stack" if shares_a_stack else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
