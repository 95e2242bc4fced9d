"""Nothing of the page is answered without a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI, Request, WebSocket
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from dashboards.preview.access.accounts import Account, AccountRole, Accounts, changed, hash_of
from dashboards.preview.access.same_origin import SameOrigin
from dashboards.preview.access.sign_in import COOKIE, SECURE_COOKIE, add_sign_in
from dashboards.preview.access.throttle import FREE

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "a sentence to keep"  # noqa: S105 - a test's
PAGE = "https://page.example"
HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def accounts_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One viewer."""
    path: Path = tmp_path_factory.mktemp("accounts") / "accounts.json"
    with changed(path) as accounts:
        accounts["li"] = Account(name="Li", role=AccountRole.VIEWER, password_hash=hash_of(PASSWORD))
    return path


@pytest.fixture
def app(accounts_file: Path) -> FastAPI:
    """A page with a websocket, as the server guards it."""
    app = FastAPI()
    add_sign_in(app, Accounts(accounts_file))
    app.add_middleware(SameOrigin)

    @app.get("/d/{slug}")
    async def page(slug: str, request: Request) -> str:
        return f"{slug} for {request.state.session.account().name}"

    @app.get("/healthz")
    async def healthz() -> str:
        return "ok"

    @app.websocket("/ws")
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("figures")
        await socket.close()

    return app


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    """A browser that follows nothing by itself."""
    return TestClient(app, base_url=PAGE, follow_redirects=False)


def _sign_in(client: TestClient, password: str = PASSWORD, **more: str) -> int:
    answer = client.post("/sign-in", data={"name": "li", "password": password, "next": "/"} | more)
    return int(answer.status_code)


def test_without_a_session_nothing_is_answered_but_health_and_the_sign_in(client: TestClient) -> None:
    """A page leads to the sign-in and back, a file is refused, the websocket closed."""
    answer = client.get("/d/water?lang=en&from=now-1h", headers=HTML)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/sign-in?next=%2Fd%2Fwater%3Flang%3Den%26from%3Dnow-1h"
    assert client.get("/d/water").status_code == 401
    assert client.post("/sign-out").status_code == 401
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws"):
        pass
    assert client.get("/healthz").json() == "ok"
    form = client.get(answer.headers["Location"], headers=HTML).text
    assert 'lang="en"' in form
    assert "Password" in form
    client.cookies.set(SECURE_COOKIE, "made.up.token")
    assert client.get("/d/water").status_code == 401


def test_signed_in_the_page_knows_who_it_is_until_signed_out(client: TestClient) -> None:
    """The name is the account's own; the websocket is open too; signing out ends both."""
    answer = client.post("/sign-in", data={"name": " LI ", "password": PASSWORD, "next": "/d/water?lang=en"})
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/d/water?lang=en"
    assert client.get("/d/water").json() == "water for Li"
    with client.websocket_connect("wss://page.example/ws") as socket:
        assert socket.receive_text() == "figures"
    assert client.post("/sign-out").headers["Location"] == "/sign-in"
    assert client.get("/d/water").status_code == 401


def test_the_cookie_goes_over_tls_to_this_host_alone_and_no_script_reads_it(client: TestClient) -> None:
    """`__Host-`, Secure, HttpOnly, SameSite; on this machine without TLS a cookie of another name."""
    answer = client.post("/sign-in", data={"name": "li", "password": PASSWORD, "next": "/"})
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"{SECURE_COOKIE}=")
    for part in ("Secure", "HttpOnly", "SameSite=lax", "Path=/", "Max-Age=43200"):
        assert part in cookie
    assert "Domain" not in cookie
    local = TestClient(client.app, base_url="http://127.0.0.1:8090", follow_redirects=False)
    cookie = local.post("/sign-in", data={"name": "li", "password": PASSWORD, "next": "/"}).headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert "Secure" not in cookie


def test_no_password_is_asked_for_in_clear(client: TestClient) -> None:
    """By http under another name than this machine's there is no form; behind a proxy with TLS there is."""
    plain = TestClient(client.app, base_url="http://page.example", follow_redirects=False)
    assert "<form" not in plain.get("/sign-in", headers=HTML).text
    assert _sign_in(plain) == 403
    proxied = {"X-Forwarded-Proto": "https"}
    assert "<form" in plain.get("/sign-in", headers=HTML | proxied).text


def test_guessing_is_slowed_down(client: TestClient) -> None:
    """After five wrong passwords even the right one has to wait, which is said."""
    assert [_sign_in(client, "wrong") for _ in range(FREE)] == [401] * FREE
    answer = client.post("/sign-in", data={"name": "li", "password": PASSWORD, "next": "/"})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1


def test_another_sites_page_can_neither_sign_in_nor_out(client: TestClient) -> None:
    """A form of another origin is refused before the password is looked at."""
    foreign = {"Origin": "https://evil.example"}
    assert client.post("/sign-in", data={"name": "li", "password": PASSWORD}, headers=foreign).status_code == 403
    assert _sign_in(client) == 303
    assert client.post("/sign-out", headers=foreign).status_code == 403
    assert client.get("/d/water").status_code == 200


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "/sign-out", "/sign-in", "d", "/a\r\nb"]
)
def test_signing_in_leads_to_a_page_of_ours(client: TestClient, wanted: str) -> None:
    """Never to another site's, and not in circles."""
    answer = client.post("/sign-in", data={"name": "li", "password": PASSWORD, "next": wanted})
    assert answer.headers["Location"] == "/"


def test_what_is_no_form_is_refused(client: TestClient) -> None:
    """Too large, or without a name."""
    assert client.post("/sign-in", content=b"name=li&password=" + b"x" * 10_000).status_code == 401
    assert client.post("/sign-in", content=b"\xff\xfe").status_code == 401
