"""A simulated fleet in compressed time: what its sets would have sent around each outage, and the truth beside it.

Sites run on clocks of their own, in step: while a site is on float and nothing is about to happen, its clock jumps to
two and a half hours before its next outage. No figure of a discharge depends on the float that is left out; to the
kernels it is a silence. In an outage and around it a set is sampled every 60 s, in float and while charging every
180 s, the slowest that is no gap. Cells, outages and climate are the simulator's own; sensors have its errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from schemas.arrival import Arrival
from schemas.metrics.battery_sites import SiteLoadHour
from schemas.metrics.common import Quality
from schemas.readings import BatteryReading, Kind
from schemas.registry import BatterySet, Device, Sector, Site
from schemas.time import DAY_MS, HOUR_MS
from simulators.climate import CITIES, Climate, day_course, hour_of_day
from simulators.fleet.ageing import Ageing
from simulators.fleet.battery import CELLS_MAX, second_life
from simulators.fleet.bms import (
    CURRENT_GAIN,
    CURRENT_NOISE_A,
    CURRENT_OFFSET_A,
    TEMPERATURE_OFFSET_C,
    VOLT_NOISE_V,
    VOLT_OFFSET_V,
)
from simulators.fleet.capacity_test import LONGEST_MS, STOP_V, CapacityTests
from simulators.fleet.fleet import SITES_A_SET
from simulators.fleet.load import (
    LOAD_DAILY,
    LOAD_LIMITS_W,
    LOAD_MEDIAN_W,
    LOAD_NOISE,
    LOAD_NOISE_S,
    LOAD_PEAK_HOUR,
    LOAD_SIGMA,
)
from simulators.fleet.outages import NEVER, OutageSchedule
from streams.kernels.battery.backup import LOADS_MS

if TYPE_CHECKING:
    from collections.abc import Callable

START_TS = 1_767_225_600_000
"""2026-01-01."""
FAST_MS, SLOW_MS = 60_000, 180_000
LEAD_MS = round(2.5 * HOUR_MS)
RECHARGE_MS = 14 * HOUR_MS
SENSORS = 2


class Cut(NamedTuple):
    """The truth of one outage: its BMS opened the set this long after the load came on."""

    device_id: str
    outage_ts: int
    hours: float


class FleetYear:
    """`sets` sets over some days. `run` hands every reading, in order for each set, to whoever takes it."""

    def __init__(self, *, seed: int, sets: int, days: float) -> None:
        self._rng = rng = np.random.default_rng([seed, 77])
        self.sites = max(1, round(sets * SITES_A_SET))
        second = rng.permutation(np.repeat(np.arange(self.sites), 2))[: sets - self.sites]
        self.site_of_set = np.sort(np.concatenate([np.arange(self.sites), second])).astype(np.int64)
        self._end_ts = START_TS + round(days * DAY_MS)
        self._city = rng.integers(0, len(CITIES), self.sites)
        self._climate = Climate(seed)
        self._shelter_c = rng.uniform(0.0, 4.0, self.sites)
        ambient = self._ambient(np.full(self.sites, START_TS))[self.site_of_set]
        self.batteries = second_life(sets, rng, ambient)
        self.base_w = np.clip(LOAD_MEDIAN_W * np.exp(LOAD_SIGMA * rng.standard_normal(self.sites)), *LOAD_LIMITS_W)
        weight = self.batteries.nominal_ah * self.batteries.soh
        self._share = weight / np.bincount(self.site_of_set, weight)[self.site_of_set]
        self._volt_offset = VOLT_OFFSET_V * np.clip(rng.standard_normal((sets, CELLS_MAX)), -2, 2)
        self._current_offset = rng.uniform(-CURRENT_OFFSET_A, CURRENT_OFFSET_A, sets)
        # Of a stream of its own: fleets of a seed stay what they were before their sensors had a gain.
        self._current_gain = 1 + rng.spawn(1)[0].uniform(-CURRENT_GAIN, CURRENT_GAIN, sets)
        self._temperature_offset = rng.uniform(-TEMPERATURE_OFFSET_C, TEMPERATURE_OFFSET_C, (sets, SENSORS))
        self._noise = rng.standard_normal(self.sites)
        self._outages = OutageSchedule(seed, self._city, START_TS, ())
        self._outages.extend(self._end_ts + DAY_MS)
        self._ageing = Ageing(np.random.default_rng([seed, 78]), rng.uniform(200, 2_000, sets))
        self._tests: list[list[int]] = [[] for _ in range(self.sites)]
        for site, begins in CapacityTests(seed, self.sites, START_TS).planned(self._end_ts):
            self._tests[site].append(begins)
        self.tested: set[str] = set()
        """Sets that a core-capacity test drew down to where it is stopped."""
        self.outage_starts: list[list[int]] = [[] for _ in range(self.sites)]
        self.cuts: list[Cut] = []
        self.devices = [self._device(number) for number in range(sets)]

    @property
    def end_ts(self) -> int:
        """When the run is over, and the truth is taken."""
        return self._end_ts

    def _device(self, number: int) -> Device:
        cells = int(self.batteries.cell_count[number])
        battery = BatterySet(
            cell_count=cells, nominal_ah=float(self.batteries.nominal_ah[number]), nominal_v=3.2 * cells
        )
        site_id = f"BS{self.site_of_set[number]:04d}"
        return Device(
            device_id=f"B{number:04d}",
            site_id=site_id,
            kind=Kind.BATTERY,
            period_s=60,
            accuracy=CURRENT_GAIN,
            battery=battery,
        )

    def site(self, number: int) -> tuple[Site, list[Device]]:
        """A base station as registered, with its sets and its power system."""
        site_id = f"BS{number:04d}"
        site = Site(site_id=site_id, name=site_id, name_zh="基站", sector=Sector.BASE_STATION, city="太原")
        own = [device for device in self.devices if device.site_id == site_id]
        return site, [*own, Device(device_id=f"{site_id}-P", site_id=site_id, kind=Kind.SITE_POWER)]

    def load_hours(self, number: int, until_ts: int) -> list[SiteLoadHour]:
        """Hourly means of a site's load over the days before a moment, as its power system would have given them."""
        rng = np.random.default_rng([number, until_ts // HOUR_MS])
        hour_ts = until_ts - until_ts % HOUR_MS
        hours = []
        for ts in range(hour_ts - LOADS_MS, hour_ts, HOUR_MS):
            # An hour averages about four independent stretches of the noise.
            factor = 1 + LOAD_DAILY * day_course(hour_of_day(ts + HOUR_MS // 2), LOAD_PEAK_HOUR)
            watts = float(self.base_w[number]) * (factor + LOAD_NOISE / 2 * float(rng.standard_normal()))
            site_id = f"BS{number:04d}"
            hours.append(SiteLoadHour(f"{site_id}-P", ts, site_id, watts, None, 0.0, 1.0, Quality.GOOD))
        return hours

    def _ambient(self, ts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        outdoor = [self._climate.outdoor_c(city, at) for city, at in zip(self._city.tolist(), ts.tolist(), strict=True)]
        return np.array(outdoor) + self._shelter_c

    def run(self, take: Callable[[int, Arrival], None]) -> None:
        """Give each reading with its set's number."""
        batteries, outages = self.batteries, self._outages
        clock = np.full(self.sites, START_TS, dtype=np.int64)
        test_ms = np.array([self._next_test(site) for site in range(self.sites)], dtype=np.int64)
        test_ends_ts = np.zeros(self.sites, dtype=np.int64)
        due = np.maximum(START_TS, np.minimum(outages.next_change_ts, test_ms) - LEAD_MS)
        active_until = np.full(self.sites, START_TS, dtype=np.int64)
        everyone = np.arange(len(self.devices))
        while True:
            sites = np.flatnonzero(due < self._end_ts)
            if not len(sites):
                self._age(np.full(self.sites, self._end_ts))
                return
            members = everyone[np.isin(self.site_of_set, sites)]
            at = self.site_of_set[members]
            seconds = (due - clock) / 1000.0
            ambient = np.zeros(self.sites)
            ambient[sites] = self._ambient_of(sites, due[sites])
            batteries.integrate(members, seconds[at], ambient[at])
            for site in sites[outages.next_change_ts[sites] <= due[sites]].tolist():
                outages.pass_change(site)
                active_until[site] = due[site] + RECHARGE_MS
                if not outages.mains[site]:
                    self.outage_starts[site].append(int(due[site]))
                    self._age(clock)
            for site in sites[test_ms[sites] <= due[sites]].tolist():
                test_ms[site] = self._next_test(site)
                if outages.mains[site] and active_until[site] <= due[site]:
                    test_ends_ts[site] = due[site] + LONGEST_MS
                    active_until[site] = due[site] + LONGEST_MS + RECHARGE_MS
            testing = test_ends_ts > due
            event_ts = np.minimum(outages.next_change_ts, test_ms)
            settled = due - (active_until - RECHARGE_MS) > HOUR_MS
            warned = event_ts - due < 4 * SLOW_MS
            period = np.where(outages.mains & settled & ~warned & ~testing, SLOW_MS, FAST_MS)
            was_open = batteries.open[members].copy()
            volts = batteries.drive(
                members,
                mains=(outages.mains & ~testing)[at],
                load_w=self._load(sites, seconds, due)[at] * self._share[members],
                next_s=(period / 1000.0)[at],
            )
            weakest = np.where(batteries.cells[members], volts, np.inf).min(axis=1)
            for member in members[testing[at] & (weakest <= STOP_V)].tolist():
                self.tested.add(self.devices[member].device_id)
                site = int(self.site_of_set[member])
                test_ends_ts[site] = due[site]
                active_until[site] = due[site] + RECHARGE_MS
            for member in members[batteries.open[members] & ~was_open & ~testing[at]].tolist():
                site = int(self.site_of_set[member])
                started = self.outage_starts[site][-1]
                hours = float(due[site] - started) / HOUR_MS
                self.cuts.append(Cut(self.devices[member].device_id, started, hours))
            self._give(take, members, due[at], volts)
            clock[sites] = due[sites]
            idle = outages.mains & (clock >= active_until) & (event_ts - clock > LEAD_MS + SLOW_MS)
            batteries.current_a[idle[self.site_of_set]] = 0.0
            ahead = np.where(idle, event_ts - LEAD_MS, np.minimum(clock + period, event_ts))
            due[sites] = ahead[sites]

    def _next_test(self, site: int) -> int:
        """Take a site's next core-capacity test out of its plan."""
        return self._tests[site].pop(0) if self._tests[site] else NEVER

    def _age(self, clock: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
        """Let every set fade to its own site's clock."""
        days = (clock - START_TS)[self.site_of_set] / DAY_MS
        self._ageing.advance(self.batteries, days)  # type: ignore[arg-type] # one of each set

    def _ambient_of(
        self, sites: np.ndarray[tuple[int], np.dtype[np.int64]], ts: np.ndarray[tuple[int], np.dtype[np.int64]]
    ) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        cities = self._city[sites].tolist()
        outdoor = [self._climate.outdoor_c(city, at) for city, at in zip(cities, ts.tolist(), strict=True)]
        return np.array(outdoor) + self._shelter_c[sites]

    def _load(
        self,
        sites: np.ndarray[tuple[int], np.dtype[np.int64]],
        seconds: np.ndarray[tuple[int], np.dtype[np.float64]],
        due: np.ndarray[tuple[int], np.dtype[np.int64]],
    ) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        kept = np.exp(-seconds[sites] / LOAD_NOISE_S)
        fresh = self._rng.standard_normal(len(sites))
        self._noise[sites] = kept * self._noise[sites] + np.sqrt(1 - kept * kept) * fresh
        daily = np.array([day_course(hour_of_day(ts), LOAD_PEAK_HOUR) for ts in due.tolist()])
        watts: np.ndarray[tuple[int], np.dtype[np.float64]] = self.base_w * np.clip(
            1 + LOAD_DAILY * daily + LOAD_NOISE * self._noise, 0.3, 1.6
        )
        return watts

    def _give(
        self,
        take: Callable[[int, Arrival], None],
        members: np.ndarray[tuple[int], np.dtype[np.int64]],
        ts: np.ndarray[tuple[int], np.dtype[np.int64]],
        volts: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    ) -> None:
        rng, batteries, count = self._rng, self.batteries, len(members)
        noise = self._volt_offset[members] + VOLT_NOISE_V * rng.standard_normal((count, CELLS_MAX))
        cells = np.round(volts + noise, 3)
        pack = np.round(volts.sum(axis=1) + 0.01 * rng.standard_normal(count), 2)
        error = self._current_offset[members] + CURRENT_NOISE_A * rng.standard_normal(count)
        amps = np.round(batteries.current_a[members] * self._current_gain[members] + error, 2)
        celsius = np.round(batteries.temperature_c[members][:, None] + self._temperature_offset[members], 1)
        columns = (members, ts, pack, amps, cells, celsius, batteries.cell_count[members])
        for number, at, v, a, c, t, n in zip(*(column.tolist() for column in columns), strict=True):
            reading = BatteryReading.model_construct(
                ts=at, pack_voltage_v=v, current_a=a, cell_voltage_v=c[:n], temperature_c=t
            )
            take(number, Arrival(self.devices[number].device_id, 0, reading))
