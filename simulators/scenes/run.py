"""Runs a scene against a broker: history as fast as the broker takes it, then live, never ahead of the clock."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import orjson

from schemas.time import HOUR_MS
from simulators.wire.message import GATEWAY_SPAN_MS, batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from simulators.scenes.scene import Scene
    from simulators.wire.message import DeviceMessage

CAUGHT_UP_MS = 1_000
SLICE_S = 0.1
"""How often a paced run looks at the clock."""
PROGRESS_S = 0.2
FLUSH_S = 30.0
PAST_SPAN_MS = 12 * HOUR_MS
"""Longest event time an array of a long past covers: an archive's readings, a quarter of an hour apart."""
STOPPED_S = 5.0
"""How long a run that was told to stop goes on sending the arrays it has begun, and waits for what is on its way."""
IN_ORDER_MS = 6 * 60_000
"""The last of history goes out reading by reading: a device whose array still fills would look silent."""


class RunPhase(StrEnum):
    """What the run is doing."""

    HISTORY = "history"
    PACED = "paced"
    LIVE = "live"


class RunProgress(NamedTuple):
    """How far the run is."""

    phase: RunPhase
    done_readings: int
    total_estimate: int
    """Readings up to now; grows with the clock once the run is live."""
    event_time_ts: int


class Publisher(Protocol):
    """What a run needs of a publisher."""

    def publish(self, message: DeviceMessage, stop: threading.Event | None = None) -> bool:
        """Hand a message over; False if `stop` was set before there was room for it."""

    def flush(self, timeout_s: float = 30.0) -> bool:
        """Wait until everything is acknowledged."""

    def report(self) -> dict[str, Any]:
        """Readings published, in all and per device."""


def wall_ts() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class SendingPace:
    """How a run goes through the past, and when it ends."""

    batch_size: int = 50
    """Most readings in one message of history; live readings travel alone."""
    span_ms: int = GATEWAY_SPAN_MS
    """Longest event time an array of history covers: 15 readings of a device that sends once a minute."""
    speed: float | None = None
    """Event seconds per second while in the past; None is as fast as the broker takes it."""
    live: bool = True
    """Go on in real time once the past is through."""
    live_s: float | None = None
    """Seconds of live operation; None until stopped."""
    until_ts: int | None = None
    """End of the scene, event time; None: it has none."""


def simulate(
    scene: Scene,
    publisher: Publisher,
    pace: SendingPace = SendingPace(),
    *,
    stop: threading.Event | None = None,
    progress: Callable[[RunProgress], None] | None = None,
    report_path: Path | None = None,
    clock_ms: Callable[[], int] = wall_ts,
) -> dict[str, Any]:
    """Publish the scene from its start; return the publisher's report, flushed.

    In live operation a message leaves when the clock reaches its time of sending: its ts, unless a fault delays it.
    """
    stop = stop or threading.Event()
    with _some_time_after(stop) as too_late:
        run = _Run(scene, publisher, stop, progress, clock_ms, until_ts=pace.until_ts, too_late=too_late)
        if pace.speed is None:
            run.history(pace)
        else:
            run.paced(pace, pace.speed)
        if pace.live:
            run.live(pace.live_s)
    flushed = publisher.flush(STOPPED_S if stop.is_set() else FLUSH_S)
    report = {**publisher.report(), "start_ms": scene.start_ts, "end_ms": scene.event_ts, "flushed": flushed}
    if report_path is not None:
        report_path.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    return report


@contextlib.contextmanager
def _some_time_after(stop: threading.Event) -> Iterator[threading.Event]:
    """An event that is set `STOPPED_S` after another one."""
    late, over = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.wait(PROGRESS_S):
            if stop.is_set():
                over.wait(STOPPED_S)
                late.set()
                return

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield late
    finally:
        over.set()
        watching.join()


