"""A weather forecast for a demo's world: the fleet's plans reckon with the nights to come."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from schemas.time import DAY_MS, HOUR_MS
from simulators.climate import CITIES, UTC_OFFSET_H, Climate
from storage.weather import ForecastDay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.registry import Site

DAYS = 8
"""Today, and as many more as a weather service says with some confidence."""


def forecast(seed: int, sites: Sequence[Site], now_ts: int) -> list[ForecastDay]:
    """Lowest temperature (°C) of each local day in some sites' cities, from the hours of the simulated climate."""
    climate = Climate(seed)
    of = {site.city for site in sites}
    today_ts = (now_ts + UTC_OFFSET_H * HOUR_MS) // DAY_MS * DAY_MS - UTC_OFFSET_H * HOUR_MS
    return [
        ForecastDay(
            city.name_zh,
            dt.datetime.fromtimestamp(begins_ts / 1000, dt.timezone(dt.timedelta(hours=UTC_OFFSET_H))).date(),
            round(min(climate.outdoor_c(number, begins_ts + hour * HOUR_MS) for hour in range(24)), 1),
            "",
        )
        for number, city in enumerate(CITIES)
        if city.name_zh in of
        for begins_ts in range(today_ts, today_ts + DAYS * DAY_MS, DAY_MS)
    ]
