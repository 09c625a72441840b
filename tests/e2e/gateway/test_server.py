"""The local gateway over real HTTP, with real processes behind it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import textwrap
import time
from collections.abc import Awaitable, Callable
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from chatgrid_devkit.gateway.server import GatewaySettings, PortTaken, serve

FIXTURES = Path(__file__).parents[2] / "support"
PATIENCE_SECONDS = 20.0
GATE = {"Authorization": "Bearer good"}

AUTHORIZER = """
def handler(event, context):
    good = event["headers"]["Authorization"] == "Bearer good"
    return {
        "principalId": "user-1",
        "policyDocument": {"Statement": [{
            "Effect": "Allow" if good else "Deny",
            "Action": "execute-api:Invoke",
            "Resource": event["methodArn"],
        }]},
        "context": {"message": "Missing or invalid token"},
        "usageIdentifierKey": "shared-key-of-the-standard-tier",
    }
"""
BOARDS = """
import json, os, pathlib, time

def handler(event, context):
    query = event["queryStringParameters"] or {}
    if "wait" in query:
        pathlib.Path(query["wait"] + ".reached").touch()
        while not pathlib.Path(query["wait"]).exists():
            time.sleep(0.002)
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json", "X-Version": "1"},
        "body": json.dumps({"pid": os.getpid(), "echo": query.get("echo"), "body": event["body"]}),
    }
"""


class Running:
    """A gateway that serves a small repository of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = StringIO()
        self.stop = asyncio.Event()
        self.url = ""

    @classmethod
    def repository(cls, root: Path) -> Path:
        """The template of the unit tests, its limits out of the way, with code behind it."""
        text = (FIXTURES / "template.yaml").read_text()
        text = text.replace("RateLimit: 1}", "RateLimit: 10000}").replace(
            "Limit: 5,", "Limit: 9999,"
        )
        (root / "template.yaml").write_text(text)
        (root / "layers" / "auth").mkdir(parents=True)
        for name, code in (("authorizer", AUTHORIZER), ("boards", BOARDS)):
            package = root / "functions" / name / f"fixture_{name}"
            package.mkdir(parents=True)
            (package / "__init__.py").touch()
            (package / "handler.py").write_text(textwrap.dedent(code))
        return root / "template.yaml"

    def settings(self, **changes: Any) -> GatewaySettings:
        values = {
            "template": self.root / "template.yaml",
            "port": 0,
            "parameters": {"BurstLimit": "10000"},
            "log": self.log,
            "verbose": True,
            "reload": False,
            **changes,
        }
        return GatewaySettings(**values)

    @property
    def handler(self) -> Path:
        return self.root / "functions" / "boards" / "fixture_boards" / "handler.py"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(url.rsplit(":", 1)[1]))) == 0


def running(
    root: Path,
    story: Callable[[Running, httpx.AsyncClient], Awaitable[None]],
    **changes: Any,
) -> Running:
    """Tell a story against a running gateway, then stop it; nothing of it is left."""
    Running.repository(root)
    gateway = Running(root)

    async def telling() -> None:
        port = free_port()
        gateway.stop = asyncio.Event()
        serving = asyncio.create_task(serve(gateway.settings(port=port, **changes), gateway.stop))
        gateway.url = f"http://127.0.0.1:{port}"
        try:
            async with httpx.AsyncClient(base_url=gateway.url, timeout=PATIENCE_SECONDS) as client:
                await until_it_answers(client)
                await story(gateway, client)
        finally:
            gateway.stop.set()
            await asyncio.wait_for(serving, PATIENCE_SECONDS)

    asyncio.run(telling())
    return gateway


async def until_it_answers(client: httpx.AsyncClient) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            if (await client.get("/health")).status_code == 200:
                return
        except httpx.TransportError:
            assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        await asyncio.sleep(0.01)


