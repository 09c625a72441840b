"""One worker process: started with the function's own environment, called over a socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import sys
import sysconfig
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from chatgrid_devkit.functions.invocation import Failed, Outcome, Returned
from chatgrid_devkit.template.description import Function

_SCRIPT = Path(__file__).with_name("worker_main.py")
_NODE_SCRIPT = _SCRIPT.with_suffix(".mjs")
_START_SECONDS = 30.0
_STOP_SECONDS = 2.0
_LAST_WORDS_SECONDS = 1.0
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
        # The template may name AWS's own address; the local run's goes before it.
        **{name: value for name, value in extra.items() if name.startswith("AWS_ENDPOINT_URL_")},
    }


def _command(function: Function) -> tuple[str, ...]:
    if function.runtime.startswith("nodejs"):
        return shutil.which("node") or "node", str(_NODE_SCRIPT)
    # No site module: what is installed for editing must not stand in for a layer.
    return sys.executable, "-S", "-P", "-u", str(_SCRIPT)


class Worker:
    """A started process; `start` makes one."""

    def __init__(
        self,
        function: Function,
        process: asyncio.subprocess.Process,
        channel: socket.socket,
        output: int,
    ) -> None:
        self._function = function
        self._process = process
        self._channel = channel
        self._output = os.fdopen(output, "rb", buffering=0)
        self._given_up = False
        self.pid = process.pid

    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter
    _forwarding: asyncio.Task[None]

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
        # A pipe of our own: asyncio's would count a process as running for as long as anything
        # that the function has left behind holds it open.
        output, their_output = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *_command(function),
                str(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=their_output,
                stderr=asyncio.subprocess.STDOUT,
                env=dict(environment),
                cwd=function.code,
                # Ctrl-C is for the gateway, which then lets requests finish.
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            os.close(output)
            on_line(f"its process cannot be started: {error}")
            raise WorkerDied(function.name) from error
        finally:
            theirs.close()
            os.close(their_output)
        worker = cls(function, process, ours, output)
        await worker._connect(on_line)
        return worker

    async def _connect(self, on_line: Callable[[str], None]) -> None:
        self._reader, self._writer = await asyncio.open_connection(sock=self._channel)
        self._forwarding = asyncio.create_task(self._forward(on_line))
        try:
            await asyncio.wait_for(self._receive(), _START_SECONDS)
        except (WorkerDied, TimeoutError) as error:
            await self.stop()
            raise WorkerDied(self._function.name) from error

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
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), self._output
        )
        with contextlib.closing(transport):
            rest = b""
            while chunk := await reader.read(65536):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    on_line(line.decode(errors="replace"))
            if rest:
                on_line(rest.decode(errors="replace"))

    async def ended(self) -> None:
        """Wait until the process has ended and what it printed last has been handed on."""
        await self._process.wait()
        await asyncio.wait({self._forwarding}, timeout=_LAST_WORDS_SECONDS)
        self._forwarding.cancel()
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
