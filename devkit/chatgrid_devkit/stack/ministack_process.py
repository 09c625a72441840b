"""The embedded AWS as a process that ends with the one that started it, its state saved.

Its standard input is a pipe that nobody writes to: when it ends, whoever held it is gone. Only
`chatgrid_devkit.stack.ministack`, which gives it that pipe, starts it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from ministack.app import main


def _end_with_owner() -> None:
    # Not through sys.stdin: a thread that waits inside it holds a lock that Python wants at its
    # end, and does not get.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    # It starts functions with its own interpreter, whose packages would hide what a build lacks.
    sys.executable = os.environ.get("LAMBDA_PYTHON", sys.executable)
    threading.Thread(target=_end_with_owner, daemon=True).start()
    main()
