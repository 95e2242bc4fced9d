"""Short histories as tuples of single-precision numbers, which are saved as five characters each.

A detector's memory is kept for thousands of series. What it remembers is rounded to `real` when it is remembered, so
that a state read back is the state that was written, to the last bit.
"""

from __future__ import annotations

import struct
from array import array
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

Floats = tuple[float, ...]
T = TypeVar("T")
_SINGLE = struct.Struct("<f")


def single(value: float) -> float:
    """Round to 24 bits of mantissa."""
    return float(_SINGLE.unpack(_SINGLE.pack(value))[0])


def singles(values: Iterable[float]) -> Floats:
    """Round each to 24 bits of mantissa."""
    return tuple(array("f", values))


def pushed(history: Floats, value: float, length: int) -> Floats:
    """Append a value, rounded; the oldest leaves where there would be more than `length`."""
    return (*history[max(0, len(history) + 1 - length) :], single(value))


def put(history: tuple[T, ...], at: int, value: T) -> tuple[T, ...]:
    """Replace one value, by one that is rounded already."""
    return (*history[:at], value, *history[at + 1 :])
