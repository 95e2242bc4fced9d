"""Battery sets that are not what is believed of them: swapped, wrongly registered, or with a current sensor that lies.

What is counted is confidence: a state of health marked good whose truth lies more than a point outside of its 90 %
interval. Cells, sensors and loads are those of `battery_worlds`, which the estimator has never seen; loads vary.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from schemas.arrival import Arrival
from schemas.metrics.battery import BatteryQuarter
from schemas.metrics.battery_health import BatteryCapacity, BatteryIdentity
from schemas.metrics.battery_sites import BatteryShareHour, SiteLoadHour
from schemas.metrics.common import Quality
from schemas.readings import BatteryReading, Kind, SitePowerReading
from schemas.registry import Device, Sector, Site
from streams.kernels.battery.outages import SiteOutages
from streams.kernels.battery.pack import PackMonitor
from streams.kernels.battery.prospects.share_hours import ShareHours
from streams.kernels.battery.prospects.state_of_health import StateOfHealth
from streams.kernels.battery.reference import health_reference
from streams.kernels.battery.tracking.health import SetHealth
from tests.support.worlds.battery_worlds import MAKERS, STEP_S, T0, World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from schemas.metrics import Row
    from schemas.metrics.battery_prospects import BatterySoh
    from tests.support.worlds.battery_worlds import Array

MARGIN = 1.0
"""Points of SoH outside of the interval that are called confidently wrong."""
PLAN: tuple[float | None, ...] = (None, 45.0, 15.0, None)
"""Discharges of a set: % of the weakest cell left, or None for the cut-off."""


@dataclass
class Doubtful(World):
    """A world whose sensor, cells or registration may change between two discharges."""

    clip_c: float | None = None
    """The current sensor shows no more than this, 1/h."""
    stuck: bool = False
    """It stands still from some moment within a discharge on, until the next."""
    shown_a: float | None = None
    has_site: bool = False
    """Whether the site's power system measures its load."""
    site_gain: float | None = None
    """Of that; None: drawn from ±2 %."""
    site_readings: list[Arrival] = field(default_factory=list)
    draws: np.random.Generator = field(init=False)
    truths: list[tuple[int, float]] = field(default_factory=list)
    """SoH from each moment on."""

    def __post_init__(self) -> None:
        """Draw what is not given."""
        super().__post_init__()
        self.draws = np.random.default_rng(self.seed)
        drawn = random.Random(self.seed + 9_000).uniform(-0.02, 0.02)
        self.site_scale = 1.0 + (drawn if self.site_gain is None else self.site_gain)

    def register(self, **changed: float) -> None:
        """Register the set otherwise than it is."""
        assert self.device.battery is not None
        battery = self.device.battery.model_copy(update=changed)
        self.device = self.device.model_copy(update={"battery": battery})

    def become(self, soh: float) -> None:
        """Other cells stand there now."""
        rng, curve = self.rng, self.curve
        cells = np.array([soh + abs(rng.gauss(0.0, 0.02)) for _ in range(curve.cells)])
        cells[rng.randrange(curve.cells)] = soh
        self.capacity = cells * self.nominal
        ohm_ah = 0.080 * max(0.7, rng.gauss(1.0, 0.086))
        self.r0 = np.array([ohm_ah * max(0.7, rng.gauss(1.0, 0.04)) for _ in cells]) / self.nominal
        self.spread = np.array([rng.gauss(0.0, 0.35) for _ in cells])

    def run(self, hours: float, amps: float, *, until_cell_v: float = 0.0, until_pct: float = 0.0) -> None:
        """Let a current flow, as a whole stretch at once: many times faster than step by step."""
        begin = self.second
        grid = begin + np.append(np.arange(STEP_S, 3600 * hours, STEP_S), 3600 * hours)
        charge, volts = self._course(grid - begin, amps)
        if amps < 0:
            left = 100 * (charge / self.capacity).min(axis=1)
            stops = np.flatnonzero((volts.min(axis=1) <= until_cell_v) | (left <= until_pct))
            grid = grid[: stops[0] + 1] if stops.size else grid
        end = float(grid[-1])
        seconds = np.arange(self.next_s, end, self.period)
        if seconds.size:
            self._say_all(seconds, amps, self._course(seconds - begin, amps)[1])
            self.next_s = float(seconds[-1]) + self.period
        self.charge = self._course(np.array([end - begin]), amps)[0][0]
        self.relaxed_a = amps + (self.relaxed_a - amps) * math.exp(-(end - begin) / self.tau_s)
        self.side = float(self._side(np.array([end - begin]), amps)[0])
        self.second = end

    def _side(self, after_s: Array, amps: float) -> Array:
        towards = float(np.sign(amps))
        moved = abs(amps) * after_s / (3600 * 0.05 * self.nominal)
        return towards + (self.side - towards) * np.exp(-moved) if amps else np.full(after_s.shape, self.side)

    def _course(self, after_s: Array, amps: float) -> tuple[Array, Array]:
        """Charge and voltage of each cell after so many seconds of a current."""
        kept = self.charge, self.side
        charge = np.minimum(self.capacity, self.charge + amps * after_s[:, None] / 3600)
        relaxed = amps + (self.relaxed_a - amps) * np.exp(-after_s / self.tau_s)
        self.charge = charge
        self.side = self._side(after_s, amps)[:, None]  # type: ignore[assignment] # of each moment, for the curve
        open_v = np.minimum(self._open_v(), self.curve.float_v)  # float holds no more, and a load leaves less
        volts = open_v + self.r0 * self.factor * (amps + 0.4 * relaxed)[:, None]
        self.charge, self.side = kept
        if amps == 0.0 and self.charge.min() >= 0.999 * self.capacity.min() and self.side > 0:
            volts = np.full(volts.shape, self.curve.float_v)
        return charge, volts

    def _say_all(self, seconds: Array, amps: float, volts: Array) -> None:
        noise = self.draws
        cells: list[list[float | None]] = np.round(volts + noise.normal(0.0, 0.001, volts.shape), 3).tolist()
        if self.dead is not None:
            for each in cells:
                each[self.dead] = None
        shown = self.scale * amps + self.offset_a + noise.normal(0.0, 0.05, seconds.shape)
        if self.clip_c is not None:
            shown = np.clip(shown, -self.clip_c * self.nominal, self.clip_c * self.nominal)
        if self.shown_a is not None:
            shown[:] = self.shown_a
        packs = np.round(volts.sum(axis=1) + 0.03, 2).tolist()
        sensors: list[float | None] = [self.celsius, self.celsius + 0.5]
        for second, pack, amp, cell in zip(seconds, packs, np.round(shown, 2).tolist(), cells, strict=True):
            reading = BatteryReading.model_construct(
                ts=T0 + round(second * 1000), pack_voltage_v=pack, current_a=amp, cell_voltage_v=cell,
                temperature_c=sensors,
            )  # fmt: skip
            self.readings.append(Arrival("w", 0, reading))
            if self.has_site:
                self._say_of_site(reading.ts, amps, pack)

    def _say_of_site(self, ts: int, amps: float, bus_v: float) -> None:
        """The power system: without mains its load is what the set gives."""
        load_a = 0.2 * self.nominal if amps >= 0 else -amps
        reading = SitePowerReading.model_construct(
            ts=ts, mains_failed=amps < 0, dc_voltage_v=bus_v, dc_load_current_a=round(self.site_scale * load_a, 1)
        )
        self.site_readings.append(Arrival("p", 0, reading))

    def _share_hours(self) -> list[BatteryShareHour]:
        """What set and power system counted of the same load."""
        power = Device(device_id="p", site_id="s", kind=Kind.SITE_POWER, period_s=self.period)
        site = Site(site_id="s", name="s", name_zh="基站", sector=Sector.BASE_STATION, city="太原")
        changed: dict[type[Row], list[Row]] = {
            SiteLoadHour: newest(SiteOutages().fold(None, power, self.site_readings)[1], SiteLoadHour),
            BatteryQuarter: newest(
                PackMonitor(health_reference()).fold(None, self.device, self.readings)[1], BatteryQuarter
            ),
        }
        rows = ShareHours().rows(site, [self.device, power], changed, changed).rows
        return [row for row in rows if isinstance(row, BatteryShareHour)]

    def use(self, left_pct: float | None) -> None:
        """One discharge of a varying load, rest, recharge at a tenth of nominal, and float again; weeks pass."""
        self.truths.append((T0 + round(1000 * self.second), self.true_pct))
        self.side, self.relaxed_a = 1.0, 0.0
        self.charge = self.capacity.copy()
        self.run(1.6, 0.0)
        base = self.rng.uniform(0.12, 0.35) * self.nominal
        stops_at = 0.0 if left_pct is None else left_pct
        sticks_at = self.rng.uniform(0.5, 0.8) if self.stuck else -1.0
        while True:
            amps = -base * self.rng.uniform(0.85, 1.15)
            self.run(0.25, amps, until_cell_v=self.curve.cutoff_v, until_pct=stops_at)
            own = float((self.charge / self.capacity).min())
            if own < sticks_at and self.shown_a is None:
                newest = self.readings[-1].reading
                assert isinstance(newest, BatteryReading)
                self.shown_a = newest.current_a
            if self.cells_v(amps).min() <= self.curve.cutoff_v or 100 * own <= stops_at:
                break
        self.gave_ah = float((self.capacity - self.charge).min())
        self.run(0.7, 0.0)
        self.shown_a = None
        missing_ah = float((self.capacity - self.charge).max())
        self.run(missing_ah / (0.12 * self.nominal), 0.12 * self.nominal)
        self.charge = self.capacity.copy()
        self.run(1.5, 0.0)
        self.second += self.rng.uniform(10, 40) * 86_400
        self.next_s = self.second + self.rng.uniform(0.0, self.period)

    def truth_at(self, ts: int) -> float:
        """SoH of the cells that stood there at a moment."""
        return [truth for since, truth in self.truths if since <= ts][-1]

    def shown(self) -> list[BatterySoh]:
        """What is published after each discharge, the ones too small to mention left out."""
        rows = SetHealth(health_reference()).fold(None, self.device, self.readings)[1]
        last = {row.ts: row for row in rows if isinstance(row, BatteryCapacity)}
        capacities = [last[ts] for ts in sorted(last)]
        hours = self._share_hours() if self.has_site else []
        identities = [row for row in rows if isinstance(row, BatteryIdentity)]
        view = StateOfHealth(health_reference())
        return list(view.history(self.device, capacities, hours, identities=identities))


