"""A DynamoDB quick enough for hundreds of requests a second, with AWS's conflicts in it.

What a request does is the embedded AWS's own code: conditions are evaluated, and items kept. Left
out is what that has around it; and what it finds out about the text of an expression is found out
once. Added is what makes a busy item hard to change on AWS: a transaction takes its time, and is
cancelled if anything else writes one of its items meanwhile.
Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
(`TransactionCanceledException`, reason `TransactionConflict`)

It checks no signature and listens on loopback alone. It is a process of its own, and ends with the
one that started it.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

#: How long all others have to leave a transaction's items alone: about what one takes on AWS.
TRANSACTION_SECONDS = 0.02
_CONFLICT = "TransactionConflict"

Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def conflicting_dynamodb() -> Iterator[str]:
    """The address of such a DynamoDB, empty at first."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        ours.close()  # by that it ends
        process.join(30)
        process.kill()


def _run(owner: Connection) -> None:
    asyncio.run(_serve(owner))


async def _serve(owner: Connection) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(owner.fileno(), ended.set)
    server = await asyncio.start_server(_Store().converse, "127.0.0.1", 0)
    owner.send(server.sockets[0].getsockname()[1])
    await ended.wait()


class _Store:
    """The tables, and how often each item was written."""

    def __init__(self) -> None:
        # Not in the process of the test: it starts threads.
        from ministack.services import dynamodb  # noqa: PLC0415

        for name in ("_tokenize", "_condition_syntax_error"):  # pure, and most of its time
            setattr(dynamodb, name, lru_cache(getattr(dynamodb, name)))
        self._handle = dynamodb.handle_request
        self._written: Counter[str] = Counter()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer what comes over one connection until it is closed."""
        try:
            while True:
                _, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
                fields = {
                    name.lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in lines)
                }
                body = await reader.readexactly(int(fields["content-length"]))
                operation = fields["x-amz-target"].rpartition(".")[2]
                status, headers, answer = await self._answer(operation, body)
                headers["Content-Length"] = str(len(answer))
                head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
                writer.write(f"HTTP/1.1 {status} told\r\n{head}\r\n".encode() + answer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.close()  # the peer has gone, or this server goes

    async def _answer(self, operation: str, body: bytes) -> Answer:
        changed = _written_by(operation, json.loads(body))
        if operation == "TransactWriteItems":
            before = [self._written[item] for item in changed]
            await asyncio.sleep(TRANSACTION_SECONDS)
            meanwhile = [self._written[item] for item in changed]
            if meanwhile != before:
                return _cancelled(
                    [now != then for now, then in zip(meanwhile, before, strict=True)]
                )
        # Within one step of the loop: nothing comes between the condition and its write.
        target = {"x-amz-target": f"DynamoDB_20120810.{operation}"}
        answer: Answer = await self._handle("POST", "/", target, body, {})
        if answer[0] == 200:
            self._written.update(changed)
        return answer


def _written_by(operation: str, request: dict[str, Any]) -> list[str]:
    """The items that a request writes or minds; for a transaction, in its order."""
    if operation == "TransactWriteItems":
        parts = [part for action in request["TransactItems"] for part in action.values()]
    elif operation in {"PutItem", "UpdateItem", "DeleteItem"}:
        parts = [request]
    else:
        parts = []
    return [_item_of(part) for part in parts]


def _item_of(part: dict[str, Any]) -> str:
    key = part.get("Key") or part["Item"]
    return f"{part['TableName']} {key['pk']['S']} {key.get('sk', {}).get('S')}"


def _cancelled(conflicts: list[bool]) -> Answer:
    codes = [_CONFLICT if conflict else "None" for conflict in conflicts]
    told = {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": f"Transaction cancelled, specific reasons: [{', '.join(codes)}]",
        "CancellationReasons": [{"Code": code} for code in codes],
    }
    return 400, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(told).encode()
