"""A battery set's current sensor that stands still: told by the set's hours, in which its voltage contradicts it.

What the contradiction is stands in `streams/kernels/battery/tracking/contradiction.py`: nothing counts on it any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.metrics.battery_health import BatteryFlag, BatteryHour
from schemas.metrics.signal import Severity, SignalKind
from schemas.time import HOUR_MS, QUARTER_DAY_MS
from streams.kernels.detection.judgement import (
    NEW,
    Judgement,
    OneStanding,
    Standing,
    Subject,
    stand,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.metrics import Row
    from schemas.registry import Device

METRIC, UNIT = "current_a", "A"


class StuckCurrents(OneStanding):
    """Fold of a set's hours."""

    name = "stuck_currents"
    version = 2
    source = BatteryHour
    kinds = frozenset({SignalKind.STUCK_SENSOR})
    metrics = frozenset({METRIC})
    snapshot_ms = QUARTER_DAY_MS

    def __init__(self, version: str) -> None:
        self._version = version

    def fold(self, state: Standing | None, device: Device, hours: Sequence[BatteryHour]) -> tuple[Standing, list[Row]]:
        """Take hours; an hour is judged as it ends."""
        rows: list[Row] = []
        standing = NEW if state is None else state
        subject = Subject(device.device_id, device.site_id, METRIC, UNIT, self._version)
        for hour in hours:
            end = hour.ts + HOUR_MS
            verdict = Judgement(
                active=BatteryFlag.STUCK_CURRENT in hour.flags.split(","),
                since_ms=hour.ts,
                value=hour.float_current_a,
                evidence={"flags": hour.flags},
                severity=Severity.MEDIUM,
            )
            standing, signal = stand(
                standing,
                verdict,
                subject=subject,
                kind=SignalKind.STUCK_SENSOR,
                ts=end,
                seen_ts=hour.ts,
                window_s=HOUR_MS / 1000,
            )
            if signal is not None:
                rows.append(signal)
        return standing, rows
