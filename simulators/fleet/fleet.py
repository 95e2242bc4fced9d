"""A fleet of base stations (基站): battery sets behind rectifiers, polled by each site's FSU; the clock is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from schemas.readings import Kind
from schemas.registry import BatterySet, Device, Sector, Site
from schemas.time import DAY_MS
from schemas.topics import Topic
from simulators.climate import CITIES, Climate
from simulators.fleet.ageing import Ageing
from simulators.fleet.battery import second_life
from simulators.fleet.battery_faults import BatteryFaults, Fleetwide, draw_faults
from simulators.fleet.bms import CURRENT_GAIN, Bms, SetsShown, SitesShown, power_messages, set_messages
from simulators.fleet.capacity_test import CapacityTests
from simulators.fleet.load import DISCHARGE_V, LOAD_NOISE, LOAD_NOISE_S, carried_h, daily, usual_w
from simulators.fleet.outages import OutageSchedule, RegionalOutage
from simulators.truth import Label, LabelKind, TrueTotal, TrueValue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from simulators.fleet.battery import Array, Index
    from simulators.fleet.capacity_test import Campaign
    from simulators.planned_events import Chance, PlannedEvent
    from simulators.wire.message import DeviceMessage

SITES_A_SET = 5_000 / 7_000
SETS_MAX = 7_000
PERIOD_MS = 60_000
FLEET_KINDS = frozenset({Kind.BATTERY, Kind.SITE_POWER})
BURST_MS = 300_000
"""How long a site reports fast after a mains change."""
BURST_PERIODS_MS = (1_000, 2_000, 5_000, 10_000)
LABELLED_MS = round(400 * DAY_MS)
"""Outages and tests of so much time from the start are drawn, and labelled, before the first reading."""

SHELTER_C = (0.0, 4.0)
"""How much warmer the shelter is than the air outside. (unsourced)"""

DOOR_OPEN_CHANCE = 2e-5
CONTRACT_SHARE = 0.7
"""Of the hours that a site's sets would carry its usual load if they were new: what it is owed. (unsourced)"""
CONTRACT_H = (0.5, 3.0)
MAKERS = ("江河", "恒源", "北峰")


class HeardHours(NamedTuple):
    """Hours of the past of which base stations are heard."""

    from_ts: int
    to_ts: int
    city_zh: str = ""
    """Of this city only; empty: of all."""


class FleetPast(NamedTuple):
    """A past in which stations are polled rarely, report no mains change at once, and are heard for some hours only."""

    from_ts: int
    until_ts: int
    every_ms: int
    heard: Sequence[HeardHours]


