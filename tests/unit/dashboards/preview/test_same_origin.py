"""Who may talk to the page."""

from __future__ import annotations

import pytest
from fastapi import FastAPI, WebSocket
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from dashboards.preview.access.same_origin import SameOrigin


@pytest.fixture
def client() -> TestClient:
    """A page with a websocket."""
    app = FastAPI()
    app.add_middleware(SameOrigin)

    @app.get("/")
    async def page() -> str:
        return "figures"

    @app.websocket("/ws")
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("figures")
        await socket.close()

    return TestClient(app, base_url="http://127.0.0.1:8080")


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://127.0.0.1:9999", "null", "http://127.0.0.1:8080.evil"]
)
def test_another_sites_page_hears_nothing(client: TestClient, origin: str) -> None:
    """Neither by the websocket nor by a request that names another origin."""
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws", headers={"Origin": origin}):
        pass
    assert client.get("/", headers={"Origin": origin}).status_code == 403


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://127.0.0.1:8080"}])
def test_the_page_itself_is_answered(client: TestClient, headers: dict[str, str]) -> None:
    """So is who is no browser, and names no origin."""
    host = {"Host": "127.0.0.1:8080"}
    with client.websocket_connect("/ws", headers=headers | host) as socket:
        assert socket.receive_text() == "figures"
    assert client.get("/", headers=headers | host).status_code == 200


def test_nobody_frames_the_page(client: TestClient) -> None:
    """Old browsers and new ones are told so."""
    headers = client.get("/").headers
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
