"""The end-to-end suite takes a stack, and starts the local one when given none.

Set CHATGRID_STACK to a file like .devkit/stack.json (at least ``url``, ``admin_key`` and
``user_id``) to run it against a stack that runs already, a deployed one included. ``headers`` in it
go with every request.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.stack.api import Api, users_of
from tests.support.stack.http_api_exceptions import EXCEPTIONS
from tests.support.stack.local_stack import LocalStack
from tests.support.stack.other_stacks import OtherStack, built, copied


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What stack.json says of the stack under test."""
    given = os.environ.get("CHATGRID_STACK")
    if given:
        yield json.loads(Path(given).read_text())
        return
    with LocalStack(tmp_path_factory.mktemp("stack") / "state") as local:
        yield local.described


@pytest.fixture(scope="session")
def connect(stack: dict[str, Any]) -> Callable[[], httpx.Client]:
    """Makes clients of the API, each with connections of its own."""

    def client() -> httpx.Client:
        return httpx.Client(base_url=stack["url"], headers=stack.get("headers", {}), timeout=60)

    return client


@pytest.fixture(scope="session")
def http(connect: Callable[[], httpx.Client]) -> Iterator[httpx.Client]:
    """A client of the API."""
    with connect() as client:
        yield client


@pytest.fixture(scope="session")
def beside(
    stack: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], str]]:
    """Runs an example beside the system, once for the whole suite; its API's address."""
    with ExitStack() as running:

        @cache
        def packages() -> tuple[Path, Path]:
            return built(tmp_path_factory.mktemp("packages"))

        @cache
        def url(example: str) -> str:
            folder = tmp_path_factory.mktemp(example)
            tarball, wheel = packages()
            template = copied(example, folder, tarball=tarball, wheel=wheel)
            other = OtherStack(template, stack, folder / "state")
            return running.enter_context(other).url

        yield url


@pytest.fixture(scope="session")
def as_user(stack: dict[str, Any], http: httpx.Client) -> Callable[..., Api]:
    """The API as a user with a JWT of its own sees it, with a fresh budget."""
    return users_of(stack, http)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Behind an HTTP API, what is named to fail there has to."""
    for item in items:
        if item.path.name == "test_behind_http_api.py":
            name = item.name if item.name in EXCEPTIONS else item.name.partition("[")[0]
            if name in EXCEPTIONS:
                item.add_marker(pytest.mark.xfail(strict=True, reason=EXCEPTIONS[name]))