class Fleet:
    """`sets` second-life sets on about 0.71 sites each; every device of a site is polled at the same moment."""

    def __init__(
        self,
        *,
        seed: int,
        sets: int,
        start_ts: int,
        regional: Sequence[RegionalOutage] = (),
        climate: Climate | None = None,
        planned_events: Sequence[PlannedEvent] = (),
        chances: Sequence[Chance] = (),
        past: FleetPast | None = None,
        campaign: Campaign | None = None,
        heated_to_c: float = -np.inf,
    ) -> None:
        """`campaign`: of every station's first capacity test; `heated_to_c`: no shelter is colder than this."""
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
        self._heated_to_c = heated_to_c
        self._shelter_c = rng.uniform(*SHELTER_C, self.sites)
        self.load_w = usual_w(rng, self.sites)
        self._load_noise = rng.standard_normal(self.sites)
        self._burst_ms = rng.choice(BURST_PERIODS_MS, self.sites)
        self._door = np.zeros(self.sites, dtype=bool)
        self._lowest_v = np.full(self.sites, np.inf)

        ambient = self._shelter(np.arange(self.sites), start_ts)[self.site_of_set]
        self.batteries = second_life(sets, rng, ambient)
        weight = self.batteries.nominal_ah * self.batteries.soh
        self._load_share = weight / np.bincount(self.site_of_set, weight)[self.site_of_set]
        self.bms = Bms(rng, self.batteries)

        self.outages = OutageSchedule(seed, self.city, start_ts, regional)
        self.tests = CapacityTests(seed, self.sites, start_ts, campaign)
        self._past = past
        self._ageing = Ageing(np.random.default_rng([seed, 9]), self.bms.cycles.astype(np.float64))
        self._start_ts = self._aged_ms = start_ts
        self._truth_day = -1
        self._last_ts = np.full(self.sites, start_ts, dtype=np.int64)
        self._grid_ms = start_ts + rng.integers(0, PERIOD_MS, self.sites)
        self._due_ts = np.minimum(self._grid_ms, self.outages.next_change_ts)
        self._fast_until_ts = np.full(self.sites, start_ts, dtype=np.int64)
        self._seq = np.zeros(self.sites, dtype=np.int64)

        self.set_ids = [f"B{number + 1:04d}" for number in range(sets)]
        self.site_ids = [f"BS{number + 1:04d}" for number in range(self.sites)]
        self._set_topics = [
            str(Topic(self.site_ids[site], Kind.BATTERY, set_id))
            for site, set_id in zip(self.site_of_set.tolist(), self.set_ids, strict=True)
        ]
        self._power_ids = [f"{site_id}-P" for site_id in self.site_ids]
        self._power_topics = [
            str(Topic(site_id, Kind.SITE_POWER, power_id))
            for site_id, power_id in zip(self.site_ids, self._power_ids, strict=True)
        ]
        place = dict(zip(self.set_ids, range(sets), strict=True))
        homes = Fleetwide(
            {set_id: self.site_ids[site] for set_id, site in zip(self.set_ids, self.site_of_set.tolist(), strict=True)},
            dict(zip(self.set_ids, self.batteries.cell_count.tolist(), strict=True)),
        )
        drawn = draw_faults(planned_events, chances, fleet=homes, seed=seed)
        self.faults = BatteryFaults(drawn, place, dict(zip(self.site_ids, range(self.sites), strict=True)))

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
                accuracy=CURRENT_GAIN,
                battery=BatterySet(
                    cell_count=cells,
                    nominal_ah=nominal,
                    nominal_v=3.2 * cells,
                    contract_h=contract_h,
                    maker=MAKERS[number % len(MAKERS)],
                    batch=f"{2019 + number % 5}-{number % 4 + 1}",
                ),
            )
            for number, (set_id, site, cells, nominal, contract_h) in enumerate(
                zip(
                    self.set_ids,
                    self.site_of_set.tolist(),
                    batteries.cell_count.tolist(),
                    batteries.nominal_ah.tolist(),
                    self._contracts()[self.site_of_set].tolist(),
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

    def _contracts(self) -> Array:
        """Backup owed to each site, in half hours: what its sets were chosen for when they were put there."""
        batteries = self.batteries
        new_wh = np.bincount(self.site_of_set, batteries.nominal_ah * batteries.cell_count * DISCHARGE_V)
        hours: Array = np.clip(np.floor(2 * CONTRACT_SHARE * new_wh / self.load_w) / 2, *CONTRACT_H)
        return hours

    def generate(self, until_ts: int) -> list[DeviceMessage]:
        """All messages of the fleet before `until_ts` that have not been given yet, site by site; not sorted."""
        messages: list[DeviceMessage] = []
        for sets, power in self.polls(until_ts):
            messages += set_messages(sets, self._set_topics, self.set_ids)
            messages += power_messages(power, self._power_topics, self._power_ids)
        return messages

    def polls(self, until_ts: int) -> Iterator[tuple[SetsShown, SitesShown]]:
        """Readings before `until_ts` as arrays, without the cost of messages: for long runs and for benches.

        One item is one poll of each site that is due. Cut into steps of a minute it is fastest; a scene cuts it into
        ten seconds, and gets other noise of the same kind for the same seed.
        """
        self.outages.extend(until_ts + 2 * PERIOD_MS)  # before any due time could reach past a new epoch's changes
        while True:
            due = np.flatnonzero(self._due_ts < until_ts)
            if not len(due):
                return
            yield self._poll(due, until_ts)

    def _poll(self, sites: Index, until_ts: int) -> tuple[SetsShown, SitesShown]:
        """One poll of each of `sites`, each at its own due time."""
        ts = self._due_ts[sites]
        begins = int(ts.min())
        self.faults.pass_time(begins, self.batteries)
        if begins - self._aged_ms >= DAY_MS:
            self._ageing.advance(self.batteries, (begins - self._start_ts) / DAY_MS)
            self._aged_ms = begins
        seconds = (ts - self._last_ts[sites]) / 1_000.0
        ambient = self._shelter(sites, until_ts)
        members = self._members(sites)
        position = np.searchsorted(sites, self.site_of_set[members])
        self.batteries.integrate(members, seconds[position], ambient[position])

        for site in sites[self.outages.next_change_ts[sites] <= ts].tolist():
            self.outages.pass_change(site)
            self._fast_until_ts[site] = self._due_ts[site] + BURST_MS
        mains = self.outages.mains[sites]
        period = np.where(ts < self._fast_until_ts[sites], self._burst_ms[sites], PERIOD_MS)
        if (past := self._past) is not None:
            period = np.where(ts < past.until_ts, past.every_ms, period)
        rectified = mains & ~self.tests.carry_on(sites, ts, self._lowest_v[sites])

        load = self._load(sites, seconds, until_ts)
        volts = self.batteries.drive(
            members,
            mains=rectified[position],
            load_w=load[position] * self._load_share[members],
            next_s=(period / 1_000.0)[position],
        )
        self._note_lowest(sites, members, volts, position)
        seq = self._seq[sites]
        heard = ~self.faults.silent[sites] & self._listened_to(sites, ts)
        self._seq[sites] = seq + heard
        self._last_ts[sites] = ts
        self._due_ts[sites] = np.minimum(ts + period, self.outages.next_change_ts[sites])
        shown = self.bms.shown(members, (ts[position], seq[position]), volts, ambient[position], self.faults)
        power = self._power_shown(sites, (ts, seq), load)
        if heard.all():
            return shown, power
        mask = heard[position]
        return SetsShown._make(column[mask] for column in shown), SitesShown._make(column[heard] for column in power)

    def _shelter(self, sites: Index, at_ts: int) -> Array:
        """Temperature inside the shelters of `sites`, °C."""
        warm: Array = self._climate.all_outdoor_c(at_ts)[self.city[sites]] + self._shelter_c[sites]
        return np.maximum(warm, self._heated_to_c)

    def _listened_to(self, sites: Index, ts: Index) -> NDArray[np.bool_]:
        """Whether what each of `sites` says at its `ts` is kept: after the past always, before only in its hours."""
        past = self._past
        if past is None:
            return np.ones(len(sites), dtype=bool)
        kept: NDArray[np.bool_] = ts >= past.until_ts
        for hours in past.heard:
            there = (hours.from_ts <= ts) & (ts < hours.to_ts)
            if hours.city_zh:
                there &= np.array([CITIES[city].name_zh == hours.city_zh for city in self.city[sites].tolist()])
            kept |= there
        return kept

    def _note_lowest(self, sites: Index, members: Index, volts: Array, position: Index) -> None:
        """Remember the weakest cell of each site: what ends a capacity test."""
        lowest = np.where(self.batteries.cells[members], volts, np.inf).min(axis=1)
        of_site = np.full(len(sites), np.inf)
        np.minimum.at(of_site, position, lowest)
        self._lowest_v[sites] = of_site

    def _members(self, sites: Index) -> Index:
        """Sets of `sites`, in order."""
        chosen = np.zeros(self.sites, dtype=bool)
        chosen[sites] = True
        return np.flatnonzero(chosen[self.site_of_set]).astype(np.int64)

    def _load(self, sites: Index, seconds: Array, until_ts: int) -> Array:
        """Power of the sites' equipment, W: P0 × (1 + 0.25·daily + 0.1·noise)."""
        kept = np.exp(-seconds / LOAD_NOISE_S)
        noise = kept * self._load_noise[sites] + np.sqrt(1 - kept * kept) * self._rng.standard_normal(len(sites))
        self._load_noise[sites] = noise
        load: Array = self.load_w[sites] * np.clip(1 + daily(until_ts) + LOAD_NOISE * noise, 0.3, 1.6)
        return load

    def _power_shown(self, sites: Index, when: tuple[Index, Index], load: Array) -> SitesShown:
        """What the FSU says of the site itself. Without mains and battery its busbar is dead: no voltage is known."""
        rng, batteries, count = self._rng, self.batteries, len(sites)
        mains = self.outages.mains[sites]
        phases: Array = np.where(mains[:, None], 225.0 + 3.0 * rng.standard_normal((count, 3)), 0.0)
        first = self._first_set[sites]
        alive: NDArray[np.bool_] = mains | ~batteries.open[first]
        load_a: Array = np.where(alive, load / batteries.pack_v[first], 0.0)
        bus = batteries.pack_v[first]
        self._door[sites] ^= rng.random(count) < np.where(self._door[sites], 0.1, DOOR_OPEN_CHANCE)
        return SitesShown(
            number=sites,
            ts=when[0],
            seq=when[1],
            phase_v=np.round(phases, 1),
            mains=mains,
            dc_v=np.round(bus + 0.02 * rng.standard_normal(count), 2),
            alive=alive,
            load_a=np.round(load_a, 2),
            smoke=self.faults.smoke[sites],
            door=self._door[sites],
        )

    def labels(self) -> list[Label]:
        """Faults, absent channels, outages and capacity tests, as far ahead as `LABELLED_MS`."""
        until_ts = self._start_ts + LABELLED_MS
        labels = list(self.faults.labels)
        labels += [
            Label(LabelKind.ABSENT_CHANNEL, site_id, set_id, "cell_voltage_v", self._start_ts, None, 16.0, "cell")
            for set_id, site_id, sent, cells in self._homes()
            if sent > cells
        ]
        labels += [
            Label(LabelKind.MAINS_OUTAGE, self.site_ids[site], "", "", fails, returns, (returns - fails) / 3.6e6, "h")
            for site, fails, returns in self.outages.intervals(until_ts)
        ]
        return [*labels, *self._tests(until_ts)]

    def _tests(self, until_ts: int) -> Iterator[Label]:
        """Capacity tests, each until its crew has left at the latest."""
        charge_ah = self.batteries.nominal_ah * self.batteries.soh
        held_wh = np.bincount(self.site_of_set, charge_ah * self.batteries.cell_count * DISCHARGE_V)
        for site, begins in self.tests.planned(until_ts):
            ends = begins + self.tests.at_most_ms(float(carried_h(held_wh[site], self.load_w[site], begins)))
            yield Label(LabelKind.CAPACITY_TEST, self.site_ids[site], "", "", begins, ends, 0.0, "")

    def _homes(self) -> Iterator[tuple[str, str, int, int]]:
        """Set, its site, channels sent and cells there are."""
        sites = [self.site_ids[site] for site in self.site_of_set.tolist()]
        channels, cells = self.bms.channels.tolist(), self.batteries.cell_count.tolist()
        return zip(self.set_ids, sites, channels, cells, strict=True)

    def states(self, at_ts: int) -> Iterator[TrueValue]:
        """True SoC (%), temperature and backup time of every set; once a day also capacity, SoH and resistance.

        `backup_h`: how long the set, full, would carry its share of the site's usual load, at its present warmth.
        Capacity is what float fills of the weakest cell; resistance is the pack's R0 at 25 °C, joints included.
        """
        batteries, every = self.batteries, np.arange(self.sets)
        soc = batteries.soc(every)
        load_w = self.load_w[self.site_of_set] * self._load_share
        columns = {
            "soc_pct": 100 * soc,
            "temperature_c": batteries.temperature_c,
            "backup_h": carried_h(batteries.full_ah * DISCHARGE_V * batteries.cell_count, load_w, at_ts),
        }
        if (day := at_ts // DAY_MS) != self._truth_day:
            self._truth_day = day
            soh = batteries.filled_soh
            columns |= {
                "soh": soh,
                "capacity_ah": soh * batteries.nominal_ah,
                "resistance_mohm": 1_000 * (batteries.resistance_ohm + batteries.joint_ohm).sum(axis=1),
            }
        for quantity, values in columns.items():
            for set_id, value in zip(self.set_ids, values.tolist(), strict=True):
                yield TrueValue(set_id, at_ts, quantity, value)

    def totals(self, from_ts: int, to_ts: int) -> Iterator[TrueTotal]:  # noqa: ARG002 - no meters
        """No meters."""
        return iter(())
