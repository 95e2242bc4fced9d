"""Publishes a recording: as fast as the broker takes it, or paced by the time that the rows themselves tell."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.time import DAY_MS
from simulators.scenes.run import PROGRESS_S, SLICE_S
from simulators.wire.disorder import Disorder
from simulators.wire.message import GATEWAY_SPAN_MS, batch

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.replay.recording import Recording
    from simulators.scenes.run import Publisher


@dataclass(frozen=True, slots=True)
class Tempo:
    """How a recording is played."""

    speed: float | None = None
    """Recorded seconds per second; 1 is real time, None as fast as the broker takes it."""
    array: int = 50
    """Most readings of one device in one message."""
    shift_ms: int = 0
    """Added to every device time."""

    @property
    def span_ms(self) -> int:
        """Longest time one message covers: a gateway's where the pace is a gateway's, else a day."""
        return DAY_MS if self.speed is None else GATEWAY_SPAN_MS


def play(
    recording: Recording,
    publisher: Publisher,
    tempo: Tempo = Tempo(),
    disorder: Disorder | None = None,
    *,
    stop: threading.Event | None = None,
    progress: Callable[[int], None] | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """Publish all of it, or until `stop`; return the publisher's report and what could not be sent.

    `progress` is told the number of readings handed over. Raises RecordingError where file and mapping disagree.
    """
    stop = stop or threading.Event()
    began, first_ts, done, reported = monotonic(), None, 0, 0.0
    lowest, highest = 1 << 62, -(1 << 62)
    messages = (disorder or Disorder()).carry(recording.messages(tempo.shift_ms))
    for message in batch(messages, tempo.array, tempo.span_ms):
        if tempo.speed is not None:
            first_ts = message.at_ts if first_ts is None else first_ts
            due = began + (message.at_ts - first_ts) / 1_000 / tempo.speed
            while (ahead := due - monotonic()) > 0 and not stop.wait(min(ahead, SLICE_S)):
                pass
        if stop.is_set() or not publisher.publish(message, stop):
            break
        done += len(message.readings)
        times = [reading["ts"] for reading in message.readings]
        lowest, highest = min(lowest, *times), max(highest, *times)
        if progress is not None and monotonic() - reported > PROGRESS_S:
            reported = monotonic()
            progress(done)
    flushed = publisher.flush()
    if progress is not None:
        progress(done)
    findings = recording.findings
    return {
        **publisher.report(),
        "sent_total": done,
        "first_ts_ms": lowest if done else None,
        "last_ts_ms": highest if done else None,
        "rows_thinned": findings.rows_thinned,
        "unreadable_cells": dict(findings.unreadable),
        "unreadable_examples": findings.examples,
        "stopped": stop.is_set(),
        "flushed": flushed,
    }
