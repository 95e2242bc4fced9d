"""A worker's hand on one partition: what is too much for one transaction is stored in parts."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import faust

from schemas.readings import Kind
from storage.balance import balance
from storage.pool import connect, open_pool
from streams.engine.engine import Engine
from streams.installed import installed
from streams.worker.app import Figures, Shepherd
from tests.support.pipeline import START_MS, Sent, prepare, record

if TYPE_CHECKING:
    from streams.intake.decode import Record

RECORDS, READINGS = 16, 400
IDLE_S = 0.1
"""A fold of all of them says nothing to PostgreSQL for several times as long, one of a single record for a fifth."""


def event(item: Record) -> faust.EventT[bytes]:
    """A record as Faust hands it on."""
    message = SimpleNamespace(offset=item.offset, timestamp=item.timestamp_ms / 1000, value=item.value, partition=0)
    return cast("faust.EventT[bytes]", SimpleNamespace(message=message))


def test_what_postgresql_gives_up_waiting_for_is_stored_in_parts(own_url: str) -> None:
    """PostgreSQL ends the transaction of a worker that computes for too long; with fewer records it goes through."""
    prepare(own_url)
    cells = [3.35] * 16
    sent = [
        Sent("bs-1", Kind.BATTERY, "b-1", {"ts": START_MS + 60_000 * number, "current_a": 1.5, "cell_voltage_v": cells})
        for number in range(RECORDS * READINGS)
    ]
    events = [event(record(at, sent[at * READINGS : (at + 1) * READINGS])) for at in range(RECORDS)]
    pool = open_pool(own_url, size=3, name="test", idle_transaction_s=IDLE_S)
    engine, figures = Engine(pool, installed(), "test", 1), Figures()
    asyncio.run(Shepherd(faust.App("test", store="memory://"), engine, figures).store(events))
    engine.close()
    with connect(own_url, name="test") as connection:
        books = balance(connection)
    assert (books.closed, books.stored) == (True, len(sent))
    assert (figures.records_total, figures.stored_total) == (RECORDS, len(sent))
    assert figures.retries_total > 0, "it was not too much for one transaction: nothing is shown"
    assert figures.transactions_total > 1
