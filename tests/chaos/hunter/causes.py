"""What a recovery waits for, as far as it can be seen from outside: a fault, a process, a session, a rebalance."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

from tests.chaos.hunter.faults import Way

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.chaos.hunter.rig import Part

WORKERS = ("worker-1", "worker-2")
COLLECTORS = ("collector-1", "collector-2")


class Cause(StrEnum):
    """What is waited for; the first that holds."""

    FAULT = "another fault lasts"
    COLLECTOR = "a collector comes up"
    SESSION = "no collector is at the broker"
    REBALANCE = "Kafka deals partitions out"
    WORKER = "a worker comes up"
    OWN = "guard or notifier comes up"
    REST = "everything is up: what has piled up is worked off"


class Causes:
    """Knows which faults last, and asks the parts how they are."""

    def __init__(self, parts: Mapping[str, Part]) -> None:
        self._parts = parts
        self._lasting: Counter[Way] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def lasting(self, way: Way) -> Iterator[None]:
        """A fault lasts for as long as the block."""
        with self._lock:
            self._lasting[way] += 1
        try:
            yield
        finally:
            with self._lock:
                self._lasting[way] -= 1

    def now(self, way: Way) -> Cause:
        """What a recovery of this way waits for at this moment."""
        if self._lasting[way] or self._lasting[Way.READINGS]:
            return Cause.FAULT
        if way is not Way.READINGS:
            own = self._parts["guard" if way is Way.GUARD else "notifier"]
            return Cause.REST if own.is_ready else Cause.OWN
        workers, collectors = ([self._parts[name] for name in names] for names in (WORKERS, COLLECTORS))
        if not any(part.wires["broker"].in_use for part in collectors):
            return Cause.SESSION if all(part.is_ready for part in collectors) else Cause.COLLECTOR
        if any(part.has_been_ready and not part.is_ready for part in workers):
            return Cause.REBALANCE
        return Cause.REST if all(part.is_ready for part in workers) else Cause.WORKER
