"""Mains outages of base stations: Poisson per site, storms shared by a city, and outages forced for a demonstration.

Drawn epoch by epoch ahead of the readings and from a generator of their own, so that they depend on the seed alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from schemas.time import DAY_MS, HOUR_MS, YEAR_MS
from simulators.climate import CITIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

EPOCH_MS = 30 * DAY_MS
OUTAGES_A_YEAR = 6.0
OUTAGE_RATE_SHAPE = 2.0
"""Shape of the gamma spread of outage rates between sites. (unsourced)"""
OUTAGE_MEDIAN_MS = 1.5 * HOUR_MS
OUTAGE_SIGMA = 0.8
"""Standard deviation of the logarithm of an outage's duration. (unsourced)"""
OUTAGE_LIMITS_MS = (60_000, 48 * HOUR_MS)
STORMS_A_YEAR = 3.0
STORM_SHARE = (0.05, 0.4)
STORM_ONSET_TS = 20 * 60_000
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class RegionalOutage:
    """An outage of a whole city that a scene is told to have."""

    start_ts: int
    duration_ms: int
    city_zh: str | None = None
    """朔州, for example; None takes the city with the most sites of the fleet."""
    share: float = 0.8
    """Share of the city's sites that lose their mains."""
    onset_ts: int = 60_000
    """The sites go down, and come back, one after another within this time."""


class OutageSchedule:
    """When each site's mains fails and returns, as far ahead as anyone has asked.

    `next_change_ts` (sites,) holds each site's next change; even changes are failures, odd ones returns.
    """

    def __init__(
        self, seed: int, site_city: NDArray[np.int64], start_ts: int, forced: Sequence[RegionalOutage]
    ) -> None:
        self._seed = seed
        self._city = site_city
        self._start_ts = start_ts
        self._sites = len(site_city)
        self._epochs = 0
        rng = np.random.default_rng([seed, 2])
        self._yearly = rng.gamma(OUTAGE_RATE_SHAPE, OUTAGES_A_YEAR / OUTAGE_RATE_SHAPE, self._sites)
        self._changes: list[list[int]] = [[] for _ in range(self._sites)]
        self._passed = [0] * self._sites
        self._until_ts = [0] * self._sites
        self._forced = [interval for number, outage in enumerate(forced) for interval in self._regional(number, outage)]
        self.next_change_ts = np.full(self._sites, NEVER, dtype=np.int64)
        self.mains = np.ones(self._sites, dtype=bool)
        self.extend(start_ts)

    def extend(self, until_ts: int) -> None:
        """Draw the epochs up to and past `until_ts`."""
        while self._start_ts + self._epochs * EPOCH_MS <= until_ts:
            begin = self._start_ts + self._epochs * EPOCH_MS
            rng = np.random.default_rng([self._seed, 3, self._epochs])
            intervals = [*self._local(rng, begin), *self._storms(rng, begin)]
            intervals += [interval for interval in self._forced if begin <= interval[1] < begin + EPOCH_MS]
            for site, fails, returns in sorted(intervals):
                self._add(site, fails, returns)
            self._epochs += 1
            for site in range(self._sites):
                self._look_ahead(site)

    def intervals(self, until_ts: int) -> Iterator[tuple[int, int, int]]:
        """Site, failure and return of every outage that begins before `until_ts`, by site and time."""
        self.extend(until_ts)
        for site, changes in enumerate(self._changes):
            for fails, returns in zip(changes[::2], changes[1::2], strict=True):
                if fails < until_ts:
                    yield site, fails, returns

    def pass_change(self, site: int) -> None:
        """Turn the site's mains over: its next change has come."""
        self._passed[site] += 1
        self.mains[site] = not self.mains[site]
        self._look_ahead(site)

    def _look_ahead(self, site: int) -> None:
        changes, passed = self._changes[site], self._passed[site]
        self.next_change_ts[site] = changes[passed] if passed < len(changes) else NEVER

    def _add(self, site: int, fails: int, returns: int) -> None:
        """Append an outage; one that begins before the last has ended prolongs it."""
        changes = self._changes[site]
        if fails > self._until_ts[site]:
            changes += [fails, returns]
        elif returns > self._until_ts[site] and changes:
            changes[-1] = returns
        else:
            return
        self._until_ts[site] = returns

    def _durations(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        drawn = OUTAGE_MEDIAN_MS * np.exp(OUTAGE_SIGMA * rng.standard_normal(count))
        return np.clip(drawn, *OUTAGE_LIMITS_MS).astype(np.int64)

    def _local(self, rng: np.random.Generator, begin: int) -> Iterator[tuple[int, int, int]]:
        site = np.repeat(np.arange(self._sites), rng.poisson(self._yearly * (EPOCH_MS / YEAR_MS)))
        fails = begin + rng.integers(0, EPOCH_MS, len(site))
        yield from zip(site.tolist(), fails.tolist(), (fails + self._durations(rng, len(site))).tolist(), strict=True)

    def _storms(self, rng: np.random.Generator, begin: int) -> Iterator[tuple[int, int, int]]:
        for city, storms in enumerate(rng.poisson(STORMS_A_YEAR * EPOCH_MS / YEAR_MS, len(CITIES)).tolist()):
            for _ in range(storms):
                strikes = begin + int(rng.integers(0, EPOCH_MS - STORM_ONSET_TS))
                hit = np.flatnonzero((self._city == city) & (rng.random(self._sites) < rng.uniform(*STORM_SHARE)))
                fails = strikes + rng.integers(0, STORM_ONSET_TS, len(hit))
                returns = fails + self._durations(rng, len(hit))
                yield from zip(hit.tolist(), fails.tolist(), returns.tolist(), strict=True)

    def _regional(self, number: int, outage: RegionalOutage) -> Iterator[tuple[int, int, int]]:
        rng = np.random.default_rng([self._seed, 4, number])
        city = int(np.bincount(self._city).argmax())
        if outage.city_zh is not None:
            names = [each.name_zh for each in CITIES]
            if outage.city_zh not in names:
                msg = f"no such city: {outage.city_zh}; one of {'、'.join(names)}"
                raise ValueError(msg)
            city = names.index(outage.city_zh)
        members = np.flatnonzero(self._city == city)
        hit = rng.permutation(members)[: math.ceil(outage.share * len(members))]
        fails, returns = outage.start_ts + rng.integers(0, max(1, outage.onset_ts), (2, len(hit)))
        returns = np.maximum(returns + outage.duration_ms, fails + 1_000)
        yield from zip(hit.tolist(), fails.tolist(), returns.tolist(), strict=True)
