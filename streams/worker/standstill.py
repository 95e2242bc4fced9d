"""Partitions that do not move: since when, at which record and why, for all to see."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import psycopg
import structlog
from psycopg_pool import PoolTimeout

if TYPE_CHECKING:
    from collections.abc import Collection

    from storage.checkpoint import StoredUntil
    from streams.engine.engine import Engine
    from streams.worker.figures import WorkerFigures

log = structlog.get_logger(__name__)

STUCK_S = 300.0
"""A partition with records that has not moved for so long is written down for all to see (`stuck_partition`)."""


class _Standing(NamedTuple):
    """A record that is being tried."""

    mark: StoredUntil
    """Up to where its partition was stored then."""
    since: float
    """By the monotonic clock."""


class Standstill:
    """Knows which partitions have a record that is being tried, and writes down those that stand for too long."""

    def __init__(self, engine: Engine, figures: WorkerFigures, *, stuck_s: float) -> None:
        self._engine = engine
        self._figures = figures
        self._stuck_s = stuck_s
        self._standing: dict[int, _Standing] = {}
        """Partitions whose records are being tried, and since when."""
        self._unsure: set[int] = set()
        """Partitions that may be written down as stuck, by this worker or the one before."""
        self._writing: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        """A transaction may end while it is being written down that it does not."""

    def hand_over(self, numbers: Collection[int]) -> None:
        """Take over partitions, and forget that those stood which another worker has now.

        One that comes back begins anew; of those assigned the worker before may have written down that they stand.
        """
        self._standing = {number: standing for number, standing in self._standing.items() if number in numbers}
        self._unsure.update(numbers)
        self._count()

    def begins(self, number: int, mark: StoredUntil) -> None:
        """Remember that a record is tried from now on, if it was not before."""
        self._standing.setdefault(number, _Standing(mark, time.monotonic()))

    def forget(self, number: int) -> None:
        """Nothing of a partition is being tried any more, though it has not moved."""
        if self._standing.pop(number, None) is not None:
            self._count()

    def mark_of(self, number: int) -> StoredUntil | None:
        """Up to where a partition was stored when its record was first tried; None: none is being tried."""
        standing = self._standing.get(number)
        return None if standing is None else standing.mark

    async def stands(self, number: int, mark: StoredUntil, why: str) -> None:
        """Remember that a partition's record was tried in vain; after some minutes write it down for all to see."""
        if self.mark_of(number) not in {None, mark}:
            await self.moves(number)
        if self._stood_s(number, mark) >= self._stuck_s:
            await self.note(number, mark, why)

    async def note(self, number: int, mark: StoredUntil, why: str) -> None:
        """Write down that a partition stands, and why."""
        stuck_s = self._stood_s(number, mark)
        self._unsure.add(number)
        log.error("partition does not move", partition=number, offset=mark.offset, stuck_s=round(stuck_s), why=why)
        self._count()
        async with self._writing[number]:
            if number in self._standing:  # it may have moved meanwhile
                with contextlib.suppress(psycopg.Error, PoolTimeout):  # it may be the database itself that is away
                    await asyncio.to_thread(self._engine.note_stuck, number, mark.offset, stuck_s, why)

    async def moves(self, number: int) -> None:
        """Take back what was written of a partition that moves now."""
        self.forget(number)
        if number in self._unsure:
            async with self._writing[number]:
                with contextlib.suppress(psycopg.Error, PoolTimeout):
                    await asyncio.to_thread(self._engine.note_moving, number)
                    self._unsure.discard(number)

    def _stood_s(self, number: int, mark: StoredUntil) -> float:
        """How long a partition has stood at a record."""
        standing = self._standing.setdefault(number, _Standing(mark, time.monotonic()))
        return time.monotonic() - standing.since

    def _count(self) -> None:
        """Tell of how many partitions a record has been tried for too long."""
        now = time.monotonic()
        self._figures.stuck_partitions = sum(now - each.since >= self._stuck_s for each in self._standing.values())
