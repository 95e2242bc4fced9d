"""How long a demo's past will take to store on this machine, and whether it keeps up after it: said at the start."""

from __future__ import annotations

import math
import os
from typing import NamedTuple

from fenhe.progress import in_words

READING_CPU_S = 0.4e-3
PLANT_DAY_CPU_S = 0.75
"""CPU time of all processes together for a reading, and for a plant's whole day of windows (docs/measurements.md,
"Demo"); what is told while it runs is measured."""
BUSY_PROCESSES = 8.0
"""Of ours, while a past is stored: two workers with their two of PostgreSQL, Kafka, publisher, collector, guard. A
scheduler shares the cores among them and whatever else wants to run."""


class PastToStore(NamedTuple):
    """What is to be stored before everything is there."""

    readings: float
    plant_days: float
    readings_per_s: float
    """That come in live meanwhile, and ever after."""

    @property
    def cpu_s(self) -> float:
        """CPU time of the past alone."""
        return self.readings * READING_CPU_S + self.plant_days * PLANT_DAY_CPU_S

    @property
    def live_cores(self) -> float:
        """Cores that the live readings keep busy."""
        return self.readings_per_s * READING_CPU_S


class Machine(NamedTuple):
    """Cores, and how many processes want to run on them already."""

    cores: int
    load: float

    @classmethod
    def now(cls) -> Machine:
        """This machine, as busy as it was in the last minute."""
        return cls(os.cpu_count() or 1, os.getloadavg()[0])

    @property
    def free_cores(self) -> float:
        """What of its cores we get."""
        return self.cores * BUSY_PROCESSES / (BUSY_PROCESSES + self.load)

    def seconds(self, past: PastToStore) -> float:
        """Until the past is stored; infinite where live readings alone take all there is."""
        left = self.free_cores - past.live_cores
        return past.cpu_s / left if left > 0 else math.inf

    def keeps_up(self, past: PastToStore) -> bool:
        """Whether live readings are stored as they come."""
        return self.free_cores > past.live_cores

    def tell(self, past: PastToStore) -> str:
        """Say what is to be expected."""
        busy = f", which have other work too (load {self.load:.1f})" if self.load > self.cores / 2 else ""
        machine = f"{self.cores} cores{busy}" if self.cores > 1 else f"one core{busy}"
        comes_first = f"a past of about {past.readings:,.0f} readings comes first"
        if self.keeps_up(past):
            return f"{comes_first}: about {in_words(self.seconds(past))} on {machine}"
        return (
            f"{comes_first}, and {past.readings_per_s:,.0f} a second after it: more than these {machine} can store, so"
            f" the pages fall behind and say how far; nothing is lost. --sets makes it fewer"
        )
