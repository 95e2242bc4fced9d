"""Healthy battery sets of all kinds of sensors: nothing of what they do may be told as a fault of a sensor.

Fine and coarse current sensors, with noise and without, with a dead band; voltages of 1 to 10 mV and packs of 0.01 to
0.5 V; rectifiers and test loads that hold a current to the last digit, loads that wander, charges that taper, floats
and rests of many hours, in the cold and in the warm. The set is one of `battery_worlds`.

`harder` draws what broke earlier rules: pack voltages with noise of up to 0.1 V and steps of up to 0.5 V, cells that
are absent or coarse, outliers, readings that are lost, loads that swing and are then held at a current within their
swings, and charges that follow at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from schemas.arrival import Arrival
from schemas.readings import BatteryReading
from tests.support.worlds import battery_worlds

if TYPE_CHECKING:
    from tests.support.worlds.battery_worlds import Array

CHUNK_H = 1 / 12


class Sensors(NamedTuple):
    """How a BMS shows its set."""

    step_a: float
    noise_a: float
    dead_band_a: float
    """What is less is shown as 0."""
    is_quiet_held: bool
    """A held current shows no noise: the shunt's is filtered away."""
    pack_step_v: float
    cell_step_v: float
    noise_v: float
    """Of a cell."""
    is_quiet_at_rest: bool
    """Nothing ripples where no charger is connected."""


