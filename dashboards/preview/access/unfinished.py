"""Connections to the page whose request never comes to its end: the oldest make room where there are many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

if TYPE_CHECKING:
    import asyncio

MOST_UNFINISHED = 200
"""A browser's request comes whole within milliseconds; a process has a thousand file descriptors, where nobody has
given it more. (unsourced)"""

_unfinished: dict[BoundedProtocol, None] = {}
"""Of this process, those that came first at first."""


class BoundedProtocol(AutoHTTPProtocol):  # type: ignore[valid-type, misc] # chosen by what is installed
    """Uvicorn's protocol, which by itself waits for the rest of a request for ever."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Somebody has connected, and has said nothing yet."""
        super().connection_made(transport)
        self._waits()

    def data_received(self, data: bytes) -> None:
        """Some of a request has come, or of several, or of a websocket's beginning."""
        super().data_received(data)
        if self.transport.get_protocol() is not self or self._is_answered:
            _unfinished.pop(self, None)
        else:
            self._waits()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has gone, or was sent away."""
        _unfinished.pop(self, None)
        super().connection_lost(exc)

    @property
    def _is_answered(self) -> bool:
        """Whether a request has come whole and is being worked at."""
        cycle: Any = self.cycle
        return cycle is not None and not cycle.more_body and not cycle.response_complete

    def _waits(self) -> None:
        _unfinished[self] = None
        if len(_unfinished) > MOST_UNFINISHED:
            oldest = next(iter(_unfinished))
            del _unfinished[oldest]
            oldest.transport.abort()
