"""A set that is not what it was: told by the discharge whose capacity contradicts all before it, until the next one.

Not where only what was believed of it has changed: a replacement that is registered, an estimate that was too low, a
figure that was measured anew.
"""

from __future__ import annotations

from schemas.metrics.battery_prospects import BatterySoh, SohChange
from schemas.metrics.signal import Severity, SignalKind
from schemas.time import QUARTER_DAY_MS
from streams.kernels.detection.judgement import Judgement, RowJudge

NO_ALARM = (None, SohChange.REGISTERED, SohChange.CORRECTED, SohChange.REMEASURED, SohChange.LESS_SURE)


class SetChanges(RowJudge):
    """Fold of a set's states of health, one for each of its discharges."""

    name = "set_changes"
    version = 3
    source = BatterySoh
    kinds = frozenset({SignalKind.SET_CHANGED})
    snapshot_ms = QUARTER_DAY_MS
    metric, unit = "soh_pct", "%"

    def judged(self, row: BatterySoh) -> Judgement | None:
        """What a discharge says; None where it has no estimate of its own, nor tells that other cells stand there."""
        changed = row.change not in NO_ALARM
        if row.evidence_ts != row.ts and not changed:
            return None
        lost = (row.change_pct or 0.0) < 0
        return Judgement(
            active=changed,
            since_ts=row.ts,
            value=row.soh_pct,
            evidence={
                "change": None if row.change is None else str(row.change),
                "change_pct": row.change_pct,
                "weakest_cell": row.weakest_cell,
                "discharge_ms": row.ts,
            },
            severity=Severity.HIGH if lost and row.change == SohChange.CELL_FAILED else Severity.MEDIUM,
            baseline=row.believed_pct,
            renewed=changed,
        )
