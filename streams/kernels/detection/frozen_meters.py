"""A meter that is frozen: its register stands for hours although its own flow or its habits say that something passes.

Metering knows it from the third reading on and tells it as a `MeterEvent`; what passes meanwhile is unknown, and the
plant's figures lack it. Many gateways repeat a reading for minutes, so a person is called only when it lasts
(docs/detection.md, "Numbers and their sources"). Each meter is told of by the register that stands for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.kinds import unit_name
from schemas.metrics import MeterEvent, MeterEventKind
from schemas.metrics.signal import Severity, SignalKind
from streams.kernels.detection.judgement import Judgement
from streams.kernels.detection.meter_events import MeterEvents
from streams.kernels.metering.grounds import standstill_ms

if TYPE_CHECKING:
    from schemas.registry import Device

COSTS = frozenset({"kWh", "m3"})
"""Units of a register that an alarm's cost may have."""


class FrozenMeters(MeterEvents):
    """Tells freezes that last."""

    name = "frozen_meters"
    kind = SignalKind.FROZEN

    def verdicts(self, device: Device, event: MeterEvent, /) -> list[tuple[int, Judgement]]:
        """When it had stood for long enough, and when it moved again."""
        if event.kind is not MeterEventKind.FREEZE:
            return []
        due = event.ts + standstill_ms(device)
        if (event.seen_ts if event.until_ts is None else event.until_ts) < due:
            return []
        unit = unit_name(event.quantity)
        cost_unit = unit if unit in COSTS and event.plausible is not None else ""
        begun = Judgement(
            active=True,
            since_ts=event.ts,
            value=event.value_seen,
            evidence={"readings": event.readings, "passed_meanwhile": event.plausible, "rule": event.rule},
            severity=Severity.MEDIUM,
            cost=event.plausible if cost_unit else None,
            cost_unit=cost_unit,
        )
        found = [(due, begun)]
        if event.until_ts is not None:
            found.append((max(event.until_ts, due + 1), begun._replace(active=False, cost=None, cost_unit="")))
        return found
