"""How far the storing of a past is, and how long it will take: in a line, or in a line every few seconds."""

from __future__ import annotations

import math
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

REMEMBERED_S = 60.0
"""The rate is that of so long: it changes with what is being stored, and within a few seconds may stand still."""
FOLLOWED_S = 30.0
"""How long what is said takes to follow the rate most of the way: readings are counted some thousand at a time."""
REPORT_EVERY_S = 10.0
"""Without a terminal."""
BAR = 24
LEAST_SHARE = 0.02
"""Of a past, before anything is said of how long the rest takes."""
MINUTE_S, HOUR_S = 60, 3_600


class StoredCount(NamedTuple):
    """How many readings are stored, and how many there will be."""

    done: int
    whole: int


def in_words(seconds: float) -> str:
    """Say "40 s", "3 min" or "5 h"."""
    if seconds < 2 * MINUTE_S:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / MINUTE_S)} min" if seconds < 2 * HOUR_S else f"{round(seconds / HOUR_S)} h"


class Feeding:
    """Tells how far it is; call it about once a second."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seen: deque[tuple[float, int]] = deque()
        self._end: tuple[float, float] | None = None
        """When it was last said that all will be stored, and when that was said."""
        self._reported = 0.0
        self._status: Status | None = None

    def left_s(self, stored: StoredCount, now: float) -> float | None:
        """Seconds until all is stored, at the rate of the last minute; None while that is not known.

        From one second to the next it moves towards what the newest count says, and never jumps there.
        """
        self._seen.append((now, stored.done))
        while len(self._seen) > 2 and now - self._seen[0][0] > REMEMBERED_S:  # noqa: PLR2004 - a rate takes two
            self._seen.popleft()
        if stored.done < LEAST_SHARE * stored.whole:
            return None  # of the first days few devices are heard: they say nothing of the others
        (first, before), (last, done) = self._seen[0], self._seen[-1]
        if last <= first or done <= before:
            self._end = None
            return None
        end = now + (stored.whole - stored.done) * (last - first) / (done - before)
        if self._end is not None:
            said, at = self._end
            end = said + (end - said) * -math.expm1((at - now) / FOLLOWED_S)
        self._end = end, now
        return max(0.0, end - now)

    def __call__(self, stored: StoredCount) -> None:
        """Show how far it is."""
        now = time.monotonic()
        left = self.left_s(stored, now)
        whole = max(stored.whole, stored.done, 1)
        share = stored.done / whole
        text = f"past {share:4.0%}, {stored.done:,} of {whole:,} readings stored"
        text += "" if left is None else f", about {in_words(left)} left"
        if self._console.is_terminal:
            filled = round(share * BAR)
            bar = f"[green]{'━' * filled}[/][dim]{'━' * (BAR - filled)}[/] "
            if self._status is None:
                self._status = self._console.status(bar + text)
                self._status.start()
            self._status.update(bar + text)
        elif now - self._reported >= REPORT_EVERY_S:
            self._reported = now
            self._console.print(f"  {text}")

    def close(self) -> None:
        """Take the line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None
