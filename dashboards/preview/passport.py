"""A battery set's passport as a document: the same JSON as `fenhe passport`, and the page printed."""

from __future__ import annotations

import datetime as dt
import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi.responses import PlainTextResponse, Response
from nicegui import ui

from dashboards.preview.macros import Query
from dashboards.preview.reader import AwayError, QueryError
from dashboards.preview.variables import resolve
from dashboards.words import labels
from dashboards.words import passport as words

if TYPE_CHECKING:
    from dashboards.preview.model import Dashboard
    from dashboards.preview.reader import Source
    from dashboards.preview.view import View
    from schemas.words import Language

SLUG = "battery-passport"
PASSPORT = "SELECT passport FROM battery_passport WHERE device_id = %(set)s"


def links(language: Language) -> ui.link:
    """Put "print" and "JSON" into the page's bar; returns the link to the JSON, whose address follows the page."""
    print_words = words.PRINT(language)
    ui.html(
        f'<button class="chip print" onclick="window.print()" title="{print_words}" aria-label="{print_words}">'
        "PDF</button>",
        sanitize=False,
    )
    link = ui.link("JSON", "#").classes("chip")
    return link.props(f'download title="{words.DOCUMENT(language)}"')


def address(view: View) -> str:
    """Where the document of the set that a view shows is."""
    return f"/passport.json?{view.address.partition('?')[2]}"


async def document(dashboard: Dashboard, view: View, source: Source) -> Response:
    """Return the passport of the view's set as a JSON file; not found where the account may not see it."""
    time_range = view.time_range(dashboard.range_from, dt.datetime.now(dt.UTC))
    try:
        resolved = await resolve(source, dashboard.variables, view.variables, time_range)
        chosen = resolved.values["set"]
        rows = (await source.fetch(Query(PASSPORT, {"set": chosen}))).rows
    except AwayError:
        return PlainTextResponse(labels.DATABASE_AWAY(view.language), HTTPStatus.SERVICE_UNAVAILABLE)
    except QueryError as error:
        message = f"{labels.QUERY_FAILED(view.language)}: {error}"
        return PlainTextResponse(message, HTTPStatus.INTERNAL_SERVER_ERROR)
    if not rows:
        return PlainTextResponse(f"{chosen}: {labels.UNKNOWN_VALUE(view.language)}", HTTPStatus.NOT_FOUND)
    return Response(
        json.dumps(rows[0][0], ensure_ascii=False, indent=2),
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="fenhe-passport-{chosen}.json"'},
    )
