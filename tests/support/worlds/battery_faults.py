"""Battery sets that are not what is believed of them: swapped, wrongly registered, or with a current sensor that lies.

Cells, sensors and loads are those of `battery_worlds`, which the estimator has never seen; loads vary. The kinds that
are counted stand in `fault_kinds`.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from schemas.arrival import Arrival
from schemas.metrics.battery import BatteryQuarter
from schemas.metrics.battery_health import BatteryCapacity, BatteryIdentity
from schemas.metrics.battery_sites import BatteryShareHour, SiteLoadHour
from schemas.readings import BatteryReading, Kind, SitePowerReading
from schemas.registry import Device, Sector, Site
from streams.kernels.battery.outages import SiteOutages
from streams.kernels.battery.pack import PackMonitor
from streams.kernels.battery.prospects.share_hours import ShareHours
from streams.kernels.battery.prospects.state_of_health import StateOfHealth
from streams.kernels.battery.reference import health_reference
from streams.kernels.battery.tracking.health import SetHealth
from tests.support.worlds.battery_worlds import STEP_S, T0, World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.metrics import Row
    from schemas.metrics.battery_prospects import BatterySoh
    from tests.support.worlds.battery_worlds import Array

YEAR_S = 365.25 * 86_400


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
    fade_year: float = 0.0
    """Share of nominal that each cell loses in a year."""
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

    def use(self, left_pct: float | None, *, rest_h: float = 0.7) -> None:
        """One discharge of a varying load, rest, recharge at a tenth of nominal, and float again; weeks pass."""
        self._fill()
        self._draw(left_pct)
        self.run(rest_h, 0.0)
        self._recharge()

    def use_twice(self, first_pct: float, left_pct: float) -> None:
        """From full down to a rest, and from that rest further down to another; then full again."""
        self._fill()
        for down_to in (first_pct, left_pct):
            self._draw(down_to)
            self.run(0.7, 0.0)
        self._recharge()

    def _fill(self) -> None:
        """Full, and on float for long enough to be known as full."""
        self.truths.append((T0 + round(1000 * self.second), self.true_pct))
        self.side, self.relaxed_a = 1.0, 0.0
        self.charge = self.capacity.copy()
        self.run(1.6, 0.0)

    def _draw(self, left_pct: float | None) -> None:
        """Carry a varying load down to what is left of the weakest cell, or to the cut-off."""
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
        self.truths[-1] = self.truths[-1][0], self.true_pct  # of a chemistry without a curve known only now

    def _recharge(self) -> None:
        """At a tenth of nominal until every cell is full, and float again."""
        self.shown_a = None
        missing_ah = float((self.capacity - self.charge).max())
        self.run(missing_ah / (0.12 * self.nominal), 0.12 * self.nominal)
        self.charge = self.capacity.copy()
        self.run(1.5, 0.0)
        weeks_s = self.rng.uniform(10, 40) * 86_400
        self.capacity = self.capacity - self.fade_year * self.nominal * weeks_s / YEAR_S
        self.second += weeks_s
        self.next_s = self.second + self.rng.uniform(0.0, self.period)

    def truth_at(self, ts: int) -> float:
        """SoH of the cells that stood there at a moment."""
        return [truth for since, truth in self.truths if since <= ts][-1]

    def shown(self) -> list[BatterySoh]:
        """What is published after each discharge, the ones too small to mention left out."""
        return self.estimates()[1]

    def estimates(self) -> tuple[list[BatteryCapacity], list[BatterySoh]]:
        """What the kernels make of it, the site's load and the cells' patterns heard."""
        rows = SetHealth(health_reference()).fold(None, self.device, self.readings)[1]
        last = {row.ts: row for row in rows if isinstance(row, BatteryCapacity)}
        capacities = [last[ts] for ts in sorted(last)]
        hours = self._share_hours() if self.has_site else []
        identities = [row for row in rows if isinstance(row, BatteryIdentity)]
        view = StateOfHealth(health_reference())
        return capacities, list(view.history(self.device, capacities, hours, identities=identities))


def newest(rows: Sequence[Row], row_type: type[Row]) -> list[Row]:
    """The last word on each moment, in order."""
    last = {row.ts: row for row in rows if isinstance(row, row_type)}
    return [last[ts] for ts in sorted(last)]
