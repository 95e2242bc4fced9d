"""A set in float, and one that is about to run away."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

from schemas.arrival import Arrival
from schemas.readings import BatteryReading, Kind
from schemas.registry import BatterySet, Device

if TYPE_CHECKING:
    from collections.abc import Callable


SET = Device(
    device_id="b-1", site_id="bs-1", kind=Kind.BATTERY, period_s=60, battery=BatterySet(cell_count=16, nominal_ah=100)
)

T0 = 1_780_243_200_000

DAY = 1_440

RUNAWAY = 2 * DAY + 900

PRECURSOR_MINUTES = 60

Change = dict[str, Any]


def floating(
    minutes: int, change: Callable[[int], Change] = lambda _: {}, step: int = 1, seed: int = 3
) -> list[Arrival]:
    """A set in float, a reading every `step` minutes; `change` lays other values over the reading of a minute."""
    rng = random.Random(seed)
    usual = [3.39 + rng.gauss(0, 0.006) for _ in range(16)]
    arrivals = []
    for minute in range(0, minutes, step):
        ambient = 15 + 8 * math.sin(minute / DAY * 2 * math.pi)
        values: Change = {
            "current_a": 0.1,
            "cell_voltage_v": [round(volts + rng.gauss(0, 0.001), 3) for volts in usual],
            "temperature_c": [round(16 + 3 * math.sin(minute / DAY * 2 * math.pi - 1) + rng.gauss(0, 0.1), 1)] * 4,
            "ambient_c": round(ambient, 1),
        }
        for name, value in change(minute).items():
            values[name] = value(values[name]) if callable(value) else value
        arrivals.append(Arrival("b-1", 0, BatteryReading(ts=T0 + minute * 60_000, **values)))
    return arrivals


def sick(minute: int) -> Change:
    """A cell sags by 0.3 V and its sensor warms by 45 °C, both exponentially, until it runs away."""
    left = (RUNAWAY - minute) / PRECURSOR_MINUTES
    if not 0 <= left <= 1:
        return {}
    grown = math.exp(-3 * left)
    return {
        "cell_voltage_v": lambda cells: [cells[0], max(2.0, cells[1] - 0.3 * grown), *cells[2:]],
        "temperature_c": lambda sensors: [sensors[0] + 45 * grown, *[each + 13 * grown for each in sensors[1:]]],
    }
