"""The yearly core-capacity test (核对性放电): the rectifier is set back and the sets carry the site, mains or not.

Source, yearly and 5 % late: docs/simulators.md, "Parameters and their sources". Hours of the day and where it
is stopped are (unsourced).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from schemas.time import DAY_MS, HOUR_MS, MINUTE_MS
from simulators.climate import UTC_OFFSET_H, YEAR_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from simulators.fleet.battery import Array, Index

STARTS_H = (9.0, 14.0)
"""Local hours at which a crew begins."""
LONGEST_MS = 6 * HOUR_MS
STOP_V = 3.0
"""The crew stops when the weakest loaded cell is here: before the BMS would open."""
LATE_SHARE, LATE_DAYS = 0.05, (30, 180)
APART_MS = 90 * DAY_MS
"""A crew is not back sooner, however late it was the year before. (unsourced)"""

ALLOWED = 1.25
"""Of the time that the sets are thought to carry the site: what a crew allows for. (unsourced)"""


class Campaign(NamedTuple):
    """Crews go round: every site's test begins between two moments."""

    from_ts: int
    to_ts: int
    longest_ms: int


class CapacityTests:
    """When each site is tested: once in every year from the run's beginning, some of it late."""

    def __init__(self, seed: int, sites: int, start_ts: int, campaign: Campaign | None = None) -> None:
        """`campaign`: all sites are tested in it first, in place of some time in the first year."""
        self._seed, self._sites, self._start_ts, self._first = seed, sites, start_ts, campaign
        self.longest_ms = LONGEST_MS if campaign is None else campaign.longest_ms
        self._years: dict[int, NDArray[np.int64]] = {}
        self._year: NDArray[np.int64] = np.zeros(sites, dtype=np.int64)
        self.begins_ts = self._of(0).copy()
        self.under_test: NDArray[np.bool_] = np.zeros(sites, dtype=bool)

    def _of(self, year: int) -> NDArray[np.int64]:
        """Beginnings in a year of the run, by site; drawn by a generator of their own."""
        if year not in self._years:
            drawn = self._begun(self._first) if year == 0 and self._first is not None else self._draw(year)
            self._years[year] = drawn if year == 0 else np.maximum(drawn, self._of(year - 1) + APART_MS)
        return self._years[year]

    def _begun(self, campaign: Campaign) -> NDArray[np.int64]:
        rng = np.random.default_rng([self._seed, 8])
        return rng.integers(campaign.from_ts, campaign.to_ts, self._sites, dtype=np.int64)

    def _draw(self, year: int) -> NDArray[np.int64]:
        rng = np.random.default_rng([self._seed, 8, year])
        day = np.floor((year + rng.random(self._sites)) * YEAR_DAYS)
        late = rng.random(self._sites) < LATE_SHARE
        day += np.where(late, rng.integers(*LATE_DAYS, self._sites), 0)
        midnight = (self._start_ts + day * DAY_MS) // DAY_MS * DAY_MS
        hour = rng.uniform(*STARTS_H, self._sites) - UTC_OFFSET_H
        return np.maximum(midnight + hour * HOUR_MS, self._start_ts).astype(np.int64)

    def planned(self, until_ts: int) -> Iterator[tuple[int, int]]:
        """Site and beginning of every test before `until_ts`."""
        for year in range(int((until_ts - self._start_ts) / (YEAR_DAYS * DAY_MS)) + 1):
            begins = self._of(year)
            for site in np.flatnonzero(begins < until_ts).tolist():
                yield site, int(begins[site])

    def at_most_ms(self, carried_h: float) -> int:
        """How long a test may take of sets that are thought to carry their site for `carried_h`; whole minutes."""
        return min(self.longest_ms, math.ceil(ALLOWED * carried_h * 60) * MINUTE_MS)

    def carry_on(self, sites: Index, ts: Index, lowest_v: Array) -> NDArray[np.bool_]:
        """Whether each of `sites` is under test at `ts`, its weakest loaded cell having been at `lowest_v` so far."""
        begins = self.begins_ts[sites]
        running: NDArray[np.bool_] = (begins <= ts) & (ts < begins + self.longest_ms)
        running &= self.under_test[sites] | (ts < begins + HOUR_MS)
        running &= ~(self.under_test[sites] & (lowest_v <= STOP_V))
        for site in sites[self.under_test[sites] & ~running].tolist():
            self._year[site] += 1
            self.begins_ts[site] = self._of(int(self._year[site]))[site]
        self.under_test[sites] = running
        return running
