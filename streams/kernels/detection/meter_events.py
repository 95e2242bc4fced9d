"""What a person is told of the events that metering found of a meter, by the register that stands for it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from schemas.kinds import described, unit_name
from schemas.metrics import MeterEvent, Signal
from schemas.time import QUARTER_DAY_MS
from streams.kernels.detection.judgement import NEW, Judgement, Stateless, Subject, stand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.metrics import Row
    from schemas.metrics.signal import SignalKind
    from schemas.registry import Device


class MeterEvents(Stateless, ABC):
    """Fold of what befell a meter; it remembers nothing, for an event tells its beginning and its end."""

    version = 2
    source = MeterEvent
    kind: ClassVar[SignalKind]
    snapshot_ms = QUARTER_DAY_MS

    def __init__(self, version: str) -> None:
        """`version`: of the parameters; it stands in every signal."""
        self._version = version
        self.kinds = frozenset({self.kind})

    @abstractmethod
    def verdicts(self, device: Device, event: MeterEvent, /) -> Sequence[tuple[int, Judgement]]:
        """What an event is told by, each at its moment, ms; nothing of an event that calls nobody."""

    def fold(
        self, _state: tuple[()] | None, device: Device, events: Sequence[MeterEvent]
    ) -> tuple[tuple[()], list[Row]]:
        """Take events."""
        rows: list[Row] = []
        totals = described(device.kind).totals
        for event in events:
            if event.quantity in totals:
                rows += self._signals(device, event)
        return (), rows

    def _signals(self, device: Device, event: MeterEvent) -> list[Signal]:
        subject = Subject(device.device_id, device.site_id, event.quantity, unit_name(event.quantity), self._version)
        standing, rows = NEW, list[Signal]()
        for ts, verdict in self.verdicts(device, event):
            standing, signal = stand(
                standing, verdict, subject=subject, kind=self.kind, ts=ts, seen_ts=event.ts, window_s=0.0
            )
            if signal is not None:
                rows.append(signal)
        return rows
