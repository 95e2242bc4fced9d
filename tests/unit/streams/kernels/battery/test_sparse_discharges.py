"""Capacity from discharges sampled sparsely, unevenly, with holes and noise, of cells with other cut-offs and loads."""

from __future__ import annotations

import math
import random
import statistics
from typing import TYPE_CHECKING, NamedTuple

import pytest

from schemas.arrival import Arrival
from schemas.metrics.battery_health import BatteryCapacity, CapacityMethod, CapacityReason
from schemas.metrics.common import Quality
from schemas.readings import BatteryReading
from schemas.registry import BatterySet
from streams.kernels.battery.fusion import Z_90
from streams.kernels.battery.reference import health_reference
from streams.kernels.battery.tracking.health import SetHealth
from streams.kernels.battery.tracking.loading import time_to_fall
from tests.support.worlds.sets import NASA_SET, T0, Rig, lfp_set, nasa_discharges

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.registry import Device

KERNEL = SetHealth(health_reference())
Samples = list[tuple[float, float, float, float]]
LEAD_S = 1200.0
HOUR_S = 3600.0


class Bench(NamedTuple):
    """How a laboratory cell's discharges reach the kernel."""

    cutoff_v: float = 2.7
    every_s: float = 60.0
    missing: float = 0.0
    period_s: int = 60
    change: Callable[[Samples], Samples] = list
    """What the cell does otherwise."""
    sensed: Callable[[Samples], Samples] = list
    """What its sensors make of that."""

    @property
    def device(self) -> Device:
        """The cell as registered."""
        battery = BatterySet(cell_count=1, nominal_ah=2.0, nominal_v=3.7, cutoff_cell_v=self.cutoff_v)
        return NASA_SET.model_copy(update={"period_s": self.period_s, "battery": battery})

    def truth_ah(self, samples: Samples) -> float:
        """Trapezoid from load-on to the first loaded sample at or below the cut-off."""
        drawn, before = 0.0, samples[0]
        for sample in samples:
            drawn -= (sample[2] + before[2]) / 2 * (sample[0] - before[0]) / HOUR_S
            before = sample
            if sample[1] <= self.cutoff_v and sample[2] < -0.1:
                return drawn
        raise AssertionError

    def run(self, *, seed: int = 5, step: int) -> tuple[list[BatteryCapacity | None], list[float]]:
        """Every `step`-th discharge of B0005, at a random phase of sampling: what is published of it, and the truth."""
        chance, arrivals, starts, truths, start = random.Random(seed), [], [], [], T0
        for discharge in nasa_discharges()[::step]:
            samples = self.change(discharge.samples)
            truths.append(self.truth_ah(samples))
            idle = [(-20.0 * count, samples[0][1], 0.0, samples[0][3]) for count in range(60, 0, -1)]
            phase, slot = chance.uniform(0, self.every_s), -math.inf
            for second, volts, amps, celsius in self.sensed([*idle, *samples]):
                if self.every_s and (second - phase) // self.every_s == slot:
                    continue
                slot = (second - phase) // self.every_s if self.every_s else slot
                if chance.random() >= self.missing:
                    reading = BatteryReading.model_construct(
                        ts=start + round((second + LEAD_S) * 1000),
                        pack_voltage_v=volts,
                        current_a=amps,
                        temperature_c=[celsius],
                    )
                    arrivals.append(Arrival(NASA_SET.device_id, 0, reading))
            starts.append(start)
            start += round((samples[-1][0] + LEAD_S + HOUR_S) * 1000)
        rows = KERNEL.fold(None, self.device, arrivals)[1]
        last = {row.ts: row for row in rows if isinstance(row, BatteryCapacity)}
        published = [row for row in last.values() if row.capacity_ah is not None]
        found = [next((row for row in published if 0 <= row.ts - each < 2 * HOUR_S * 1000), None) for each in starts]
        return found, truths


def lowered(to_v: float) -> Callable[[Samples], Samples]:
    """A cell whose voltage falls to `to_v` where this one's falls to 2.7 V."""
    return lambda samples: [(t, 4.2 - (4.2 - v) * (4.2 - to_v) / 1.5, a, c) for t, v, a, c in samples]


def pulsed(samples: Samples) -> Samples:
    """A pause of 40 s behind every 40 s of load, in which the voltage recovers by 0.2 V."""
    given: Samples = []
    later = last = 0.0
    for second, volts, amps, celsius in samples:
        given.append((second + later, volts, amps, celsius))
        if amps < -1 and second - last > 40 and volts > 2.9:
            last = second
            given += [(second + later + after, volts + 0.2, 0.0, celsius) for after in (3.0, 37.0)]
            later += 40.0
            given.append((second + later, volts, amps, celsius))
    return given


def noisy(samples: Samples) -> Samples:
    """10 mV and 1 % of 1 C of noise on every sample."""
    chance = random.Random(8)
    return [(t, v + chance.gauss(0, 0.01), a + chance.gauss(0, 0.02), c) for t, v, a, c in samples]


