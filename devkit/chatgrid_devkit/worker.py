"""One worker process: started with the function's own environment, called over a socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import sysconfig
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from chatgrid_devkit.description import Function
from chatgrid_devkit.invocation import Failed, Outcome, Returned

_SCRIPT = Path(__file__).with_name("worker_main.py")
_START_SECONDS = 30.0
_STOP_SECONDS = 2.0
#: Lambda's limit for what a synchronous call takes and gives.
PAYLOAD_LIMIT_BYTES = 6 * 1024 * 1024


class WorkerDied(Exception):
    """The process ended before it answered."""


def worker_environment(function: Function, extra: Mapping[str, str]) -> dict[str, str]:
    """Everything that a worker's process sees of its environment; nothing of ours is inherited."""
    site_packages = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONPATH": os.pathsep.join(
            [str(function.code), *(str(layer) for layer in function.layers), *site_packages]
        ),
        # Compiled files compare times in whole seconds: too coarse for an edit-and-run loop.
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"local/[$LATEST]{uuid.uuid4().hex}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "LAMBDA_TASK_ROOT": str(function.code),
        "_HANDLER": function.handler,
        # The developer's own AWS profile stays out of it.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "AWS_XRAY_SDK_ENABLED": "false",
        **extra,
        **function.environment,
    }


class Worker:
    """A started process; `start` makes one."""

    def __init__(
        self,
        function: Function,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._function = function
        self._process = process
        self._reader = reader
        self._writer = writer
        self._given_up = False
        self.pid = process.pid

    @classmethod
    async def start(
        cls, function: Function, environment: Mapping[str, str], on_line: Callable[[str], None]
    ) -> Worker:
        """Start a process and wait until it has imported the handler (or failed to).

        Args:
            on_line: gets each line that the function prints.

        Raises:
            WorkerDied: it ended, or was not ready within 30 s.
        """
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    # No site module: what is installed for editing must not stand in for a layer.
                    *(sys.executable, "-S", "-P", "-u", str(_SCRIPT), str(theirs.fileno())),
                    pass_fds=[theirs.fileno()],
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT,
                    env=dict(environment),
                    cwd=function.code,
                    # Ctrl-C is for the gateway, which then lets requests finish.
                    start_new_session=True,
                )
        except OSError as error:
            ours.close()
            on_line(f"its process cannot be started: {error}")
            raise WorkerDied(function.name) from error
        reader, writer = await asyncio.open_connection(sock=ours)
        worker = cls(function, process, reader, writer)
        worker._output = asyncio.create_task(worker._forward(on_line))
        try:
            await asyncio.wait_for(worker._receive(), _START_SECONDS)
        except (WorkerDied, TimeoutError) as error:
            await worker.stop()
            raise WorkerDied(function.name) from error
        return worker

    _output: asyncio.Task[None]

    @property
    def alive(self) -> bool:
        """Whether the process still runs, as far as is known."""
        ended = self._process.returncode is not None or self._reader.at_eof()
        return not (ended or self._given_up)

    async def invoke(self, event: Any) -> Outcome:
        """Call the handler once.

        Raises:
            WorkerDied: the process ended in the middle.
        """
        deadline_ms = time.time() * 1000 + self._function.timeout_seconds * 1000
        invocation = {
            "request_id": str(uuid.uuid4()),
            "arn": self._function.arn,
            "deadline_ms": deadline_ms,
            "event": event,
        }
        try:
            async with asyncio.timeout(self._function.timeout_seconds):
                reply = await self._exchange(json.dumps(invocation).encode())
        except TimeoutError:
            self.kill()
            return Failed(kind="timeout", error_type="Sandbox.Timedout")
        except asyncio.CancelledError:
            # Its answer would be taken for the answer to the next invocation.
            self.kill()
            raise
        if "error" in reply:
            error = reply["error"]
            return Failed(
                kind="error", error_type=error["errorType"], message=error["errorMessage"]
            )
        return Returned(reply["result"])

    async def _exchange(self, frame: bytes) -> Any:
        try:
            self._writer.write(len(frame).to_bytes(4, "big") + frame)
            await self._writer.drain()
        except ConnectionError as error:
            self.kill()
            raise WorkerDied(self._function.name) from error
        return await self._receive()

    async def _receive(self) -> Any:
        try:
            size = int.from_bytes(await self._reader.readexactly(4), "big")
            body = await self._reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            self.kill()
            raise WorkerDied(self._function.name) from error
        if size > PAYLOAD_LIMIT_BYTES:
            return {"error": {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": ""}}
        return json.loads(body)

    async def _forward(self, on_line: Callable[[str], None]) -> None:
        """Hand on what the function prints, line by line, however long the lines are."""
        assert self._process.stdout is not None  # noqa: S101  # it was asked for
        rest = b""
        while chunk := await self._process.stdout.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                on_line(line.decode(errors="replace"))
        if rest:
            on_line(rest.decode(errors="replace"))

    async def ended(self) -> None:
        """Wait until the process has ended and its last line has been handed on."""
        await self._process.wait()
        await asyncio.gather(self._output, return_exceptions=True)
        self._writer.close()

    def kill(self) -> None:
        """End the process at once; from here on it counts as dead."""
        self._given_up = True
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def stop(self) -> None:
        """End the process: it leaves when its socket closes, or is killed after 2 s."""
        self._writer.close()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self.ended()
        except TimeoutError:
            self.kill()
            await self.ended()
