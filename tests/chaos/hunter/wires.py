"""TCP proxies that cut, hold and tear connections on purpose: one between each part and each service it talks to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any, Self

from fenhe.local import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

BLOCK = 65_536
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class Wire:
    """One port that leads to another; its methods are called from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._loop = loop
        self._ends: set[asyncio.StreamWriter] = set()
        self._whole = asyncio.Event()
        self._whole.set()
        self._left: int | None = None

    @property
    def in_use(self) -> bool:
        """Whether somebody is connected."""
        return bool(self._ends)

    def cut(self) -> None:
        """Reset every connection, as a firewall that was restarted does."""
        self._loop.call_soon_threadsafe(self._reset)

    def tear(self, after: int) -> None:
        """Reset every connection as soon as `after` more bytes have passed: in the middle of a message."""

        def arm() -> None:
            self._left = after

        self._loop.call_soon_threadsafe(arm)

    def hold(self) -> None:
        """Half-open: connections stand, new ones are taken, nothing passes."""
        self._loop.call_soon_threadsafe(self._whole.clear)

    def mend(self, *, reset: bool) -> None:
        """Let everything pass again; with `reset` whoever waited learns that the other side has forgotten it."""

        def mend() -> None:
            self._left = None
            if reset:
                self._reset()
            self._whole.set()

        self._loop.call_soon_threadsafe(mend)

    async def serve(self) -> None:
        """Take connections."""
        await asyncio.start_server(self._taken, "127.0.0.1", self.port)

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:  # as where nobody listens
            _reset(writer)
            return
        self._ends |= {writer, far_writer}
        await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
        self._ends -= {writer, far_writer}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while block := await reader.read(BLOCK):
                await self._whole.wait()
                if self._left is not None and len(block) >= self._left:
                    writer.write(block[: self._left])
                    await writer.drain()
                    self._left = None
                    self._reset()
                    return
                if self._left is not None:
                    self._left -= len(block)
                writer.write(block)
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.close()

    def _reset(self) -> None:
        for end in self._ends:
            _reset(end)


class Wires:
    """All wires, in a thread of their own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def to(self, target: int) -> Wire:
        """A new wire to a port of this machine."""
        wire = Wire(self._loop, target)
        self._run(wire.serve)
        return wire

    def _run(self, what: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.run_coroutine_threadsafe(what(), self._loop).result(10)


def _reset(end: asyncio.StreamWriter) -> None:
    """Close at once and say so: what is still on its way is thrown away."""
    own: socket.socket | None = end.get_extra_info("socket")
    if own is not None:
        with contextlib.suppress(OSError):
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
    transport = end.transport
    transport.abort()
