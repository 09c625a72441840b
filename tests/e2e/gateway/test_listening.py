"""The local gateway's socket: an answer in two pieces leaves at once."""

from __future__ import annotations

import asyncio
import socket

from chatgrid_devkit.gateway.server import listening


def test_no_answer_waits_for_the_acknowledgement_of_its_first_half() -> None:
    async def accepted(listener: socket.socket) -> int:
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def meet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            own: socket.socket = writer.get_extra_info("socket")
            found.set_result(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(meet, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            try:
                return await asyncio.wait_for(found, 10)
            finally:
                writer.close()
                await writer.wait_closed()

    with listening("127.0.0.1", 0) as listener:
        assert asyncio.run(accepted(listener)) == 1
