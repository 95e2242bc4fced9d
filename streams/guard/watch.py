"""Safety conditions out of readings, as they come: the detectors' own folds, and what is known to be active.

Pure but for its memory, which is small and can be lost: what was published is read back from the alarms' topic, and
what detectors have learnt is learnt again from the last hours of readings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from schemas.alarms import alarm_id
from schemas.arrival import Arrival, joined
from schemas.aside import NOTHING
from schemas.metrics import Signal
from schemas.metrics.signal import SAFETY_KINDS
from schemas.readings import Kind
from schemas.registry import BatterySet, Device, Registry
from schemas.safety import SafetyEvent, SafetyRecord
from streams.intake.admission import Directory, Refusal, admit, identify
from streams.kernels.alarms.reference import alarm_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from schemas.metrics import Row
    from schemas.record import Envelope, MicroBatch
    from streams.kernels.contract import Fold

GUARDED = frozenset({Kind.BATTERY, Kind.SITE_POWER})
ASSUMED_AH = 100.0
"""Capacity of a set of which no registry could be loaded yet; only whether it rests depends on it. (unsourced)"""

_Key = tuple[str, str, str]


class _Memory(NamedTuple):
    """What a fold remembers of a device."""

    before: Any
    """Before its newest reading, which another message of the same moment may yet complete."""
    now: Any


class SafetyWatch:
    """Feeds guarded readings to the detectors and tells what has come and gone."""

    def __init__(self, folds: Sequence[Fold]) -> None:
        """Take folds over readings; of what they give out only safety verdicts count."""
        self._folds = [fold for fold in folds if isinstance(fold.source, frozenset) and Signal in fold.events]
        self._memories: dict[tuple[str, str], _Memory] = {}
        self._newest: dict[str, Arrival] = {}
        """Newest reading of each device, with all that its messages said."""
        self._active: dict[_Key, str] = {}
        """Alarms that were published as raised and not yet as cleared."""
        self._told: dict[_Key, int] = {}
        """Device time of what was published last: the same readings again say nothing new until then."""
        self.directory: Directory | None = None
        """The registry, once it could be loaded; kept while the database is away."""

    def remember(self, records: Iterable[SafetyRecord]) -> None:
        """Take in what was published before, in order."""
        for record in records:
            key = (record.device_id, record.metric, record.kind.value)
            self._told[key] = record.sample_ms
            if record.event is SafetyEvent.RAISE:
                self._active[key] = record.alarm_id
            else:
                self._active.pop(key, None)

    def take(self, batch: MicroBatch, now_ms: int) -> list[SafetyRecord]:
        """Judge one record's readings; readings older than a device's newest are left to the database's way."""
        found: list[SafetyRecord] = []
        for signal in self._signals(batch):
            key = (signal.device_id, signal.metric, signal.kind.value)
            if signal.ts <= self._told.get(key, -1):
                continue
            record = _record(signal, self._active, now_ms)
            if record is not None:
                self._told[key] = signal.ts
                found.append(record)
        return found

    def learn(self, batch: MicroBatch) -> None:
        """Let the detectors see readings whose alarms were published before."""
        for _ in self._signals(batch):
            pass

    def _signals(self, batch: MicroBatch) -> Iterator[Signal]:
        for envelope in batch.messages:
            if envelope.kind in GUARDED:
                yield from self._fold_envelope(envelope)

    def _fold_envelope(self, envelope: Envelope) -> list[Signal]:
        device = self._device(envelope)
        if device is None:
            return []
        directory = self.directory or _UNKNOWN
        apart = envelope.set_aside or {}
        sent = [
            admit(directory, device, Arrival(device.device_id, envelope.received_ms, reading, apart.get(at, NOTHING)))
            for at, reading in enumerate(envelope.readings)
        ]
        fresh, again = self._fresh([arrival for arrival in sent if isinstance(arrival, Arrival)], device.device_id)
        if not fresh:
            return []
        self._newest[device.device_id] = fresh[-1]
        found: list[Signal] = []
        for fold in self._folds:
            if not (isinstance(fold.source, frozenset) and device.kind in fold.source):
                continue
            memory = self._memories.get((fold.name, device.device_id), _Memory(None, None))
            before = memory.before if again else memory.now
            *earlier, newest = fresh
            rows: list[Row] = []
            if earlier:
                before, rows = fold.fold(before, device, earlier)
            now, more = fold.fold(before, device, [newest])
            self._memories[fold.name, device.device_id] = _Memory(before, now)
            found += [row for row in (*rows, *more) if isinstance(row, Signal)]
        return found

    def _fresh(self, sent: Sequence[Arrival], device_id: str) -> tuple[list[Arrival], bool]:
        """Readings to fold, in order, and whether the first of them is the newest known one, with more in it."""
        newest = self._newest.get(device_id)
        fresh: list[Arrival] = []
        for arrival in sorted(sent, key=lambda arrival: arrival.ts):
            last = fresh[-1] if fresh else newest
            if last is None or arrival.ts > last.ts:
                fresh.append(arrival)
            elif arrival.ts == last.ts and (both := joined(last, arrival)) is not None and both is not last:
                fresh[-1:] = [both]
        return fresh, newest is not None and bool(fresh) and fresh[0].ts == newest.ts

    def _device(self, envelope: Envelope) -> Device | None:
        """The registered device; without any registry one with nothing known of it."""
        if self.directory is not None:
            known = identify(self.directory, envelope.site_id, envelope.kind, envelope.device_id)
            return None if isinstance(known, Refusal) else known
        battery = BatterySet(nominal_ah=ASSUMED_AH) if envelope.kind is Kind.BATTERY else None
        return Device(device_id=envelope.device_id, site_id=envelope.site_id, kind=envelope.kind, battery=battery)


_UNKNOWN = Directory(0, Registry())


def _record(signal: Signal, known: dict[_Key, str], now_ms: int) -> SafetyRecord | None:
    """What a verdict changes, if anything; `known` is kept up."""
    if signal.kind not in SAFETY_KINDS:
        return None
    key = (signal.device_id, signal.metric, signal.kind.value)
    handling = alarm_rules().handling(signal.kind)
    if signal.active and key not in known and signal.samples >= handling.on_delay_samples:
        name = known[key] = alarm_id(*key, signal.ts)
        event = SafetyEvent.RAISE
    elif not signal.active and key in known and signal.samples >= handling.off_delay_samples:
        name = known.pop(key)
        event = SafetyEvent.CLEAR
    else:
        return None
    return SafetyRecord(
        alarm_id=name,
        event=event,
        site_id=signal.site_id,
        device_id=signal.device_id,
        metric=signal.metric,
        kind=signal.kind,
        severity=signal.severity,
        event_ms=signal.since_ms,
        sample_ms=signal.ts,
        detected_ms=now_ms,
        value=signal.value,
        high=signal.high,
        unit=signal.unit,
        detector=signal.detector,
        may_be=orjson.loads(signal.evidence).get("may_be", ""),
    )
