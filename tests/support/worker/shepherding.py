"""A shepherd without Kafka: events as Faust hands them on, and waiting until they are stored."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import faust

from streams.worker.shepherd import Shepherd
from streams.worker.standstill import STUCK_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from streams.engine.engine import Engine
    from streams.intake.decode import Record
    from streams.worker.figures import WorkerFigures


def event(item: Record, partition: int = 0) -> faust.EventT[bytes]:
    """A record as Faust hands it on."""
    message = SimpleNamespace(
        offset=item.offset, timestamp=item.timestamp_ts / 1000, value=item.value, partition=partition
    )
    return cast("faust.EventT[bytes]", SimpleNamespace(message=message))


def make_shepherd(engine: Engine, figures: WorkerFigures, *, stuck_s: float = STUCK_S) -> Shepherd:
    """A shepherd of an app that is never started."""
    return Shepherd(faust.App("test", store="memory://"), engine, figures, stuck_s=stuck_s)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    while not condition():  # noqa: ASYNC110 - a figure says it, no event
        await asyncio.sleep(0.002)


async def store(shepherd: Shepherd, figures: WorkerFigures, events: Iterable[faust.EventT[bytes]]) -> None:
    """Hand events over, and wait until nothing waits any more."""
    shepherd.take(events)
    await until(lambda: not figures.waiting_records)
