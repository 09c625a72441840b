"""A store on loopback that speaks DynamoDB, in a process of its own.

It answers each operation with a plausible item, as large as a real one; counts requests, write
units and read units; and publishes a key set as an identity provider does. Of conditions it minds
aliases, policies and costs alone, and nothing is stored: it stands for the far end of a connection,
not for DynamoDB.

    python -m tests.benchmarks.authorizer.stub FILE    (settings, written by `stub_process`)
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
import zlib
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

from chatgrid_auth.adapters.keys_table import items
from tests.benchmarks.authorizer import material

_READ_UNIT_BYTES = 4_096
_WRITE_UNIT_BYTES = 1_024
#: What is read of a table in which nothing lies.
_EMPTY: dict[str, dict[str, Any]] = {
    "Query": {"Items": [], "Count": 0, "ScannedCount": 0},
    "Scan": {"Items": [], "Count": 0, "ScannedCount": 0},
    "BatchGetItem": {"Responses": {}, "UnprocessedKeys": {}},
}
#: Conditions with one of these hold of no item that is not there.
_NEED_AN_ITEM = ("attribute_exists", "#u < cap")
_REFUSED = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"


class Store:
    """What the stub knows and has counted.

    Args:
        settings: `jwks`, the published keys; `keys`, how many there are; `items`, further items
            by table and key value, or both key values; `secret`, what Secrets Manager keeps.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self.jwks = json.dumps(settings["jwks"]).encode()
        self.items: dict[str, dict[str, Any]] = settings["items"]
        secret = {"SecretString": settings.get("secret", "{}"), "CreatedDate": 1.0}
        self._without_a_key = {**_EMPTY, "GetSecretValue": secret}
        self.credentials: dict[str, material.Item] = {}
        self.counted: Counter[str] = Counter()
        self.write_units = 0
        self.read_units = 0.0
        self._second = 0
        self._window: material.Item = {}
        self._users_window: material.Item = {}
        self.grow(settings["keys"])

    def grow(self, count: int) -> None:
        """Hold this many credentials: the first thousand are real keys, no more are asked for."""
        one = material.credential("0" * 64)
        for number in range(len(self.credentials), count):
            text = material.raw_key(number) if number < 1_000 else str(number)
            self.credentials[f"KEY#{sha256(text.encode()).hexdigest()}"] = one

    def answer(self, operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body for one request."""
        self.counted[operation] += 1
        if "Key" not in request:
            return 200, self._without_a_key.get(operation, {})
        item = self._item(request["TableName"], *(value["S"] for value in request["Key"].values()))
        if operation == "GetItem":
            size = material.size_bytes(item) if item else 0
            units = max(1, -(-size // _READ_UNIT_BYTES))
            self.read_units += units if request.get("ConsistentRead") else units / 2
            return 200, {} if item is None else {"Item": {**item, **material.USUAL}}
        condition = request.get("ConditionExpression", "")
        if item is None and any(text in condition for text in _NEED_AN_ITEM):
            self.write_units += 1
            return 400, {"__type": _REFUSED, "message": "The conditional request failed"}
        values = request.get("ExpressionAttributeValues", {})
        if item is not None and _is_otherwise(item, values):
            return 400, {"__type": _REFUSED, "message": "", "Item": item}
        after = item or {
            "pk": next(iter(request["Key"].values())),
            "count": {"N": "7"},
            "expires_on": {"N": "1800000000"},
        }
        self.write_units += -(-material.size_bytes(after) // _WRITE_UNIT_BYTES)
        wanted = request.get("ReturnValues", "NONE")
        if wanted == "UPDATED_NEW":
            return 200, {"Attributes": {"count": {"N": "7"}}}
        return 200, {"Attributes": after} if wanted == "ALL_NEW" else {}

    def _item(self, table: str, name: str, sort: str = "") -> material.Item | None:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._window = material.window_attributes(second, material.LIMIT)
            self._users_window = material.window_attributes(second, material.USERS_LIMIT)
        if table == material.KEYS_TABLE and (found := self.credentials.get(name)):
            return {**found, "pk": {"S": name}, **self._window}
        if table == material.RATE_LIMITS_TABLE and name.startswith("USER#"):
            until = {"N": str(second + 900)}
            return {"pk": {"S": name}, "expires_on": until, **self._users_window}
        others = self.items.get(table, {})
        found = others.get(f"{name} {sort}") or others.get(name)
        if table == material.KEYS_TABLE and found and items.LEVEL in found:
            return {**found, "pk": {"S": name}, **self._window}
        return found

    def statistics(self) -> dict[str, Any]:
        """What was asked so far."""
        return {
            "requests": dict(self.counted),
            "write_units": self.write_units,
            "read_units": self.read_units,
        }


def _is_otherwise(item: material.Item, values: dict[str, Any]) -> bool:
    """Whether an item is an alias, or names a policy or costs that a decision did not go by."""
    if items.HOME in item:
        return True
    named = (items.VERSION, items.GENERATION)
    return any(name in item and item[name] != values.get(f":{name}") for name in named)


class Connection(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pending = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while True:
            head, found, rest = self._pending.partition(b"\r\n\r\n")
            if not found:
                return
            line, *lines = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): text for name, _, text in (h.partition(": ") for h in lines)}
            length = int(headers.get("content-length", "0"))
            if len(rest) < length:
                return
            self._pending = rest[length:]
            self._transport.write(self._respond(line.split(" ")[1], headers, rest[:length]))

    def _respond(self, target: str, headers: dict[str, str], body: bytes) -> bytes:
        status = 200
        if target == "/statistics":
            content = json.dumps(self._store.statistics()).encode()
        elif target.startswith("/grow/"):
            self._store.grow(int(target.removeprefix("/grow/")))
            content = b"{}"
        elif target.endswith("/jwks.json"):
            content = self._store.jwks
        else:
            operation = headers["x-amz-target"].partition(".")[2]
            status, answer = self._store.answer(operation, json.loads(body))
            content = json.dumps(answer, separators=(",", ":")).encode()
        return (
            b"HTTP/1.1 %d Text\r\nServer: Server\r\nContent-Type: application/x-amz-json-1.0\r\n"
            b"Content-Length: %d\r\nConnection: keep-alive\r\nx-amzn-RequestId: %b\r\n"
            b"x-amz-crc32: %d\r\n\r\n%b"
        ) % (status, len(content), b"A" * 52, zlib.crc32(content), content)


async def serve(settings: dict[str, Any]) -> None:
    """Serve plain text and TLS until killed; the two ports are the one line of output."""
    store = Store(settings)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings["certificate"], settings["private_key"])
    loop = asyncio.get_running_loop()
    ports = []
    for tls in (None, context):
        server = await loop.create_server(
            lambda: Connection(store), "127.0.0.1", 0, ssl=tls, backlog=256
        )
        ports.append(server.sockets[0].getsockname()[1])
    print(json.dumps(ports), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
