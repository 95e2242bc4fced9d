"""Fit an energy baseline to some days of a product line, and keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics import PlantDay
from schemas.time import DAY_MS, FOREVER_TS, Span, day_of
from storage import derived, enpi
from storage.pool import connect
from streams.kernels.plant.baseline import NoBaselineError
from streams.kernels.plant.baseline import fit as fit_days
from streams.kernels.plant.reference import reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from streams.kernels.plant.baseline import Baseline

FITTED_BY = "demo"
HELD_AGAINST_IT_DAYS = 5
"""Newest whole days that are held against a demo's baselines, not fitted to."""


class SiteLine(NamedTuple):
    """A product line of a site; `plant` is the whole plant."""

    site_id: str
    line_id: str


def fit_line(
    connection: Connection, line: SiteLine, days_ms: tuple[int, int], user: str, variables: Sequence[str] = ()
) -> tuple[int, Baseline]:
    """Fit a baseline to a line's days between two moments; returns its version. Raises NoBaselineError."""
    from_ts, to_ts = days_ms
    rows = derived.load(connection, PlantDay, [Span(line.site_id, from_ts, to_ts)])
    days = [row for row in rows if isinstance(row, PlantDay) and row.line_id == line.line_id]
    moments = [day.ts for day in days]
    found = fit_days(
        days,
        {name: enpi.variable(connection, line.site_id, name, moments) for name in variables},
        least_points=reference().setting("enpi_points"),
        least_r_squared=reference().setting("enpi_r_squared"),
    )
    return enpi.save(connection, enpi.SavedBaseline(line.site_id, line.line_id, from_ts, to_ts, *found, user)), found


def fit_the_past(writer_url: str, site_ids: Sequence[str], now_ts: int) -> tuple[list[SiteLine], dict[SiteLine, str]]:
    """Fit what an operator would: every line that has none, to its whole days but the newest ones.

    Returns the lines fitted, and why the others were not.
    """
    fitted: list[SiteLine] = []
    refused: dict[SiteLine, str] = {}
    with connect(writer_url, name="baselines") as connection:
        kept = {SiteLine(each.site_id, each.line_id) for each, _ in enpi.baselines(connection)}
        for site_id in site_ids:
            rows = derived.load(connection, PlantDay, [Span(site_id, 0, FOREVER_TS)])
            days = [row for row in rows if isinstance(row, PlantDay)]
            if not days:
                continue
            first = min(day.ts for day in days)
            behind = day_of(now_ts) - HELD_AGAINST_IT_DAYS * DAY_MS
            for line in sorted({SiteLine(site_id, day.line_id) for day in days} - kept):
                try:
                    fit_line(connection, line, (first, behind), FITTED_BY)
                    fitted.append(line)
                except NoBaselineError as error:
                    refused[line] = str(error)
        connection.commit()
    return fitted, refused
