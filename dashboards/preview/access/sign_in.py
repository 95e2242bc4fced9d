"""Signing in: nothing of the page is answered to a browser without a session, its websocket included."""

from __future__ import annotations

import asyncio
import time
from html import escape
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit

import structlog
from fastapi import Request  # noqa: TC002 - the routes' annotations are read at run time
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.datastructures import Headers

from dashboards.preview.access.accounts import SignedIn, SignedOutError, key_of
from dashboards.preview.access.same_origin import REFUSED
from dashboards.preview.access.throttle import Throttle
from dashboards.preview.theme import FONT, Theme
from dashboards.words import sign_in as words
from schemas.words import Language

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Receive, Scope, Send

    from dashboards.preview.access.accounts import Account, Accounts
    from schemas.words import Text

PATH, OUT_PATH = "/sign-in", "/sign-out"
OPEN = frozenset({PATH, "/healthz"})
"""What is answered to everybody."""
COOKIE, SECURE_COOKIE = "fenhe-session", "__Host-fenhe-session"
"""A browser takes the second name only over TLS, from this very host, for all of its paths."""
AT_ONCE = 2
"""Passwords that are checked at a time: each takes 19 MiB and some 20 ms."""
WAITING = 20
"""Who comes when so many wait already is told to come again."""
LARGEST_FORM = 4_096
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
_STYLE = (Path(__file__).parent / "sign_in.css").read_text(encoding="utf-8")

log = structlog.get_logger()


class SignIn:
    """ASGI middleware: passes on what comes with a session, which stands in `scope["state"]["session"]`."""

    def __init__(self, app: ASGIApp, accounts: Accounts) -> None:
        self._app = app
        self._accounts = accounts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, lead to the sign-in page, or refuse."""
        if scope["type"] not in {"http", "websocket"} or scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        session = SignedIn(self._accounts, _token(Headers(scope=scope)))
        try:
            session.account()
        except SignedOutError:
            await _refuse(scope, receive, send)
            return
        scope.setdefault("state", {})["session"] = session
        await self._app(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()  # the connect message
        await send({"type": "websocket.close", "code": REFUSED})
        return
    answer: Response = PlainTextResponse("sign in first", HTTPStatus.UNAUTHORIZED)
    if scope["method"] == "GET" and "text/html" in Headers(scope=scope).get("accept", ""):
        wanted = scope["path"] + (f"?{scope['query_string'].decode()}" if scope["query_string"] else "")
        answer = RedirectResponse(f"{PATH}?next={quote(wanted, safe='')}", HTTPStatus.SEE_OTHER)
    await answer(scope, receive, send)


def _token(headers: Headers) -> str:
    """The session's token; a browser may hold one of either name."""
    for header in headers.getlist("cookie"):
        try:
            cookies = SimpleCookie(header)
        except CookieError:
            continue
        for name in (SECURE_COOKIE, COOKIE):
            if name in cookies:
                return cookies[name].value
    return ""


def add_sign_in(app: FastAPI, accounts: Accounts) -> None:
    """Add the middleware, and the routes that open and end a session."""
    app.add_middleware(SignIn, accounts=accounts)
    door = _Door(accounts)

    @app.get(PATH)
    async def form(request: Request) -> Response:
        return _page(request, None if _may_ask(request) else words.NEEDS_TLS)

    @app.post(PATH)
    async def sign_in(request: Request) -> Response:
        return await door.sign_in(request)

    @app.post(OUT_PATH)
    async def sign_out(request: Request) -> Response:
        session: SignedIn = request.state.session
        log.info("signed out", name=session.account().name)
        answer = RedirectResponse(PATH, HTTPStatus.SEE_OTHER)
        answer.delete_cookie(COOKIE, httponly=True)
        answer.delete_cookie(SECURE_COOKIE, secure=True, httponly=True)
        return answer


