"""A steel works' year of real electricity as a register, and the faults of real meters put into it on purpose."""

from __future__ import annotations

import csv
import gzip
import math
from pathlib import Path
from typing import NamedTuple

from schemas.metrics import MeterEvent, MeterEventKind, MeterMinute
from schemas.readings import ElectricityReading, Kind
from schemas.registry import Device
from storage.readings import Arrival
from streams.metering.register import RegisterMetering

FILE = Path(__file__).parents[3] / "shared" / "data" / "steel" / "steel_15min.csv.gz"
START_MS = 1_514_736_000_000
QUARTER_MS = 900_000
TOTAL_KWH = 959_636.7
FIELD = "energy_import_kwh"
Points = list[tuple[int, float]]
"""(reading's number, register in kWh)."""


def quarters() -> list[float]:
    """Energy of each quarter of an hour of 2018, kWh."""
    with gzip.open(FILE, "rt", encoding="utf-8") as text:
        return [float(row["kwh"]) for row in csv.DictReader(text)]


def register(kwh: list[float], base: float = 1_234_567.8) -> Points:
    """Running total with the resolution of a real meter, from a reading before the first quarter on."""
    points, total = [(0, round(base, 2))], base
    for number, energy in enumerate(kwh, 1):
        total += energy
        points.append((number, round(total, 2)))
    return points


class Outcome(NamedTuple):
    """What the kernel made of a register."""

    minutes: dict[int, MeterMinute]
    events: list[MeterEvent]

    @property
    def total(self) -> float:
        """Sum of all minutes, kWh."""
        return math.fsum(row.increment or 0.0 for row in self.minutes.values())

    def kinds(self, number: int, reach: int = 2) -> set[MeterEventKind]:
        """What befell the register around a reading."""
        moment = START_MS + number * QUARTER_MS
        return {event.kind for event in self.events if abs(event.ts - moment) <= reach * QUARTER_MS}


def meter(points: Points, *, rated: float | None = None, rollover: float | None = None) -> Outcome:
    """Put a register through the metering kernel in one pass."""
    device = Device(
        device_id="steel",
        site_id="works",
        kind=Kind.ELECTRICITY,
        period_s=900,
        rated=rated,
        rollover={} if rollover is None else {FIELD: rollover},
    )
    arrivals = [
        Arrival("steel", 0, ElectricityReading(ts=START_MS + number * QUARTER_MS, energy_import_kwh=value))
        for number, value in points
    ]
    rows = RegisterMetering().fold(None, device, arrivals)[1]
    events = {(row.ts, row.kind): row for row in rows if isinstance(row, MeterEvent)}
    return Outcome({row.ts: row for row in rows if isinstance(row, MeterMinute)}, list(events.values()))
