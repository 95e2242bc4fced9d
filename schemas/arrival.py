"""A reading on its way: who sent it, when it was taken in, and what of it is not used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import to_json

from schemas.aside import NOTHING, UNKNOWN
from schemas.readings import DeviceQuality
from schemas.structs import values_of

if TYPE_CHECKING:
    from schemas.aside import Aside
    from schemas.readings import Reading


class Arrival(NamedTuple):
    """A reading of a registered device, with when its collector took it in."""

    device_id: str
    received_ts: int
    reading: Reading
    """In the worker its struct: all fields of the model of its device's kind, and nothing else of it."""
    aside: Aside = NOTHING
    """Fields that were sent and are not used."""

    @property
    def ts(self) -> int:
        """Device time, ms."""
        return self.reading.ts

    @property
    def key(self) -> tuple[str, int]:
        """What makes a reading one and the same: device and device time."""
        return (self.device_id, self.reading.ts)


_WORST = (DeviceQuality.GOOD, DeviceQuality.UNCERTAIN, DeviceQuality.BAD)
_SPOKEN_FOR = frozenset({"seq", "quality", "site_id", "kind", "device_id"})


DANGERS = frozenset({"smoke", "water"})
"""Inputs of which the one that is set counts, where a device says both of one moment."""


def with_dangers(first: Arrival, second: Arrival) -> Arrival:
    """Take over what a second message of one moment says of a danger, though it contradicts the first in other things.

    A clock that stands makes one moment of all that follows: only the first message of it is a reading, but smoke is
    smoke. The same arrival again where there is none.
    """
    names = [name for name in DANGERS if getattr(second.reading, name, None) and not getattr(first.reading, name)]
    if not names:
        return first
    values = values_of(first.reading) | dict.fromkeys(names, True)
    return first._replace(reading=type(first.reading)(**values))


def joined(first: Arrival, second: Arrival) -> Arrival | None:
    """Two messages of one moment as one reading, in whichever order they came; None where they contradict each other.

    The same arrival again where the second adds nothing. What a device says is bad is no value (it was set aside), so
    it contradicts none: the rest of the reading is then as good as the better of the two.
    """
    known_before = values_of(first.reading)
    values, other = dict(known_before), values_of(second.reading)
    for name, said in other.items():
        if said is None or name in _SPOKEN_FOR:
            continue
        known = values[name]
        both = said if known is None else (known or said) if name in DANGERS else _both(known, said)
        if both is None:
            return None
        values[name] = both
    aside = dict(first.aside)
    for name, kept in second.aside.items():
        if aside.setdefault(name, kept) != kept:
            return None
    if other["seq"] is not None:
        values["seq"] = other["seq"] if values["seq"] is None else min(values["seq"], other["seq"])
    values["quality"] = _quality_of(first, second)
    if values == known_before and aside == first.aside:
        return first
    return first._replace(reading=type(first.reading)(**values), aside=aside)


def _quality_of(first: Arrival, second: Arrival) -> DeviceQuality | None:
    one, other = first.reading.quality, second.reading.quality
    if one == other:
        return one
    if DeviceQuality.BAD in {one, other}:
        return other if one == DeviceQuality.BAD else one
    return max((said for said in (one, other) if said is not None), key=_WORST.index)


def _both(known: Any, said: Any) -> Any:  # noqa: ANN401 - any field
    """One value of two, of lists element by element; None where they differ."""
    if known == said:
        return known
    if type(known) is not list or type(said) is not list:
        return None
    width = max(len(known), len(said))
    left, right = ([*items, *[None] * (width - len(items))] for items in (known, said))
    if any(one is not None and other is not None and one != other for one, other in zip(left, right, strict=True)):
        return None
    return [other if one is None else one for one, other in zip(left, right, strict=True)]


def evidence(arrival: Arrival, field: str) -> Any:  # noqa: ANN401 - any JSON
    """Say what a device sent in a field, whether it can be used or not."""
    kept = arrival.aside.get(field)
    used = getattr(arrival.reading, field)
    if kept is None:
        return used
    is_used = used is not None and (type(used) is not list or any(item is not None for item in used))
    return used if is_used and isinstance(kept.value, str) else kept.value


def as_sent(arrival: Arrival) -> bytes:
    """Put a reading's JSON together again as it was sent, for the quarantine: from there it can be judged anew.

    Whatever an arrival can hold can be written: a time may be an integer of any length.
    """
    document = {name: value for name, value in values_of(arrival.reading).items() if value is not None}
    for field, kept in arrival.aside.items():
        if field == UNKNOWN and isinstance(kept.value, dict):
            document.update(kept.value)
        else:
            document[field] = kept.value
    return to_json(document)
