"""What the BMS of a set and the FSU of a site say of them: arrays at the wire's resolution, and messages of those."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulators.fleet.battery import CELLS_MAX
from simulators.fleet.battery_faults import SENSORS
from simulators.wire.message import DeviceMessage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from simulators.fleet.battery import Array, Batteries, Index
    from simulators.fleet.battery_faults import BatteryFaults

VOLT_OFFSET_V, VOLT_NOISE_V = 0.001, 0.0005
CURRENT_GAIN = 0.01
"""Of each set's current sensor: ±1 %. Source: docs/simulators.md, "Parameters and their sources"."""
CURRENT_OFFSET_A = 0.0025 * 100.0
"""0.25 % of a 100 A shunt."""
CURRENT_NOISE_A = 0.02
TEMPERATURE_OFFSET_C, TEMPERATURE_NOISE_C = 1.0, 0.05
BMS_SOC_GAIN_SD = 0.05
BMS_SOH_STUCK_SHARE = 0.25
"""Share of sets whose BMS says SoH 99 % for ever. (unsourced)"""
BMS_SOH_SD = 0.04
ABSENT_CHANNEL_SHARE = 0.7
"""Share of 15-cell sets whose BMS sends a sixteenth channel of 0.000 V. (unsourced)"""
LOW_CELL_V, HOT_C, LOW_SOC_PCT = 2.9, 55.0, 20.0
MODES = ("float", "charge", "discharge", "protect")


class SetsShown(NamedTuple):
    """Readings of k sets; `number` says which, ascending."""

    number: Index
    ts: Index
    seq: Index
    pack_v: Array
    current_a: Array
    soc_pct: Array
    soh_pct: Array
    cell_v: Array
    """(k, 16); 0 where absent."""
    channels: Index
    """How many of the sixteen are sent."""
    temperature_c: Array
    """(k, 4)."""
    ambient_c: Array
    remaining_ah: Array
    full_ah: Array
    cycles: Index
    alarm: Index
    mode: Index
    """Place in `MODES`."""


class SitesShown(NamedTuple):
    """Readings of k sites; `number` says which, ascending."""

    number: Index
    ts: Index
    seq: Index
    phase_v: Array
    """(k, 3)."""
    mains: NDArray[np.bool_]
    dc_v: Array
    alive: NDArray[np.bool_]
    """Whether the busbar has a voltage: without mains and battery none is known."""
    load_a: Array
    smoke: NDArray[np.bool_]
    door: NDArray[np.bool_]


