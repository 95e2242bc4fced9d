"""A fleet of base stations (基站): battery sets behind rectifiers, polled by each site's FSU; the clock is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from schemas.readings import Kind
from schemas.registry import BatterySet, Device, Sector, Site
from schemas.topics import Topic
from simulators.battery import CELLS_MAX, second_life
from simulators.climate import CITIES, Climate, day_course, local_hour
from simulators.message import Message
from simulators.outages import OutageSchedule, RegionalOutage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from simulators.battery import Array, Index

SITES_A_SET = 5_000 / 7_000
SETS_MAX = 7_000
PERIOD_MS = 60_000
BURST_MS = 300_000
"""How long a site reports fast after a mains change."""
BURST_PERIODS_MS = (1_000, 2_000, 5_000, 10_000)

LOAD_MEDIAN_W, LOAD_SIGMA, LOAD_LIMITS_W = 2_500.0, 0.35, (1_000.0, 5_000.0)
LOAD_DAILY, LOAD_NOISE, LOAD_NOISE_S = 0.25, 0.1, 900.0
LOAD_PEAK_HOUR = 20.0
SHELTER_C = (0.0, 4.0)
"""How much warmer the shelter is than the air outside. (unsourced)"""

VOLT_OFFSET_V, VOLT_NOISE_V = 0.001, 0.0005
CURRENT_OFFSET_A = 0.0025 * 100.0
"""0.25 % of a 100 A shunt."""
CURRENT_NOISE_A = 0.02
TEMPERATURE_OFFSET_C, TEMPERATURE_NOISE_C = 1.0, 0.05
SENSORS = 4
BMS_SOC_GAIN_SD = 0.05
BMS_SOH_STUCK_SHARE = 0.25
"""Share of sets whose BMS says SoH 99 % for ever. (unsourced)"""
BMS_SOH_SD = 0.04
ABSENT_CHANNEL_SHARE = 0.7
"""Share of 15-cell sets whose BMS sends a sixteenth channel of 0.000 V. (unsourced)"""
LOW_CELL_V, HOT_C, LOW_SOC_PCT = 2.9, 55.0, 20.0
DOOR_OPEN_CHANCE = 2e-5
MAKERS = ("江河", "恒源", "北峰")


class Fleet:
    """`sets` second-life sets on about 0.71 sites each; every device of a site is polled at the same moment."""

    def __init__(
        self,
        *,
        seed: int,
        sets: int,
        start_ms: int,
        regional: Sequence[RegionalOutage] = (),
        climate: Climate | None = None,
    ) -> None:
        if not 1 <= sets <= SETS_MAX:
            msg = f"a fleet has 1 to {SETS_MAX} sets, not {sets}"
            raise ValueError(msg)
        self._rng = rng = np.random.default_rng([seed, 5])
        self._climate = climate or Climate(seed)
        self.sets, self.sites = sets, max(1, round(sets * SITES_A_SET))
        second = rng.permutation(np.repeat(np.arange(self.sites), 2))[: sets - self.sites]
        self.site_of_set: Index = np.sort(np.concatenate([np.arange(self.sites), second])).astype(np.int64)
        self._first_set: Index = np.searchsorted(self.site_of_set, np.arange(self.sites)).astype(np.int64)
        self.city: Index = rng.integers(0, len(CITIES), self.sites)
        self._shelter_c = rng.uniform(*SHELTER_C, self.sites)
        self.load_w = np.clip(LOAD_MEDIAN_W * np.exp(LOAD_SIGMA * rng.standard_normal(self.sites)), *LOAD_LIMITS_W)
        self._load_noise = rng.standard_normal(self.sites)
        self._burst_ms = rng.choice(BURST_PERIODS_MS, self.sites)
        self._door = np.zeros(self.sites, dtype=bool)

        ambient = (self._climate.all_outdoor_c(start_ms)[self.city] + self._shelter_c)[self.site_of_set]
        self.batteries = second_life(sets, rng, ambient)
        weight = self.batteries.nominal_ah * self.batteries.soh
        self._load_share = weight / np.bincount(self.site_of_set, weight)[self.site_of_set]
        self._draw_sensors(rng)

        self.outages = OutageSchedule(seed, self.city, start_ms, regional)
        self._start_ms = start_ms
        self._last_ms = np.full(self.sites, start_ms, dtype=np.int64)
        self._grid_ms = start_ms + rng.integers(0, PERIOD_MS, self.sites)
        self._due_ms = np.minimum(self._grid_ms, self.outages.next_change_ms)
        self._fast_until_ms = np.full(self.sites, start_ms, dtype=np.int64)
        self._seq = np.zeros(self.sites, dtype=np.int64)

        self.set_ids = [f"B{number + 1:04d}" for number in range(sets)]
        self.site_ids = [f"BS{number + 1:04d}" for number in range(self.sites)]
        self._set_topics = [
            str(Topic(self.site_ids[site], Kind.BATTERY, set_id))
            for site, set_id in zip(self.site_of_set.tolist(), self.set_ids, strict=True)
        ]
        self._power_topics = [str(Topic(site_id, Kind.SITE_POWER, f"{site_id}-P")) for site_id in self.site_ids]

    def _draw_sensors(self, rng: np.random.Generator) -> None:
        """Offsets of every sensor, and what each BMS believes of its own set."""
        sets, batteries = self.sets, self.batteries
        self._volt_offset = VOLT_OFFSET_V * np.clip(rng.standard_normal((sets, CELLS_MAX)), -2, 2)
        self._current_offset = rng.uniform(-CURRENT_OFFSET_A, CURRENT_OFFSET_A, sets)
        self._temperature_offset = rng.uniform(-TEMPERATURE_OFFSET_C, TEMPERATURE_OFFSET_C, (sets, SENSORS))
        self._ambient_offset = rng.uniform(-TEMPERATURE_OFFSET_C, TEMPERATURE_OFFSET_C, sets)
        self._full_soc = batteries.soc(np.arange(sets))
        self._soc_gain = np.maximum(1 + BMS_SOC_GAIN_SD * rng.standard_normal(sets), 0.8)
        believed = np.clip(batteries.soh + BMS_SOH_SD * rng.standard_normal(sets), 0.5, 1.0)
        stuck = rng.random(sets) < BMS_SOH_STUCK_SHARE
        self._soh_bms_pct = np.where(stuck, 99.0, np.rint(believed * 100))
        self._full_ah = np.round(batteries.nominal_ah * self._soh_bms_pct / 100, 2)
        self._cycles = rng.integers(200, 2_000, sets)
        silent = rng.random(sets) < ABSENT_CHANNEL_SHARE
        self._channels = np.where(silent, CELLS_MAX, batteries.cell_count)

    @property
    def readings_per_s(self) -> float:
        """Readings per second of event time while no site's mains has changed lately."""
        return (self.sets + self.sites) * 1_000 / PERIOD_MS

    def sites_registered(self) -> list[Site]:
        """The base stations, for the registry."""
        return [
            Site(
                site_id=site_id,
                name=f"{CITIES[city].name} base station {number}",
                name_zh=f"{CITIES[city].name_zh}基站{number:04d}",
                sector=Sector.BASE_STATION,
                city=CITIES[city].name_zh,
                product_unit="kWh",
            )
            for number, (site_id, city) in enumerate(zip(self.site_ids, self.city.tolist(), strict=True), 1)
        ]

    def devices_registered(self) -> list[Device]:
        """The battery sets and the sites' power systems, for the registry."""
        batteries = self.batteries
        devices = [
            Device(
                device_id=set_id,
                site_id=self.site_ids[site],
                kind=Kind.BATTERY,
                name=f"Battery set {set_id}",
                name_zh=f"梯次电池组{set_id}",
                period_s=PERIOD_MS / 1_000,
                battery=BatterySet(
                    cell_count=cells,
                    nominal_ah=nominal,
                    nominal_v=3.2 * cells,
                    maker=MAKERS[number % len(MAKERS)],
                    batch=f"{2019 + number % 5}-{number % 4 + 1}",
                ),
            )
            for number, (set_id, site, cells, nominal) in enumerate(
                zip(
                    self.set_ids,
                    self.site_of_set.tolist(),
                    batteries.cell_count.tolist(),
                    batteries.nominal_ah.tolist(),
                    strict=True,
                )
            )
        ]
        devices += [
            Device(
                device_id=f"{site_id}-P",
                site_id=site_id,
                kind=Kind.SITE_POWER,
                name=f"Power system of {site_id}",
                name_zh=f"{site_id}开关电源",
                period_s=PERIOD_MS / 1_000,
            )
            for site_id in self.site_ids
        ]
        return devices

    def generate(self, until_ms: int) -> list[Message]:
        """All messages of the fleet before `until_ms` that have not been given yet, site by site; not sorted."""
        self.outages.extend(until_ms + 2 * PERIOD_MS)  # before any due time could reach past a new epoch's changes
        messages: list[Message] = []
        while True:
            due = np.flatnonzero(self._due_ms < until_ms)
            if not len(due):
                return messages
            self._poll(due, until_ms, messages)

    def _poll(self, sites: Index, until_ms: int, messages: list[Message]) -> None:
        """One poll of each of `sites`, each at its own due time."""
        ts = self._due_ms[sites]
        seconds = (ts - self._last_ms[sites]) / 1_000.0
        ambient = self._climate.all_outdoor_c(until_ms)[self.city[sites]] + self._shelter_c[sites]
        members = self._members(sites)
        position = np.searchsorted(sites, self.site_of_set[members])
        self.batteries.integrate(members, seconds[position], ambient[position])

        for site in sites[self.outages.next_change_ms[sites] <= ts].tolist():
            self.outages.pass_change(site)
            self._fast_until_ms[site] = self._due_ms[site] + BURST_MS
        mains = self.outages.mains[sites]
        period = np.where(ts < self._fast_until_ms[sites], self._burst_ms[sites], PERIOD_MS)

        load = self._load(sites, seconds, until_ms)
        volts = self.batteries.drive(
            members,
            mains=mains[position],
            load_w=load[position] * self._load_share[members],
            next_s=(period / 1_000.0)[position],
        )
        seq = self._seq[sites]
        messages += self._set_messages(members, (ts[position], seq[position]), volts, ambient[position])
        messages += self._power_messages(sites, (ts, seq), load)

        self._seq[sites] = seq + 1
        self._last_ms[sites] = ts
        self._due_ms[sites] = np.minimum(ts + period, self.outages.next_change_ms[sites])

    def _members(self, sites: Index) -> Index:
        """Sets of `sites`, in order."""
        chosen = np.zeros(self.sites, dtype=bool)
        chosen[sites] = True
        return np.flatnonzero(chosen[self.site_of_set]).astype(np.int64)

    def _load(self, sites: Index, seconds: Array, until_ms: int) -> Array:
        """Power of the sites' equipment, W: P0 × (1 + 0.25·daily + 0.1·noise)."""
        kept = np.exp(-seconds / LOAD_NOISE_S)
        noise = kept * self._load_noise[sites] + np.sqrt(1 - kept * kept) * self._rng.standard_normal(len(sites))
        self._load_noise[sites] = noise
        daily = LOAD_DAILY * day_course(local_hour(until_ms), LOAD_PEAK_HOUR)
        load: Array = self.load_w[sites] * np.clip(1 + daily + LOAD_NOISE * noise, 0.3, 1.6)
        return load

    def _set_messages(self, index: Index, when: tuple[Index, Index], volts: Array, ambient: Array) -> Iterator[Message]:
        """What the BMS of each set says, at the wire's resolution."""
        rng, batteries, count = self._rng, self.batteries, len(index)
        noise = self._volt_offset[index] + VOLT_NOISE_V * rng.standard_normal((count, CELLS_MAX))
        cells = np.where(batteries.cells[index], np.round(volts + noise, 3), 0.0)
        pack = np.round(volts.sum(axis=1) + 0.01 * rng.standard_normal(count), 2)
        current = batteries.current_a[index]
        shunt_error = self._current_offset[index] + CURRENT_NOISE_A * rng.standard_normal(count)
        drawn = 1 - batteries.soc(index) / self._full_soc[index]
        soc = np.round(100 * np.clip(1 - drawn * self._soc_gain[index], 0.0, 1.0), 1)
        temperature = batteries.temperature_c[index][:, None] + self._temperature_offset[index]
        temperature = np.round(temperature + TEMPERATURE_NOISE_C * rng.standard_normal((count, SENSORS)), 1)
        full = self._full_ah[index]
        lowest = np.where(batteries.cells[index], cells, np.inf).min(axis=1)
        alarm = (lowest < LOW_CELL_V) + 2 * (temperature.max(axis=1) > HOT_C) + 4 * (soc < LOW_SOC_PCT)
        busy = np.abs(current) > 0.01 * batteries.nominal_ah[index]
        mode = np.where(busy, np.where(current > 0, "charge", "discharge"), "float")
        mode = np.where(batteries.open[index], "protect", mode)
        full_cycles = batteries.throughput_ah[index] / (2 * batteries.nominal_ah[index])
        cycles = self._cycles[index] + full_cycles.astype(np.int64)
        columns: tuple[list[Any], ...] = (
            index.tolist(),
            *(column.tolist() for column in when),
            pack.tolist(),
            np.round(current + shunt_error, 2).tolist(),
            soc.tolist(),
            self._soh_bms_pct[index].tolist(),
            cells.tolist(),
            self._channels[index].tolist(),
            temperature.tolist(),
            np.round(ambient + self._ambient_offset[index], 1).tolist(),
            np.round(full * soc / 100, 2).tolist(),
            full.tolist(),
            cycles.tolist(),
            alarm.tolist(),
            mode.tolist(),
        )
        topics, ids = self._set_topics, self.set_ids
        for i, at, n, v, a, s, h, c, channels, t, amb, left, whole, turns, word, state in zip(*columns, strict=True):
            reading = {
                "ts": at,
                "seq": n,
                "pack_voltage_v": v,
                "current_a": a,
                "soc_pct": s,
                "soh_bms_pct": h,
                "cell_voltage_v": c[:channels],
                "temperature_c": t,
                "ambient_c": amb,
                "remaining_ah": left,
                "full_ah": whole,
                "cycles": turns,
                "alarm_words": [word, 0, 0, 0, 0],
                "mode": state,
            }
            yield Message(topics[i], ids[i], [reading])

    def _power_messages(self, sites: Index, when: tuple[Index, Index], load: Array) -> Iterator[Message]:
        """What the FSU says of the site itself. Without mains and battery its busbar is dead: no voltage is known."""
        rng, batteries, count = self._rng, self.batteries, len(sites)
        mains = self.outages.mains[sites]
        phases = np.where(mains[:, None], 225.0 + 3.0 * rng.standard_normal((count, 3)), 0.0)
        first = self._first_set[sites]
        alive: NDArray[np.bool_] = mains | ~batteries.open[first]
        bus = batteries.pack_v[first]
        load_a = np.where(alive, load / bus, 0.0)
        self._door[sites] ^= rng.random(count) < np.where(self._door[sites], 0.1, DOOR_OPEN_CHANCE)
        columns = (
            sites.tolist(),
            *(column.tolist() for column in when),
            np.round(phases, 1).tolist(),
            mains.tolist(),
            np.round(bus + 0.02 * rng.standard_normal(count), 2).tolist(),
            alive.tolist(),
            np.round(load_a, 2).tolist(),
            self._door[sites].tolist(),
        )
        for i, at, n, volts, on, dc, known, amps, door in zip(*columns, strict=True):
            reading: dict[str, Any] = {"ts": at, "seq": n, "mains_voltage_v": volts, "mains_failed": not on}
            if known:
                reading["dc_voltage_v"] = dc
            reading |= {"dc_load_current_a": amps, "smoke": False, "water": False, "door": door}
            yield Message(self._power_topics[i], f"{self.site_ids[i]}-P", [reading])
