"""A battery set's current sensor that stands still: told by the set's hours, in which its voltage contradicts it.

What the contradiction is stands in `streams/kernels/battery/tracking/contradiction.py`: nothing counts on it any more.
"""

from __future__ import annotations

from schemas.metrics.battery_health import BatteryFlag, BatteryHour
from schemas.metrics.signal import Severity, SignalKind
from schemas.time import HOUR_MS, QUARTER_DAY_MS
from streams.kernels.detection.judgement import Judgement, RowJudge


class StuckCurrents(RowJudge):
    """Fold of a set's hours; an hour is judged as it ends."""

    name = "stuck_currents"
    version = 2
    source = BatteryHour
    kinds = frozenset({SignalKind.STUCK_SENSOR})
    metrics = frozenset({"current_a"})
    snapshot_ms = QUARTER_DAY_MS
    metric, unit, window_ms = "current_a", "A", HOUR_MS

    def judged(self, row: BatteryHour) -> Judgement:
        """What an hour says."""
        return Judgement(
            active=BatteryFlag.STUCK_CURRENT in row.flags.split(","),
            since_ts=row.ts,
            value=row.float_current_a,
            evidence={"flags": row.flags},
            severity=Severity.MEDIUM,
        )
