"""Import and export that change places are held against power for as long as it contradicts them."""

from __future__ import annotations

import math
import random

from schemas.arrival import Arrival
from schemas.metrics import MeterMinute, Quality
from schemas.readings import ElectricityReading, Kind
from schemas.registry import Device
from schemas.time import DAY_MS
from streams.kernels.metering.register import RegisterMetering

KERNEL = RegisterMetering()
METER = Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY, period_s=900)
T0 = 1_780_000_000_000 - 1_780_000_000_000 % DAY_MS
SWAPPED_DAY, RIGHT_DAY, DAYS = 3.3, 6.4, 12
"""Days on which import and export change places, and change back."""


def good_from(day: float, *, right_day: float | None) -> float:
    """Share of minutes from a day on that is good, of a site with a solar roof."""
    draw, imported, exported, cloud = random.Random(1), 52_000.0, 9_000.0, 1.0
    arrivals = []
    for at_s in range(0, DAYS * 24 * 3600, 60):
        hour = at_s / 3600 % 24
        if at_s % 300 == 0:
            cloud = draw.uniform(0.2, 1.0)
        power = 150 * (1 + draw.gauss(0, 0.15)) - 300 * cloud * max(0.0, math.sin((hour - 6) / 12 * math.pi))
        if at_s % METER.period_s == 0:
            shown = round(imported, 2), round(exported, 2)
            if at_s >= SWAPPED_DAY * 24 * 3600 and (right_day is None or at_s < right_day * 24 * 3600):
                shown = shown[1], shown[0]
            reading = ElectricityReading(
                ts=T0 + at_s * 1000, energy_import_kwh=shown[0], energy_export_kwh=shown[1], power_kw=round(power, 2)
            )
            arrivals.append(Arrival("m", 0, reading))
        imported += max(0.0, power) / 60
        exported += max(0.0, -power) / 60
    _, rows = KERNEL.fold(None, METER, arrivals)
    minutes = {(row.quantity, row.ts): row for row in rows if isinstance(row, MeterMinute)}
    found = [row.quality is Quality.GOOD for row in minutes.values() if row.ts >= T0 + day * DAY_MS]
    return sum(found) / len(found)


def test_a_load_that_turns_between_two_readings_makes_swapped_registers_no_right_ones() -> None:
    """One reading of a cloudy noon that seemed to agree was believed: half the minutes of a week later were good."""
    assert good_from(SWAPPED_DAY + 0.1, right_day=None) == 0.0


def test_registers_that_change_back_are_believed_again() -> None:
    """The minutes in which a register stands are not sure while the load is noisy."""
    assert good_from(RIGHT_DAY + 1, right_day=RIGHT_DAY) > 0.4
