"""The embedded AWS: ministack in a process of its own, on loopback, with its state on disk.

It plays DynamoDB, API Gateway's control plane, Secrets Manager and CloudFormation. It saves its
state when it is told to end (SIGTERM), and only then.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO, Any, Self

from chatgrid_devkit.stack.aws_access import AwsAccess, credentials, kept_access_key

SERVICES = ("dynamodb", "apigateway", "secretsmanager", "ssm", "sqs")

_PORTS = range(20_000, 32_000)
_START_SECONDS = 30.0
_STOP_SECONDS = 15.0


class MinistackFailed(Exception):
    """The embedded AWS did not start; the text says why in one line."""


def free_port() -> int:
    """A port on loopback that nothing listens on at this moment.

    It lies below those that systems give to outgoing connections: one of them could take it before
    whoever asked for it listens there, and while a server is started again.
    """
    for port in secrets.SystemRandom().sample(_PORTS, 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise MinistackFailed("no port between 20000 and 32000 is free on 127.0.0.1")


class Ministack:
    """A running embedded AWS; a context manager that ends it.

    Args:
        state: folder for its state and log; made when missing.
        services: which of AWS's services it plays; all that it can when None.
        port: port on 127.0.0.1; a free one when not given.
        lambda_python: the interpreter that functions run on, when it plays Lambda; its own, with
            all that is installed there, when not given.
        keep_output: whether what it prints goes to ``log``; to our standard error otherwise.
        access_key: what its clients sign with; the state folder's own when not given.
        hosts: with port, what others than this machine call it by: containers.
    """

    def __init__(
        self,
        state: Path,
        *,
        services: tuple[str, ...] | None = SERVICES,
        port: int | None = None,
        lambda_python: str | None = None,
        keep_output: bool = True,
        access_key: str | None = None,
        hosts: tuple[str, ...] = (),
    ) -> None:
        self._state = state
        self._access_key = access_key
        self._hosts = hosts
        self._services = services
        self._lambda_python = lambda_python or sys.executable
        self._keep_output = keep_output
        self.port = port or free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Where its own output goes."""
        return self._state / "ministack.log"

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            MinistackFailed: it ended, or did not answer within 30 s.
        """
        for folder in (self._state, self._state / "tmp"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._access_key = self._access_key or kept_access_key(self._state)
        with self._output() as output:
            # A session of its own: Ctrl-C reaches the command that owns it, which then ends it.
            self.process = subprocess.Popen(
                [sys.executable, "-m", "chatgrid_devkit.stack.ministack_process"],
                env=self._environment(),
                cwd=self._state,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        seen = f"see {self.log}" if self._keep_output else "see above"
        while not self._answers():
            if self.process.poll() is not None:
                raise MinistackFailed(f"the embedded AWS ended at its start; {seen}")
            if time.monotonic() > deadline:
                self.stop()
                raise MinistackFailed(f"the embedded AWS does not answer; {seen}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it, its state saved; killed if it does not end in time."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def access(self) -> AwsAccess:
        """How its clients reach it, once it was started."""
        assert self._access_key is not None, "it was never started"  # noqa: S101
        return AwsAccess(self.endpoint, self._access_key)

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client of it."""
        return self.access.client(service, **options)

    def _output(self) -> IO[bytes]:
        return self.log.open("wb") if self._keep_output else os.fdopen(os.dup(2), "wb")

    def _environment(self) -> dict[str, str]:
        services = {} if self._services is None else {"SERVICES": ",".join(self._services)}
        access_key = self.access.access_key
        return {
            **services,
            **credentials(access_key),
            # The functions that it runs have their account's id for an access key id.
            "AWS_SESSION_TOKEN": access_key,
            "DOOR_HOSTS": ",".join(self._hosts),
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._state),
            "TMPDIR": str(self._state / "tmp"),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "LAMBDA_PYTHON": self._lambda_python,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self._state / "saved"),
            # Both would open ports of their own, on every interface.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
        }

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
        with contextlib.closing(connection):
            try:
                signed = f"AWS4-HMAC-SHA256 Credential={self.access.access_key}/"
                connection.request("GET", "/_ministack/health", headers={"Authorization": signed})
                return connection.getresponse().status == 200
            except (OSError, HTTPException):
                return False
