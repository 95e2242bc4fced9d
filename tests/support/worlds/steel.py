"""A steel works' year of real electricity as a register, and the faults of real meters put into it on purpose."""

from __future__ import annotations

import csv
import gzip
import math
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from schemas.arrival import Arrival
from schemas.metrics import MeterEvent, MeterEventKind, MeterMinute
from schemas.readings import ElectricityReading, Kind
from schemas.registry import Device
from streams.kernels.metering.register import RegisterMetering

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE = Path(__file__).parents[4] / "shared" / "data" / "steel" / "steel_15min.csv.gz"
START_TS = 1_514_736_000_000
QUARTER_MS = 900_000
TOTAL_KWH = 959_636.7
FIELD = "energy_import_kwh"
ROLLOVER_KWH = 10_000_000.0
DAY = 96
"""Quarters in a day."""
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


def faulted(points: Points) -> tuple[Points, dict[int, set[MeterEventKind]]]:
    """A year with the faults of real meters by night, by day and at midnight, and what is to be found at which reading.

    Three gaps, two freezes that catch up, four spikes, two dips, a reset, two replacements and a rollover at 10 GWh.
    """
    value = dict(points)
    gaps = {20 * DAY: 30, 61 * DAY + 50: 5, 200 * DAY + 10: 96}
    freezes = {30 * DAY + 8: 12, 100 * DAY + 40: 20}  # by night and over the morning
    spikes = {45 * DAY: 10 * value[45 * DAY], 46 * DAY + 52: value[46 * DAY + 52] + 400.0}
    spikes |= {47 * DAY + 12: value[47 * DAY + 12] + 9.0, 48 * DAY + 60: value[48 * DAY + 60] + 5e6}
    dips = {49 * DAY + 30: 0.0, 50 * DAY + 70: value[50 * DAY + 70] - 5_000.0}
    reset, lower, higher, rollover = 150 * DAY + 41, 180 * DAY + 3, 230 * DAY + 50, 300 * DAY + 47
    for start, length in freezes.items():
        points = _changed(points, dict.fromkeys(range(start, start + length), value[start - 1]))
    points = _changed(points, spikes | dips)
    points = _shifted(points, reset, -value[reset - 1])
    points = _shifted(points, lower, 4_711.3 - dict(points)[lower])
    points = _shifted(points, higher, 9_000_000.0 - dict(points)[higher])
    points = _shifted(points, rollover, -ROLLOVER_KWH)
    lead = (value[rollover] - value[rollover - 1]) / 2
    points = _shifted(points, higher, ROLLOVER_KWH - lead - dict(points)[rollover - 1])
    points = [
        (number, energy)
        for number, energy in points
        if not any(start <= number < start + length for start, length in gaps.items())
    ]
    kinds = MeterEventKind
    expected = {number: {kinds.GAP} for number in gaps} | {number: {kinds.SPIKE} for number in spikes}
    expected |= {number: {kinds.FREEZE, kinds.CATCH_UP} for number in freezes}
    expected |= {number: {kinds.NOISE_DIP} for number in dips}
    expected |= {reset: {kinds.RESET}, rollover: {kinds.ROLLOVER}}
    expected |= {lower: {kinds.REPLACEMENT}, higher: {kinds.REPLACEMENT}}
    return points, expected


def _shifted(points: Points, start: int, by: float) -> Points:
    """Add something to every reading from one on."""
    return [(number, round(value + by, 2) if number >= start else value) for number, value in points]


def _changed(points: Points, values: dict[int, float]) -> Points:
    """Replace single readings."""
    return [(number, round(values.get(number, value), 2)) for number, value in points]


class Outcome(NamedTuple):
    """What the kernel made of a register."""

    minutes: dict[int, MeterMinute]
    events: list[MeterEvent]
    period_s: int = QUARTER_MS // 1000

    @property
    def total(self) -> float:
        """Sum of all minutes, kWh."""
        return math.fsum(row.increment or 0.0 for row in self.minutes.values())

    def kinds(self, number: int, reach: int = 2) -> set[MeterEventKind]:
        """What befell the register around a reading."""
        events = [(event.ts, event.kind) for event in self.events]
        return kinds_near(number, events, reach, period_ms=1000 * self.period_s)


def kinds_near(
    number: int, events: Iterable[tuple[float, MeterEventKind]], reach: int = 2, *, period_ms: int = QUARTER_MS
) -> set[MeterEventKind]:
    """Give the kinds of those events, by their time in ms, that lie around a reading."""
    moment = START_TS + number * period_ms
    return {kind for ts, kind in events if abs(ts - moment) <= reach * period_ms}


def steel_meter(*, rated: float | None = None, rollover: float | None = None, period_s: int = 900) -> Device:
    """Register a works' meter."""
    return Device(
        device_id="steel",
        site_id="works",
        kind=Kind.ELECTRICITY,
        period_s=period_s,
        first_day=START_TS,
        rated=rated,
        rollover={} if rollover is None else {FIELD: rollover},
    )


def meter(points: Points, *, rated: float | None = None, rollover: float | None = None, period_s: int = 900) -> Outcome:
    """Put a register, read every so many seconds, through the metering kernel in one pass."""
    device = steel_meter(rated=rated, rollover=rollover, period_s=period_s)
    arrivals = [
        Arrival("steel", 0, ElectricityReading(ts=START_TS + number * period_s * 1000, energy_import_kwh=value))
        for number, value in points
    ]
    rows = RegisterMetering().fold(None, device, arrivals)[1]
    events = {(row.ts, row.kind): row for row in rows if isinstance(row, MeterEvent)}
    minutes = {row.ts: row for row in rows if isinstance(row, MeterMinute)}
    return Outcome(minutes, list(events.values()), period_s)
