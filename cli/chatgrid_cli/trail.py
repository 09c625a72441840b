"""What an operator does to keys stands in the same log as what users do: the management function's.

One line for each key, in a stream of its own (``operator``). A line that cannot be written there
stops nothing: it is shown on standard error, to be kept by hand. On the stack of ``make dev`` the
lines are in the file ``operator.jsonl`` of its state folder.
"""

from __future__ import annotations

import contextlib
import json
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from chatgrid_auth.domain.actors import OPERATOR, Actor
from chatgrid_auth.services.instants import iso_instant
from chatgrid_cli.output import stderr

if TYPE_CHECKING:
    from chatgrid_auth.domain.key_events import KeyEvent
    from chatgrid_cli.stacks import Stack

STREAM = "operator"
LOCAL_FILE = "operator.jsonl"
#: CloudWatch takes 10,000 lines and 1 MB at once; a line has some 400 bytes.
_MOST_AT_ONCE = 500


def log_group(stack: Stack) -> str:
    """Where the management function's lines are, as template.yaml names it."""
    return f"/aws/lambda/{stack.name}-management"


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

    @cached_property
    def actor(self) -> Actor:
        """Who runs the command: the IAM ARN, as AWS itself tells it."""
        arn: str | None = None
        if not self._stack.local:
            with contextlib.suppress(ClientError, BotoCoreError):
                arn = self._stack.client("sts").get_caller_identity()["Arn"]
        return Actor(type=OPERATOR, id=arn)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()

    def __call__(self, event: KeyEvent) -> None:
        """Take note of one thing that was done. Never raises."""
        fields = event.fields()
        fields.update(at=iso_instant(event.at_ms), request_id=None)
        line = {"level": "INFO", "message": event.event, "service": STREAM, **fields}
        self._lines.append((event.at_ms, json.dumps(line)))
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