def newest(rows: Sequence[Row], row_type: type[Row]) -> list[Row]:
    """The last word on each moment, in order."""
    last = {row.ts: row for row in rows if isinstance(row, row_type)}
    return [last[ts] for ts in sorted(last)]


class Tally(NamedTuple):
    """What was published over a kind's sets."""

    shown: int
    """Figures after a discharge."""
    good: int
    """Of them marked good."""
    confident_wrong: int
    """Of those, with the truth more than MARGIN outside of the interval."""
    missed: int
    """Of all, good or not, the same."""
    hits: int
    """Of all, with the truth within."""

    def __str__(self) -> str:
        """One line."""
        held = f"{self.hits / self.shown:.0%}" if self.shown else "-"
        return (
            f"{self.shown} shown ({held} held), {self.good} good, {self.confident_wrong} of them confidently wrong,"
            f" {self.missed} wrong of any quality"
        )


def _plain(world: Doubtful) -> None:
    for left in PLAN:
        world.use(left)


def _swap(to: float) -> Callable[[Doubtful], None]:
    def script(world: Doubtful) -> None:
        for left in (None, 15.0, None):
            world.use(left)
        world.become(to)
        for left in (45.0, 15.0, None):
            world.use(left)

    return script


def _gain(to: float) -> Callable[[Doubtful], None]:
    def script(world: Doubtful) -> None:
        world.scale = to
        _plain(world)

    return script


