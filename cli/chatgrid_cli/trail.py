"""Entries that an operator's work adds to the audit log are anchored where users' are: in the log.

One line for each key, in a stream of its own (``operator``). A line that cannot be written there
stops nothing: it is shown on standard error, to be kept by hand. On the stack of ``make dev`` the
lines are in the file ``operator.jsonl`` of its state folder.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from chatgrid_auth.domain.actors import OPERATOR, Actor
from chatgrid_auth.services.instants import instant_ms
from chatgrid_cli.output import stderr

if TYPE_CHECKING:
    from chatgrid_auth.domain.audit import Entry
    from chatgrid_cli.stacks import Stack

STREAM = "operator"
LOCAL_FILE = "operator.jsonl"
#: CloudWatch takes 10,000 lines and 1 MB at once; a line has some 400 bytes.
_MOST_AT_ONCE = 500


def log_group(stack: Stack) -> str:
    """Where the management function's lines are, as template.yaml names it."""
    return f"/aws/lambda/{stack.name}-management"


def operator_of(stack: Stack) -> Actor:
    """Who runs the command: the IAM ARN, as AWS itself tells it."""
    arn: str | None = None
    if not stack.local:
        with contextlib.suppress(ClientError, BotoCoreError):
            arn = stack.client("sts").get_caller_identity()["Arn"]
    return Actor(type=OPERATOR, id=arn)


class OperatorTrail:
    """Writes down what was done; a context manager where many lines come.

    Args:
        stack: whose log it is.
        at_once: how many lines are written together.
    """

    def __init__(self, stack: Stack, *, at_once: int = 1) -> None:
        self._stack = stack
        self._at_once = min(at_once, _MOST_AT_ONCE)
        self._lines: list[tuple[int, str]] = []
        self._told = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()

    def __call__(self, entry: Entry) -> None:
        """Take note of one entry of the audit log. Never raises."""
        told = entry.line
        line = {"level": "INFO", "message": told["event"], "service": STREAM, **told}
        self._lines.append((instant_ms(told["at"]), json.dumps(line)))
        if len(self._lines) >= self._at_once:
            self.flush()

    def flush(self) -> None:
        """Write what is left."""
        lines, self._lines = self._lines, []
        if not lines:
            return
        try:
            self._keep(lines)
        except (ClientError, BotoCoreError, OSError) as error:
            self._show(lines, type(error).__name__)

    def _keep(self, lines: list[tuple[int, str]]) -> None:
        if self._stack.local:
            file = Path(self._stack.name) / LOCAL_FILE
            descriptor = os.open(
                file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600
            )
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.writelines(f"{line}\n" for _, line in lines)
            return
        logs: Any = self._stack.client("logs")
        where = {"logGroupName": log_group(self._stack), "logStreamName": STREAM}
        with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_stream(**where)
        logs.put_log_events(
            **where, logEvents=[{"timestamp": at, "message": line} for at, line in sorted(lines)]
        )

    def _show(self, lines: list[tuple[int, str]], why: str) -> None:
        with contextlib.suppress(OSError):
            if not self._told:
                print(f"Not in the stack's log ({why}); keep it by hand:", file=stderr())
                self._told = True
            for _, line in lines:
                print(line, file=stderr())
