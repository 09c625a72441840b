"""The hostile suites over HTTP take a stack as the end-to-end suite does."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from tests.e2e.conftest import as_user, connect, http, stack
from tests.support.stack.api import Api

__all__ = ["admin", "as_user", "connect", "http", "read_key", "stack"]


@pytest.fixture(scope="session")
def admin(as_user: Callable[..., Api]) -> Api:
    """An admin key of a user of this suite's own, with a limit that it does not reach."""
    user = as_user(str(uuid4()))
    return user.holding(user.create_key(scopes=["admin"], rate_limit=60_000)["raw_key"])


class Hidden(str):
    """A key that a failing test does not print."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<a key>"


@pytest.fixture(scope="session")
def read_key(admin: Api) -> str:
    """A key that may only read."""
    return Hidden(admin.create_key(scopes=["read"], rate_limit=60_000)["raw_key"])
