"""Safety conditions out of readings, as they come: the detectors' own folds, and what is known to be active.

Pure but for its memory, which can be lost: what was published is read back from the alarms' topic, what detectors have
learnt from the guard's own, and what neither holds is learnt again from the last hours of readings.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import orjson
import structlog

from schemas.arrival import Arrival
from schemas.aside import NOTHING
from schemas.columns.block import Block
from schemas.metrics import Signal
from schemas.metrics.signal import SAFETY_KINDS
from schemas.readings import Kind
from schemas.registry import BatterySet, Device, Registry
from schemas.time import HOUR_MS
from storage.encoding.blocks import round_as_stored
from streams.guard.published import PublishedCondition, found_in
from streams.guard.recent import Recent
from streams.intake.admission import Directory, Refusal, admit, identify

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from schemas.kafka.safety import SafetyRecord
    from streams.guard.recent import Fed
    from streams.intake.batch import Batch, Message
    from streams.kernels.contract import Fold

log = structlog.get_logger(__name__)

GUARDED = frozenset({Kind.BATTERY, Kind.SITE_POWER})
ASSUMED_AH = 100.0
"""Capacity of a set of which no registry could be loaded yet; only whether it rests depends on it. (unsourced)"""
SAVE_MS = 6 * HOUR_MS
"""So much device time lies between two saves of what is learnt of a device. (unsourced)"""

_Key = tuple[str, str, str]


class SafetyWatch:
    """Feeds guarded readings to the detectors and tells what has come and gone.

    What stands on the alarms' topic then does not depend on the order in which a device's readings came, as long as
    none is older than the last few of its device that are kept; such a one is left to the database's way.
    """

    def __init__(self, folds: Sequence[Fold]) -> None:
        """Take folds over readings; of what they give out only safety verdicts count."""
        self._folds = {
            kind: tuple(
                fold
                for fold in folds
                if isinstance(fold.source, frozenset) and kind in fold.source and Signal in fold.events
            )
            for kind in GUARDED
        }
        self._recent: dict[str, Recent] = {}
        self._verdicts: dict[_Key, list[Signal]] = {}
        """Verdicts of conditions of the readings kept, and of what holds since before them."""
        self._published: dict[_Key, PublishedCondition] = {}
        self._saved_ts: dict[str, int] = {}
        """Device time up to which what is learnt of a device was saved."""
        self._due: set[str] = set()
        self.directory: Directory | None = None
        """The registry, once it could be loaded; kept while the database is away."""

    def remember(self, records: Iterable[SafetyRecord]) -> None:
        """Take in everything that was published before, in order."""
        found: dict[_Key, PublishedCondition] = {}
        for record in records:
            found.setdefault((record.device_id, record.metric, record.kind.value), PublishedCondition()).remember(
                record
            )
        self._published |= found

    def take(self, batch: Batch, now_ts: int) -> list[SafetyRecord]:
        """Judge one record's readings, and tell what is to be published."""
        found: list[SafetyRecord] = []
        for device_id, fed, touched in self._fed(batch):
            newest_ts = self._recent[device_id].newest_ts
            for key in touched:
                found += self._published.setdefault(key, PublishedCondition()).news(
                    self._verdicts.get(key, ()),
                    late_from_ts=fed.from_ts if fed.is_late else None,
                    newest_ts=newest_ts,
                    now_ts=now_ts,
                )
            self._forget(device_id, touched)
        return found

    def learn(self, batch: Batch) -> None:
        """Let the detectors see readings whose alarms were published before."""
        for device_id, _, touched in self._fed(batch):
            self._forget(device_id, touched)

    def to_save(self, *, everything: bool = False) -> Iterator[tuple[str, str]]:
        """What is learnt of devices, by device: of those whose turn it is, or of all."""
        for device_id in list(self._recent) if everything else sorted(self._due):
            recent = self._recent[device_id]
            if recent.before_ts < 0:
                continue
            folds = self._folds[recent.kind]
            states = {
                fold.name: [fold.version, fold.dump(state)]
                for fold, state in zip(folds, recent.before, strict=True)
                if state is not None
            }
            self._saved_ts[device_id] = recent.before_ts
            text = orjson.dumps({"kind": recent.kind, "ts": recent.before_ts, "states": states})
            yield device_id, text.decode()
        self._due.clear()

    def restore(self, device_id: str, text: bytes) -> None:
        """Take over what was saved of a device, unless more is known; raises ValueError where it cannot be read."""
        saved: dict[str, Any] = orjson.loads(text)
        kind, ts = Kind(saved["kind"]), int(saved["ts"])
        known = self._recent.get(device_id)
        if known is not None and known.newest_ts >= ts:
            return
        folds = self._folds[kind]
        states = [saved["states"].get(fold.name, [None, None]) for fold in folds]
        before = tuple(
            fold.load(state) if version == fold.version else None
            for fold, (version, state) in zip(folds, states, strict=True)
        )
        self._recent[device_id] = Recent(kind, before, ts)
        self._saved_ts[device_id] = ts

    def _fed(self, batch: Batch) -> Iterator[tuple[str, Fed, set[_Key]]]:
        """Feed readings, and tell of each device which conditions' verdicts are others now."""
        for envelope in batch.one_by_one().messages:
            device = self._device(envelope) if envelope.kind in GUARDED else None
            if device is None:
                continue
            try:
                fed = self._fold(device, envelope)
            except Exception:
                # One message that a detector cannot take must not end the guarding of all others.
                log.exception("a message cannot be judged, going on without", device=device.device_id)
                continue
            if fed is not None:
                yield device.device_id, fed, self._take_in(device.device_id, fed)

    def _fold(self, device: Device, envelope: Message) -> Fed | None:
        directory = self.directory or _UNKNOWN
        apart = envelope.set_aside or {}
        sent = [
            admit(directory, device, Arrival(device.device_id, envelope.received_ts, reading, apart.get(at, NOTHING)))
            for at, reading in enumerate(envelope.readings)
        ]
        folds = self._folds[device.kind]
        recent = self._recent.get(device.device_id)
        if recent is None or recent.kind is not device.kind:
            recent = Recent(device.kind, (None,) * len(folds))
        admitted = [arrival for arrival in sent if isinstance(arrival, Arrival)]
        # Detectors see what the table will hold.
        round_as_stored(Block(device.kind, [arrival.reading for arrival in admitted]))
        fed = recent.feed(folds, device, admitted)
        self._recent[device.device_id] = recent
        first_ts = zlib.crc32(device.device_id.encode()) % SAVE_MS  # not all devices at once
        if (recent.before_ts - first_ts) // SAVE_MS * SAVE_MS + first_ts > self._saved_ts.get(device.device_id, -1):
            self._due.add(device.device_id)
        return fed

    def _take_in(self, device_id: str, fed: Fed) -> set[_Key]:
        """Put new verdicts in the place of those that were given for the same readings."""
        touched: set[_Key] = set()
        if fed.is_late:
            for key in [key for key in self._verdicts if key[0] == device_id]:
                own = self._verdicts[key]
                kept = [verdict for verdict in own if verdict.ts < fed.from_ts]
                if len(kept) < len(own):
                    self._verdicts[key] = kept
                    touched.add(key)
        for signal in fed.signals:
            if signal.kind not in SAFETY_KINDS:
                continue
            key = (signal.device_id, signal.metric, signal.kind.value)
            own = self._verdicts.setdefault(key, [])
            verdict = signal
            if not own and (published := self._published.get(key)) and (standing := published.standing_at(signal.ts)):
                own.append(standing)
                # A detector that had to begin anew counts from one: that is no second onset.
                verdict = signal._replace(samples=max(2, signal.samples)) if signal.active else signal
            own.append(verdict)
            touched.add(key)
        return touched

    def _forget(self, device_id: str, touched: Iterable[_Key]) -> None:
        """Keep verdicts of the readings kept, and of what holds since before them."""
        before_ts = self._recent[device_id].before_ts
        for key in touched:
            own = self._verdicts[key]
            begun = [one.raised.ts for one in found_in(own) if one.ended_ts > before_ts]
            from_ts = min([before_ts + 1, *begun])
            own[:] = [verdict for verdict in own if verdict.ts >= from_ts]
            if not own:
                del self._verdicts[key]

    def _device(self, envelope: Message) -> Device | None:
        """The registered device; without any registry one with nothing known of it."""
        if self.directory is not None:
            known = identify(self.directory, envelope.site_id, envelope.kind, envelope.device_id)
            return None if isinstance(known, Refusal) else known
        battery = BatterySet(nominal_ah=ASSUMED_AH) if envelope.kind is Kind.BATTERY else None
        return Device(device_id=envelope.device_id, site_id=envelope.site_id, kind=envelope.kind, battery=battery)


_UNKNOWN = Directory(0, Registry())
