"""Messages that come twice, late or out of order: what a bad line does to recordings and networks. Seeded."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simulators.wire.message import DeviceMessage


class UnderWay:
    """Messages that were made and have not left yet, given in the order of sending."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, float, int, DeviceMessage]] = []
        self._count = 0

    def add(self, message: DeviceMessage, at_ts: int, order: float = 0.0) -> None:
        """Let a message leave at `at_ts`: among those of one moment by `order`, and where that is equal as added."""
        heapq.heappush(self._heap, (at_ts, order, self._count, message))
        self._count += 1

    def before(self, at_ts: int) -> Iterator[DeviceMessage]:
        """Give, and forget, what leaves before `at_ts`."""
        while self._heap and self._heap[0][0] < at_ts:
            yield heapq.heappop(self._heap)[3]

    def rest(self) -> Iterator[DeviceMessage]:
        """Give everything that is left."""
        while self._heap:
            yield heapq.heappop(self._heap)[3]


@dataclass(frozen=True, slots=True)
class Disorder:
    """How bad; the default changes nothing."""

    duplicates: float = 0.0
    """Share of messages sent twice."""
    late: float = 0.0
    """Share of messages that come late."""
    late_by_s: float = 3_600.0
    """A late message comes up to so much later."""
    copy_by_s: tuple[float, float] | None = None
    """A duplicate comes between so and so much after its original; None: up to `late_by_s`."""
    shuffle_s: float = 0.0
    """Messages whose times of sending lie in one window of this length leave in any order."""
    seed: int = 1

    def __post_init__(self) -> None:
        """Raise ValueError for a share that is none."""
        for name, share in (("duplicates", self.duplicates), ("late", self.late)):
            if not 0 <= share <= 1:
                msg = f"{name} is a share from 0 to 1, not {share}"
                raise ValueError(msg)

    def delayed(self, message: DeviceMessage, rng: random.Random) -> DeviceMessage:
        """Return the message itself, or as one that leaves late."""
        if not (self.late and rng.random() < self.late):
            return message
        return _later(message, rng, 0.0, self.late_by_s)

    def copy_of(self, message: DeviceMessage, rng: random.Random) -> DeviceMessage | None:
        """Return the duplicate of a message as it is sent, if it has one."""
        if not (self.duplicates and rng.random() < self.duplicates):
            return None
        return _later(message, rng, *(self.copy_by_s or (0.0, self.late_by_s)))

    def carry(self, messages: Iterable[DeviceMessage]) -> Iterator[DeviceMessage]:
        """Give messages, which come in the order of sending, in the order in which they arrive."""
        if not (self.duplicates or self.late or self.shuffle_s):
            yield from messages
            return
        rng = random.Random(f"{self.seed}/disorder")
        window_ms = round(1_000 * self.shuffle_s)
        under_way = UnderWay()
        for message in messages:
            yield from under_way.before(message.at_ts - window_ms + 1)
            sent = self.delayed(message, rng)
            copy = self.copy_of(sent, rng)
            for each in (sent,) if copy is None else (sent, copy):
                at_ts = each.at_ts // window_ms * window_ms if window_ms else each.at_ts
                under_way.add(each, at_ts, rng.random() if window_ms else 0.0)
        yield from under_way.rest()


def _later(message: DeviceMessage, rng: random.Random, least_s: float, most_s: float) -> DeviceMessage:
    """Let a message leave between so and so much, and at least a millisecond, later."""
    least_ms = max(1, round(1_000 * least_s))
    return message._replace(sent_ts=message.at_ts + rng.randrange(least_ms, max(least_ms + 1, round(1_000 * most_s))))
