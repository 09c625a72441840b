"""`make dev` itself: what it keeps, what it ends, what it tells."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from chatgrid_devkit.stack.ministack import free_port
from tests.support.stack.api import Api, mint
from tests.support.stack.local_stack import LocalStack, descendants, is_running

DEADLINE_SECONDS = 20


@pytest.fixture
def make_stack(tmp_path: Path) -> Callable[..., LocalStack]:
    return lambda **settings: LocalStack(tmp_path / "state", **settings)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack that no test ends, in a folder that a shell has to have quoted."""
    with LocalStack(tmp_path_factory.mktemp("running") / "a folder's $name" / "state") as stack:
        yield stack


@pytest.fixture
def api() -> Iterator[Callable[[LocalStack], Api]]:
    """The API of a stack as its admin sees it."""
    with contextlib.ExitStack() as clients:

        def connect(stack: LocalStack) -> Api:
            http = httpx.Client(base_url=stack.described["url"], timeout=30)
            return Api(clients.enter_context(http), stack.described["admin_key"])

        yield connect


def assert_all_ended(pids: dict[int, str]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while alive := [command for pid, command in pids.items() if is_running(pid)]:
        assert time.monotonic() < deadline, f"left behind: {alive}"
        time.sleep(0.05)


def test_keys_and_boards_survive_a_restart_and_the_admin_is_made_once(
    make_stack: Callable[..., LocalStack], api: Callable[[LocalStack], Api]
) -> None:
    with make_stack() as stack:
        before = stack.described
        made = api(stack).create_key(name="stays")
        board = api(stack).ask("POST", "/boards", json={"name": "stays", "view_mode": "docs"})
    with make_stack() as stack:
        after = stack.described
        assert (after["admin_key"], after["user_id"]) == (before["admin_key"], before["user_id"])
        admin = api(stack)
        names = sorted(key["name"] for key in admin.walk("/me/api-keys"))
        assert names == ["First admin key", "stays"]
        assert admin.walk("/boards") == [board.json()["data"]]
        assert admin.holding(made["raw_key"]).ask("GET", "/boards").status_code == 200
        # What an earlier identity provider signed is still good: its keys are kept too.
        mode = stat.S_IMODE((stack.state / "stack.json").stat().st_mode)
        assert mode == 0o600
        described = ("url", "admin_key", "user_id", "dynamodb_endpoint", "supabase")
        assert set(described) <= set(after)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything_that_was_started(
    make_stack: Callable[..., LocalStack], api: Callable[[LocalStack], Api], ending: int
) -> None:
    with make_stack() as stack:
        api(stack).ask("GET", "/me")
        started = descendants(stack.pid)
        assert len(started) >= 3, started
        assert stack.send(ending) == 0
        assert_all_ended(started)
        assert "Traceback" not in stack.output.read_text()


def test_the_death_of_the_embedded_aws_ends_the_rest_with_a_reason(
    make_stack: Callable[..., LocalStack],
) -> None:
    with make_stack() as stack:
        started = descendants(stack.pid)
        (ministack,) = (pid for pid, command in started.items() if "ministack_process" in command)
        os.kill(ministack, signal.SIGKILL)
        assert stack.wait() == 1
        assert_all_ended(started)
        last_line = stack.output.read_text().strip().splitlines()[-1]
        assert last_line.startswith("chatgrid-dev: the embedded AWS ended by itself; see ")


def test_a_killed_command_leaves_no_process_behind(make_stack: Callable[..., LocalStack]) -> None:
    with make_stack() as stack:
        started = descendants(stack.pid)
        workers = {pid: c for pid, c in started.items() if "ministack" not in c}
        assert workers
        try:
            assert stack.send(signal.SIGKILL) == -signal.SIGKILL
            assert_all_ended(started)
        finally:
            for pid in started:
                if is_running(pid):
                    os.kill(pid, signal.SIGKILL)


def run_to_its_end(stack: LocalStack) -> str:
    with pytest.raises(AssertionError):
        stack.start()
    assert stack.wait() == 1
    return stack.output.read_text()


def test_a_taken_port_is_told_in_one_line(make_stack: Callable[..., LocalStack]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        output = run_to_its_end(make_stack(port=port))
    assert output.strip().splitlines()[1:] == [
        f"chatgrid-dev: port {port} is taken; end what listens there, "
        "or name another one with PORT="
    ]


def test_a_second_stack_on_the_same_state_is_refused(
    running: LocalStack, api: Callable[[LocalStack], Api]
) -> None:
    other = LocalStack(running.state, port=free_port())
    other.output = running.output.with_name("second.log")
    output = run_to_its_end(other)
    assert "a stack runs on" in output.splitlines()[-1]
    assert api(running).ask("GET", "/me").status_code == 200


def test_a_raw_key_is_nowhere_after_its_creation(
    make_stack: Callable[..., LocalStack], api: Callable[[LocalStack], Api]
) -> None:
    with make_stack() as stack:
        admin = api(stack)
        made = [admin.create_key(scopes=["read"])["raw_key"] for _ in range(3)]
        token = mint(stack.described["supabase"], stack.described["user_id"])
        for raw in [*made, token]:
            holder = admin.holding(raw)
            for path in ("/me", "/boards", "/nothing"):
                holder.ask("GET", path)
            holder.ask("POST", "/boards", content=raw)
            holder.ask("POST", "/boards", json={"name": 5})
            holder.ask("GET", "/boards", params={"cursor": "x"})
        mistyped = made[0][:-1] + ("a" if made[0][-1] != "a" else "b")
        admin.holding(mistyped).ask("GET", "/me")
        admin.ask("DELETE", f"/me/api-keys/{admin.walk('/me/api-keys')[0]['id']}")
        secret = stack.described["admin_key"]
    places = [path for path in stack.state.rglob("*") if path.is_file()] + [stack.output]
    assert {"dynamodb.json", "functions.log"} <= {path.name for path in places}
    assert '"message":"decision"' in (stack.state / "functions.log").read_text()
    # What may be shown of a key is its prefix; of a token, nothing that signs it.
    forbidden = [raw[13:] for raw in [*made, mistyped]] + [token.rsplit(".", 1)[1]]
    for place in places:
        content = place.read_bytes()
        for needle in forbidden:
            assert needle.encode() not in content, f"a credential lies in {place.name}"
    holders = [path.name for path in places if secret.encode() in path.read_bytes()]
    # The greeting and stack.json are where the first admin key is meant to be found.
    assert sorted(holders) == ["stack.json", stack.output.name]
    assert json.loads((stack.state / "stack.json").read_text())["admin_key"] == secret


def test_a_revoked_admin_key_is_replaced_with_a_word(
    make_stack: Callable[..., LocalStack], api: Callable[[LocalStack], Api]
) -> None:
    told = "The former admin key is no longer good"
    with make_stack() as stack:
        former = stack.described
        admin = api(stack)
        (key,) = admin.walk("/me/api-keys")
        assert admin.ask("DELETE", f"/me/api-keys/{key['id']}").status_code == 200
        assert told not in stack.output.read_text()
    with make_stack() as stack:
        assert told in stack.output.read_text()
        assert stack.described["user_id"] == former["user_id"]
        assert api(stack).ask("GET", "/me").status_code == 200


def test_the_root_leads_to_the_reference(running: LocalStack) -> None:
    root = running.described["url"].removesuffix("/v1")
    with httpx.Client(follow_redirects=True) as http:
        page = http.get(f"{root}/")
    assert page.url == f"{root}/v1/reference"
    assert page.status_code == 200


def pasted(command: str) -> str:
    """What it prints in a shell that knows of nothing else; it is no argument of any process."""
    shell = subprocess.run(
        ["/bin/sh"],
        env={"PATH": os.environ["PATH"]},
        input=command + "\n",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert shell.stdout.endswith("\n"), "the prompt would stick to it"
    return shell.stdout


def test_each_printed_line_can_be_pasted_by_itself(running: LocalStack) -> None:
    """Into a shell that knows nothing of the lines before it."""
    lines = [line.strip() for line in running.output.read_text().splitlines() if line[:2] == "  "]
    commands = [line for line in lines if line.startswith(("export ", "curl "))]
    assert f"URL={running.described['url']}" in commands[0].split()
    assert f"ADMIN_KEY={running.described['admin_key']}" in commands[0].split()
    answers = [json.loads(pasted(command)) for command in commands[1:]]
    assert [answer["object"] for answer in answers] == ["list", "board", "api_key", "user"]
    assert answers[-1]["data"]["id"] == running.described["user_id"]
    (operator,) = (line for line in lines if "/chatgrid keys list --local" in line)
    assert "My first key" in pasted(operator)