class _Door:
    """Where passwords are checked: few at a time, and fewer the more wrong ones there were."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._throttle = Throttle()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def sign_in(self, request: Request) -> Response:
        """Open a session, or say why not."""
        if not _may_ask(request):
            return _page(request, words.NEEDS_TLS, HTTPStatus.FORBIDDEN)
        given = await _form(request)
        key, peer = key_of(given["name"]), request.client.host if request.client else ""
        wait_s = self._throttle.wait_s(key, time.monotonic())
        if wait_s > 0:
            return _page(request, words.WAIT, HTTPStatus.TOO_MANY_REQUESTS, wait_s=ceil(wait_s))
        if self._waiting >= WAITING:
            return _page(request, words.BUSY, HTTPStatus.SERVICE_UNAVAILABLE)
        # Counted before the answer is known: guesses sent all at once are as many as one after the other.
        self._throttle.failed(key, time.monotonic())
        account = await self._check(given["name"], given["password"])
        if account is None:
            log.warning("sign-in refused", name=given["name"][:100], peer=peer)
            return _page(request, words.WRONG, HTTPStatus.UNAUTHORIZED)
        self._throttle.succeeded(key)
        log.info("signed in", name=account.name, role=str(account.role), peer=peer)
        secure = _is_secure(request)
        answer = RedirectResponse(_local(given["next"]), HTTPStatus.SEE_OTHER)
        answer.set_cookie(
            SECURE_COOKIE if secure else COOKIE,
            self._accounts.open(account).token,
            max_age=int(self._accounts.session_s),
            httponly=True,
            secure=secure,
            samesite="lax",  # a link to an alarm in a message opens it
        )
        return answer

    async def _check(self, name: str, password: str) -> Account | None:
        self._waiting += 1
        try:
            async with self._places:
                return await asyncio.to_thread(self._accounts.check, name, password)
        finally:
            self._waiting -= 1


def _is_secure(request: Request) -> bool:
    """Whether the browser speaks TLS, to us or to a proxy before us; who says so falsely deceives himself alone."""
    return request.headers.get("x-forwarded-proto", request.url.scheme) == "https"


def _may_ask(request: Request) -> bool:
    """Whether a password would not travel in clear: by TLS, or not at all."""
    return _is_secure(request) or (urlsplit(f"//{request.headers.get('host', '')}").hostname or "") in LOOPBACK_NAMES


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM:
            return {"name": "", "password": "", "next": ""}
    found = parse_qs(body.decode(errors="replace"), keep_blank_values=True)
    return {name: found.get(name, [""])[0] for name in ("name", "password", "next")}


def _local(path: str) -> str:
    """Where to go then: a page of ours, never another site's."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_ours and not path.startswith((PATH, OUT_PATH)) else "/"


def _page(
    request: Request, said: Text | None, status: HTTPStatus = HTTPStatus.OK, *, wait_s: int | None = None
) -> Response:
    following = _local(request.query_params.get("next", ""))
    accepted = request.headers.get("accept-language", "").lower()
    asked = (parse_qs(urlsplit(following).query).get("lang") or [""])[0]
    language = Language.EN if (asked or accepted[:2]) == "en" else Language.ZH
    why = (
        "" if said is None else f'<p role="alert">{escape(said(language))}{"" if wait_s is None else f" {wait_s}"}</p>'
    )
    code = {Language.ZH: "zh-CN", Language.EN: "en"}[language]
    title = escape(words.SIGN_IN(language))
    form = (
        f'<form method="post" action="{PATH}?next={quote(following, safe="")}">'
        f'<input type="hidden" name="next" value="{escape(following)}">'
        f'<label>{escape(words.NAME(language))}<input name="name" autocomplete="username" required autofocus></label>'
        f"<label>{escape(words.PASSWORD(language))}"
        '<input name="password" type="password" autocomplete="current-password" required></label>'
        f"<button>{title}</button></form>"
    )
    shown = form if _may_ask(request) else ""
    headers = {"Cache-Control": "no-store"} | ({} if wait_s is None else {"Retry-After": str(wait_s)})
    return HTMLResponse(
        f'<!doctype html><html lang="{code}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{title} · fenhe</title>"
        f"<style>{_style()}</style></head><body><main><h1>fenhe<small> 汾河</small></h1>{why}{shown}</main>"
        "</body></html>",
        status,
        headers=headers,
    )


def _style() -> str:
    def variables(theme: Theme) -> str:
        colors = theme.colors
        names = ("page", "panel", "border", "text", "faint")
        return "".join(f"--{name}:{getattr(colors, name)};" for name in names) + f"--bad:{colors.ink('#dd4f4a')};"

    return (
        f":root{{--font:{FONT};{variables(Theme.LIGHT)}}}"
        f"@media (prefers-color-scheme: dark){{:root{{{variables(Theme.DARK)}}}}}{_STYLE}"
    )


def sign_out_form(name: str, language: Language) -> str:
    """Who is signed in, and the button that ends it, for a page's bar."""
    title = escape(words.SIGN_OUT(language))
    return (
        f'<form class="who" method="post" action="{OUT_PATH}"><span data-control="who">{escape(name)}</span>'
        f'<button class="chip">{title}</button></form>'
    )
