"""How long it takes after each fault until all is as it was: readings come through, the guard reads, notices go out."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import psycopg
from confluent_kafka import Consumer, KafkaException, TopicPartition

from storage.pool import connect
from tests.chaos.hunter.causes import Causes
from tests.chaos.hunter.faults import Way

if TYPE_CHECKING:
    from psycopg import Connection

    from tests.chaos.hunter.causes import Cause
    from tests.chaos.hunter.devices import Devices
    from tests.chaos.hunter.rig import Rig

LOOK_S = 0.25
_PROBES = "SELECT count(*), (extract(epoch FROM min(newest)) * 1000)::bigint FROM (SELECT max(ts) AS newest"
_NEWEST = f"{_PROBES} FROM reading_electricity WHERE device_id = ANY(%s) GROUP BY device_id) n"
_NOTICES = (
    "SELECT (SELECT count(*) FROM notification_outbox WHERE planned_at IS NULL AND created_at <= %s)"
    " + (SELECT count(*) FROM notification WHERE sent_at IS NULL AND created_at <= %s)"
)


@dataclass
class Trial:
    """One fault that was done; moments on the monotonic clock."""

    name: str
    way: Way
    begun: float
    over: float
    mark: object
    """What must have come through: device time of a probe, the log's ends, or a moment of the database."""
    recovered: float | None = None
    waits: dict[Cause, float] = field(default_factory=lambda: defaultdict(float))
    """What it waited for, in seconds."""

    @property
    def seconds(self) -> float | None:
        """From the fault's end until all was as it was."""
        return None if self.recovered is None else max(0.0, self.recovered - self.over)


class Recovery:
    """Watches until each fault is overcome, in a thread of its own."""

    def __init__(self, rig: Rig, devices: Devices, probes: list[str]) -> None:
        self._rig = rig
        self._devices = devices
        self._probes = probes
        self._pending: list[Trial] = []
        self.trials: list[Trial] = []
        self.causes = Causes(rig.parts)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._run, self._explain)]
        self._connection: Connection | None = None
        topic = rig.pipeline.topic
        self._places = [TopicPartition(topic, number) for number in range(rig.stack.partitions)]
        group = {"group.id": rig.pipeline.guard_topics["FENHE_GUARD_GROUP"]}
        self._guard = Consumer({"bootstrap.servers": rig.stack.kafka.bootstrap, "log_level": 0, **group})
        self._look = {Way.READINGS: self._readings, Way.GUARD: self._guarded, Way.NOTICES: self._notified}

    def __enter__(self) -> Self:
        """Begin to watch."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._guard.close()
        if self._connection is not None:
            self._connection.close()

    def note(self, name: str, way: Way, begun: float) -> Trial:
        """A fault is over now, or has become what it is: watch for what comes after it."""
        trial = Trial(name, way, begun, time.monotonic(), self._devices.beat() if way is Way.READINGS else None)
        with self._lock:
            self.trials.append(trial)
            self._pending.append(trial)
        return trial

    def must_come(self, trial: Trial, within_s: float) -> None:
        """Wait until one is overcome; what comes later than that does not count any more."""
        deadline = time.monotonic() + within_s
        while trial.recovered is None and time.monotonic() < deadline:
            time.sleep(LOOK_S)
        with self._lock:
            self._pending = [each for each in self._pending if each is not trial]

    def wait(self, timeout_s: float) -> None:
        """Wait until all are overcome, or for so long."""
        deadline = time.monotonic() + timeout_s
        while self._pending and time.monotonic() < deadline:
            time.sleep(LOOK_S)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            with self._lock:
                pending = list(self._pending)
            for way in {trial.way for trial in pending}:
                with contextlib.suppress(psycopg.Error, KafkaException):
                    self._look[way]([trial for trial in pending if trial.way is way])
            with self._lock:
                self._pending = [trial for trial in self._pending if trial.recovered is None]

    def _explain(self) -> None:
        """Note what each recovery waits for, beside looking whether it is over: that may last."""
        before = time.monotonic()
        while not self._stop.wait(LOOK_S):
            now = time.monotonic()
            causes = {way: self.causes.now(way) for way in Way}
            with self._lock:
                for trial in self._pending:
                    trial.waits[causes[trial.way]] += now - max(before, trial.over)
            before = now

    def _asked(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._rig.pipeline.owner_url, name="test", autocommit=True)
        return self._connection

    def _readings(self, trials: list[Trial]) -> None:
        row = self._asked().execute(_NEWEST, (self._probes,)).fetchone()
        if row is None or row[0] < len(self._probes):
            return
        _overcome([trial for trial in trials if isinstance(trial.mark, int) and trial.mark <= row[1]])

    def _guarded(self, trials: list[Trial]) -> None:
        for trial in trials:
            if trial.mark is None:
                ends = {
                    place.partition: self._guard.get_watermark_offsets(place, timeout=2)[1] for place in self._places
                }
                trial.mark = ends
        stands = {place.partition: place.offset for place in self._guard.committed(self._places, timeout=2)}
        _overcome(
            [
                trial
                for trial in trials
                if isinstance(trial.mark, dict) and all(stands[at] >= end or not end for at, end in trial.mark.items())
            ]
        )

    def _notified(self, trials: list[Trial]) -> None:
        for trial in trials:
            if trial.mark is None:
                row = self._asked().execute("SELECT clock_timestamp()").fetchone()
                assert row is not None
                trial.mark = row[0]
            row = self._asked().execute(_NOTICES, (trial.mark, trial.mark)).fetchone()
            if row == (0,):
                _overcome([trial])


def _overcome(trials: list[Trial]) -> None:
    for trial in trials:
        trial.recovered = time.monotonic()
