"""Many clients at once: nothing lost, nothing wrong, and a dead worker costs one request."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.stack.api import Api, assert_envelope, problem
from tests.support.stack.local_stack import LocalStack, descendants

CONNECTIONS = 16


def test_200_mixed_requests_from_16_connections_are_all_answered_right(
    as_user: Callable[..., Api], connect: Callable[[], httpx.Client]
) -> None:
    owner = as_user(str(uuid4()))
    writer = owner.create_key(scopes=["write"], rate_limit=10_000)["raw_key"]
    reader = owner.create_key(scopes=["read"], rate_limit=10_000)["raw_key"]
    revoked = owner.create_key()
    owner.ask("DELETE", f"/me/api-keys/{revoked['id']}")

    def ask(number: int) -> tuple[int, str]:
        with connect() as http:
            match number % 5:
                case 0:
                    body = {"name": f"board {number}", "view_mode": "canvas"}
                    made = Api(http, writer).ask("POST", "/boards", json=body)
                    return made.status_code, made.json()["data"]["name"]
                case 1:
                    return Api(http, reader).ask("GET", "/boards").status_code, ""
                case 2:
                    return problem(Api(http, reader).ask("POST", "/boards", json={}))[0::2]
                case 3:
                    return problem(Api(http, revoked["raw_key"]).ask("GET", "/me"))[0::2]
                case _:
                    return problem(Api(http, None).ask("GET", "/boards"))[0::2]

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        answers = list(pool.map(ask, range(200)))
    for number, answer in enumerate(answers):
        expected = {
            0: (201, f"board {number}"),
            1: (200, ""),
            2: (403, "Missing required scope: write"),
            3: (401, "API key has been revoked"),
            4: (401, "Missing or invalid token"),
        }[number % 5]
        assert answer == expected
    names = {board["name"] for board in owner.walk("/boards", limit=100)}
    assert names == {f"board {number}" for number in range(0, 200, 5)}


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A local stack whose processes may be killed."""
    with LocalStack(tmp_path_factory.mktemp("killed") / "state") as running:
        yield running


def test_150_at_once_with_a_limit_of_120_admit_exactly_120(
    as_user: Callable[..., Api], connect: Callable[[], httpx.Client]
) -> None:
    raw = as_user(str(uuid4())).create_key(rate_limit=120)["raw_key"]

    def ask(_: int) -> int:
        with connect() as http:
            return Api(http, raw).ask("GET", "/boards").status_code

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(ask, range(150))) == {200: 120, 429: 30}


def test_killing_workers_in_the_middle_loses_at_most_their_own_requests(
    own_stack: LocalStack, tmp_path: Path
) -> None:
    admin_key = own_stack.described["admin_key"]
    with httpx.Client(base_url=own_stack.described["url"], timeout=60) as http:
        raw = Api(http, admin_key).create_key(rate_limit=10_000)["raw_key"]
    kills = 6
    halfway = threading.Barrier(2, timeout=60)
    answered = 0
    lock = threading.Lock()

    def ask(number: int) -> httpx.Response:
        nonlocal answered
        with httpx.Client(base_url=own_stack.described["url"], timeout=60) as http:
            response = http.get("boards", headers={"Authorization": f"Bearer {raw}"})
        with lock:
            answered += 1
            reached = answered == 100
        if reached:
            halfway.wait()
        return response

    def kill() -> None:
        halfway.wait()
        workers = [pid for pid, c in descendants(own_stack.pid).items() if "worker_main" in c]
        assert len(workers) >= kills
        for pid in workers[:kills]:
            os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        responses = list(pool.map(ask, range(300)))
    killer.join()
    lost = [response for response in responses if response.status_code != 200]
    assert len(lost) <= kills
    for response in lost:
        # An authorizer that dies is a 503, a backend that dies a 502.
        assert response.status_code in {502, 503}
        assert_envelope(response)
    with httpx.Client(base_url=own_stack.described["url"], timeout=60) as http:
        assert Api(http, raw).ask("GET", "/boards").status_code == 200
