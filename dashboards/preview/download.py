"""Answers a request for a panel's rows with a file."""

from __future__ import annotations

import asyncio
import datetime as dt
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from fastapi.responses import PlainTextResponse, Response

from dashboards.preview.export import as_csv, as_xlsx
from dashboards.preview.macros import Scope
from dashboards.preview.reader import AwayError, QueryError
from dashboards.preview.variables import resolve
from dashboards.words import labels

if TYPE_CHECKING:
    from collections.abc import Callable

    from dashboards.preview.model import Dashboard
    from dashboards.preview.reader import Source
    from dashboards.preview.view import View


class File(StrEnum):
    """What a panel's rows can be had as."""

    CSV = "csv"
    XLSX = "xlsx"


MEDIA_TYPES = {
    File.CSV: "text/csv; charset=utf-8",
    File.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
WRITERS: dict[File, Callable[..., str | bytes]] = {File.CSV: as_csv, File.XLSX: as_xlsx}


async def download(dashboard: Dashboard | None, panel_id: int, view: View, reader: Source, kind: File) -> Response:
    """Run the panel's query as the page does for the same view, and return its rows as a file."""
    panel = next((each for each in dashboard.panels if each.id == panel_id), None) if dashboard else None
    if dashboard is None or panel is None:
        return Response(status_code=HTTPStatus.NOT_FOUND)
    now = dt.datetime.now(dt.UTC)
    time_range = view.time_range(dashboard.range_from, now)
    try:
        resolved = await resolve(reader, dashboard.variables, view.variables, time_range)
        scope = Scope(time_range, resolved.values)
        rows = await reader.fetch(scope.bind(panel.sql, shortest_interval_s=panel.shortest_interval_s))
    except AwayError:
        return PlainTextResponse(labels.DATABASE_AWAY(view.language), HTTPStatus.SERVICE_UNAVAILABLE)
    except QueryError as error:
        message = f"{labels.QUERY_FAILED(view.language)}: {error}"
        return PlainTextResponse(message, HTTPStatus.INTERNAL_SERVER_ERROR)
    name = f"fenhe-{view.slug}-{panel_id}-{now.astimezone(ZoneInfo(dashboard.time_zone)):%Y%m%d-%H%M}.{kind}"
    return Response(
        await asyncio.to_thread(WRITERS[kind], panel, rows, language=view.language, zone=dashboard.time_zone),
        media_type=MEDIA_TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
