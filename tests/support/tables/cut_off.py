"""A client whose process is cut off from the store at one of its requests, in one of five ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ReadTimeoutError

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

REQUESTS = {
    "get_item",
    "batch_get_item",
    "put_item",
    "delete_item",
    "query",
    "update_item",
    "transact_write_items",
}
#: More requests than anything here takes.
MOST = 60

KILLED_BEFORE = "killed before"
KILLED_AFTER = "killed after"
#: The request did not come to the store; whoever sent it hears of a time-out, as below.
UNREACHED = "unreached"
#: The store has done it, its answer was lost, and so was that of each repeat.
LOST = "lost"
#: The store has done it, its answer was lost, and the SDK asks again.
REPEATED = "repeated"
WAYS = (KILLED_BEFORE, KILLED_AFTER, UNREACHED, LOST, REPEATED)


class KilledError(BaseException):
    """The end of a process: nothing catches it, and nothing of the process runs after it."""


class CutOff:
    """A DynamoDB client that is cut off at its request of that number, counted from one."""

    def __init__(self, client: DynamoDBClient, *, at: int, way: str) -> None:
        self._client = client
        self._left = at
        self._way = way

    @property
    def happened(self) -> bool:
        """Whether it came to that request."""
        return self._left <= 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return self._asking(found) if name in REQUESTS else found

    def _asking(self, found: Callable[..., Any]) -> Callable[..., Any]:
        def ask(**parameters: Any) -> Any:
            self._left -= 1
            now, killed = self._left == 0, self._way in {KILLED_BEFORE, KILLED_AFTER}
            if (now and self._way == KILLED_BEFORE) or (killed and self._left < 0):
                raise KilledError
            if now and self._way == UNREACHED:
                raise ReadTimeoutError(endpoint_url="unreached")
            answer = found(**parameters)
            if now and self._way == KILLED_AFTER:
                raise KilledError
            if now and self._way == LOST:
                raise ReadTimeoutError(endpoint_url="lost")
            return found(**parameters) if now and self._way == REPEATED else answer

        return ask
