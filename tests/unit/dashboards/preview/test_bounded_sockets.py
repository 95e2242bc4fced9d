"""What a browser may ask of the page's websockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI, WebSocket
from nicegui import core
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from dashboards.preview.access.bounded import BoundedSockets
from dashboards.preview.operators.acting import Hand
from dashboards.preview.server import make_app

if TYPE_CHECKING:
    from starlette.testclient import WebSocketTestSession

HEADERS = {"Host": "127.0.0.1:8080", "Upgrade": "websocket"}
SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"


def test_one_websocket_too_many_is_refused_until_another_closes() -> None:
    """Whoever opens thousands leaves the page as it is for those who have one."""
    app = FastAPI()
    app.add_middleware(BoundedSockets, most=2)

    @app.websocket("/ws")
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        await socket.receive()

    client = TestClient(app)
    with client.websocket_connect("/ws"):
        with client.websocket_connect("/ws"), pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws"):
            pass
        with client.websocket_connect("/ws"):
            pass


def _begin(socket: WebSocketTestSession) -> None:
    """Say what Socket.IO expects at first."""
    socket.receive_text()
    socket.send_text("40")
    assert socket.receive_text().startswith("40")


def test_attachments_that_are_announced_are_not_kept() -> None:
    """Socket.IO would keep all of them until the last has come, of a megabyte each, however many are announced."""
    app = make_app(Hand("postgresql://127.0.0.1:9/none", None), host="127.0.0.1")
    with (
        TestClient(app, base_url="http://127.0.0.1:8080") as client,
        client.websocket_connect(SOCKET, headers=HEADERS) as socket,
    ):
        _begin(socket)
        socket.send_text('451000-["event",{"_placeholder":true,"num":0}]')
        socket.send_bytes(bytes(900_000))
        socket.send_text('427["handshake",{"client_id":"none"}]')  # answered once all before it was looked at
        assert socket.receive_text() == "437[false]"
        assert core.sio._binary_packet == {}
