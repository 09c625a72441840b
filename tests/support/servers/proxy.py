"""A proxy on loopback between functions and their stores, that does what networks do.

Each request is read whole, and a plan says what becomes of it: passed on, refused, lost before or
after the store has done it, answered late, slowly or with nonsense. So a test knows of every
fault whether the write took effect.
"""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Self
from urllib.parse import urlsplit

from tests.support.servers.fault_server import Hangup, Peer, Request, error

_UPSTREAM_SECONDS = 20.0
_DRIP_SECONDS = 0.05

#: Serves one request of a peer; whether the connection stays open.
Serve = Callable[["FaultProxy", Peer, Request], bool]


@dataclass(frozen=True, slots=True)
class Fault:
    """What becomes of a request.

    Attributes:
        reaches: whether the store gets it: what it asks for has then happened.
    """

    name: str
    reaches: bool
    serve: Serve


def _forward(proxy: FaultProxy, peer: Peer, request: Request) -> bool:
    peer.sock.sendall(proxy.ask_store(request))
    return True


def latency(seconds: float) -> Fault:
    """Pass a request on after a while, even when the client has gone by then."""

    def serve(proxy: FaultProxy, peer: Peer, request: Request) -> bool:
        proxy.wait(seconds)
        return _forward(proxy, peer, request)

    return Fault(f"latency of {seconds:g} s", True, serve)


def _reset_before(_: FaultProxy, peer: Peer, __: Request) -> bool:
    peer.reset()
    return False


def _reset_after(proxy: FaultProxy, peer: Peer, request: Request) -> bool:
    proxy.ask_store(request)
    peer.reset()
    return False


def _reset_within(proxy: FaultProxy, peer: Peer, request: Request) -> bool:
    answer = proxy.ask_store(request)
    peer.sock.sendall(answer[: len(answer) - 1])
    peer.reset()
    return False


def _hang_before(_: FaultProxy, peer: Peer, __: Request) -> bool:
    peer.wait_for_hangup(_UPSTREAM_SECONDS)
    return False


def _hang_after(proxy: FaultProxy, peer: Peer, request: Request) -> bool:
    proxy.ask_store(request)
    peer.wait_for_hangup(_UPSTREAM_SECONDS)
    return False


def _drip(proxy: FaultProxy, peer: Peer, request: Request) -> bool:
    for byte in proxy.ask_store(request):
        peer.sock.sendall(bytes([byte]))
        if peer.wait_for_hangup(_DRIP_SECONDS) or proxy.stopping:
            return False
    return True


def _answering(raw: bytes, *, reaches: bool, keep: bool = True) -> Serve:
    def serve(proxy: FaultProxy, peer: Peer, request: Request) -> bool:
        if reaches:
            proxy.ask_store(request)
        peer.sock.sendall(raw)
        return keep

    return serve


