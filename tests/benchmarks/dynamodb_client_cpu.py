"""Processor time of one UpdateItem: the lean client against boto3, on the same loopback stub.

    python tests/benchmarks/dynamodb_client_cpu.py [rounds]

The stub is a process of its own, so that only the client's time is counted; the two clients
take turns in one run. Only the ratio means something, the times are this machine's.
"""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from typing import Any

from chatgrid_auth.adapters.awslite.credentials import Credentials, FixedCredentials
from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
from chatgrid_auth.domain import errors

CALLS = 200
REGION = "eu-central-1"
KEY_ID = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"  # AWS's published example
TOKEN = "x" * 800  # about as long as a function's own
BUCKETS = range(595_000_000, 595_000_020)

REQUEST: dict[str, Any] = {
    "TableName": "chatgrid-keys",
    "Key": {"pk": {"S": "KEY#" + "0" * 64}, "sk": {"S": "#"}},
    "ConditionExpression": "attribute_exists(pk) AND #state = :active"
    " AND (attribute_not_exists(expires) OR expires > :now) AND contains(scopes, :scope) AND "
    + " AND ".join(f"(attribute_not_exists(k{b}) OR used < k{b})" for b in BUCKETS),
    "UpdateExpression": f"SET seen = :now, used = used + :one, cap = cap + :one,"
    f" k{BUCKETS[-1]} = if_not_exists(k{BUCKETS[-1]}, cap)"
    " REMOVE " + ", ".join(f"k{b - 20}" for b in BUCKETS),
    "ExpressionAttributeNames": {"#state": "state"},
    "ReturnValues": "ALL_NEW",
    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    "ExpressionAttributeValues": {
        ":one": {"N": "1"},
        ":active": {"S": "active"},
        ":scope": {"S": "read"},
        ":now": {"N": "1800000000000"},
    },
}
ITEM = {
    "pk": REQUEST["Key"]["pk"],
    "sk": {"S": "#"},
    "owner": {"S": "7f3c9a52-0000-4000-8000-000000000000"},
    "id": {"S": "0197c1f2-0000-7000-8000-000000000000"},
    "scopes": {"S": "read write"},
    "state": {"S": "active"},
    "limit": {"N": "120"},
    "used": {"N": "1021"},
    "cap": {"N": "1141"},
    "seen": {"N": "1800000000000"},
    **{f"k{b}": {"N": "1100"} for b in BUCKETS[:8]},
}


def serve() -> None:
    """Answer every request with one item, over one connection at a time, until killed."""
    body = json.dumps({"Attributes": ITEM}, separators=(",", ":")).encode()
    response = (
        b"HTTP/1.1 200 OK\r\nServer: Server\r\nDate: Fri, 15 Jan 2027 08:00:00 GMT\r\n"
        b"Content-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n"
        b"Connection: keep-alive\r\nx-amzn-RequestId: %b\r\nx-amz-crc32: %d\r\n\r\n%b"
    ) % (len(body), b"A" * 52, zlib.crc32(body), body)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    children: list[Any] = []
    while True:
        peer, _ = listener.accept()
        import threading  # noqa: PLC0415 -- the stub's own

        children.append(threading.Thread(target=_answer, args=(peer, response), daemon=True))
        children[-1].start()


def _answer(peer: socket.socket, response: bytes) -> None:
    pending = b""
    while data := peer.recv(65536):
        pending += data
        head, found, rest = pending.partition(b"\r\n\r\n")
        if not found:
            continue
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(rest) >= length:
            pending = rest[length:]
            peer.sendall(response)


def boto3_call(url: str) -> Callable[[], object]:
    """boto3's client, retries and time-outs like the lean client's."""
    import boto3  # noqa: PLC0415 -- what is being compared
    from botocore.config import Config  # noqa: PLC0415

    client = boto3.client(
        "dynamodb",
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        aws_session_token=TOKEN,
        config=Config(connect_timeout=0.5, read_timeout=1, retries={"mode": "standard"}),
    )
    return lambda: client.update_item(**REQUEST)


def lean_calls(url: str) -> dict[str, Callable[[], object]]:
    """The lean client, given a payload and given JSON."""
    credentials = Credentials(access_key_id=KEY_ID, secret_access_key=SECRET, session_token=TOKEN)
    client = DynamoDB(
        errors=errors, region=REGION, credentials=FixedCredentials(credentials), endpoint=url
    )
    encoded = json.dumps(REQUEST, separators=(",", ":")).encode()
    return {
        "lean, payload": lambda: client.call("UpdateItem", REQUEST),
        "lean, JSON": lambda: client.call_encoded("UpdateItem", encoded),
    }


def cpu_microseconds(call: Callable[[], object]) -> float:
    """Mean processor time of one call."""
    started = time.process_time()
    for _ in range(CALLS):
        call()
    return (time.process_time() - started) / CALLS * 1e6


def main(rounds: int) -> None:
    """Measure and print."""
    stub = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE)
    try:
        assert stub.stdout is not None
        url = f"http://127.0.0.1:{int(stub.stdout.readline())}"
        calls = {"boto3": boto3_call(url), **lean_calls(url)}
        answers = [call() for call in calls.values()]  # connections, caches
        assert all(answer["Attributes"] == ITEM for answer in answers)  # type: ignore[index]
        figures: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(rounds):
            for name, call in calls.items():
                figures[name].append(cpu_microseconds(call))
    finally:
        stub.kill()
        stub.wait()
    for name, found in figures.items():
        ratios = [ours / theirs for ours, theirs in zip(found, figures["boto3"], strict=True)]
        print(
            f"{name:14} {statistics.median(found):8.1f} us   1/{1 / statistics.median(ratios):.1f}"
        )


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 9)