class _Run:
    """One run's counters and its three ways of going."""

    def __init__(
        self,
        scene: Scene,
        publisher: Publisher,
        stop: threading.Event,
        progress: Callable[[RunProgress], None] | None,
        clock_ms: Callable[[], int],
        *,
        until_ts: int | None,
        too_late: threading.Event,
    ) -> None:
        self._scene, self._publisher, self._stop = scene, publisher, stop
        self._too_late = too_late
        """Set some time after `stop`: what has not been sent by then is not sent."""
        self._progress, self._clock_ms, self._until_ts = progress, clock_ms, until_ts
        self._done = 0
        self._reported = 0.0

    def history(self, pace: SendingPace) -> None:
        """Everything up to now, in arrays; now moves on meanwhile."""
        past = self._until_stopped(self._scene.advance(self._end_before(min(self._scene.whole_ts, self._clock_ms()))))
        self._publish_all(batch(past, pace.batch_size, PAST_SPAN_MS), RunPhase.HISTORY)
        while not self._stop.is_set():
            now = self._clock_ms()
            until = self._end_before(now)
            past = self._until_stopped(self._scene.advance(until - IN_ORDER_MS))
            self._publish_all(batch(past, pace.batch_size, pace.span_ms), RunPhase.HISTORY)
            self._publish_all(self._until_stopped(self._scene.advance(until)), RunPhase.HISTORY)
            if until < now or self._clock_ms() - now < CAUGHT_UP_MS:
                break
        self._tell(RunPhase.HISTORY, force=True)

    def paced(self, pace: SendingPace, speed: float) -> None:
        """Event time runs `speed` times as fast as the clock until it has caught up with it."""
        began, first = self._clock_ms(), self._scene.event_ts
        while not self._stop.is_set():
            now = self._clock_ms()
            event, end = first + round((now - began) * speed), self._end_before(now)
            drawn = self._until_stopped(self._scene.advance(min(end, event)))
            self._publish_all(batch(drawn, pace.batch_size, pace.span_ms), RunPhase.PACED)
            if event >= end:
                break
            self._stop.wait(SLICE_S)
        self._tell(RunPhase.PACED, force=True)

    def live(self, seconds: float | None) -> None:
        """Each reading alone, when its time has come."""
        ends = [] if seconds is None else [self._clock_ms() + round(seconds * 1_000)]
        end = min(ends if self._until_ts is None else [*ends, self._until_ts], default=None)
        horizon = 1 << 62
        for message in self._scene.advance(horizon if end is None else end):
            while (ahead := message.at_ts - self._clock_ms()) > 0:
                self._tell(RunPhase.LIVE)
                if self._stop.wait(min(ahead / 1_000, PROGRESS_S)):
                    return
            if self._stop.is_set() or not self._send(message, RunPhase.LIVE):
                return
        if end is not None:
            while (ahead := end - self._clock_ms()) > 0 and not self._stop.wait(min(ahead / 1_000, PROGRESS_S)):
                self._tell(RunPhase.LIVE)
        self._tell(RunPhase.LIVE, force=True)

    def _end_before(self, now: int) -> int:
        """`now`, or the scene's end where that comes earlier."""
        return now if self._until_ts is None else min(now, self._until_ts)

    def _until_stopped(self, messages: Iterator[DeviceMessage]) -> Iterator[DeviceMessage]:
        """Messages as they are drawn, until told to stop: each that was drawn is sent, so that a next run can go on."""
        while not self._stop.is_set():
            message = next(messages, None)
            if message is None:
                return
            yield message

    def _publish_all(self, messages: Iterable[DeviceMessage], phase: RunPhase) -> None:
        for message in messages:
            if not self._send(message, phase):
                return

    def _send(self, message: DeviceMessage, phase: RunPhase) -> bool:
        if not self._publisher.publish(message, self._too_late):
            return False
        self._done += len(message.readings)
        self._tell(phase)
        return True

    def _tell(self, phase: RunPhase, *, force: bool = False) -> None:
        now = time.monotonic()
        if self._progress is None or (not force and now - self._reported < PROGRESS_S):
            return
        self._reported = now
        scene = self._scene
        ahead_s = max(0, self._end_before(self._clock_ms()) - scene.event_ts) / 1_000
        self._progress(
            RunProgress(phase, self._done, self._done + round(ahead_s * scene.readings_per_s), scene.event_ts)
        )
