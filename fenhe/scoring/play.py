"""A scene played through the collector's judgement and the engine in this process: no broker, no log, no waiting.

Time is the scene's own. Every reading is taken in when it left its gateway, so alarms, silence and lateness are judged
as they would have been live, however fast the scene is played.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.batches import MicroBatchBuilder, Token
from ingest.judgement import judge
from schemas.settings import CollectorSettings
from simulators.message import encode
from streams.decode import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.scene import Scene
    from streams.engine import Engine

SPAN_MS = 15 * 60_000
"""Most event time in one transaction, and so the most by which an alarm is raised late, unless said otherwise."""
UNACKNOWLEDGED = Token(0, 0)


class _Player:
    """One partition, fed record by record."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._partition = engine.open(0)
        self._offset = self._partition.next_offset
        self.readings = 0

    def take(self, batch: MicroBatchBuilder, now_ms: int) -> None:
        """Store one record."""
        self._engine.apply(self._partition, [Record(self._offset, now_ms, batch.encode("score"))])
        self._offset += 1
        self.readings += batch.readings


def play(
    scene: Scene,
    engine: Engine,
    until_ms: int,
    *,
    span_ms: int = SPAN_MS,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Store everything that the scene sends before `until_ms` in a partition of the engine's; return the readings.

    The engine must have a single partition. `span_ms`: most event time in one transaction, at most an hour. `progress`
    is told the readings so far and the scene's time (ms) after each transaction. Raises what `Engine.apply` raises.
    """
    player = _Player(engine)
    most = CollectorSettings.model_fields["max_payload_bytes"].default
    batch: MicroBatchBuilder | None = None
    now_ms = scene.start_ms
    for message in scene.advance(until_ms):
        at_ms = message.at_ms
        judgement = judge(message.topic, encode(message), at_ms, max_bytes=most)
        fits = (
            batch is not None
            and batch.is_of_hour(at_ms)
            and at_ms - batch.opened_ms < span_ms
            and batch.has_room_for(judgement)
        )
        if batch is not None and not fits:
            player.take(batch, now_ms)
            if progress is not None:
                progress(player.readings, now_ms)
            batch = None
        if batch is None:
            batch = MicroBatchBuilder(at_ms)
        batch.add(judgement, UNACKNOWLEDGED, at_ms)
        now_ms = at_ms
    if batch is not None:
        player.take(batch, now_ms)
    return player.readings
