"""The embedded AWS as a process: it ends cleanly, and `make local-aws` leaves nothing of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chatgrid_devkit.stack.aws_access import AwsAccess
from chatgrid_devkit.stack.ministack import Ministack, free_port

PATIENCE_SECONDS = 40.0


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_it_ends_without_a_complaint(tmp_path: Path) -> None:
    with Ministack(tmp_path) as running:
        process = running.process
    assert process is not None
    assert process.returncode == 0
    assert "Fatal" not in running.log.read_text()


def test_it_ends_when_whoever_started_it_is_gone(tmp_path: Path) -> None:
    with Ministack(tmp_path) as running:
        assert running.process is not None
        assert running.process.stdin is not None
        running.process.stdin.close()  # what the system does for one who dies
        assert running.process.wait(PATIENCE_SECONDS) == 0
        assert "Fatal" not in running.log.read_text()


class ByHand:
    """What `make local-aws` runs, with a folder of its own for temporary files."""

    def __init__(self, folder: Path) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.output = folder / "output"
        self.env_file = folder / "env" / "aws.env"
        self.port = free_port()
        self.process: subprocess.Popen[bytes]

    def start(self) -> None:
        options = ["--port", str(self.port), "--lambda-python", sys.executable]
        options += ["--env-file", str(self.env_file)]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "chatgrid_devkit.stack.local_aws", *options],
                env={**os.environ, "TMPDIR": str(self.temporary)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                # Whoever runs the tests may have turned it off, as nohup does.
                preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509
            )

    def said(self) -> str:
        return self.output.read_text()

    def runs(self) -> bool:
        """Whether it says so."""
        assert self.process.poll() is None, self.said()
        return f"runs on http://127.0.0.1:{self.port}" in self.said()

    def access(self) -> AwsAccess:
        """What the file of exports says."""
        lines = self.env_file.read_text().splitlines()
        told = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        return AwsAccess(told["AWS_ENDPOINT_URL"], told["AWS_ACCESS_KEY_ID"])

    def answers(self) -> bool:
        return bool(self.access().client("ssm").describe_parameters()["Parameters"] == [])


@contextmanager
def by_hand(folder: Path) -> Iterator[ByHand]:
    aws = ByHand(folder)
    aws.start()
    try:
        yield aws
    finally:
        if aws.process.poll() is None:
            aws.process.kill()
            aws.process.wait()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_by_hand_it_runs_without_a_terminal_until_told_to_end(tmp_path: Path, ending: int) -> None:
    with by_hand(tmp_path) as aws:
        until(aws.runs)
        assert aws.answers()
        aws.process.send_signal(ending)
        assert aws.process.wait(PATIENCE_SECONDS) == 0
        assert not accepts(aws.port)
        for complaint in ("Fatal", "Traceback"):
            assert complaint not in aws.said()


def test_by_hand_nothing_of_it_stays(tmp_path: Path) -> None:
    with by_hand(tmp_path) as aws:
        until(aws.runs)
        (folder,) = aws.temporary.iterdir()
        assert aws.env_file.stat().st_mode & 0o077 == 0
        aws.access().client("cognito-idp").list_user_pools(MaxResults=1)
        assert folder.stat().st_mode & 0o077 == 0
        assert list(folder.rglob("cognito-rsa-key.pem")), "it made its private key elsewhere"
        aws.process.terminate()
        assert aws.process.wait(PATIENCE_SECONDS) == 0
    assert list(aws.temporary.iterdir()) == []
    assert not aws.env_file.exists()


def test_by_hand_a_taken_port_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        aws = ByHand(tmp_path)
        aws.port = taken.getsockname()[1]
        aws.start()
        assert aws.process.wait(PATIENCE_SECONDS) == 1
    assert aws.said() == f"local-aws: port {aws.port} is taken; end what listens there\n"


def test_by_hand_the_death_of_the_embedded_aws_is_told(tmp_path: Path) -> None:
    with by_hand(tmp_path) as aws:
        until(aws.runs)
        listing = subprocess.run(
            ["ps", "-e", "-o", "pid=,ppid="], check=True, capture_output=True, text=True
        )
        rows = [line.split() for line in listing.stdout.splitlines()]
        (child,) = [int(pid) for pid, parent in rows if int(parent) == aws.process.pid]
        os.kill(child, signal.SIGKILL)
        assert aws.process.wait(PATIENCE_SECONDS) == 1
        assert aws.said().splitlines()[-1] == "local-aws: the embedded AWS ended by itself"
    assert list(aws.temporary.iterdir()) == []