def _gain_later(to: float) -> Callable[[Doubtful], None]:
    def script(world: Doubtful) -> None:
        world.use(None)
        world.use(15.0)
        world.scale = to
        _plain(world)

    return script


def _offset(share_c: float) -> Callable[[Doubtful], None]:
    def script(world: Doubtful) -> None:
        world.offset_a = share_c * world.nominal
        _plain(world)

    return script


def _clipped(world: Doubtful) -> None:
    world.clip_c = world.rng.uniform(0.10, 0.22)
    _plain(world)


def _clipped_hard(world: Doubtful) -> None:
    world.clip_c = 0.07
    _plain(world)


def _stuck(world: Doubtful) -> None:
    world.stuck = True
    _plain(world)


def _nominal(factor: float) -> Callable[[Doubtful], None]:
    def script(world: Doubtful) -> None:
        world.register(nominal_ah=world.nominal * factor)
        _plain(world)

    return script


def _count(cells: int) -> Callable[[Doubtful], None]:
    def script(world: Doubtful) -> None:
        world.register(cell_count=world.curve.cells + cells)
        _plain(world)

    return script


def _sampling(world: Doubtful) -> None:
    world.use(None)
    world.use(15.0)
    world.period = world.rng.choice([10.0, 120.0, 170.0])
    _plain(world)