@pytest.mark.parametrize(
    ("bench", "bound", "share"),
    [
        pytest.param(Bench(cutoff_v=3.2), 0.8, 1.0, id="stops at 3.2 V, 60 s"),
        pytest.param(Bench(cutoff_v=2.5, change=lowered(2.5)), 0.8, 1.0, id="down to 2.5 V, 60 s"),
        pytest.param(Bench(cutoff_v=2.2, change=lowered(2.2), every_s=0.0), 0.1, 1.0, id="down to 2.2 V, full rate"),
        pytest.param(Bench(missing=0.05), 0.8, 0.97, id="60 s, 5 % missing"),
        pytest.param(Bench(missing=0.10), 0.8, 0.95, id="60 s, 10 % missing"),
        pytest.param(Bench(every_s=30.0, period_s=30, missing=0.10), 0.5, 0.97, id="30 s, 10 % missing"),
        pytest.param(Bench(every_s=10.0, period_s=10, missing=0.05), 0.2, 0.97, id="10 s, 5 % missing"),
        pytest.param(Bench(period_s=20), 0.8, 1.0, id="60 s where 20 s are registered"),
        pytest.param(Bench(every_s=0.0, change=pulsed), 0.1, 1.0, id="pulsed load"),
        pytest.param(Bench(every_s=0.0, sensed=noisy), 0.2, 0.97, id="noise"),
    ],
)
def test_capacity_holds_for_other_cells_and_other_sampling(bench: Bench, bound: float, share: float) -> None:
    """MAE in points of SoH, the share that is published, and intervals that hold the truth."""
    found, truths = bench.run(step=4 if bench.every_s >= 30 else 12)
    published = [(row, truth) for row, truth in zip(found, truths, strict=True) if row is not None]
    assert len(published) >= share * len(truths)
    assert {row.method for row, _ in published} == {CapacityMethod.FULL}
    errors = [abs((row.capacity_ah or 0.0) - truth) for row, truth in published]
    assert statistics.fmean(errors) / 2.0 * 100 <= bound
    within = [error <= Z_90 * (row.sigma_ah or 0.0) for error, (row, _) in zip(errors, published, strict=True)]
    assert statistics.fmean(within) >= 0.85


def lfp_row(rig: Rig) -> BatteryCapacity:
    """The last word on a rig's one discharge."""
    rows = KERNEL.fold(None, rig.device, rig.readings)[1]
    (row,) = {row.ts: row for row in rows if isinstance(row, BatteryCapacity)}.values()
    return row


def on_float() -> Rig:
    """A set of 85 Ah that has been on float for three hours."""
    rig = Rig(lfp_set(), soh=0.85)
    rig.say(0.0)
    rig.run(3)
    return rig


def test_missing_samples_within_a_steady_discharge_are_bridged_and_their_doubt_is_stated() -> None:
    """Five silent minutes between the same current: the capacity stands, as an estimate, with a wider σ."""
    rows = []
    for silent_h in (0.0, 5 / 60):
        rig = on_float()
        rig.run(0.5, -40.0)
        rig.silence(silent_h, -40.0)
        rig.run(6, -40.0, until_cell_v=2.8)
        rig.run(0.5)
        rows.append(lfp_row(rig))
    whole, bridged = rows
    assert bridged.capacity_ah == pytest.approx(85.0, rel=0.01)
    assert (whole.quality, bridged.quality) == (Quality.GOOD, Quality.ESTIMATED)
    assert whole.sigma_ah is not None
    assert bridged.sigma_ah is not None
    assert bridged.sigma_ah > whole.sigma_ah
    assert bridged.at_least_ah < whole.at_least_ah - 3.0


def test_a_gap_behind_which_the_voltage_has_recovered_is_not_bridged() -> None:
    """The load paused or the set was charged meanwhile: nobody knows for how long."""
    rig = on_float()
    rig.run(1.6, -40.0)
    rig.silence(5 / 60, 60.0)
    rig.cells_off_v = dict.fromkeys(range(16), 0.02)
    rig.run(6, -40.0, until_cell_v=2.8)
    rig.run(0.5)
    assert lfp_row(rig).reason is CapacityReason.CURRENT_GAP


def test_a_load_that_came_on_within_a_short_silence_is_known_to_half_of_it() -> None:
    """Trapezoid over the silence, and the σ of a moment that may lie anywhere in it; after 15 min it is not known."""
    rig = on_float()
    rig.silence(2 / 60)
    rig.silence(2 / 60, -40.0)
    rig.run(6, -40.0, until_cell_v=2.8)
    rig.run(0.5)
    row = lfp_row(rig)
    assert row.capacity_ah == pytest.approx(85.0, rel=0.012)
    assert row.sigma_ah is not None
    assert row.sigma_ah > 40.0 * 4 / 60 / math.sqrt(12)
    rig = on_float()
    rig.silence(15.5 / 60)
    rig.run(6, -40.0, until_cell_v=2.8)
    rig.run(0.5)
    assert lfp_row(rig).reason is CapacityReason.START_UNKNOWN


def test_what_a_sensor_shows_of_no_load_is_no_load() -> None:
    """A current of 1 % of C behind a load that went off is the sensor's: the discharge is over and rests."""
    rig = on_float()
    rig.run(2.9, -25.0)
    rig.offset_a = -1.2
    rig.run(0.5)
    assert lfp_row(rig).method is CapacityMethod.OCV


def test_a_fall_that_accelerates_is_followed_by_a_parabola() -> None:
    """1 V at 0.1 V/s and 0.05 V/s more each second: 0.1·t + 0.025·t² = 1; never where nothing falls."""
    seconds = time_to_fall(1.0, 0.1, 0.05)
    assert 0.1 * seconds + 0.025 * seconds**2 == pytest.approx(1.0)
    assert time_to_fall(1.0, 0.1, 0.0) == pytest.approx(10.0)
    assert time_to_fall(1.0, 0.0, 0.0) == math.inf
    assert time_to_fall(-0.1, 0.1, 0.05) == 0.0
