"""``make local-aws``: an embedded AWS with every service, of which nothing stays.

Its address and its access key are in a file of `export` lines, as long as it runs.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shlex
import signal
import sys
import tempfile
from pathlib import Path

from chatgrid_devkit.gateway.server import PortTaken, listening
from chatgrid_devkit.identity.issuer import write_private
from chatgrid_devkit.stack.aws_access import AwsAccess, credentials
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
            asyncio.run(_run(Path(state), options))
    except (CannotRun, MinistackFailed) as reason:
        print(f"local-aws: {reason}", file=sys.stderr)
        return 1
    return 0


def exports(access: AwsAccess) -> str:
    """Lines for a shell that point the SAM CLI, boto3 and our command at an embedded AWS."""
    variables = {
        "AWS_ENDPOINT_URL": access.endpoint,
        **credentials(access.access_key),
        "SAM_CLI_TELEMETRY": "0",
    }
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


async def _run(state: Path, options: argparse.Namespace) -> None:
    port, lambda_python, file = options.port, options.lambda_python, options.env_file
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
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(file, exports(ministack.access))
        except OSError as reason:
            raise CannotRun(f"{file} cannot be written: {reason.strerror}") from None
        print(
            f"An embedded AWS runs on {ministack.endpoint}; Ctrl-C ends it, and nothing of it "
            f"stays.\nIt answers whoever has its access key. In another terminal:\n"
            f"  . {shlex.quote(str(file.resolve()))}",
            flush=True,
        )
        while not stop.is_set():
            if ministack.process is None or ministack.process.poll() is not None:
                raise CannotRun("the embedded AWS ended by itself")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _WATCH_SECONDS)
    finally:
        file.unlink(missing_ok=True)
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
    parser.add_argument(
        "--env-file",
        type=Path,
        default=Path(".devkit/local-aws.env"),
        metavar="FILE",
        help="where its address and access key are told (.devkit/local-aws.env)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
