"""The end-to-end suite takes a stack, and starts the local one when given none.

Set CHATGRID_STACK to a file like .devkit/stack.json (at least ``url``, ``admin_key`` and
``user_id``) to run it against a stack that runs already, a deployed one included. ``headers`` in it
go with every request.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.stack.api import Api, mint
from tests.support.stack.local_stack import LocalStack


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
def http(stack: dict[str, Any]) -> Iterator[httpx.Client]:
    """A client of the API."""
    headers = stack.get("headers", {})
    with httpx.Client(base_url=stack["url"], headers=headers, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def as_user(stack: dict[str, Any], http: httpx.Client) -> Callable[..., Api]:
    """The API as a user with a JWT of its own sees it, with a fresh budget."""
    if "supabase" not in stack:
        pytest.skip("the stack's identity provider gives no private keys: no second user here")

    def sign_in(user_id: str, **claims: Any) -> Api:
        return Api(http, mint(stack["supabase"], user_id, **claims))

    return sign_in
