"""Workers that are paused for longer than any limit: while one stands, the other must store all that comes."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING

import psycopg

from storage.pool import connect
from tests.chaos.hunter.faults import Fault, Way

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

    from tests.chaos.hunter.rig import Part, Rig

WORKERS = ("worker-1", "worker-2")
TRIES = 40
LOOK_S = 0.3
_WAITING = (
    "SELECT pid, xact_start, state_change FROM pg_stat_activity WHERE application_name = 'fenhe-worker'"
    " AND (state = 'idle in transaction' OR state = 'active' AND wait_event = 'ClientRead')"
)
"""Transactions that hear nothing of their worker."""


def long_pauses(rig: Rig) -> Iterator[Fault]:
    """One of two workers stands, whatever it is doing, or in the middle of a transaction: it keeps locks then."""
    workers = [rig.parts[name] for name in WORKERS]
    for name, weight, is_aimed in (("anywhere", 2, False), ("in a transaction", 4, True)):
        pause = _Pause(rig, workers, is_aimed=is_aimed)
        yield Fault(
            f"a worker: paused {name}, for long", WORKERS[0], Way.READINGS, weight, pause.begin, WORKERS[1:], pause.end
        )


class _Pause:
    """One such pause after the other."""

    def __init__(self, rig: Rig, workers: Sequence[Part], *, is_aimed: bool) -> None:
        self._rig = rig
        self._workers = workers
        self._is_aimed = is_aimed
        self._paused = 0

    def begin(self, rng: random.Random) -> None:
        """Stop a worker, if it can be had while it has a transaction open."""
        self._paused = rng.choice(self._workers).process.pid
        for _ in range(TRIES if self._is_aimed else 0):
            self._signal(signal.SIGSTOP)
            if self._is_inside():
                return
            self._signal(signal.SIGCONT)
            time.sleep(rng.uniform(0, LOOK_S))
        self._signal(signal.SIGSTOP)

    def end(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _is_inside(self) -> bool:
        """Whether a transaction stands still; it may be the other worker's, which is busy then."""
        try:
            with connect(self._rig.pipeline.owner_url, name="test", autocommit=True) as connection:
                before = set(connection.execute(_WAITING))
                time.sleep(LOOK_S)
                return bool(before & set(connection.execute(_WAITING)))
        except psycopg.Error:  # the database has a fault of its own
            return False

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._paused, number)
