"""Battery sets whose cells the estimator has never seen: a judge that is not the judged.

Every set draws its own curve (LFP of three makers, LMFP, NMC), hysteresis of 0–10 mV, resistance, spread of its cells,
gain and offset of its current sensor, rhythm of its sampler and phase against the load. Truth is the charge of the
weakest cell. The curves are this module's own, drawn about published ones; none is read from the reference data.
The foot of an LFP curve is a function of charge above empty, its top of the cell's own share.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from schemas.arrival import Arrival
from schemas.metrics.battery_health import BatteryCapacity, CapacityMethod
from schemas.readings import BatteryReading, Kind
from schemas.registry import BatterySet, Device
from streams.kernels.battery.prospects.state_of_health import StateOfHealth
from streams.kernels.battery.reference import health_reference
from streams.kernels.battery.tracking.health import SetHealth

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from schemas.metrics.battery_prospects import BatterySoh

    Array = NDArray[np.float64]

T0 = 1_780_000_200_000
STEP_S = 10.0


class Curve(NamedTuple):
    """An open-circuit curve: (% of charge, V). `foot_soh`: the health at which its foot was measured; 0: own share."""

    percent: tuple[float, ...]
    volts: tuple[float, ...]
    foot_soh: float
    float_v: float
    cutoff_v: float
    cells: int
    nominal_v: float


LFP = (0.0, 1.5, 3.0, 6.0, 9.0, 12.0, 15.0, 18.0, 21.0, 24.0, 27.0, 30.0, 36.0, 42.0, 60.0, 68.0, 98.0, 99.0, 100.0)
MAKERS = {
    "lfp_a": (2.50, 2.67, 2.85, 3.186, 3.205, 3.217, 3.228, 3.238, 3.253, 3.268, 3.280, 3.290, 3.300, 3.304, 3.306,
              3.330, 3.338, 3.365, 3.44),
    "lfp_b": (2.50, 2.72, 2.90, 3.182, 3.204, 3.216, 3.226, 3.235, 3.250, 3.265, 3.278, 3.288, 3.299, 3.303, 3.306,
              3.332, 3.341, 3.368, 3.45),
    "lfp_c": (2.50, 2.65, 2.82, 3.190, 3.207, 3.219, 3.231, 3.241, 3.256, 3.271, 3.282, 3.292, 3.302, 3.305, 3.307,
              3.328, 3.336, 3.362, 3.43),
}  # fmt: skip
CURVES = {
    **{name: Curve(LFP, volts, 0.849, 3.395, 2.8, 16, 51.2) for name, volts in MAKERS.items()},
    "lmfp": Curve((0, 2, 5, 20, 35, 45, 60, 90, 98, 100), (2.5, 2.95, 3.2, 3.46, 3.52, 3.88, 3.98, 4.06, 4.12, 4.16),
                  0.0, 4.16, 2.7, 13, 50.7),
    "nmc": Curve((0, 2, 5, 10, 20, 50, 80, 95, 100), (2.6, 3.1, 3.32, 3.45, 3.55, 3.68, 3.98, 4.12, 4.17),
                 0.0, 4.17, 2.7, 14, 51.8),
}  # fmt: skip


@dataclass
class World:
    """One set and everything about it that the estimator does not know."""

    seed: int
    maker: str
    hysteresis_v: float | None = None
    """None: drawn from 0 to 10 mV."""
    gain: float | None = None
    offset_c: float | None = None
    period_s: float | None = None
    accuracy: float | None = None
    dead_channel: int | None = None
    """A cell that no channel shows; −1: the weakest."""
    soh: float | None = None
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """Draw what is not given."""
        rng = self.rng = random.Random(self.seed)
        curve = self.curve = CURVES[self.maker]
        self.nominal = rng.choice([100.0, 150.0, 200.0])
        soh = self.soh or min(0.96, max(0.74, rng.gauss(0.849, 0.049)))
        cells = np.array([soh + abs(rng.gauss(0.0, 0.02)) for _ in range(curve.cells)])
        cells[rng.randrange(curve.cells)] = soh
        self.capacity = cells * self.nominal
        self.period = self.period_s or rng.choice([30.0, 60.0, 60.0, 60.0])
        self.hysteresis = rng.uniform(0.0, 0.010) if self.hysteresis_v is None else self.hysteresis_v
        self.scale = 1.0 + (rng.uniform(-0.01, 0.01) if self.gain is None else self.gain)
        self.offset_a = self.nominal * (rng.uniform(-0.002, 0.002) if self.offset_c is None else self.offset_c)
        ohm_ah = 0.080 * max(0.7, rng.gauss(1.0, 0.086))
        self.r0 = np.array([ohm_ah * max(0.7, rng.gauss(1.0, 0.04)) for _ in cells]) / self.nominal
        self.tau_s = rng.uniform(30.0, 60.0)
        self.spread = np.array([rng.gauss(0.0, 0.35) for _ in cells])
        """Of each cell's foot around its maker's curve, % of nominal."""
        self.celsius = rng.uniform(18.0, 32.0)
        self.factor = math.exp(20_000 / 8.314 * (1 / (self.celsius + 273.15) - 1 / 298.15))
        self.charge = self.capacity.copy()
        self.relaxed_a, self.side, self.second = 0.0, 1.0, 0.0
        self.next_s = rng.uniform(0.0, self.period)
        self.gave_ah = 0.0
        self.readings: list[Arrival] = []
        battery = BatterySet(cell_count=curve.cells, nominal_ah=self.nominal, nominal_v=curve.nominal_v)
        self.device = Device(
            device_id="w", site_id="s", kind=Kind.BATTERY, period_s=self.period, battery=battery,
            accuracy=self.accuracy,
        )  # fmt: skip
        self.dead = int(np.argmin(self.capacity)) if self.dead_channel == -1 else self.dead_channel

    @property
    def true_pct(self) -> float:
        """SoH: the weakest cell's charge over nominal; of a chemistry without a curve, what it gave to the cut-off."""
        whole = float(self.capacity.min()) if self.curve.foot_soh or not self.gave_ah else self.gave_ah
        return 100 * whole / self.nominal

    def _open_v(self) -> Array:
        curve = self.curve
        own = 100 * self.charge / self.capacity
        place = own
        if curve.foot_soh:
            above = 100 * self.charge / self.nominal / curve.foot_soh + self.spread
            edge = 30.0 * curve.foot_soh * self.nominal / self.capacity
            place = np.where(own <= edge, above, 30 + (own - edge) / (100 - edge) * 70)
            place = np.where(own <= edge, place, np.maximum(place, 30 + self.spread))
        volts: Array = np.interp(place, curve.percent, curve.volts)
        # The published curve was reached by charging: a discharge leaves a cell below it.
        return volts - self.hysteresis * (1 - self.side) / 2 * (own < 97)

    def cells_v(self, amps: float) -> Array:
        """Cell voltages under a current (A, charge positive)."""
        if amps == 0.0 and self.charge.min() >= 0.999 * self.capacity.min() and self.side > 0:
            return np.full(self.curve.cells, self.curve.float_v)
        return self._open_v() + self.r0 * self.factor * (amps + 0.4 * self.relaxed_a)

    def run(self, hours: float, amps: float, *, until_cell_v: float = 0.0, until_pct: float = 0.0) -> None:
        """Let a current flow; the BMS opens at a loaded voltage, or the operator stops at a state of charge."""
        end = self.second + 3600 * hours
        while self.second < end:
            step = min(STEP_S, end - self.second)
            self.charge = np.minimum(self.capacity, self.charge + amps * step / 3600)
            self.relaxed_a = amps + (self.relaxed_a - amps) * math.exp(-step / self.tau_s)
            moved = abs(amps) * step / (3600 * 0.05 * self.nominal)
            self.side = np.sign(amps) + (self.side - np.sign(amps)) * math.exp(-moved) if amps else self.side
            self.second += step
            volts = self.cells_v(amps)
            if amps < 0 and (volts.min() <= until_cell_v or 100 * (self.charge / self.capacity).min() <= until_pct):
                return
            while self.next_s <= self.second:
                self._say(amps, volts)
                self.next_s += self.period

    def _say(self, amps: float, volts: Array) -> None:
        noisy = [round(float(v) + self.rng.gauss(0.0, 0.001), 3) for v in volts]
        cells: list[float | None] = [None if at == self.dead else v for at, v in enumerate(noisy)]
        reading = BatteryReading.model_construct(
            ts=T0 + round(self.next_s * 1000),
            pack_voltage_v=round(float(volts.sum()) + 0.03, 2),
            current_a=round(self.scale * amps + self.offset_a + self.rng.gauss(0.0, 0.05), 2),
            cell_voltage_v=cells,
            temperature_c=[self.celsius, self.celsius + 0.5],
        )
        self.readings.append(Arrival("w", 0, reading))

    def rest(self, hours: float) -> None:
        """No current flows; nobody charges."""
        self.run(hours, 0.0)

    def cycle(self, left_pct: float | None) -> None:
        """From full to the cut-off (None) or to what is left, half an hour of rest, and full again; weeks pass."""
        self.side, self.charge, self.relaxed_a = 1.0, self.capacity.copy(), 0.0
        self.run(2.0, 0.0)
        amps = -self.rng.uniform(0.15, 0.35) * self.nominal
        cutoff_v = self.curve.cutoff_v
        self.run(9.0, amps, until_cell_v=cutoff_v, until_pct=0.0 if left_pct is None else left_pct)
        self.gave_ah = float((self.capacity - self.charge).min())
        self.run(0.6, 0.0)
        self.second += self.rng.uniform(10, 40) * 86_400
        self.next_s = self.second + self.rng.uniform(0.0, self.period)

    def estimates(self) -> tuple[list[BatteryCapacity], list[BatterySoh]]:
        """What the kernels make of it."""
        rows = SetHealth(health_reference()).fold(None, self.device, self.readings)[1]
        last = {row.ts: row for row in rows if isinstance(row, BatteryCapacity)}
        capacities = [last[ts] for ts in sorted(last)]
        return capacities, list(StateOfHealth(health_reference()).history(self.device, capacities))


