"""The local web server of the preview."""

from __future__ import annotations

import threading
import webbrowser
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from nicegui import core, ui
from starlette.middleware.trustedhost import TrustedHostMiddleware

from dashboards.grafana.build import DEFINITIONS, dashboard_json
from dashboards.preview.access.bounded import LARGEST_MESSAGE_BYTES, BoundedSockets, TextPacket
from dashboards.preview.access.confined import ConfinedReader
from dashboards.preview.access.same_origin import SameOrigin
from dashboards.preview.access.sign_in import add_sign_in, sign_out_form
from dashboards.preview.access.unfinished import BoundedProtocol
from dashboards.preview.download import File, download
from dashboards.preview.model import Dashboard, load
from dashboards.preview.operators.acting import Hand
from dashboards.preview.operators.alarm import AlarmPage
from dashboards.preview.operators.bell import Bell
from dashboards.preview.operators.shift import ShiftPage
from dashboards.preview.page import Page
from dashboards.preview.passport import SLUG as PASSPORT_SLUG
from dashboards.preview.passport import document
from dashboards.preview.reader import Reader
from dashboards.preview.theme import FONT, Theme
from dashboards.preview.view import View
from dashboards.words import alarm as labels_alarm
from dashboards.words import labels
from dashboards.words.shift import HANDOVER
from schemas.words import Language

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dashboards.preview.access.accounts import Accounts, SignedIn
    from dashboards.preview.reader import Source

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SHUTDOWN_S = 2
_SCRIPTS = "\n".join(
    (Path(__file__).parent / name).read_text(encoding="utf-8") for name in ("keys.js", "charts.js", "bell.js")
)
_CSS = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")


class NobodyKnownError(Exception):
    """The page would be open to a network without knowing who opens it."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"the page listens on {host}, beyond this machine, only with accounts: set FENHE_ACCOUNTS_FILE to a file "
            "that only fenhe can read, and make the first account with `fenhe user add NAME --role operator`"
        )


class Tls(NamedTuple):
    """Files of a certificate with its intermediates, and of its key."""

    certificate: Path
    key: Path


def serve(
    *,
    database_url: str,
    operator_url: str | None = None,
    host: str = "127.0.0.1",
    port: int,
    open_browser: bool = False,
    accounts: Accounts | None = None,
    tls: Tls | None = None,
) -> None:
    """Serve the dashboards until SIGINT or SIGTERM. The database need not be there yet.

    With `operator_url`, alarms can be dealt with: with `accounts` by operators under the name they signed in with,
    without by whoever opens the page under the name they give. Raises NobodyKnownError beyond this machine without
    accounts.
    """
    if host not in LOOPBACK and accounts is None:
        raise NobodyKnownError(host)
    app = make_app(Hand(database_url, operator_url), host=host, accounts=accounts)
    if open_browser:
        shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared with, not bound to
        scheme = "https" if tls else "http"
        threading.Timer(1.5, webbrowser.open, [f"{scheme}://{shown}:{port}/"]).start()
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        http=BoundedProtocol,
        timeout_graceful_shutdown=SHUTDOWN_S,
        ws_max_size=LARGEST_MESSAGE_BYTES,
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
    )


def make_app(hand: Hand, *, host: str, accounts: Accounts | None = None) -> FastAPI:
    """Build the application: `/` leads to the first dashboard, `/d/<slug>` shows one, `/alarm/<id>` one alarm.

    `/shift` is a shift's handover. `/healthz` answers at once; with `accounts`, all else only to who has signed in.
    """
    loaded: dict[tuple[str, Language], Dashboard] = {
        (definition.slug, language): load(dashboard_json(definition, language))
        for definition in DEFINITIONS
        for language in Language
    }
    reader = Reader(hand.reader_url)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await reader.close()

    app = FastAPI(lifespan=lifespan, openapi_url=None)
    _guard(app, host, accounts)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/")
    async def first() -> RedirectResponse:
        return RedirectResponse(f"/d/{DEFINITIONS[0].slug}")

    @app.get("/csv/{slug}/{panel_id}")
    @app.get("/xlsx/{slug}/{panel_id}")
    async def export(slug: str, panel_id: int, request: Request) -> Response:
        kind = File(request.url.path.split("/")[1])
        view = View.parse(slug, dict(request.query_params), request.headers.get("accept-language", ""))
        return await download(loaded.get((slug, view.language)), panel_id, view, _source(reader, request), kind)

    @app.get("/passport.json")
    async def passport(request: Request) -> Response:
        view = View.parse(PASSPORT_SLUG, dict(request.query_params), request.headers.get("accept-language", ""))
        return await document(loaded[view.slug, view.language], view, _source(reader, request))

    @ui.page("/d/{slug}")
    def dashboard(slug: str, request: Request) -> None:
        view = View.parse(slug, dict(request.query_params), request.headers.get("accept-language", ""))
        titles = {definition.slug: definition.title(view.language) for definition in DEFINITIONS}
        _style(view)
        shown = loaded.get((slug, view.language))
        if shown is None:
            ui.label(f"{labels.NO_SUCH_DASHBOARD(view.language)}: {slug}").classes("banner")
            for each, title in titles.items():
                ui.link(title, f"/d/{each}").classes("chip")
            return
        ui.page_title(f"{shown.title} · fenhe")
        Page(shown, titles, _source(reader, request), view, _who(request, view)).build()

    _add_operators_pages(reader, hand)
    ui.run_with(app, title="fenhe", favicon="📈", show_welcome_message=False, tailwind=False, reconnect_timeout=10)
    return app


def _add_operators_pages(reader: Reader, hand: Hand) -> None:
    """Add what operators work with beside the dashboards: one alarm, and a shift's handover."""

    @ui.page("/alarm/{alarm_id}")
    def alarm(alarm_id: str, request: Request) -> None:
        view = View.parse("alarms", dict(request.query_params), request.headers.get("accept-language", ""))
        _style(view)
        ui.page_title(f"{labels_alarm.ALARMS(view.language)} · fenhe")
        AlarmPage(alarm_id, hand, view, Bell(_source(reader, request), view.language), _session(request)).build()

    @ui.page("/shift")
    def shift(request: Request) -> None:
        view = View.parse("alarms", dict(request.query_params), request.headers.get("accept-language", ""))
        _style(view)
        ui.page_title(f"{HANDOVER(view.language)} · fenhe")
        source = _source(reader, request)
        ShiftPage(source, hand, view, Bell(source, view.language), _session(request)).build()


