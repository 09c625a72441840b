"""Going back to the former release and forward again, as docs/deploy.md does it, under load."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, NamedTuple

import httpx

from tests.deploy.stacks import SamStack

_CALLERS = 2
_ANSWERS = 6
_PATIENCE_SECONDS = 60.0
#: Later than every version.
NEWEST = "9999"


def release(stack: SamStack, before: str) -> None:
    """Move every alias to the newest version that was published before this moment (UTC)."""
    functions = stack.client("lambda")
    for name in stack.functions():
        versions = functions.list_versions_by_function(FunctionName=name)["Versions"]
        published = [
            version["Version"]
            for version in versions
            if version["Version"] != "$LATEST" and version["LastModified"] < before
        ]
        functions.update_alias(FunctionName=name, Name="live", FunctionVersion=published[-1])


class Answer(NamedTuple):
    """What a request got, and which in the order of beginning it was."""

    number: int
    status: int
    origin: str | None


class Load:
    """Callers that ask for one thing all the time; every answer is kept."""

    def __init__(self, described: dict[str, Any], raw_key: str) -> None:
        self._url = f"{described['url']}/boards"
        self._headers = {**described["headers"], "Authorization": f"Bearer {raw_key}"}
        self._numbers = count()
        self._ended = threading.Event()
        self._changed = threading.Condition()
        self.answers: list[Answer] = []
        self.troubles: list[Exception] = []

    @contextmanager
    def running(self) -> Iterator[Load]:
        callers = [threading.Thread(target=self._call, daemon=True) for _ in range(_CALLERS)]
        for caller in callers:
            caller.start()
        try:
            yield self
        finally:
            self._ended.set()
            for caller in callers:
                caller.join(_PATIENCE_SECONDS)

    def origins_from_now_on(self) -> set[str | None]:
        """Which release, told by its origin, answers requests that begin after this moment."""
        begun = next(self._numbers)

        def after() -> list[Answer]:
            return [answer for answer in self.answers if answer.number > begun]

        with self._changed:
            assert self._changed.wait_for(
                lambda: len(after()) >= _ANSWERS or self.troubles, _PATIENCE_SECONDS
            )
            return {answer.origin for answer in after()}

    def _call(self) -> None:
        try:
            with httpx.Client(headers=self._headers, timeout=_PATIENCE_SECONDS) as http:
                while not self._ended.is_set():
                    number = next(self._numbers)
                    got = http.get(self._url)
                    origin = got.headers.get("access-control-allow-origin")
                    self._keep(Answer(number, got.status_code, origin))
        except Exception as trouble:  # the test's own thread tells it
            self.troubles.append(trouble)
            with self._changed:
                self._changed.notify_all()

    def _keep(self, answer: Answer) -> None:
        with self._changed:
            self.answers.append(answer)
            self._changed.notify_all()