@dataclass
class MethodScore:
    """How good one method is. Points of SoH."""

    errors: list[float] = field(default_factory=list)
    hits: list[bool] = field(default_factory=list)
    refused: int = 0

    @property
    def mae(self) -> float:
        """Mean absolute error."""
        return float(np.mean(np.abs(self.errors)))

    @property
    def bias(self) -> float:
        """Mean error."""
        return float(np.mean(self.errors))

    @property
    def hit_rate(self) -> float:
        """Share of 90 % intervals that hold the truth."""
        return float(np.mean(self.hits))

    def __str__(self) -> str:
        """One line."""
        if not self.errors:
            return f"none, {self.refused} refused"
        return (
            f"{len(self.errors)}: MAE {self.mae:.2f}, bias {self.bias:+.2f}, hit {self.hit_rate:.0%},"
            f" {self.refused} refused"
        )


def scored(worlds: Iterable[tuple[World, list[float | None]]]) -> dict[str, MethodScore]:
    """Single discharges by method, and what is shown in the end (`fused`), of worlds and the discharges of each."""
    scores: dict[str, MethodScore] = {name: MethodScore() for name in (*CapacityMethod, "fused")}
    for world, discharges in worlds:
        for left in discharges:
            world.cycle(left)
        capacities, history = world.estimates()
        for row, left in zip(capacities, discharges, strict=False):
            if row.capacity_ah is None or row.sigma_ah is None or row.method is None:
                scores[CapacityMethod.FULL if left is None else CapacityMethod.OCV].refused += 1
                continue
            error = 100 * row.capacity_ah / world.nominal - world.true_pct
            scores[row.method].errors.append(error)
            scores[row.method].hits.append(abs(error) <= 1.6449 * 100 * row.sigma_ah / world.nominal)
        shown = history[-1] if history else None
        if shown is None or shown.soh_pct is None or shown.sigma_pct is None:
            scores["fused"].refused += 1
            continue
        error = shown.soh_pct - world.true_pct
        scores["fused"].errors.append(error)
        scores["fused"].hits.append(abs(error) <= 1.6449 * shown.sigma_pct)
    return scores
