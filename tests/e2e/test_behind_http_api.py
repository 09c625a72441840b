"""The end-to-end suite once more, its backend behind the HTTP API of examples/http-api.

What is asked of boards goes to the example's invoices; keys and users are managed where they are.
What cannot hold there is named, with the reason, in ``tests/support/stack/http_api_exceptions.py``,
and a test of those that passes fails the run. The quick part runs always, the rest with
CHATGRID_WHOLE_HTTP_API (`make behind-http-api`). The suite's other modules ask no backend.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.e2e import test_api, test_credentials, test_load, test_rotation
from tests.support import node_guard
from tests.support.stack.api import Api, users_of
from tests.support.stack.behind import BehindHttpApi
from tests.support.stack.http_api_exceptions import EXCEPTIONS

pytestmark = pytest.mark.skipif(bool(node_guard.missing()), reason=node_guard.missing())

WHOLE = "CHATGRID_WHOLE_HTTP_API" in os.environ
QUICK = {
    "test_a_key_lives_from_creation_to_revocation",
    "test_a_read_key_is_told_the_scope_that_it_lacks",
    "test_what_is_no_credential_is_a_401_everywhere",
    "test_every_answer_to_a_known_caller_carries_its_figures",
    "test_both_secrets_work_on_one_budget_until_the_former_is_ended",
}


#: They ask no backend, or one of a stack of their own.
ELSEWHERE = {
    "test_pages_give_130_keys_once_each_while_others_come_and_go",
    "test_killing_workers_in_the_middle_loses_at_most_their_own_requests",
}
SUITE: dict[str, Any] = {
    name: test
    for module in (test_credentials, test_rotation, test_api, test_load)
    for name, test in vars(module).items()
    if name.startswith("test_") and name not in ELSEWHERE
}
globals().update({name: test for name, test in SUITE.items() if WHOLE or name in QUICK})


def test_every_exception_and_every_quick_test_is_of_the_suite() -> None:
    assert {name.partition("[")[0] for name in EXCEPTIONS} <= set(SUITE)
    assert set(SUITE) >= QUICK


@pytest.fixture(scope="module")
def connect(stack: dict[str, Any], beside: Callable[[str], str]) -> Callable[[], httpx.Client]:
    other = beside("http-api")

    def client() -> httpx.Client:
        transport = BehindHttpApi(stack["url"], other)
        return httpx.Client(base_url=stack["url"], transport=transport, timeout=60)

    return client


@pytest.fixture(scope="module")
def http(connect: Callable[[], httpx.Client]) -> Iterator[httpx.Client]:
    with connect() as client:
        yield client


@pytest.fixture(scope="module")
def as_user(stack: dict[str, Any], http: httpx.Client) -> Callable[..., Api]:
    return users_of(stack, http)


@pytest.fixture(scope="module")
def admin(as_user: Callable[..., Api]) -> Api:
    user = as_user(str(uuid4()))
    return user.holding(user.create_key(scopes=["admin"], rate_limit=10_000)["raw_key"])
