"""The process that runs one function, one invocation at a time (what Lambda's runtime does).

Run as a script, with the environment of the function and nothing of the gateway importable.
It speaks frames over one socket, whose descriptor is its first argument: a frame is four bytes
of length and as much JSON. Standard output belongs to the function. When the gateway is gone,
by whatever death, the socket ends and so does this process, in the middle of a handler too.
"""

import importlib
import io
import json
import os
import queue
import socket
import sys
import threading
import time
import traceback


class Context:
    """The second argument of a handler."""

    identity = None
    client_context = None

    def __init__(self, invocation: dict) -> None:  # type: ignore[type-arg]
        self.aws_request_id = invocation["request_id"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.invoked_function_arn = invocation["arn"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._deadline_ms = invocation["deadline_ms"]

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function's timeout."""
        return max(0, int(self._deadline_ms - time.time() * 1000))


def main() -> None:
    """Import the handler, say whether that worked, then answer invocations for ever."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    channel.set_inheritable(False)
    invocations: queue.SimpleQueue[dict] = queue.SimpleQueue()  # type: ignore[type-arg]
    threading.Thread(target=_receive, args=(channel, invocations), daemon=True).start()
    handler, broken = None, None
    try:
        module, _, name = os.environ["_HANDLER"].rpartition(".")
        handler = getattr(importlib.import_module(module), name)
    except Exception as error:  # whatever the function's code raises
        broken = _failure(error)
    _send(channel, json.dumps({"ready": broken is None}))
    while True:
        invocation = invocations.get()
        _send(channel, json.dumps(broken) if broken else _invoke(handler, invocation))


def _invoke(handler, invocation: dict) -> str:  # type: ignore[no-untyped-def,type-arg]
    try:
        result = handler(invocation["event"], Context(invocation))
        return json.dumps({"result": result})
    except Exception as error:  # whatever the function's code raises
        return json.dumps(_failure(error))


def _failure(error: Exception) -> dict:  # type: ignore[type-arg]
    traceback.print_exception(error, file=sys.stdout)
    sys.stdout.flush()
    return {"error": {"errorType": type(error).__name__, "errorMessage": str(error)}}


def _receive(channel: socket.socket, invocations) -> None:  # type: ignore[no-untyped-def]
    try:
        with channel.makefile("rb") as stream:
            while True:
                size = int.from_bytes(_read(stream, 4), "big")
                invocations.put(json.loads(_read(stream, size)))
    finally:
        # A gateway that dies with something of ours unread ends the socket by an error.
        os._exit(0)


def _read(stream: io.BufferedReader, size: int) -> bytes:
    read = stream.read(size)
    if len(read) < size:
        raise EOFError
    return read


def _send(channel: socket.socket, text: str) -> None:
    body = text.encode()
    channel.sendall(len(body).to_bytes(4, "big") + body)


if __name__ == "__main__":
    main()
