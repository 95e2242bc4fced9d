"""A meter that is frozen: its register stands for hours although its own flow or its habits say that something passes.

Metering knows it from the third reading on and tells it as a `MeterEvent`; what passes meanwhile is unknown, and the
plant's figures lack it. Many gateways repeat a reading for minutes, so a person is called only when it lasts
(metric specification, flatline). Each meter is told of by the register that stands for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.kinds import described, unit_name
from schemas.metrics import MeterEvent, MeterEventKind, Signal
from schemas.metrics.signal import Severity, SignalKind
from schemas.time import QUARTER_DAY_MS
from streams.kernels.detection.judgement import NEW, Judgement, Stateless, Subject, stand
from streams.kernels.metering.window import standstill_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.metrics import Row
    from schemas.registry import Device

COSTS = frozenset({"kWh", "m3"})
"""Units of a register that an alarm's cost may have."""


class FrozenMeters(Stateless):
    """Fold of what befell a meter; it remembers nothing, for an event tells its beginning and its end."""

    name = "frozen_meters"
    version = 1
    source = MeterEvent
    kinds = frozenset({SignalKind.FROZEN})
    snapshot_ms = QUARTER_DAY_MS

    def __init__(self, version: str) -> None:
        self._version = version

    def fold(
        self, _state: tuple[()] | None, device: Device, events: Sequence[MeterEvent]
    ) -> tuple[tuple[()], list[Row]]:
        """Take events."""
        rows: list[Row] = []
        for event in events:
            if event.kind is MeterEventKind.FREEZE and event.quantity in described(device.kind).totals:
                rows += self._signals(device, event)
        return (), rows

    def _signals(self, device: Device, event: MeterEvent) -> list[Signal]:
        """When it had stood for long enough, and when it moved again."""
        due = event.ts + standstill_ms(device)
        if (event.seen_ts if event.until_ms is None else event.until_ms) < due:
            return []
        unit = unit_name(event.quantity)
        cost_unit = unit if unit in COSTS and event.plausible is not None else ""
        begun = Judgement(
            active=True,
            since_ms=event.ts,
            value=event.value_seen,
            evidence={"readings": event.readings, "passed_meanwhile": event.plausible, "rule": event.rule},
            severity=Severity.MEDIUM,
            cost=event.plausible if cost_unit else None,
            cost_unit=cost_unit,
        )
        subject = Subject(device.device_id, device.site_id, event.quantity, unit, self._version)
        verdicts = [(due, begun)]
        if event.until_ms is not None:
            verdicts.append((max(event.until_ms, due + 1), begun._replace(active=False, cost=None, cost_unit="")))
        standing, rows = NEW, list[Signal]()
        for ts, verdict in verdicts:
            standing, signal = stand(
                standing, verdict, subject=subject, kind=SignalKind.FROZEN, ts=ts, seen_ts=ts, window_s=0.0
            )
            if signal is not None:
                rows.append(signal)
        return rows
