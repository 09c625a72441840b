"""The API under the real `sam local start-api`, its tables in the embedded AWS.

What is built must be there (`make build-local`), and a Docker engine must run. The SAM CLI applies
neither gateway responses nor usage plans: 401 looks other than on AWS, 403 and 429 do not.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from chatgrid_devkit.identity.issuer import write_private
from chatgrid_devkit.stack import bridge, provision
from chatgrid_devkit.stack.aws_access import credentials
from chatgrid_devkit.stack.deployment import read_deployment
from chatgrid_devkit.stack.local_build import ENDPOINT_PARAMETER
from chatgrid_devkit.stack.ministack import Ministack, MinistackFailed, free_port
from chatgrid_devkit.stack.system import STACK_FILE, TEMPLATE

_START_SECONDS = 180.0
_STOP_SECONDS = 30.0
_POLL_SECONDS = 0.1


class CannotRun(Exception):
    """`sam local` cannot run; the text says why in one line."""


def arguments(build: Path, endpoint: str) -> list[str]:
    """What every `sam local` command is given: the build, the tables' address, no image look-up."""
    template = build / "template.yaml"
    if not template.exists():
        raise CannotRun(f"nothing is built in {build}; run `make build-local`")
    return [
        *("--template", str(template)),
        *("--parameter-overrides", f"{ENDPOINT_PARAMETER}={endpoint}"),
        "--skip-pull-image",  # it is fetched when it is missing, and not asked for at every call
    ]


def environment(access_key: str) -> dict[str, str]:
    """What the SAM CLI and its containers run with: no credentials of the operator's, no telemetry.

    Args:
        access_key: the embedded AWS's.
    """
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_HOST") if name in os.environ
    }
    return {**kept, **credentials(access_key), "SAM_CLI_TELEMETRY": "0"}


async def run(*, build: Path, state: Path, port: int, stop: asyncio.Event) -> None:
    """Serve the API under `sam local start-api` until ``stop`` is set.

    Raises:
        CannotRun: it could not start, or ended by itself.
    """
    try:
        host = await asyncio.to_thread(bridge.address)
    except bridge.NoEngine as reason:
        raise CannotRun(f"no Docker engine answers: {reason}") from None
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    aws_port = free_port()
    ministack = Ministack(state / "aws", port=aws_port, hosts=(f"{host}:{aws_port}",))
    try:
        await asyncio.to_thread(ministack.start)
        access_key = ministack.access.access_key
        endpoint = f"http://{host}:{aws_port}"
        described = await asyncio.to_thread(_prepared, state, ministack, port)
        command = ["sam", "local", "start-api", *arguments(build, endpoint)]
        command += ["--host", "127.0.0.1", "--port", str(port), "--warm-containers", "LAZY"]
        async with bridge.forwarding(host, aws_port), _running(command, access_key, port) as ended:
            described["endpoint_for_containers"] = endpoint
            write_private(state / STACK_FILE, json.dumps(described, indent=2) + "\n")
            print(_welcome(described), flush=True)
            await _first(stop.wait(), ended)
            if not stop.is_set():
                raise CannotRun("`sam local start-api` ended by itself")
    except MinistackFailed as failed:
        raise CannotRun(str(failed)) from None
    finally:
        await asyncio.to_thread(ministack.stop)


def _prepared(state: Path, ministack: Ministack, port: int) -> dict[str, str]:
    """Make tables and a first admin. `sam local` takes a table's logical id for its name."""
    tables = read_deployment(TEMPLATE).tables
    dynamodb = ministack.client("dynamodb")
    named = [dataclasses.replace(table, name=table.logical_id) for table in tables]
    provision.make_tables(dynamodb, named)
    environment = {
        "KEYS_TABLE": "KeysTable",
        "AUDIT_TABLE": "AuditTable",
        "OWN_GATEWAY_KEYS": "true",
    }
    admin = provision.first_admin(dynamodb, environment, known=_known(state))
    return {
        "url": f"http://127.0.0.1:{port}",
        "admin_key": admin.key,
        "user_id": admin.user_id,
        "dynamodb_endpoint": ministack.endpoint,
        "access_key": ministack.access.access_key,
    }


def _known(state: Path) -> provision.Admin | None:
    try:
        known = json.loads((state / STACK_FILE).read_text(encoding="utf-8"))
        return provision.Admin(user_id=known["user_id"], key=known["admin_key"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextlib.asynccontextmanager
async def _running(
    command: list[str], access_key: str, port: int
) -> AsyncIterator[asyncio.Task[int]]:
    """Run the SAM CLI, and end it with its containers; ready when it accepts connections."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment(access_key),
        stdin=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    ended = asyncio.create_task(process.wait())
    try:
        await asyncio.wait_for(_first(_accepting(port), ended), _START_SECONDS)
        if ended.done():
            raise CannotRun("`sam local start-api` ended at its start")
        yield ended
    except TimeoutError:
        raise CannotRun("`sam local start-api` does not answer") from None
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(asyncio.shield(ended), _STOP_SECONDS)
            except TimeoutError:
                process.kill()
                await ended


async def _accepting(port: int) -> None:
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(_POLL_SECONDS)


async def _first(*waits: object) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]  # type: ignore[call-overload]  # tasks and coroutines
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task, wait in zip(tasks, waits, strict=True):
            if task is not wait:
                task.cancel()


def _welcome(described: dict[str, str]) -> str:
    return (
        f"\n`sam local start-api` is running.\n\n"
        f"  URL={described['url']}\n  ADMIN_KEY={described['admin_key']}\n\n"
        '  curl -i "$URL/me" -H "Authorization: Bearer $ADMIN_KEY"\n'
    )


async def _main(build: Path, state: Path, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(build=build, state=state, port=port, stop=stop)


def main() -> None:
    """Run the API under `sam local start-api`."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--build", type=Path, default=Path(".aws-sam/local"))
    parser.add_argument("--state", type=Path, default=Path(".devkit/sam-local"))
    parser.add_argument("--port", type=int, default=3000)
    given = parser.parse_args()
    try:
        asyncio.run(_main(given.build, given.state, given.port))
    except CannotRun as reason:
        sys.exit(f"sam-local: {reason}")


if __name__ == "__main__":
    main()