class Bms:
    """The sensors of every set, with offsets of their own, and what each BMS believes of its set."""

    def __init__(self, rng: np.random.Generator, batteries: Batteries) -> None:
        sets = len(batteries.nominal_ah)
        self._batteries, self._rng = batteries, rng
        self._volt_offset = VOLT_OFFSET_V * np.clip(rng.standard_normal((sets, CELLS_MAX)), -2, 2)
        self._current_offset = rng.uniform(-CURRENT_OFFSET_A, CURRENT_OFFSET_A, sets)
        # Of a stream of its own: sensors of a seed stay what they were before they had a gain.
        self._current_gain = 1 + rng.spawn(1)[0].uniform(-CURRENT_GAIN, CURRENT_GAIN, sets)
        self._temperature_offset = rng.uniform(-TEMPERATURE_OFFSET_C, TEMPERATURE_OFFSET_C, (sets, SENSORS))
        self._ambient_offset = rng.uniform(-TEMPERATURE_OFFSET_C, TEMPERATURE_OFFSET_C, sets)
        self._full_soc = batteries.soc(np.arange(sets))
        self._soc_gain = np.maximum(1 + BMS_SOC_GAIN_SD * rng.standard_normal(sets), 0.8)
        believed = np.clip(batteries.soh + BMS_SOH_SD * rng.standard_normal(sets), 0.5, 1.0)
        stuck = rng.random(sets) < BMS_SOH_STUCK_SHARE
        self._soh_pct = np.where(stuck, 99.0, np.rint(believed * 100))
        self._full_ah = np.round(batteries.nominal_ah * self._soh_pct / 100, 2)
        self.cycles: Index = rng.integers(200, 2_000, sets)
        """Full cycles of each set before the run."""
        silent = rng.random(sets) < ABSENT_CHANNEL_SHARE
        self.channels: Index = np.where(silent, CELLS_MAX, batteries.cell_count)

    def shown(
        self, index: Index, when: tuple[Index, Index], volts: Array, ambient_c: Array, faults: BatteryFaults
    ) -> SetsShown:
        """What the BMSs of the sets at `index` show, given true cell voltages (k, 16); `when`: ts and seq."""
        rng, batteries, count = self._rng, self._batteries, len(index)
        ts, seq = when
        true_temperature = np.repeat(batteries.temperature_c[index][:, None], SENSORS, axis=1)
        faults.bend(index, ts, volts, true_temperature)
        noise = self._volt_offset[index] + VOLT_NOISE_V * rng.standard_normal((count, CELLS_MAX))
        cells = np.where(batteries.cells[index], np.round(volts + noise, 3), 0.0)
        pack = np.round(volts.sum(axis=1) + 0.01 * rng.standard_normal(count), 2)
        true_current = batteries.current_a[index]
        shunt_error = self._current_offset[index] + CURRENT_NOISE_A * rng.standard_normal(count)
        current = np.round(self._current_gain[index] * true_current + shunt_error, 2)
        drawn = 1 - batteries.soc(index) / self._full_soc[index]
        soc = np.round(100 * np.clip(1 - drawn * self._soc_gain[index], 0.0, 1.0), 1)
        temperature = true_temperature + self._temperature_offset[index]
        temperature = np.round(temperature + TEMPERATURE_NOISE_C * rng.standard_normal((count, SENSORS)), 1)
        faults.hold(
            index, {"cell_voltage_v": cells, "current_a": current, "soc_pct": soc, "temperature_c": temperature}
        )
        full = self._full_ah[index]
        lowest = np.where(batteries.cells[index], cells, np.inf).min(axis=1)
        alarm = (lowest < LOW_CELL_V) + 2 * (temperature.max(axis=1) > HOT_C) + 4 * (soc < LOW_SOC_PCT)
        busy = np.abs(true_current) > 0.01 * batteries.nominal_ah[index]
        mode = np.where(busy, np.where(true_current > 0, 1, 2), 0)
        full_cycles = batteries.throughput_ah[index] / (2 * batteries.nominal_ah[index])
        return SetsShown(
            number=index,
            ts=ts,
            seq=seq,
            pack_v=pack,
            current_a=current,
            soc_pct=soc,
            soh_pct=self._soh_pct[index],
            cell_v=cells,
            channels=self.channels[index],
            temperature_c=temperature,
            ambient_c=np.round(ambient_c + self._ambient_offset[index], 1),
            remaining_ah=np.round(full * soc / 100, 2),
            full_ah=full,
            cycles=self.cycles[index] + full_cycles.astype(np.int64),
            alarm=alarm,
            mode=np.where(batteries.open[index], 3, mode),
        )


def set_messages(shown: SetsShown, topics: Sequence[str], ids: Sequence[str]) -> Iterator[DeviceMessage]:
    """A message of each set; `topics` and `ids` by its number."""
    columns: tuple[list[Any], ...] = tuple(column.tolist() for column in shown)
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
            "mode": MODES[state],
        }
        yield DeviceMessage(topics[i], ids[i], [reading])


def power_messages(shown: SitesShown, topics: Sequence[str], ids: Sequence[str]) -> Iterator[DeviceMessage]:
    """A message of each site's FSU; `topics` and `ids` by its number."""
    columns: tuple[list[Any], ...] = tuple(column.tolist() for column in shown)
    for i, at, n, volts, on, dc, known, amps, smoke, door in zip(*columns, strict=True):
        reading: dict[str, Any] = {"ts": at, "seq": n, "mains_voltage_v": volts, "mains_failed": not on}
        if known:
            reading["dc_voltage_v"] = dc
        reading |= {"dc_load_current_a": amps, "smoke": smoke, "water": False, "door": door}
        yield DeviceMessage(topics[i], ids[i], [reading])
