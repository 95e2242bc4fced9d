"""Answers a request for a panel's rows with a file."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from fastapi.responses import PlainTextResponse, Response

from dashboards.preview.export import as_csv
from dashboards.preview.macros import Scope
from dashboards.preview.reader import AwayError, QueryError
from dashboards.preview.variables import resolve
from dashboards.words import labels

if TYPE_CHECKING:
    from dashboards.preview.model import Dashboard
    from dashboards.preview.reader import Source
    from dashboards.preview.view import View


async def download(dashboard: Dashboard | None, panel_id: int, view: View, reader: Source) -> Response:
    """Run the panel's query as the page does for the same view, and return its rows as a CSV file."""
    panel = next((each for each in dashboard.panels if each.id == panel_id), None) if dashboard else None
    if dashboard is None or panel is None:
        return Response(status_code=HTTPStatus.NOT_FOUND)
    now = dt.datetime.now(dt.UTC)
    time_range = view.time_range(dashboard.range_from, now)
    try:
        resolved = await resolve(reader, dashboard.variables, view.variables, time_range, labels.ALL(view.language))
        scope = Scope(time_range, resolved.values)
        rows = await reader.fetch(scope.bind(panel.sql, shortest_interval_s=panel.shortest_interval_s))
    except AwayError:
        return PlainTextResponse(labels.DATABASE_AWAY(view.language), HTTPStatus.SERVICE_UNAVAILABLE)
    except QueryError as error:
        message = f"{labels.QUERY_FAILED(view.language)}: {error}"
        return PlainTextResponse(message, HTTPStatus.INTERNAL_SERVER_ERROR)
    name = f"fenhe-{view.slug}-{panel_id}-{now.astimezone(ZoneInfo(dashboard.time_zone)):%Y%m%d-%H%M}.csv"
    return Response(
        as_csv(panel, rows, language=view.language, zone=dashboard.time_zone),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
