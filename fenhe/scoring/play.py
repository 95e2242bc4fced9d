"""A scene played through the collector's judgement and the engine in this process: no broker, no log, no waiting.

Time is the scene's own. Every reading is taken in when it left its gateway, so alarms, silence and lateness are judged
as they would have been live, however fast the scene is played.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.batches import MicroBatchBuilder, Token
from ingest.judgement import judge
from schemas.settings import CollectorSettings
from simulators.wire.message import encode
from streams.intake.decode import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from simulators.wire.message import DeviceMessage
    from streams.engine.engine import Engine

SPAN_MS = 15 * 60_000
"""Event time in one transaction, and so the most by which an alarm is raised late, unless said otherwise."""
UNACKNOWLEDGED = Token(0, 0)


class _Player:
    """One partition, fed span by span."""

    def __init__(self, engine: Engine, span_ms: int, progress: Callable[[int, int], None] | None) -> None:
        self._engine = engine
        self._span_ms = span_ms
        self._progress = progress
        self._partition = engine.open(0)
        self._records: list[Record] = []
        """Of the transaction in the making."""
        self._opened_ts = 0
        self.readings = 0

    def take(self, batch: MicroBatchBuilder, now_ts: int) -> None:
        """Take in one record, closed at `now_ts`; store what has come once it covers the span."""
        if not self._records:
            self._opened_ts = batch.opened_ts
        offset = self._partition.next_offset + len(self._records)
        self._records.append(Record(offset, now_ts, batch.encode("score")))
        self.readings += batch.readings
        if now_ts - self._opened_ts >= self._span_ms - SPAN_MS:
            self.store(now_ts)

    def store(self, now_ts: int) -> None:
        """Store what has come in one transaction."""
        if self._records:
            self._engine.apply(self._partition, self._records)
            self._records = []
            if self._progress is not None:
                self._progress(self.readings, now_ts)


def play(
    messages: Iterable[DeviceMessage],
    engine: Engine,
    *,
    span_ms: int = SPAN_MS,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Store messages, as `Scene.advance` gives them, in a partition of the engine's; return the number of readings.

    The engine must have a single partition. `span_ms`: event time in one transaction, in records of a quarter of an
    hour at most. `progress` is told the readings so far and the scene's time (ms) after each transaction. Raises what
    `Engine.apply` raises.
    """
    player = _Player(engine, span_ms, progress)
    most = CollectorSettings.model_fields["max_payload_bytes"].default
    batch: MicroBatchBuilder | None = None
    now_ts = 0
    for message in messages:
        at_ts = message.at_ts
        judgement = judge(message.topic, encode(message), at_ts, max_bytes=most)
        fits = (
            batch is not None
            and batch.is_of_hour(at_ts)
            and at_ts - batch.opened_ts < SPAN_MS
            and batch.has_room_for(judgement)
        )
        if batch is not None and not fits:
            player.take(batch, now_ts)
            batch = None
        if batch is None:
            batch = MicroBatchBuilder(at_ts)
        batch.add(judgement, UNACKNOWLEDGED, at_ts)
        now_ts = at_ts
    if batch is not None:
        player.take(batch, now_ts)
    player.store(now_ts)
    return player.readings
