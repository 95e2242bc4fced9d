"""Weather forecasts as they are kept: the lowest temperature and a warning, by place and local day."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from storage.statements import trusted

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from psycopg import Connection

_UNKNOWN = trusted(
    "SELECT DISTINCT p FROM unnest(%s::text[]) AS p"
    " WHERE NOT EXISTS (SELECT FROM site WHERE p IN (site_id, city)) ORDER BY p"
)
_RECORD = trusted(
    "INSERT INTO weather_forecast (place, day, temperature_min_c, warning, issued_at)"
    " SELECT v.place, v.day, v.temperature_min_c, v.warning, now()"
    " FROM unnest(%s::text[], %s::date[], %s::real[], %s::text[]) AS v (place, day, temperature_min_c, warning)"
    " ORDER BY v.place, v.day ON CONFLICT (place, day) DO UPDATE SET temperature_min_c = excluded.temperature_min_c,"
    " warning = excluded.warning, issued_at = excluded.issued_at"
)


class ForecastDay(NamedTuple):
    """What is forecast for a local day at a place, which is a city or a site."""

    place: str
    day: dt.date
    temperature_min_c: float
    warning: str
    """Empty where the weather service warns of nothing."""


class UnknownPlaceError(ValueError):
    """A place is neither a registered site nor the city of one."""


def record(connection: Connection, days: Sequence[ForecastDay]) -> None:
    """Keep forecasts; a day given again is replaced. Raises UnknownPlaceError, and keeps none."""
    unknown = [place for (place,) in connection.execute(_UNKNOWN, [[each.place for each in days]]).fetchall()]
    if unknown:
        msg = f"no site and no city of a site: {', '.join(unknown)}"
        raise UnknownPlaceError(msg)
    newest = {(each.place, each.day): each for each in days}
    connection.execute(_RECORD, [list(column) for column in zip(*newest.values(), strict=True)] or [[], [], [], []])
