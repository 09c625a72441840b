"""The embedded AWS as a process that ends with the one that started it, its state saved.

Its application is behind our door, so that nothing reaches it that did not pass there.

Its standard input is a pipe that nobody writes to: when it ends, whoever held it is gone. Only
`chatgrid_devkit.stack.ministack`, which gives it that pipe, starts it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

import ministack.app

from chatgrid_devkit.door.embedded_aws import AwsDoor
from chatgrid_devkit.door.printable import PrintableStream


def _end_with_owner() -> None:
    # Not through sys.stdin: a thread that waits inside it holds a lock that Python wants at its
    # end, and does not get.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    # It starts functions with its own interpreter, whose packages would hide what a build lacks.
    sys.executable = os.environ.get("LAMBDA_PYTHON", sys.executable)
    sys.stdout, sys.stderr = (
        PrintableStream(stream.buffer, line_buffering=True) for stream in (sys.stdout, sys.stderr)
    )
    ministack.app.app = AwsDoor(
        ministack.app.app,
        access_key=os.environ["AWS_SESSION_TOKEN"],
        hosts=[host for host in os.environ["DOOR_HOSTS"].split(",") if host],
    )
    threading.Thread(target=_end_with_owner, daemon=True).start()
    ministack.app.main()
