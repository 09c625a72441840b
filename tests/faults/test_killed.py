"""Processes killed in the middle: clients are told, nothing half done is left, all comes back.

The embedded AWS keeps what it had when it was last told to end. So what is promised here after
its death is what the functions owe: nobody in, nobody called a stranger, and a clean start. That
no write is lost that DynamoDB has acknowledged is DynamoDB's own promise.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.domain.errors import Fault
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.services.gate.requests import Request
from chatgrid_devkit.stack.ministack import Ministack
from tests.faults.bench import Bench, Given
from tests.faults.conftest import lean_client, now_ms
from tests.support.aws import ACCESS_KEY
from tests.support.servers.proxy import FAULTS, FaultProxy, clear, operation, wait_until
from tests.support.stack.api import Api, assert_envelope
from tests.support.stack.local_stack import LocalStack, descendants, is_running
from tests.support.tables import books
from tests.support.tables.stores import dynamodb

SHOWN_FAULTS = ("reset before", "500 after", "throttled", "nonsense before")


@pytest.fixture
def own_store(tmp_path: Path) -> Iterator[Ministack]:
    """An embedded AWS that may be killed."""
    with Ministack(tmp_path / "aws", access_key=ACCESS_KEY) as running:
        yield running


def kill(store: Ministack) -> None:
    assert store.process is not None
    store.process.kill()
    store.process.wait()
    assert store.process.stdin is not None
    store.process.stdin.close()


def test_functions_fail_closed_while_the_store_is_dead(
    own_store: Ministack, impatient: Callable[[str], None], connect: Callable[[], DynamoDB]
) -> None:
    """And they go on when it is back."""
    impatient(own_store.endpoint)
    with FaultProxy(lambda: own_store.endpoint) as proxy:
        bench = Bench(
            proxy,
            store=dynamodb(own_store.endpoint),
            functions_store=connect(),
        )
        good, revoked = bench.given(bench.create()), bench.given(bench.create())
        assert bench.revoke(revoked.id).status == 200
        own_store.stop()  # told to end: it keeps what it has
        own_store.start()
        answers: list[int] = []
        killed = threading.Event()

        def create_until_it_fails() -> None:
            while (status := bench.create().status) == 201:
                answers.append(status)
                if len(answers) == 3:
                    kill(own_store)
                    killed.set()
            answers.append(status)

        create_until_it_fails()
        assert killed.is_set()
        assert answers == [201, 201, 201, 503]
        gate = lean_client(own_store.endpoint)
        decisions = GateOf(bench, gate)
        for raw_key in (good.raw_key, revoked.raw_key):
            with pytest.raises(Fault):
                decisions.admitted(raw_key)
        assert [bench.listed().status, bench.revoke(good.id).status] == [503, 503]
        own_store.start()
        assert decisions.admitted(good.raw_key)
        assert not decisions.admitted(revoked.raw_key)
        bench.assert_books(good=[good], revoked=[revoked])
        gate.reset()


class GateOf:
    """The gate's word on keys of a bench."""

    def __init__(self, bench: Bench, client: Any) -> None:
        self._decisions = KeyDecisions(client, table=bench.table)

    def admitted(self, raw_key: str) -> bool:
        answer = self._decisions.admit(hash_of(raw_key), now_ms=now_ms(), request=Request("read"))
        assert answer is not None, "it was called a stranger"
        return answer.admitted


def test_lost_tables_are_a_fault_and_blame_no_caller(
    own_store: Ministack, impatient: Callable[[str], None], connect: Callable[[], DynamoDB]
) -> None:
    """A store without its tables answers 503, never 401."""
    impatient(own_store.endpoint)
    with FaultProxy(lambda: own_store.endpoint) as proxy:
        bench = Bench(
            proxy,
            store=dynamodb(own_store.endpoint),
            functions_store=connect(),
        )
        key = bench.given(bench.create())
        kill(own_store)
        own_store.start()  # as it was when it first began: empty
        gate = lean_client(own_store.endpoint)
        with pytest.raises(Fault):
            GateOf(bench, gate).admitted(key.raw_key)
        assert [bench.listed().status, bench.create().status] == [503, 503]
        gate.reset()


@pytest.fixture(scope="module")
def behind_a_proxy(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[LocalStack, FaultProxy]]:
    """A whole stack whose functions reach AWS through a proxy."""
    state = tmp_path_factory.mktemp("faulty") / "state"
    with FaultProxy(lambda: str(stack.described["dynamodb_endpoint"])) as proxy:
        stack = LocalStack(state, options=("--functions-endpoint", proxy.url))
        with stack:
            yield stack, proxy


