"""Cells at a voltage that no working cell has, in float or out of it, and cells that no longer show any.

A shorted cell is near nothing while its pack stands; so is a sense wire that came off. The pack's own voltage tells
them apart where it is measured apart: it falls by what the cell lost. Where it does not say so, the same cell must be
dead in two readings in a row, and the alarm says that it may be the sensor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.arrival import evidence
from schemas.readings import CELL_V
from streams.kernels.detection.batteries.channels import ChannelFault
from streams.kernels.detection.batteries.written import VOLTS, numbers
from streams.kernels.detection.robust import median

if TYPE_CHECKING:
    from schemas.arrival import Arrival

CELLS_V = "cell_voltage_v"
DEAD_V = 2.0
"""No lithium iron phosphate cell is below it and well. (unsourced)"""
ALIVE_V = 2.8
"""The others must be above it, or the whole set is empty. (unsourced)"""
LOWEST_V = -5.0
"""Below it is no cell, not even one that the others drive the wrong way round. (unsourced)"""
CELLS_NEEDED = 4
MILLIVOLTS = (1000.0 * DEAD_V, 1000.0 * (CELL_V.high or 0.0))
"""Cells of which most show such a figure are in mV, as YD/T 1363 has them."""
NO_VOLTAGE = "no voltage"


class Dead(NamedTuple):
    """The lowest dead cell of a reading."""

    cell: int
    """Counts from 1."""
    volts: float
    median: float
    confirmed: bool
    """Whether the pack's voltage misses what the cell lost."""


def look_at(seen: int, arrival: Arrival, registered: int, before: int) -> tuple[int, Dead | None, list[ChannelFault]]:
    """Take a reading: cells that were ever seen (as bits), the worst dead one, and channels that broke.

    Of several that are dead, the one (from 1) that was the reading `before`: two may take turns in being the lowest.
    A list ends with the last cell that shows a voltage, so those of the `registered` behind its end show none.
    """
    reading = arrival.reading
    raw = getattr(reading, CELLS_V)
    if arrival.aside:
        raw = _in_volts(numbers(evidence(arrival, CELLS_V), VOLTS))
    if not raw:
        return seen, None, []
    raw = [*raw, *[None] * (min(seen.bit_length(), registered) - len(raw))]
    if not arrival.aside and (present := _alive(raw)) & seen == seen and present:  # nearly always
        return seen | present, None, []
    shown = [volts for volts in raw if volts is not None and DEAD_V <= volts <= (CELL_V.high or 0.0)]
    if len(shown) < CELLS_NEEDED or 2 * len(shown) < len(raw):
        return seen, None, []
    middle = median(shown)
    pack = getattr(reading, "pack_voltage_v")  # noqa: B009 - of any kind
    dead: list[Dead] = []
    faults: list[ChannelFault] = []
    for at, volts in enumerate(raw):
        if volts is not None and DEAD_V <= volts <= (CELL_V.high or 0.0):
            continue
        was_seen = bool(seen >> at & 1)
        is_low = volts is not None and LOWEST_V <= volts < DEAD_V
        if not was_seen and not is_low:
            continue
        lost = middle - max(0.0, volts or 0.0) if is_low or volts is None else middle
        confirmed = pack is not None and len(raw) - len(shown) == 1 and pack < sum(shown) + middle - lost / 2
        if middle >= ALIVE_V and (is_low or confirmed or (volts is None and pack is None)):
            dead.append(Dead(at + 1, volts if is_low and volts is not None else 0.0, middle, confirmed))
        elif was_seen:
            faults.append(ChannelFault(CELLS_V, at + 1, volts or 0.0, NO_VOLTAGE))
    worst = min(dead, key=lambda each: (not each.confirmed, each.cell != before, each.volts), default=None)
    return seen | _of(raw), worst, faults


def _in_volts(raw: list[float | None]) -> list[float | None]:
    """Cells as sent, of which most are a thousand times what a cell shows, in V."""
    low, high = MILLIVOLTS
    if 2 * sum(volts is not None and low <= volts <= high for volts in raw) <= len(raw):
        return raw
    return [None if volts is None else volts / 1000 for volts in raw]


def _alive(raw: list[float | None]) -> int:
    """Cells that show a voltage, as bits, where none of them is dead; else 0."""
    if None not in raw:
        return (1 << len(raw)) - 1 if min(raw) >= DEAD_V else 0  # type: ignore[type-var, operator] # none is absent
    shown = [(at, volts) for at, volts in enumerate(raw) if volts is not None]
    return sum(1 << at for at, _ in shown) if all(volts >= DEAD_V for _, volts in shown) else 0


def _of(raw: list[float | None]) -> int:
    return sum(1 << at for at, volts in enumerate(raw) if volts is not None and DEAD_V <= volts <= (CELL_V.high or 0.0))
