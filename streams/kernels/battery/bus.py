"""The DC bus of a base station as a witness: by how much it comes down from its rectifier to its sets, told by cells.

No single reading says so, for it may be an outlier: a bus is as low, or as high, as three readings in a row have shown,
or two that lie ten minutes apart.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from schemas.registered.bus import USUAL_BUS, PowerSystem
from schemas.registered.devices import Chemistry
from streams.kernels.battery.direction import APART_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.registered.bus import Bus
    from schemas.registry import Device

HELD_CELL_V = 0.01875
"""A bus that has come down by no more is still held by its rectifier, 0.3 V of 16 cells: LFP sets at 0.05 C fall by
0.4 V in ten minutes, at usual loads by a volt at once. (unsourced)"""
AT_ONCE_CELL_V = 0.03125
"""A bus that was held, and comes down by so much from one reading to the next, was taken over then: half a volt of 16
cells. (unsourced)"""
FELL_CELL_V = 0.0625
"""A bus that has come down by this, a volt of 16 cells, is on its sets, whatever one of them says. (unsourced)"""
LEVEL_CELL_V = 0.0125
"""A bus that moves by no more lies level: 0.2 V of 16 cells. (unsourced)"""
SETTING_CELL_V = 3.33
"""An LFP cell at which a bus lies is held by a rectifier: under load hardly a full one shows as much. (unsourced)"""
COARSE_V = 0.15
"""A bus that is sent in steps of 0.1 V moves by one of them anyhow."""
BORNE_OUT = 3
"""So many readings in a row have to show a voltage, or two that lie ten minutes apart. (unsourced)"""


class BusLimits(NamedTuple):
    """What a bus of so many cells is judged by, in volts of the whole bus."""

    held_v: float
    """Come down by no more, it is held by its rectifier."""
    at_once_v: float
    """Come down by so much at once, its sets took it over."""
    fell_v: float
    """Come down by so much, it is on its sets."""
    level_v: float
    """It lies level while it moves by no more."""
    setting_v: float
    """At or above it is held by a rectifier; infinite where no voltage tells that."""


@cache
def limits_of(bus: Bus) -> BusLimits:
    """Limits of a bus, by its cells and their chemistry: only LFP has a level curve that a rectifier stands above."""
    cells = bus.cell_count
    return BusLimits(
        held_v=max(COARSE_V, cells * HELD_CELL_V),
        at_once_v=max(2 * COARSE_V, cells * AT_ONCE_CELL_V),
        fell_v=max(2 * COARSE_V, cells * FELL_CELL_V),
        level_v=max(COARSE_V, cells * LEVEL_CELL_V),
        setting_v=cells * SETTING_CELL_V if bus.chemistry is Chemistry.LFP else math.inf,
    )


def limits_at(power: Device) -> BusLimits:
    """Limits of a power system's bus."""
    return limits_of(power.bus if isinstance(power, PowerSystem) else USUAL_BUS)


class Seen(NamedTuple):
    """What one reading showed of a bus."""

    ts: int
    volts: float


class BusNow(NamedTuple):
    """What the last readings of a bus, taken together, say of it."""

    since_ts: int
    """Time of the first of them."""
    low_v: float | None
    """So low the bus is. None where the readings are too few."""
    high_v: float | None
    """So high the bus is."""
    middle_v: float
    """The middle one."""


def taken(recent: tuple[Seen, ...], ts: int, volts: float | None) -> tuple[Seen, ...]:
    """The last readings of a bus, with one more if it shows anything."""
    return recent if volts is None else (*recent[1 - BORNE_OUT :], Seen(ts, volts))


def bus_now(recent: Sequence[Seen], limits: BusLimits) -> BusNow:
    """Hold the last readings of a bus together; there has to be one.

    Where they agree, the bus has been at the lowest and at the highest of them; where they do not, it is taken to be
    no lower than the highest, and no higher than the lowest.
    """
    volts = sorted(each.volts for each in recent)
    middle_v = volts[(len(volts) - 1) // 2]
    first, last = recent[0], recent[-1]
    if len(recent) > 1 and last.ts - recent[-2].ts >= APART_MS:
        first = recent[-2]
        volts = sorted((first.volts, last.volts))
    elif len(recent) < BORNE_OUT:
        return BusNow(first.ts, None, None, middle_v)
    agree = volts[-1] - volts[0] <= limits.held_v
    return BusNow(first.ts, volts[0 if agree else -1], volts[-1 if agree else 0], middle_v)
