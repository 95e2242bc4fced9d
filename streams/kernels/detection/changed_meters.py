"""A meter that was exchanged or set to zero: told once, so that somebody registers the old one's final reading.

What passed between its last reading and the new beginning is an estimate until then (`docs/registry.md`, registered
changes). It is over as soon as it is told: the alarm waits for a person, not for the meter. Each meter is told of by
the register that stands for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.kinds import described, unit_name
from schemas.metrics import MeterEvent, MeterEventKind, Signal
from schemas.metrics.signal import Severity, SignalKind
from schemas.time import QUARTER_DAY_MS
from streams.kernels.detection.judgement import NEW, Judgement, Stateless, Subject, stand
from streams.kernels.metering.telling import EXCHANGED_AS_REGISTERED, RUBBISH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.metrics import Row
    from schemas.registry import Device

BREAKS = frozenset({MeterEventKind.RESET, MeterEventKind.REPLACEMENT})
SETTLED = frozenset({EXCHANGED_AS_REGISTERED, RUBBISH})
"""Rules of events that ask for nothing: what passed is known, or there was no meter behind it."""


class ChangedMeters(Stateless):
    """Fold of what befell a meter; it remembers nothing."""

    name = "changed_meters"
    version = 1
    source = MeterEvent
    kinds = frozenset({SignalKind.METER_CHANGED})
    snapshot_ms = QUARTER_DAY_MS

    def __init__(self, version: str) -> None:
        self._version = version

    def fold(
        self, _state: tuple[()] | None, device: Device, events: Sequence[MeterEvent]
    ) -> tuple[tuple[()], list[Row]]:
        """Take events."""
        rows: list[Row] = []
        totals = described(device.kind).totals
        for event in events:
            if event.kind in BREAKS and event.quantity in totals and event.rule not in SETTLED:
                rows += self._signals(device, event)
        return (), rows

    def _signals(self, device: Device, event: MeterEvent) -> list[Signal]:
        """That it happened, and that it is over."""
        told = Judgement(
            active=True,
            since_ms=event.ts,
            value=event.value_seen,
            baseline=event.value_before,
            evidence={"event": event.kind.value, "estimated": event.increment, "rule": event.rule},
            severity=Severity.MEDIUM,
        )
        subject = Subject(device.device_id, device.site_id, event.quantity, unit_name(event.quantity), self._version)
        standing, rows = NEW, list[Signal]()
        for ts, verdict in ((event.seen_ts, told), (event.seen_ts + 1, told._replace(active=False))):
            standing, signal = stand(
                standing, verdict, subject=subject, kind=SignalKind.METER_CHANGED, ts=ts, seen_ts=ts, window_s=0.0
            )
            if signal is not None:
                rows.append(signal)
        return rows
