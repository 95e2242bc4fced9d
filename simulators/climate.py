"""Cities of Shanxi, their air temperature and their local hour. Pure functions of time: no state, no clock."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from schemas.time import DAY_MS, HOUR_MS

if TYPE_CHECKING:
    from numpy.typing import NDArray

YEAR_DAYS = 365.2425
UTC_OFFSET_H = 8
"""Shanxi keeps UTC+8 all year."""
COLDEST_DAY = 15.0
"""Day of the year with the lowest mean temperature: mid-January."""
WARMEST_HOUR = 15.0
AMBIENT_LIMITS_C = (-20.0, 35.0)
"""Ambient of Shanxi. Source: docs/simulators.md, "Parameters and their sources"."""
SEASON_C = 14.5
DAYTIME_C = 5.0
WEATHER_C = 1.6
WEATHER_PERIODS_DAYS = (3.1, 5.7, 11.3)


class City(NamedTuple):
    """A prefecture-level city and its yearly mean air temperature."""

    name: str
    name_zh: str
    mean_c: float


CITIES: tuple[City, ...] = (
    City("Taiyuan", "太原", 10.0),
    City("Datong", "大同", 7.0),
    City("Shuozhou", "朔州", 7.2),
    City("Xinzhou", "忻州", 8.8),
    City("Yangquan", "阳泉", 11.0),
    City("Jinzhong", "晋中", 10.2),
    City("Lvliang", "吕梁", 9.6),
    City("Changzhi", "长治", 9.8),
    City("Jincheng", "晋城", 11.6),
    City("Linfen", "临汾", 12.8),
    City("Yuncheng", "运城", 14.0),
)
"""The eleven cities; means are long-term climate normals, rounded (unsourced)."""


def hour_of_day(at_ts: int) -> float:
    """Hour of the local day, 0 up to 24."""
    return (at_ts / HOUR_MS + UTC_OFFSET_H) % 24


def day_course(hour: float, peak_hour: float) -> float:
    """Return a daily course between −1 and 1 that is highest at `peak_hour`."""
    return math.cos(2 * math.pi * (hour - peak_hour) / 24)


def day_courses(hour: float, peak_hours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return daily courses between −1 and 1, each highest at its own peak hour.

    Rounded: the last bit of a cosine differs between machines, and a scene is the same bytes on all of them.
    """
    courses: NDArray[np.float64] = np.cos(2 * math.pi / 24 * (hour - peak_hours)).round(9)
    return courses


def wet_bulb_c(outdoor_c: NDArray[np.float64], at_ts: int) -> NDArray[np.float64]:
    """Wet-bulb temperature (°C) from air temperature, season and hour.

    Relative humidity 57 % in the mean, higher in July and at night (unsourced); the depression is a linear fit to
    Stull (2011), https://doi.org/10.1175/JAMC-D-11-0143.1, within 1 K from −10 to 30 °C.
    """
    season = -math.cos(2 * math.pi * (at_ts / DAY_MS - COLDEST_DAY) / YEAR_DAYS)
    humidity = round(0.57 + 0.12 * season - 0.12 * day_course(hour_of_day(at_ts), WARMEST_HOUR), 9)
    return outdoor_c - (1 - humidity) * np.maximum(0.36 * outdoor_c + 6, 0.5)


class Climate:
    """Outdoor temperature of every city, from season, hour and a slow weather of its own."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, 1])
        self._phases = rng.uniform(0, 2 * math.pi, (len(CITIES), len(WEATHER_PERIODS_DAYS))).tolist()

    def outdoor_c(self, city: int, at_ts: int) -> float:
        """Air temperature (°C) in `CITIES[city]`, held to −20…35 °C."""
        day = at_ts / DAY_MS
        season = -SEASON_C * math.cos(2 * math.pi * (day - COLDEST_DAY) / YEAR_DAYS)
        daytime = DAYTIME_C * day_course(hour_of_day(at_ts), WARMEST_HOUR)
        weather = sum(
            WEATHER_C * math.sin(2 * math.pi * day / period + phase)
            for period, phase in zip(WEATHER_PERIODS_DAYS, self._phases[city], strict=True)
        )
        low, high = AMBIENT_LIMITS_C
        return round(min(high, max(low, CITIES[city].mean_c + season + daytime + weather)), 9)

    def all_outdoor_c(self, at_ts: int) -> NDArray[np.float64]:
        """Air temperature (°C) of every city, shape (cities,)."""
        return np.array([self.outdoor_c(city, at_ts) for city in range(len(CITIES))])