def _guard(app: FastAPI, host: str, accounts: Accounts | None) -> None:
    """Put before the pages what keeps strangers out; what is added last is asked first."""
    if accounts is not None:
        add_sign_in(app, accounts)
    app.add_middleware(BoundedSockets)
    core.sio.packet_class = TextPacket
    app.add_middleware(SameOrigin)
    if host in LOOPBACK:
        # A foreign site that names itself 127.0.0.1 (DNS rebinding) shall not read the plant's figures.
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])


def _session(request: Request) -> SignedIn | None:
    """Whose browser it is; None where nobody signs in."""
    session: SignedIn | None = getattr(request.state, "session", None)
    return session


def _source(reader: Reader, request: Request) -> Source:
    """What the browser may read."""
    session = _session(request)
    return reader if session is None else ConfinedReader(reader, session)


def _who(request: Request, view: View) -> str:
    """The part of a page's bar that says who is signed in."""
    session = _session(request)
    return "" if session is None else sign_out_form(session.account().name, view.language)


def _style(view: View) -> None:
    colors = view.theme.colors
    names = ("page", "panel", "border", "text", "faint", "track")
    variables = "".join(f"--{name}:{getattr(colors, name)};" for name in names)
    paper = Theme.LIGHT.colors
    printed = "".join(f"--{name}:{getattr(paper, name)};" for name in names)
    printed += "".join(f"--ink-{accent[1:]}:{ink};" for accent, ink in paper.accents.items())
    ui.add_css(
        f":root{{{variables}--font:{FONT};--bad:{colors.ink('#dd4f4a')};}}\n{_CSS}"
        f"@media print {{ :root {{ {printed} }} }}"
        f'#popup > span {{ display: none; }} #popup::after {{ content: "{labels.PAGE_SERVER_LOST(view.language)}"; }}'
    )
    code = {Language.ZH: "zh-CN", Language.EN: "en"}[view.language]
    ui.add_head_html(f'<script>document.documentElement.lang = "{code}"</script><script>{_SCRIPTS}</script>')
    ui.dark_mode(value=view.theme == "dark")