KINDS: dict[str, Callable[[Doubtful], None]] = {
    "nothing wrong": _plain,
    "swapped for 95 %": _swap(0.95),
    "swapped for 70 %": _swap(0.70),
    "gain 0.5": _gain(0.5),
    "gain 0.9": _gain(0.9),
    "gain 0.97": _gain(0.97),
    "gain 1.03": _gain(1.03),
    "gain 1.1": _gain(1.1),
    "gain 2": _gain(2.0),
    "gain 0.5 later": _gain_later(0.5),
    "gain 0.8 later": _gain_later(0.8),
    "gain 1.2 later": _gain_later(1.2),
    "gain 2 later": _gain_later(2.0),
    "offset 0.5 % C": _offset(0.005),
    "offset -1.5 % C": _offset(-0.015),
    "clipped": _clipped,
    "clipped below half": _clipped_hard,
    "stuck": _stuck,
    "nominal_ah x 0.5": _nominal(0.5),
    "nominal_ah x 0.8": _nominal(0.8),
    "nominal_ah x 1.25": _nominal(1.25),
    "nominal_ah x 2": _nominal(2.0),
    "a cell too few registered": _count(-1),
    "a cell too many registered": _count(1),
    "sampling changes": _sampling,
}


def worlds_of(
    kind: str, seeds: Sequence[int], *, has_site: bool = False, site_gain: float | None = None
) -> list[Doubtful]:
    """Sets of a kind, discharged; `has_site`: their site's power system measures its load, with this error."""
    makers = sorted(MAKERS)
    worlds = []
    for seed in seeds:
        world = Doubtful(seed, makers[seed % len(makers)], has_site=has_site, site_gain=site_gain)
        KINDS[kind](world)
        worlds.append(world)
    return worlds


def tally(worlds: Sequence[Doubtful]) -> Tally:
    """Hold what is published of some sets against their truth."""
    shown = good = wrong = missed = hits = 0
    for world in worlds:
        rows = world.shown()
        for row in rows:
            if row.soh_pct is None or row.soh_low_pct is None or row.soh_high_pct is None:
                continue
            truth = world.truth_at(row.ts)
            outside = max(row.soh_low_pct - truth, truth - row.soh_high_pct)
            is_good = row.quality is Quality.GOOD
            shown, good = shown + 1, good + is_good
            hits += outside <= 0
            missed += outside > MARGIN
            wrong += is_good and outside > MARGIN
    return Tally(shown, good, wrong, missed, hits)
