"""Short histories as tuples of single-precision numbers, and as text of five characters each.

A detector's memory is kept for thousands of series. What it remembers is rounded to `real` when it is remembered, so
that a state read back is the state that was written, to the last bit.
"""

from __future__ import annotations

import base64
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


def packed(values: Floats) -> str:
    """Write single-precision numbers as base85."""
    return base64.b85encode(struct.pack(f"<{len(values)}f", *values)).decode()


def unpacked(text: str) -> Floats:
    """Read back what `packed` wrote."""
    data = base64.b85decode(text)
    return struct.unpack(f"<{len(data) // 4}f", data)


def packed_bytes(values: tuple[int, ...]) -> str:
    """Write whole numbers from −128 to 127 as base85."""
    return base64.b85encode(struct.pack(f"<{len(values)}b", *values)).decode()


def unpacked_bytes(text: str) -> tuple[int, ...]:
    """Read back what `packed_bytes` wrote."""
    data = base64.b85decode(text)
    return struct.unpack(f"<{len(data)}b", data)