def test_requests_pass_through_authorizer_and_function(tmp_path: Path) -> None:
    async def story(gateway: Running, client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/boards?echo=%C3%A9", headers=GATE, content="é")
        assert answer.status_code == 200
        assert (answer.json()["echo"], answer.json()["body"]) == ("é", "é")
        assert answer.headers["x-version"] == "1"
        refused = await client.get("/v1/boards", headers={"Authorization": "Bearer bad"})
        assert (refused.status_code, refused.json()["status"]) == (401, 401)
        head = await client.head("/v1/boards", headers=GATE)
        assert (head.status_code, head.content) == (200, b"")
        assert int(head.headers["content-length"]) > 0
        large = await client.post("/v1/boards", headers=GATE, content=b"x" * (10 * 1024 * 1024 + 1))
        assert large.status_code == 413
        assert (await client.get("/v1/boards", headers=GATE)).status_code == 200

    gateway = running(tmp_path, story)
    lines = [json.loads(line) for line in gateway.log.getvalue().splitlines() if line[0] == "{"]
    assert [line["status"] for line in lines] == [200, 401, 200, 413, 200]
    assert lines[0]["authorizer_ms"] > 0
    assert lines[0]["integration_ms"] > 0


def test_a_port_that_is_taken_is_said_and_no_process_is_left(tmp_path: Path) -> None:
    Running.repository(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken) as taken:
            asyncio.run(serve(Running(tmp_path).settings(port=port), asyncio.Event()))
    assert taken.value.port == port


def test_200_requests_over_16_connections_lose_only_the_killed_workers(
    tmp_path: Path,
) -> None:
    answers: list[tuple[str, httpx.Response]] = []

    async def story(gateway: Running, client: httpx.AsyncClient) -> None:
        async def one_connection(number: int) -> None:
            async with httpx.AsyncClient(base_url=gateway.url, timeout=PATIENCE_SECONDS) as own:
                for turn in range(13 if number < 8 else 12):
                    echo = f"{number}-{turn}"
                    answers.append((echo, await own.get(f"/v1/boards?echo={echo}", headers=GATE)))

        victim = (await client.get("/v1/boards", headers=GATE)).json()["pid"]
        connections = [asyncio.create_task(one_connection(number)) for number in range(16)]
        await until(lambda: len(answers) > 50)
        os.kill(victim, signal.SIGKILL)
        await asyncio.gather(*connections)

    running(tmp_path, story)
    assert len(answers) == 200
    lost = [answer for _, answer in answers if answer.status_code != 200]
    assert len(lost) <= 1
    for answer in lost:
        assert (answer.status_code, answer.json()["status"]) == (502, 500)
    for echo, answer in answers:
        assert answer.status_code != 200 or answer.json()["echo"] == echo


def test_an_edit_is_taken_up_while_it_runs(tmp_path: Path) -> None:
    async def story(gateway: Running, client: httpx.AsyncClient) -> None:
        async def version() -> str:
            answer = await client.get("/v1/boards", headers=GATE)
            assert answer.status_code == 200
            return answer.headers["x-version"]

        assert await version() == "1"
        deadline = time.monotonic() + PATIENCE_SECONDS
        edited = gateway.handler.read_text().replace('"X-Version": "1"', '"X-Version": "2"')
        gateway.handler.write_text(edited)
        while await version() != "2":
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        template = gateway.root / "template.yaml"
        template.write_text(template.read_text() + "# changed\n")
        await until(lambda: "template.yaml; start again" in gateway.log.getvalue())

    gateway = running(tmp_path, story, reload=True)
    assert "gateway | changed: handler.py; restarting workers" in gateway.log.getvalue()


def test_stopping_lets_a_request_under_way_finish(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    statuses: list[int] = []

    async def story(gateway: Running, client: httpx.AsyncClient) -> None:
        under_way = asyncio.create_task(client.get(f"/v1/boards?wait={gate}", headers=GATE))
        await until(Path(f"{gate}.reached").exists)
        gateway.stop.set()
        await until(lambda: not listens(gateway.url))
        gate.touch()
        statuses.append((await under_way).status_code)

    running(tmp_path, story)
    assert statuses == [200]


def test_nothing_listens_once_it_has_stopped(tmp_path: Path) -> None:
    async def story(gateway: Running, client: httpx.AsyncClient) -> None:
        pass

    assert not listens(running(tmp_path, story).url)
