"""How fast this machine is right now: a loop that does what a worker mostly does in plain Python.

A cost in µs divided by what one round of the loop takes then can be compared between machines, between a busy one and
an idle one, and between two runs on a virtual machine whose speed changes by a third within minutes.
"""

from __future__ import annotations

import time
from statistics import median
from typing import NamedTuple

import orjson

REFERENCE_ROUNDS = 2_000
"""Rounds at once: some 3 ms."""
REPEATS = 40


class MachineSpeed(NamedTuple):
    """CPU time of one round of the reference loop around a measurement, µs."""

    before_us: float
    beside_us: float
    """While it was going on, with all that it costs the caches; a cost in rounds is reckoned with this one."""
    after_us: float


def round_us() -> float:
    """CPU time of a round, µs: the median over about an eighth of a second."""
    return median(reference_ns() for _ in range(REPEATS)) / 1000


def reference_ns() -> int:
    """CPU time of a loop of plain Python: JSON read, objects made, dictionaries asked, floats compared."""
    document = (
        b'{"ts":1790000000000,"pack_voltage_v":53.52,"current_a":-0.5,"cell_voltage_v":[3.345,3.346,3.344,3.345]}'
    )
    known: dict[tuple[str, int], float] = {}
    began = time.thread_time_ns()
    for number in range(REFERENCE_ROUNDS):
        reading = orjson.loads(document)
        cells = reading["cell_voltage_v"]
        mean = sum(cells) / len(cells)
        spread = [cell - mean for cell in cells if abs(cell - mean) < 0.1]
        known["a-device", number % 50] = max(spread) + known.get(("a-device", number % 50), 0.0)
    return (time.thread_time_ns() - began) // REFERENCE_ROUNDS
