"""How a container reaches the embedded AWS, which listens on this machine's loopback only.

On Linux a small forwarder listens on the address of Docker's bridge, which this machine and its
containers see and nobody else. Docker Desktop forwards a name of its own by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import subprocess
import sys
from collections.abc import AsyncIterator

DESKTOP_NAME = "host.docker.internal"
_CHUNK = 65_536


class NoEngine(Exception):
    """No Docker engine answers; the text says why in one line."""


def check_engine() -> None:
    """Return when a Docker engine answers.

    Raises:
        NoEngine: none does.
    """
    _docker("version", "--format", "{{.Server.Version}}")


def address() -> str:
    """This machine as containers call it.

    Raises:
        NoEngine: no Docker engine answers.
    """
    if sys.platform != "linux":
        return DESKTOP_NAME
    listing = _docker("network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}")
    return first_address(json.loads(listing))


def first_address(configuration: list[dict[str, str]]) -> str:
    """A bridge's own address: the one it names, else the first one of its IPv4 network."""
    for network in configuration:
        subnet = ipaddress.ip_network(network["Subnet"])
        if subnet.version == 4:
            return network.get("Gateway") or str(subnet[1])
    raise NoEngine("Docker's bridge has no IPv4 network")


@contextlib.asynccontextmanager
async def forwarding(host: str, port: int) -> AsyncIterator[None]:
    """Forward what arrives at this address and port to the same port on loopback."""
    if host == DESKTOP_NAME:
        yield
        return

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))

    server = await asyncio.start_server(serve, host, port)
    try:
        yield
    finally:
        server.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass  # the other side left; so do we
    finally:
        writer.close()


def _docker(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["docker", *arguments], capture_output=True, text=True, check=True, timeout=30
        )
    except FileNotFoundError:
        raise NoEngine("there is no docker command here") from None
    except subprocess.TimeoutExpired:
        raise NoEngine("the Docker engine does not answer within 30 s") from None
    except subprocess.CalledProcessError as failed:
        raise NoEngine((failed.stderr.strip().splitlines() or ["docker failed"])[-1]) from None
    return done.stdout
