"""What a bad line does to a recording: some messages twice, some late, neighbours shuffled. Seeded."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simulators.message import Message


@dataclass(frozen=True, slots=True)
class Disorder:
    """How bad; the default changes nothing."""

    duplicates: float = 0.0
    """Share of messages sent twice."""
    late: float = 0.0
    """Share of messages that come late."""
    late_by_s: float = 3_600.0
    """A late message, or a duplicate, comes up to so much later."""
    shuffle_s: float = 0.0
    """Messages whose times of sending lie in one window of this length leave in any order."""
    seed: int = 1

    def __post_init__(self) -> None:
        """Raise ValueError for a share that is none."""
        for name, share in (("duplicates", self.duplicates), ("late", self.late)):
            if not 0 <= share <= 1:
                msg = f"{name} is a share from 0 to 1, not {share}"
                raise ValueError(msg)

    def carry(self, messages: Iterable[Message]) -> Iterator[Message]:
        """Give the messages in the order in which they arrive, each with its time of sending."""
        if not (self.duplicates or self.late or self.shuffle_s):
            yield from messages
            return
        rng = random.Random(f"{self.seed}/disorder")
        late_ms, window_ms = max(1, round(1_000 * self.late_by_s)), round(1_000 * self.shuffle_s)
        under_way: list[tuple[int, float, int, Message]] = []
        for number, message in enumerate(messages):
            at = message.at_ms
            while under_way and under_way[0][0] <= at - window_ms:
                yield heapq.heappop(under_way)[3]
            for copy in range(1 + (rng.random() < self.duplicates)):
                delay = rng.randrange(late_ms) if copy or rng.random() < self.late else 0
                sent = at + delay
                slot = sent // window_ms * window_ms if window_ms else sent
                order = rng.random() if window_ms else number + copy / 2
                heapq.heappush(under_way, (slot, order, 2 * number + copy, message._replace(sent_ms=sent)))
        while under_way:
            yield heapq.heappop(under_way)[3]
