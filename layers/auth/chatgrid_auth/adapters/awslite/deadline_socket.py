"""A TCP or TLS stream that never waits past a deadline.

The sockets of the standard library take a time-out for each system call, so that a peer which
drips one byte a second can hold a caller for as long as it likes. Here the socket does not
block, and one ``poll`` in front of what would wait knows the deadline. (It also costs fewer
system calls than a time-out does.)

The one wait that no deadline reaches is the look-up of the host's name, which is the
platform's (``RES_OPTIONS`` in the template bounds it); it comes once for each connection.
"""

from __future__ import annotations

import socket
from select import POLLIN, POLLOUT, poll

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from chatgrid_auth.adapters.awslite.tls import Tls

_RECEIVE_BYTES = 16 * 1024


class _Never(OSError):
    """What plain text never raises: it wants to write only when it was told to."""


class OutOfTime(Exception):
    """The deadline came before the peer did."""


class DeadlineSocket:
    """A connected stream.

    Every method raises ``OutOfTime`` at the deadline given to it and ``OSError`` for what the
    network or TLS reports; after either, only ``close`` may follow.

    Args:
        host: name or address to connect to.
        port: its port.
        tls: how to speak TLS; ``None`` for plain text.
        clock: the monotonic clock, in seconds, that deadlines are read on.
        deadline: until when the connection must stand, TLS included.
    """

    __slots__ = ("_again", "_clock", "_pending", "_poller", "_socket", "_tls", "_want_write")

    def __init__(
        self, host: str, port: int, *, tls: Tls | None, clock: Callable[[], float], deadline: float
    ) -> None:
        self._clock = clock
        self._tls = tls
        #: How many bytes TLS holds that nobody has received yet.
        self._pending: Callable[[], int] | None = None
        self._again: tuple[type[OSError], ...] = tls.again if tls else (BlockingIOError,)
        self._want_write: type[OSError] = tls.want_write if tls else _Never
        failure: Exception | None = None
        # As bytes: for text, Python would load the tables of international names.
        name = host.encode("ascii")
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        for number, (family, kind, protocol, _, address) in enumerate(found, 1):
            self._socket = socket.socket(family, kind, protocol)
            self._poller = poll()
            self._poller.register(self._socket, POLLIN)
            until = deadline
            if number < len(found):
                # Half of what is left: an address that drops everything leaves time for the next.
                until -= (deadline - clock()) / 2
            try:
                self._connect(address, name, until)
            except (OSError, OutOfTime) as error:
                self._socket.close()
                failure = error
            except BaseException:
                self._socket.close()
                raise
            else:
                return
        raise failure or OSError("the name has no address")

    def close(self) -> None:
        """Give up the descriptor. The peer is told nothing that a fork's other half would miss."""
        self._socket.close()

    def is_stale(self) -> bool:
        """Whether the peer has hung up, or spoken out of turn, between two requests."""
        if not self._poller.poll(0):
            return False
        try:
            self._socket.recv(1)
        except self._again:
            # TLS had something to say to itself: a new session ticket, for instance.
            return False
        except OSError:
            return True
        return True

    def send(self, data: bytes, deadline: float) -> None:
        """Send all of it."""
        sent = 0
        while sent < len(data):
            try:
                sent += self._socket.send(data[sent:] if sent else data)
            except self._again as busy:
                wants_read = self._tls is not None and not isinstance(busy, self._want_write)
                self._wait(POLLIN if wants_read else POLLOUT, deadline)

    def receive(self, deadline: float) -> bytes:
        """Some bytes as soon as there are any, none at the end of the stream."""
        # Where nothing is buffered, a first try would mostly be in vain.
        if self._pending is None or not self._pending():
            self._wait(POLLIN, deadline)
        while True:
            try:
                return self._socket.recv(_RECEIVE_BYTES)
            except self._again as busy:
                wants_write = isinstance(busy, self._want_write)
                self._wait(POLLOUT if wants_write else POLLIN, deadline)

    def _connect(self, address: object, name: bytes, deadline: float) -> None:
        self._socket.setblocking(False)
        try:
            self._socket.connect(address)  # type: ignore[arg-type]
        except BlockingIOError:
            self._wait(POLLOUT, deadline)
            if number := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(number, "not connected") from None
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            self._secure(self._tls, name, deadline)

    def _secure(self, tls: Tls, name: bytes, deadline: float) -> None:
        secured = tls.wrap(self._socket, name)
        self._socket = secured
        self._pending = secured.pending
        while True:
            try:
                secured.do_handshake()
            except self._again as busy:
                wants_write = isinstance(busy, self._want_write)
                self._wait(POLLOUT if wants_write else POLLIN, deadline)
            else:
                return

    def _wait(self, event: int, deadline: float) -> None:
        left_ms = (deadline - self._clock()) * 1000
        if left_ms <= 0:
            raise OutOfTime
        if event == POLLIN:
            ready = self._poller.poll(left_ms)
        else:
            self._poller.modify(self._socket, event)
            ready = self._poller.poll(left_ms)
            self._poller.modify(self._socket, POLLIN)
        if not ready:
            raise OutOfTime
