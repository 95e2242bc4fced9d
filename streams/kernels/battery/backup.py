"""Backup time: how long a set carries its share of a site's load.

(C·SoC − C·SoC_cut)·k_T·V̄/P_load (docs/battery-health.md, "Numbers and their sources"). k_T is what a full set gives in
the cold; what cold keeps inside it keeps at the bottom, so that it is a higher SoC_cut: the same for a full set, and
less for one that has given some of its charge already. The load is yesterday's at the same hour, hour by hour as the
discharge goes on; an hour is taken as the median of itself and its neighbours, so that one odd hour does not decide.

How far such a forecast of the load misses differs from site to site, and is less of many hours than of one. So p10
takes what the same forecast would have missed on the days before, and the usual miss as one day more.
"""

from __future__ import annotations

import math
import statistics
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from schemas.time import DAY_MS, HOUR_MS, HOURS_A_DAY
from streams.kernels.battery.limits import REFERENCE_C

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.battery_reference import BatteryHealthReference
    from streams.kernels.battery.limits import Limits

Z_P10 = 1.2816
"""Standard deviations below the median that one in ten lies below."""
HORIZON_H = 240.0
"""No forecast goes further."""
DAYS_COMPARED = 7
"""Over which forecasts of the load are held against what came: a week, with its Sunday. (unsourced)"""
LOADS_MS = (DAYS_COMPARED + 1) * DAY_MS + HOUR_MS
"""How far back a forecast looks at the load."""
PASSES = 2
"""What cold keeps inside counts at the end, which is as much warmer as the set's own losses make it by then."""


class Store(NamedTuple):
    """What is in a set and what it is asked for."""

    soh: float
    """Share of nominal."""
    soh_sigma: float
    soc: float
    soc_sigma: float
    temperature_c: float | None
    share: float
    """Of the site's load that the set carries."""


class Backup(NamedTuple):
    """Hours until cut-off."""

    p50_h: float
    p10_h: float
    load_w: float
    """Of the site, in the first hour."""


class LoadProfile:
    """Yesterday's load of a site, by hour of the day, and how far such a forecast missed on the days before."""

    def __init__(self, load_w: Mapping[int, float], at_ts: int) -> None:
        """Take mean loads (W) by start of the hour (ms); the 24 hours up to `at_ts` are yesterday."""
        now = at_ts - at_ts % HOUR_MS
        hours = {ts: watts for ts, watts in load_w.items() if now - DAY_MS <= ts < now}
        self._by_hour = {(ts // HOUR_MS) % 24: watts for ts, watts in hours.items()}
        self._median = statistics.median(hours.values()) if hours else None
        self._hour = now // HOUR_MS
        self._into = (at_ts - now) / HOUR_MS
        self._load_w = load_w

    @property
    def known(self) -> bool:
        """Whether anything was measured."""
        return self._median is not None

    def at(self, ahead_h: int) -> float:
        """Load (W) expected in the hour that begins `ahead_h` hours after the present one."""
        assert self._median is not None  # noqa: S101 - asked only where known
        hours = [(self._hour + ahead_h + near) % 24 for near in (-1, 0, 1)]
        near = [self._by_hour[hour] for hour in hours if hour in self._by_hour]
        return statistics.median(near) if near else self._median

    def miss(self, lasts_h: float, usual: float) -> float:
        """Standard deviation of the mean load over so many hours about its forecast, as a share of the forecast.

        Of the last days of which the load is known; `usual` counts as one day more.
        """
        span = min(HOURS_A_DAY, max(1, round(lasts_h)))
        sums = list(accumulate(self._forecast_and_actual, _added, initial=(0.0, 0.0, 0)))
        misses = [
            ((actual - actual_before) / (forecast - forecast_before) - 1.0) ** 2
            for (forecast_before, actual_before, before), (forecast, actual, known) in zip(
                sums, sums[span:], strict=False
            )
            if known - before == span
        ]
        days = len(misses) / HOURS_A_DAY
        return math.sqrt((usual**2 + days * statistics.fmean(misses)) / (1.0 + days)) if misses else usual

    @cached_property
    def _forecast_and_actual(self) -> list[tuple[float, float] | None]:
        """What the same forecast said of each hour of the last days, and what came, W; None where either is unknown."""
        found: list[tuple[float, float] | None] = []
        for hour in range(self._hour - HOURS_A_DAY * DAYS_COMPARED, self._hour):
            actual = self._load_w.get(hour * HOUR_MS)
            earlier = [self._load_w.get((hour - HOURS_A_DAY + near) * HOUR_MS) for near in (-1, 0, 1)]
            near = [watts for watts in earlier if watts is not None and watts > 0]
            found.append((statistics.median(near), actual) if actual is not None and near else None)
        return found

    def hours_for(self, energy_wh: float, share: float) -> float:
        """How long an amount of energy carries `share` of the load."""
        lasted, left = 0.0, energy_wh
        ahead, room = 0, 1.0 - self._into
        while lasted < HORIZON_H:
            watts = max(1.0, self.at(ahead) * share)
            if left <= watts * room:
                return lasted + left / watts
            left -= watts * room
            lasted += room
            ahead, room = ahead + 1, 1.0
        return HORIZON_H


def backup_of(store: Store, profile: LoadProfile, limits: Limits, reference: BatteryHealthReference) -> Backup | None:
    """Forecast from what is known now; None where no load is known."""
    if not profile.known:
        return None
    load_w = profile.at(0)
    celsius = REFERENCE_C if store.temperature_c is None else store.temperature_c
    amps = load_w * store.share / limits.loaded_v(0.0, celsius)
    volts = limits.loaded_v(amps, celsius)
    factor, depth, energy_wh = 1.0, 0.0, 0.0
    end_c = celsius
    for _ in range(PASSES):
        factor = limits.capacity_factor(end_c)
        depth = max(0.0, store.soc - limits.soc_kept(limits.cutoff_cell_v, amps, end_c, store.soh))
        energy_wh = store.soh * limits.nominal_ah * depth * volts
        end_c = limits.warmed_c(celsius, amps, profile.hours_for(energy_wh, store.share))
    if depth == 0.0:
        return Backup(0.0, 0.0, load_w)
    p50_h = profile.hours_for(energy_wh, store.share)
    doubt = math.sqrt(
        (store.soh_sigma / store.soh) ** 2
        + (store.soc_sigma / depth) ** 2
        + profile.miss(p50_h, reference.backup.load_sigma) ** 2
        + (reference.capacity.temperature_sigma * (1 - factor) / depth) ** 2
    )
    low_wh = energy_wh * max(0.0, 1 - Z_P10 * doubt)
    return Backup(p50_h, profile.hours_for(low_wh, store.share), load_w)


def _added(sums: tuple[float, float, int], hour: tuple[float, float] | None) -> tuple[float, float, int]:
    """Sums of forecast and met load, and of hours that are known, with one hour more."""
    if hour is None:
        return sums
    return sums[0] + hour[0], sums[1] + hour[1], sums[2] + 1
