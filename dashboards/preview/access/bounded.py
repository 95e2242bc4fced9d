"""How much one browser may ask of the page's websockets: who talks to them holds memory of this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socketio.packet import Packet

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

MOST_SOCKETS = 1_000
"""Open at once; each takes about 50 kB, and what its page shows. (measured)"""
LARGEST_MESSAGE_BYTES = 1_000_000
"""Engine.IO takes no more; the web server would read 16 MB before it hears of that."""
TRY_LATER = 1013
"""Websocket close code: there are too many."""


class BoundedSockets:
    """ASGI middleware: refuses a websocket where so many are open already."""

    def __init__(self, app: ASGIApp, most: int = MOST_SOCKETS) -> None:
        self._app = app
        self._most = most
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on all but one websocket too many."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        if self._open >= self._most:
            await receive()  # the connect message
            await send({"type": "websocket.close", "code": TRY_LATER})
            return
        self._open += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open -= 1


class TextPacket(Packet):  # type: ignore[misc] # socketio ships no types
    """A packet without attachments: Socket.IO would keep as many as a browser announces until the last has come.

    Browsers send the page none. A packet that announces some is ignored, and then so are they.
    """

    def decode(self, encoded_packet: str) -> int:
        """Read a packet; raises ValueError where attachments are to follow."""
        announced: int = super().decode(encoded_packet)
        if announced:
            msg = f"{announced} attachments are announced, and none is taken"
            raise ValueError(msg)
        return announced