def test_a_client_of_the_whole_stack_survives_an_outage(
    behind_a_proxy: tuple[LocalStack, FaultProxy],
) -> None:
    """It is told 503, and let in again afterwards."""
    stack, proxy = behind_a_proxy
    with httpx.Client(base_url=stack.described["url"], timeout=60) as http:
        admin = Api(http, stack.described["admin_key"])
        for name in SHOWN_FAULTS:
            # First the gate is cut off, then only the backend behind it.
            for cut_off in (None, "TransactWriteItems"):
                proxy.plan = lambda request, name=name, cut_off=cut_off: (  # type: ignore[misc]
                    FAULTS[name] if cut_off in {None, operation(request)} else FAULTS[PASSED]
                )
                answer = admin.ask("POST", "/me/api-keys", json={"name": f"under {name}"})
                body = answer.json()
                assert (answer.status_code, body["code"]) == (503, "service_unavailable"), name
            proxy.plan = clear
            assert admin.ask("GET", "/boards").status_code == 200
        unsure = [key for key in admin.walk("/me/api-keys") if key["name"].startswith("under ")]
    assert len(unsure) <= len(SHOWN_FAULTS)
    assert books_of(stack) == []


PASSED = "latency of 0.3 s"


def test_killed_functions_leave_nothing_half_done(
    behind_a_proxy: tuple[LocalStack, FaultProxy],
) -> None:
    stack, _ = behind_a_proxy
    given: list[Given] = []
    revoked: list[Given] = []
    done, answered = threading.Event(), threading.Event()

    def work(_: int) -> None:
        with httpx.Client(base_url=stack.described["url"], timeout=60) as http:
            admin = Api(http, admin_key)
            for _ in range(8):
                created = admin.ask("POST", "/me/api-keys", json={"name": "survivor"})
                if created.status_code != 201:
                    assert created.status_code in {502, 503}
                    continue
                answered.set()
                data = created.json()["data"]
                key = Given(data["id"], data["raw_key"])
                deleted = admin.ask("DELETE", f"/me/api-keys/{key.id}")
                assert deleted.status_code in {200, 502, 503}
                (revoked if deleted.status_code == 200 else given).append(key)

    def kill_now_and_then() -> None:
        while not done.wait(0.4):
            if not answered.is_set():  # a slow machine still starts what was killed last
                continue
            answered.clear()
            for pid, command in descendants(stack.pid).items():
                if "worker_main" in command:
                    os.kill(pid, signal.SIGKILL)
                    break

    with httpx.Client(base_url=stack.described["url"], timeout=60) as http:
        first = Api(http, stack.described["admin_key"])
        admin_key = first.create_key(scopes=["admin"], rate_limit=10_000)["raw_key"]
        killer = threading.Thread(target=kill_now_and_then)
        killer.start()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
        done.set()
        killer.join()
        assert revoked, "nothing was done in between"
        for key in revoked:
            answer = wait_for_an_answer(Api(http, key.raw_key))
            assert answer.status_code == 401
            assert answer.json()["message"] == "API key has been revoked"
    assert books_of(stack) == []


def wait_for_an_answer(api: Api) -> httpx.Response:
    """What the stack says once its functions have started again."""
    deadline = time.monotonic() + 30
    while (answer := api.ask("GET", "/boards")).status_code >= 500:
        assert time.monotonic() < deadline
    return answer


def books_of(stack: LocalStack) -> list[str]:
    described = stack.described
    client = dynamodb(described["dynamodb_endpoint"], access_key=described["access_key"])
    names = client.list_tables()["TableNames"]
    (keys,) = (name for name in names if "KeysTable" in name)
    (audit,) = (name for name in names if "AuditTable" in name)
    return books.errors_in(books.swept(client, keys, audit_table=audit))


def test_a_stack_whose_embedded_aws_is_killed_ends_cleanly_and_starts_again(
    tmp_path: Path,
) -> None:
    stack = LocalStack(tmp_path / "state")
    with stack:
        described = stack.described
        refusing = threading.Event()
        wrong: list[int] = []

        def ask() -> None:
            with httpx.Client(base_url=described["url"], timeout=30) as http:
                while True:
                    cut_off = refusing.is_set()
                    try:
                        answer = Api(http, described["admin_key"]).ask("GET", "/boards")
                    except httpx.TransportError:
                        return  # the stack has ended
                    allowed = {429, 502, 503} if cut_off else {200, 429, 502, 503}
                    if answer.status_code not in allowed:
                        wrong.append(answer.status_code)
                    elif answer.status_code >= 400:
                        assert_envelope(answer)

        asking = threading.Thread(target=ask)
        asking.start()
        processes = descendants(stack.pid)
        (aws,) = [pid for pid, command in processes.items() if "ministack_process" in command]
        os.kill(aws, signal.SIGKILL)
        assert wait_until(lambda: not is_running(aws))
        refusing.set()
        assert stack.wait() == 1
        asking.join(30)
        assert wrong == []
        assert wait_until(lambda: not any(is_running(pid) for pid in processes))
        assert "ended by itself" in stack.output.read_text()
    with stack, httpx.Client(base_url=stack.described["url"], timeout=30) as http:
        assert Api(http, stack.described["admin_key"]).ask("GET", "/boards").status_code == 200
