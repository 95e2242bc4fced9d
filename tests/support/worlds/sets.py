"""A battery set for tests of health: an LFP cell model as simple as can be, whose truth is known."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from schemas.arrival import Arrival
from schemas.readings import BatteryReading, Kind
from schemas.registry import BatterySet, Device
from streams.kernels.battery.limits import interpolate
from streams.kernels.battery.reference import health_reference

T0 = 1_780_000_200_000 - 1_780_000_200_000 % 3_600_000
HOUR_S = 3600
CURVE = health_reference().chemistries["lfp"]
NASA = Path(__file__).parents[4] / "shared" / "data" / "nasa_b0005"


def lfp_set(device_id: str = "b", *, nominal_ah: float = 100, cells: int = 16) -> Device:
    """Register a set with a current sensor of class 1."""
    battery = BatterySet(cell_count=cells, nominal_ah=nominal_ah, nominal_v=3.2 * cells)
    return Device(device_id=device_id, site_id="s", kind=Kind.BATTERY, accuracy=0.01, battery=battery)


class Rig:
    """One set on a test bench: `run` it, and `readings` is what its BMS would have said."""

    def __init__(self, device: Device, *, soh: float = 0.85, ohm_ah: float = 0.112, celsius: float = 25.0) -> None:
        assert device.battery is not None
        self.device, self.battery = device, device.battery
        self.capacity_ah = soh * self.battery.nominal_ah
        self.ohm = ohm_ah / self.battery.nominal_ah
        self.soc, self.second, self.celsius = 1.0, 0.0, celsius
        self.offset_a, self.sign = 0.0, 1
        self.shown_a: float | None = None
        """What the current sensor shows if it is stuck."""
        self.cold_kept = 0.0
        """Share of the capacity that cold keeps inside while a load is on."""
        self.bms_soc_pct: float | None = None
        self.bms_soh_pct = 88.0
        self.cells_off_v: dict[int, float] = {}
        self.absent: set[int] = set()
        self.channels = self.battery.cell_count
        self.readings: list[Arrival] = []

    def _cell_v(self, amps: float) -> float:
        if self.soc >= 0.999 and amps >= -0.01:
            return 3.395  # held by the rectifier
        shown = max(0.0, self.soc - self.cold_kept) / (1 - self.cold_kept) if amps < -0.01 else self.soc
        return interpolate(self._percent(shown), CURVE.ocv_percent, CURVE.ocv_v) + amps * self.ohm

    def _percent(self, soc: float) -> float:
        """Place on the curve: the foot by charge above empty, as cells have it; the top by the cell's own share."""
        foot, soh = CURVE.blind_from_percent, self.capacity_ah / self.battery.nominal_ah
        stretch = soh / CURVE.foot_soh
        if 100 * soc * stretch <= foot:
            return 100 * soc * stretch
        own = foot / stretch
        return foot + (100 * soc - own) / (100 - own) * (100 - foot)

    def say(self, amps: float) -> None:
        """Give out one reading at this moment."""
        volts = [self._cell_v(amps) + self.cells_off_v.get(cell, 0.0) for cell in range(self.battery.cell_count)]
        cells: list[float | None] = [None if cell in self.absent else round(v, 3) for cell, v in enumerate(volts)]
        reading = BatteryReading.model_construct(
            ts=T0 + round(self.second * 1000),
            pack_voltage_v=round(sum(volts), 2),
            current_a=round(self.sign * amps + self.offset_a, 2) if self.shown_a is None else self.shown_a,
            cell_voltage_v=cells + [None] * (self.channels - len(cells)),
            temperature_c=[self.celsius - 0.5, self.celsius + 0.5],
            ambient_c=self.celsius,
            soc_pct=self.bms_soc_pct if self.bms_soc_pct is not None else round(100 * self.soc, 1),
            soh_bms_pct=self.bms_soh_pct,
        )
        self.readings.append(Arrival(self.device.device_id, 0, reading))

    def run(self, hours: float, amps: float = 0.0, *, period_s: float = 60.0, until_cell_v: float = 0.0) -> bool:
        """Let a current (charge positive) flow; ends early, and true, once the loaded cell is at `until_cell_v`."""
        for _ in range(round(hours * HOUR_S / period_s)):
            self.second += period_s
            moved = amps * period_s / HOUR_S / self.capacity_ah
            self.soc = min(1.0, self.soc + moved)
            if self._cell_v(amps) <= until_cell_v:
                self.say(0.0)
                return True
            self.say(amps)
        return False

    def silence(self, hours: float, amps: float = 0.0) -> None:
        """Let a current flow while nothing is heard."""
        self.second += hours * HOUR_S
        self.soc = min(1.0, self.soc + amps * hours / self.capacity_ah)


class NasaDischarge(NamedTuple):
    """One discharge of the NASA cell B0005: (s, V, A, °C) samples, and the capacity label of the data set."""

    cycle: int
    samples: list[tuple[float, float, float, float]]
    capacity_ah: float


@cache
def nasa_discharges() -> list[NasaDischarge]:
    """All 168 of them; skips the test where the data is not on this machine."""
    if not NASA.is_dir():
        pytest.skip(f"no NASA data at {NASA}: it is not part of the project")
    samples: dict[int, list[tuple[float, float, float, float]]] = defaultdict(list)
    with gzip.open(NASA / "B0005_discharge_stream.csv.gz", "rt") as stream:
        for row in csv.DictReader(stream):
            sample = (float(row["t_s"]), float(row["voltage_v"]), float(row["current_a"]), float(row["temp_c"]))
            samples[int(row["cycle"])].append(sample)
    with (NASA / "reference_soh.csv").open() as labels:
        return [
            NasaDischarge(int(row["cycle"]), samples[int(row["cycle"])], float(row["capacity_label_ah"]))
            for row in csv.DictReader(labels)
        ]


NASA_SET = Device(
    device_id="B0005",
    site_id="lab",
    kind=Kind.BATTERY,
    period_s=60,
    battery=BatterySet(cell_count=1, nominal_ah=2.0, nominal_v=3.7, cutoff_cell_v=2.7),
)
"""How a one-cell set is registered."""


def nasa_readings(
    discharges: list[NasaDischarge], *, every_s: float = 0.0, phase_s: float = 0.0, pause_s: float = 3600.0
) -> list[Arrival]:
    """Discharges one after another, an hour apart, thinned to the first sample of every `every_s`.

    `phase_s`: how far into such a span a discharge begins.
    """
    arrivals: list[Arrival] = []
    start = T0
    for discharge in discharges:
        slot = -1.0
        for second, volts, amps, celsius in discharge.samples:
            if every_s and (second + phase_s) // every_s == slot:
                continue
            slot = (second + phase_s) // every_s if every_s else slot
            reading = BatteryReading.model_construct(
                ts=start + round(second * 1000), pack_voltage_v=volts, current_a=amps, temperature_c=[celsius]
            )
            arrivals.append(Arrival(NASA_SET.device_id, 0, reading))
        start += round((discharge.samples[-1][0] + pause_s) * 1000)
    return arrivals
