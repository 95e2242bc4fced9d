"""Which temperature channels of a battery set can be believed, and which show a sensor that broke.

Judged on what the set sent, before any range: a cell in a fire shows what no healthy one does, and so does a wire that
came off. Told apart by what heat can do. A cell weighs kilograms, so it neither jumps nor falls by `JUMP_C` between
two readings; no sensor measures beyond `LOWEST_C` and `HIGHEST_C`; and converters say certain numbers when nothing
is connected. What is hot enough to be a danger is believed however it came: a sensor that lies costs a visit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.arrival import evidence
from schemas.readings import BATTERY_C
from schemas.time import MINUTE_MS
from streams.kernels.detection.batteries.written import CELSIUS, as_number, numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.arrival import Arrival

JUMP_C = 15.0
"""Between two readings: no cell and no cabinet warms or cools so far so fast. (unsourced)"""
LOWEST_C, HIGHEST_C = -45.0, BATTERY_C.high
"""Beyond are −273, −127, 327.67, 655.35, 6553.5: an open or a shorted sensor."""
END_C = -40.0
"""Where many sensors end; a set that was above `END_FROM_C` a moment ago is not there. (unsourced)"""
END_FROM_C = -30.0
POWER_ON_C = 85.0
"""What a DS18B20 says before its first conversion."""
STALE_MS = 10 * MINUTE_MS
"""After so long without a reading anything may have happened. (unsourced)"""
ADOPTED_AFTER = 3
"""So many readings in a row that are dangerously hot make a new level of a channel. (unsourced)"""
BELIEVED_AFTER = 1_440
"""So many readings in a row that are merely elsewhere make a new level of a channel. (unsourced)"""
AMBIENT = "ambient_c"
TEMPERATURE = "temperature_c"

OPEN = "no temperature"
POWER_ON = "power-on value"
END = "end of range"
JUMPED = "jumped"


class TemperatureChannel(NamedTuple):
    """What is remembered of one channel."""

    good: float | None = None
    """Last value that was believed."""
    before: float | None = None
    """What was believed before it last changed its level."""
    odd: int = 0
    """Readings in a row that were not, or were dangerously far from it."""


NEW_CHANNEL = TemperatureChannel()
NO_CHANNELS: frozenset[int] = frozenset()


class ChannelFault(NamedTuple):
    """A channel that was believed before and shows what it cannot measure; `number` counts from 1."""

    field: str
    number: int
    value: float
    why: str


class Temperatures(NamedTuple):
    """One reading's temperatures, as far as they can be believed."""

    celsius: list[float | None]
    """Of each channel."""
    ambient: float | None
    faults: list[ChannelFault]
    jumped: frozenset[int]
    """Channels (from 0) that became dangerously hot between two readings."""
    missing: bool
    """Whether a channel that was dangerously hot shows nothing now that can be believed."""


class Channels(NamedTuple):
    """What is remembered of a set's channels."""

    ts: int = 0
    inside: tuple[TemperatureChannel, ...] = ()
    ambient: TemperatureChannel = NEW_CHANNEL


def look_at(memory: Channels, arrival: Arrival, limit_c: float) -> tuple[Channels, Temperatures]:
    """Take a reading's temperatures; from `limit_c` on they are a danger and not a fault."""
    reading = arrival.reading
    if arrival.aside:
        inside, ambient = numbers(evidence(arrival, TEMPERATURE), CELSIUS), as_number(evidence(arrival, AMBIENT))
    else:
        inside, ambient = getattr(reading, TEMPERATURE) or [], getattr(reading, AMBIENT)
    stale = reading.ts - memory.ts > STALE_MS
    known = memory.inside
    if not stale and not arrival.aside and (steady := _steady(memory, inside, ambient, limit_c)) is not None:
        return Channels(reading.ts, tuple(steady[1:]), steady[0]), Temperatures(
            inside, ambient, [], NO_CHANNELS, missing=False
        )
    if len(known) < len(inside):
        known = (*known, *[NEW_CHANNEL] * (len(inside) - len(known)))
    faults: list[ChannelFault] = []
    jumped: set[int] = set()
    celsius: list[float | None] = []
    after: list[TemperatureChannel] = []
    missing = any(_was_hot(channel, limit_c) for channel in known[len(inside) :])
    for at, value in enumerate(inside):
        channel, why = _judge(known[at], value, limit_c, stale=stale)
        after.append(channel)
        if why == _HOT:
            jumped.add(at)
        elif why and known[at].good is not None:
            faults.append(ChannelFault(TEMPERATURE, at + 1, value or 0.0, why))
        believed = value if not why or why == _HOT else None
        missing = missing or (believed is None and _was_hot(known[at], limit_c))
        celsius.append(believed)
    after += known[len(inside) :]
    outside, why = _judge(memory.ambient, ambient, math.inf, stale=stale)
    if why and memory.ambient.good is not None:
        faults.append(ChannelFault(AMBIENT, 1, ambient or 0.0, why))
    return (
        Channels(reading.ts, tuple(after), outside),
        Temperatures(celsius, None if why else ambient, faults, frozenset(jumped), missing),
    )


def _steady(
    memory: Channels, inside: Sequence[float | None], ambient: float | None, limit_c: float
) -> list[TemperatureChannel] | None:
    """The channels after a reading in which each is near what it was, and none is a danger: nearly always.

    The ambient's comes first. None where that is not so.
    """
    if len(inside) != len(memory.inside):
        return None
    after = []
    limit = math.inf
    for before, value in zip((memory.ambient, *memory.inside), (ambient, *inside), strict=True):
        good = before.good
        if value is None or good is None or not -JUMP_C <= value - good <= JUMP_C or value >= limit:
            return None
        after.append(before if good == value and not before.odd else TemperatureChannel(value, before.before))
        limit = limit_c
    return after


_HOT = "hot"


def _was_hot(channel: TemperatureChannel, limit_c: float) -> bool:
    return channel.good is not None and channel.good >= limit_c


def _judge(
    known: TemperatureChannel, value: float | None, limit_c: float, *, stale: bool
) -> tuple[TemperatureChannel, str]:
    """Whether a value of a channel can be believed: why not, or that it is hot and came in a jump."""
    good = None if stale else known.good
    if value is None:
        return known, ""
    if good is not None and abs(value - good) <= JUMP_C and value < limit_c:  # nearly always
        return (known if good == value and not known.odd else TemperatureChannel(value, known.before)), ""
    why = _why_not(known, good, value, limit_c)
    if not why:
        return TemperatureChannel(value, known.before), ""
    odd = known.odd + 1
    if why == _HOT and odd >= ADOPTED_AFTER:
        return TemperatureChannel(value, known.good if known.before is None else known.before, odd), why
    if why == JUMPED and odd >= BELIEVED_AFTER:
        return TemperatureChannel(value), ""
    return known._replace(odd=odd), why


def _why_not(known: TemperatureChannel, good: float | None, value: float, limit_c: float) -> str:
    if not LOWEST_C < value <= (HIGHEST_C or math.inf):
        return OPEN
    near = good is not None and abs(value - good) <= JUMP_C
    if value == POWER_ON_C and not near:
        return POWER_ON
    if value <= END_C and (known.good or 0.0) > END_FROM_C:
        return END
    if near or (known.before is not None and abs(value - known.before) <= JUMP_C):
        return ""
    if good is None and value < limit_c:
        return ""
    return _HOT if value >= limit_c else JUMPED
