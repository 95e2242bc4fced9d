"""What an engine keeps of a run between two of its transactions."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from schemas.readings import Kind
from storage.checkpoint import Position, StoredUntil, Turn
from streams.engine import engine as engine_module
from streams.engine.engine import Engine
from streams.engine.partition import Partition
from streams.engine.parts import Bounds
from streams.engine.transaction import Outcome
from streams.installed import installed
from streams.intake.decode import decode
from tests.support.pipeline import START_TS, Sent, record

if TYPE_CHECKING:
    from streams.engine.parts import Part
    from streams.intake.batch import Batch, Message
    from streams.intake.decode import Record


class Followed(list["Message"]):
    """Messages of a record, which can be seen to be gone."""


class FoldingNothing(Engine):
    """Stores a part by believing that it is stored."""

    def _store(self, partition: Partition, part: Part, _anew: Any) -> Outcome:  # noqa: ANN401 - as an engine's
        partition.mark = part.stop
        return Outcome(part.records, part.readings, 0, 0, 0)


@pytest.mark.parametrize("bounded", [2, 3])
def test_between_two_transactions_no_reading_is_kept(bounded: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every partition of a worker a run may wait for its turn, and decoded it takes many times as much memory."""
    alive: list[weakref.ref[Followed]] = []

    def followed(item: Record, where: str) -> Batch:
        batch = decode(item, where)
        messages = Followed(batch.one_by_one().messages)
        alive.append(weakref.ref(messages))
        return batch._replace(messages=messages, tables=[])

    monkeypatch.setattr(engine_module, "decode", followed)
    nothing: Any = None
    engine = FoldingNothing(nothing, installed(), "test", 1)
    partition = Partition(Position("test", 0), StoredUntil(0), Turn(0, 0), is_new=True)
    run = [
        record(at, [Sent("plant-1", Kind.PRODUCTION, "p-1", {"ts": START_TS + at, "mass_t": 1.0})]) for at in range(8)
    ]
    stored = 0
    for outcome in engine.stored(partition, run, Bounds(readings=bounded)):
        assert outcome is not None
        stored += outcome.stored
        gc.collect()
        assert [ref for ref in alive if ref() is not None] == []
    assert (stored, partition.mark) == (8, StoredUntil(8))
