"""``make local-aws``: an embedded AWS with every service, of which nothing stays."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import tempfile
from pathlib import Path

from chatgrid_devkit.gateway.server import PortTaken, listening
from chatgrid_devkit.stack.ministack import Ministack, MinistackFailed

_WATCH_SECONDS = 0.25


class CannotRun(Exception):
    """It cannot start, or cannot go on; the text says why in one line."""


def main(arguments: list[str] | None = None) -> int:
    """Run until Ctrl-C or SIGTERM.

    Returns:
        0 when it was told to end, 1 when it could not run.
    """
    options = _parser().parse_args(arguments)
    try:
        # It makes private keys, uploads and logs. What is still being written while it is removed
        # is no reason to complain.
        with tempfile.TemporaryDirectory(
            prefix="chatgrid-aws-", ignore_cleanup_errors=True
        ) as state:
            asyncio.run(_run(Path(state), options.port, options.lambda_python))
    except (CannotRun, MinistackFailed) as reason:
        print(f"local-aws: {reason}", file=sys.stderr)
        return 1
    return 0


async def _run(state: Path, port: int, lambda_python: str) -> None:
    stop = asyncio.Event()
    endings = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup wants it to go on
        endings.append(signal.SIGHUP)
    for ending in endings:
        asyncio.get_running_loop().add_signal_handler(ending, stop.set)
    try:
        with listening("127.0.0.1", port):
            pass
    except PortTaken:
        raise CannotRun(f"port {port} is taken; end what listens there") from None
    ministack = Ministack(
        state, services=None, port=port, lambda_python=lambda_python, keep_output=False
    )
    try:
        await asyncio.to_thread(ministack.start)
        print(
            f"An embedded AWS runs on {ministack.endpoint}; Ctrl-C ends it, and nothing of it "
            "stays.",
            flush=True,
        )
        while not stop.is_set():
            if ministack.process is None or ministack.process.poll() is not None:
                raise CannotRun("the embedded AWS ended by itself")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _WATCH_SECONDS)
    finally:
        await asyncio.to_thread(ministack.stop)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m chatgrid_devkit.stack.local_aws",
        description="Run an embedded AWS on loopback, to deploy into by hand.",
    )
    parser.add_argument("--port", type=int, default=4566, help="its port (4566)")
    parser.add_argument(
        "--lambda-python", required=True, metavar="FILE", help="what functions run on: Python 3.13"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