def _page(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


_FAILED = error("InternalServerError", status=500)
_BUSY = error("ThrottlingException")
_NONSENSE = _page(b"<html>It works!</html>")
_EMPTY = _page(b"")
_NOT_HTTP = b"\x00\xffSSH-2.0-not-what-you-asked-for\r\n\r\n"

PASS = Fault("nothing", True, _forward)
#: Every fault by its name; where both are possible, once before and once after the effect.
FAULTS = {
    fault.name: fault
    for fault in (
        latency(0.3),
        Fault("reset before", False, _reset_before),
        Fault("reset after", True, _reset_after),
        Fault("reset within the answer", True, _reset_within),
        Fault("throttled", False, _answering(_BUSY, reaches=False)),
        Fault("500 before", False, _answering(_FAILED, reaches=False)),
        Fault("500 after", True, _answering(_FAILED, reaches=True)),
        Fault("hang before", False, _hang_before),
        Fault("hang after", True, _hang_after),
        Fault("slow drip", True, _drip),
        Fault("nonsense before", False, _answering(_NONSENSE, reaches=False)),
        Fault("nonsense after", True, _answering(_NONSENSE, reaches=True)),
        Fault("empty answer", False, _answering(_EMPTY, reaches=False)),
        Fault("not HTTP", False, _answering(_NOT_HTTP, reaches=False, keep=False)),
    )
}

#: Says what becomes of a request.
Plan = Callable[[Request], Fault]


def operation(request: Request) -> str:
    """DynamoDB's operation, or the request line's method and path for other services."""
    target = request.headers.get("x-amz-target", "")
    return target.partition(".")[2] or " ".join(request.line.split()[:2])


def clear(_: Request) -> Fault:
    """Pass everything on."""
    return PASS


def at_random(seed: int, *, share: float, faults: Iterable[Fault] = tuple(FAULTS.values())) -> Plan:
    """Let this share of all requests meet one of the faults."""
    random_source = random.Random(seed)
    choices = list(faults)

    def plan(_: Request) -> Fault:
        return random_source.choice(choices) if random_source.random() < share else PASS

    return plan


def times(fault: Fault, count: int, *, only: str | None = None) -> Plan:
    """Let the next requests meet a fault, of one operation or of any."""
    left = count
    lock = threading.Lock()

    def plan(request: Request) -> Fault:
        nonlocal left
        with lock:
            if left and only in {None, operation(request)}:
                left -= 1
                return fault
        return PASS

    return plan


class FaultProxy:
    """The proxy, running from ``with`` to its end on a free port of 127.0.0.1.

    Args:
        upstream: gives the store's URL, asked for each request: the store may start later.

    Attributes:
        plan: says what becomes of each request; may be set at any time.
        met: how many requests met which fault.
        asked: how often each operation was asked for.
    """

    def __init__(self, upstream: Callable[[], str], *, plan: Plan = clear) -> None:
        self.plan = plan
        self.met: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self._upstream = upstream
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._socks: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        with self._lock:
            socks = [self._listener, *self._socks]
        for sock in socks:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._listener.close()

    @property
    def stopping(self) -> bool:
        """Whether the proxy is ending."""
        return self._stopped.is_set()

    def wait(self, seconds: float) -> None:
        """Let time pass, but not longer than the proxy runs."""
        self._stopped.wait(seconds)

    def ask_store(self, request: Request) -> bytes:
        """The store's whole answer.

        Raises:
            OSError: the store is not there, or breaks off.
        """
        method, path, _ = request.line.split(" ", 2)
        headers = {k: v for k, v in request.headers.items() if k != "connection"}
        upstream = HTTPConnection(urlsplit(self._upstream()).netloc, timeout=_UPSTREAM_SECONDS)
        with contextlib.closing(upstream):
            try:
                upstream.request(method, path, request.body or None, headers)
                answer = upstream.getresponse()
                body = answer.read()
            except HTTPException as broken:
                raise OSError(str(broken)) from broken
        fields = [
            (k, v)
            for k, v in answer.getheaders()
            if k.lower() not in {"connection", "content-length", "transfer-encoding"}
        ]
        lines = "".join(f"{k}: {v}\r\n" for k, v in [*fields, ("Content-Length", str(len(body)))])
        return f"HTTP/1.1 {answer.status} {answer.reason}\r\n{lines}\r\n".encode("latin-1") + body

    def _run(self) -> None:
        while not self.stopping:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._socks.add(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        peer = Peer(sock)
        open_ = True
        try:
            while open_ and not self.stopping:
                request = peer.read_request()
                with self._lock:
                    fault = self.plan(request)
                    if fault is not PASS:
                        self.met[fault.name] += 1
                    self.asked[operation(request)] += 1
                open_ = fault.serve(self, peer, request)
        except (Hangup, OSError):
            pass
        finally:
            with self._lock:
                self._socks.discard(sock)
            with contextlib.suppress(OSError):
                sock.close()


def wait_until(true: Callable[[], bool], *, seconds: float = 10.0) -> bool:
    """Whether something comes true in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
