"""Sensors of a battery set that stand still while the others of their kind move: dead, and blind to what they guard.

A channel is stuck once it has shown exactly the same value for so long, while the median of all channels of its kind
has ranged further than any coarse sensor could miss. One that nothing moved says nothing, so floats without an outage
leave cells undecided, as they should. One look every ten minutes is enough, and costs a reading next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.time import HOUR_MS, MINUTE_MS
from streams.kernels.detection.robust import median

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.detection import BatteryRules
    from schemas.readings import BatteryReading

LOOK_MS = 10 * MINUTE_MS
CHANNELS_NEEDED = 3
"""Of a kind, or there is no saying which of them is right."""
TEMPERATURE, CELL = "temperature_c", "cell_voltage_v"


class StillChannel(NamedTuple):
    """How long a channel has shown one value, and between which limits the others moved meanwhile."""

    value: float
    since_ts: int
    low: float
    high: float


class Stuck(NamedTuple):
    """A channel that is stuck: `number` counts from 1."""

    field: str
    number: int
    since_ts: int
    value: float
    moved: float
    """How far the others have ranged meanwhile."""


class StillChannels(NamedTuple):
    """What is remembered of a set's channels; None for one that has shown nothing yet."""

    looked: int = 0
    """Ten minutes that were looked at last, since the epoch."""
    temperatures: tuple[StillChannel | None, ...] = ()
    cells: tuple[StillChannel | None, ...] = ()


def look(
    watch: StillChannels, reading: BatteryReading, rules: BatteryRules
) -> tuple[StillChannels, list[Stuck] | None]:
    """Take a reading; None where it is too soon to look again."""
    at = reading.ts // LOOK_MS
    if at == watch.looked:
        return watch, None
    temperatures, cells = reading.temperature_c or (), reading.cell_voltage_v or ()
    after = StillChannels(
        at, _seen(watch.temperatures, temperatures, reading.ts), _seen(watch.cells, cells, reading.ts)
    )
    found = [
        *_stuck(TEMPERATURE, after.temperatures, reading.ts, rules.stuck_h, rules.stuck_c),
        *_stuck(CELL, after.cells, reading.ts, rules.stuck_h, rules.stuck_mv / 1000),
    ]
    return after, found


def _seen(
    before: tuple[StillChannel | None, ...], values: Sequence[float | None], ts: int
) -> tuple[StillChannel | None, ...]:
    present = [value for value in values if value is not None]
    if len(present) < CHANNELS_NEEDED:
        return before
    middle = median(present)
    known = (*before, *[None] * (len(values) - len(before)))
    after: list[StillChannel | None] = []
    for channel, value in zip(known, values, strict=False):
        if value is None:
            after.append(channel)
        elif channel is None or channel.value != value:
            after.append(StillChannel(value, ts, middle, middle))
        elif channel.low <= middle <= channel.high:
            after.append(channel)
        else:
            after.append(channel._replace(low=min(channel.low, middle), high=max(channel.high, middle)))
    return (*after, *known[len(after) :])


def _stuck(field: str, channels: Sequence[StillChannel | None], ts: int, hours: float, distance: float) -> list[Stuck]:
    return [
        Stuck(field, number, channel.since_ts, channel.value, channel.high - channel.low)
        for number, channel in enumerate(channels, 1)
        if channel is not None and channel.high - channel.low >= distance and ts - channel.since_ts >= hours * HOUR_MS
    ]