@dataclass
class HealthySet(battery_worlds.World):
    """A set without any fault, and a story of some days."""

    is_held: bool = False
    sensors: Sensors = field(init=False)

    def __post_init__(self) -> None:
        """Draw what is not given."""
        super().__post_init__()
        rng = self.rng
        self.sensors = Sensors(
            rng.choice((0.01, 0.01, 0.1, 0.1, 0.5, 1.0)),
            rng.choice((0.0, 0.02, 0.05, 0.1, 0.3)),
            rng.choice((0.0, 0.0, 0.3, 0.5, 1.0)),
            rng.random() < 0.5,
            rng.choice((0.01, 0.01, 0.1, 0.1, 0.5)),
            rng.choice((0.001, 0.001, 0.005, 0.01)),
            rng.choice((0.0, 0.0005, 0.001, 0.002)),
            rng.random() < 0.5,
        )
        self.celsius = rng.choice((-15.0, -5.0, 5.0, 15.0, 25.0, 35.0))
        self.factor = math.exp(20_000 / 8.314 * (1 / (self.celsius + 273.15) - 1 / 298.15))
        self.offset_a *= rng.choice((0.0, 1.0, 1.0))
        self.charge, self.side = self.capacity.copy(), 1.0

    def _say(self, amps: float, volts: Array) -> None:
        rng, how = self.rng, self.sensors
        noise_a = 0.0 if how.is_quiet_held and (self.is_held or amps == 0.0) else how.noise_a
        shown = self.scale * amps + self.offset_a + rng.gauss(0.0, noise_a)
        shown = 0.0 if abs(shown) < how.dead_band_a else shown
        is_resting = amps == 0.0 and float(volts.max()) < self.curve.float_v - 0.001
        noise_v = 0.0 if how.is_quiet_at_rest and is_resting else how.noise_v
        cells: list[float | None] = [_to(float(v) + rng.gauss(0.0, noise_v), how.cell_step_v, 3) for v in volts]
        reading = BatteryReading.model_construct(
            ts=battery_worlds.T0 + round(self.next_s * 1000),
            pack_voltage_v=_to(float(volts.sum()) + 4 * rng.gauss(0.0, noise_v), how.pack_step_v, 2),
            current_a=_to(shown, how.step_a, 2),
            cell_voltage_v=cells,
            temperature_c=[self.celsius, self.celsius + 0.5],
        )
        self.readings.append(Arrival("w", 0, reading))

    def float_on(self, hours: float) -> None:
        """Full, at the rectifier."""
        self.charge, self.side = self.capacity.copy(), 1.0
        self.run(hours, 0.0)

    def carry(self, hours: float, *, wanders: float = 0.0, is_held: bool = False) -> None:
        """Give a load: an outage's, that wanders by a share every five minutes, or a test's, that is held."""
        load_a = self.nominal * self.rng.uniform(0.05, 0.3)
        self.is_held, now_a = is_held, load_a
        for _ in range(max(1, round(hours / CHUNK_H))):
            before = len(self.readings)
            self.run(CHUNK_H, -now_a, until_cell_v=self.curve.cutoff_v)
            now_a = load_a * (1.0 + wanders * self.rng.uniform(-1.0, 1.0))
            if len(self.readings) == before and self.cells_v(-now_a).min() <= self.curve.cutoff_v:
                break
        self.is_held = False

    def recharge(self, *, is_held: bool) -> None:
        """At a rectifier's limit, then by a taper, until full."""
        limit_a = self.nominal * self.rng.uniform(0.05, 0.2)
        end_ah = limit_a * self.rng.uniform(0.05, 0.5)
        left_ah = float((self.capacity - self.charge).max())
        self.is_held = is_held
        self.run(max(0.0, left_ah - end_ah) / limit_a, limit_a)
        self.is_held = False
        amps = limit_a
        while amps > 0.01 * self.nominal:
            self.run(CHUNK_H / 5, amps)
            amps *= math.exp(-CHUNK_H / 5 * limit_a / end_ah)

    def swing_then_hold(self, hours: float, share: float) -> None:
        """Give a load that swings from reading to reading, by a share, and then one that is held among its swings."""
        load_a, period_h = self.nominal * self.rng.uniform(0.05, 0.15), self.device.period_s / 3600
        for _ in range(max(20, round(hours / period_h))):
            self.run(period_h, -load_a * (1.0 + share * self.rng.uniform(-1.0, 1.0)), until_cell_v=self.curve.cutoff_v)
        self.is_held = True
        self.run(hours, -load_a * (1.0 + share * self.rng.uniform(-0.5, 0.5)), until_cell_v=self.curve.cutoff_v)
        self.is_held = False

    def live_harder(self) -> None:
        """Draw a story of loads that swing, hold and go over into a charge."""
        rng = self.rng
        self.float_on(rng.uniform(1.0, 6.0))
        for _ in range(rng.choice((1, 2))):
            self.swing_then_hold(rng.choice((0.5, 1.0, 2.0)), rng.choice((0.05, 0.1, 0.2, 0.4)))
            self.recharge(is_held=rng.random() < 0.7)
            self.float_on(rng.choice((1.0, 5.0)))

    def disturb(self) -> None:
        """Make the BMS and its way worse than they were: noise and steps of the pack, outliers, lost readings."""
        rng = self.rng
        noise_v, step_v, cells_step_v = (
            rng.choice((0.03, 0.1)),
            rng.choice((0.1, 0.1, 0.5)),
            rng.choice((0.0, 0.001, 0.01)),
        )
        odd_share, lost_share = rng.choice((0.0, 0.005)), rng.choice((0.0, 0.001, 0.01))
        kept, odd_v, left = [], 0.0, 0
        for arrival in self.readings:
            if rng.random() < lost_share:
                continue
            if not left and rng.random() < odd_share:
                odd_v, left = rng.choice((-1.0, 1.0)) * rng.uniform(0.01, 0.05), rng.choice((1, 2))
            left, off_v = max(0, left - 1), odd_v if left else 0.0
            shown = arrival.reading
            assert isinstance(shown, BatteryReading)
            pack_v, cells = shown.pack_voltage_v or 0.0, shown.cell_voltage_v or []
            pack_v = _to(pack_v + len(cells) * off_v + rng.gauss(0.0, noise_v), step_v, 2)
            coarse = [None if v is None else _to(v + off_v, cells_step_v, 3) for v in cells] if cells_step_v else None
            kept.append(Arrival("w", 0, shown.model_copy(update={"pack_voltage_v": pack_v, "cell_voltage_v": coarse})))
        self.readings = kept

    def live(self) -> None:
        """Draw a story."""
        rng = self.rng
        self.float_on(rng.uniform(1.0, 6.0))
        for _ in range(rng.choice((1, 2, 3))):
            what = rng.choice(("outage", "outage", "wandering", "test", "opened"))
            hours = rng.choice((0.3, 1.0, 3.0))
            self.carry(hours, wanders=rng.choice((0.02, 0.1)) if what == "wandering" else 0.0, is_held=what == "test")
            if what == "opened":
                self.run(rng.choice((0.5, 4.0, 20.0)), 0.0)
            self.recharge(is_held=rng.random() < 0.6)
            self.float_on(rng.choice((1.0, 5.0, 20.0)))


def _to(value: float, step: float, digits: int) -> float:
    return round(round(value / step) * step, digits) + 0.0


def healthy(seed: int) -> HealthySet:
    """Draw a set with its story."""
    world = HealthySet(seed, ("lfp_a", "lfp_b", "lfp_c")[seed % 3], period_s=(30.0, 60.0, 60.0, 120.0, 300.0)[seed % 5])
    world.live()
    return world


def harder(seed: int) -> HealthySet:
    """Draw a set whose load swings and is then held, of every other one with a BMS that is worse."""
    world = HealthySet(seed, ("lfp_a", "lfp_b", "lfp_c")[seed % 3], period_s=(30.0, 60.0, 60.0, 120.0, 300.0)[seed % 5])
    world.live_harder()
    if seed % 2:
        world.disturb()
    return world
