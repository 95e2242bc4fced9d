"""A meter that was exchanged or set to zero: told once, so that somebody registers the old one's final reading.

What passed between its last reading and the new beginning is an estimate until then (`docs/registry.md`, registered
changes). It is over as soon as it is told: the alarm waits for a person, not for the meter. Each meter is told of by
the register that stands for it. So is one under whose name two meters send in turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.metrics import MeterEvent, MeterEventKind
from schemas.metrics.signal import Severity, SignalKind
from streams.kernels.detection.judgement import Judgement
from streams.kernels.detection.meter_events import MeterEvents
from streams.kernels.metering.telling import EXCHANGED_AS_REGISTERED, IN_TURN, RUBBISH

if TYPE_CHECKING:
    from schemas.registry import Device

BREAKS = frozenset({MeterEventKind.RESET, MeterEventKind.REPLACEMENT})
SETTLED = frozenset({EXCHANGED_AS_REGISTERED, RUBBISH})
"""Rules of events that ask for nothing: what passed is known, or there was no meter behind it."""


class ChangedMeters(MeterEvents):
    """Tells breaks of a register whose increment is an estimate."""

    name = "changed_meters"
    kind = SignalKind.METER_CHANGED

    def verdicts(self, _device: Device, event: MeterEvent, /) -> list[tuple[int, Judgement]]:
        """That it happened, and that it is over."""
        if event.rule == IN_TURN:
            # Told as of its beginning: it goes on, and every turn of it is one and the same alarm.
            evidence = {"event": event.kind.value, "rule": event.rule}
            raised = Judgement(active=True, since_ts=event.ts, value=None, evidence=evidence)
            return [(event.ts, raised), (event.ts + 1, raised._replace(active=False))]
        if event.kind not in BREAKS or event.rule in SETTLED:
            return []
        raised = Judgement(
            active=True,
            since_ts=event.ts,
            value=event.value_seen,
            baseline=event.value_before,
            evidence={"event": event.kind.value, "estimated": event.increment, "rule": event.rule},
            severity=Severity.MEDIUM,
        )
        return [(event.seen_ts, raised), (event.seen_ts + 1, raised._replace(active=False))]
