"""A battery set that no longer carries its contract's hours, or whose resistance has risen: judged once a day.

Both hold a set against something of its own: the hours it is owed (docs/battery-health.md, "Numbers and their
sources"), and its own earlier load-on steps at 25 °C. Resistance is a trend and never a state of health.

A forecast is an interval, p10 to p90. A set is short where all of it lies below the hours owed. Where they lie within
it nobody knows, and an alarm would be wrong as often as right: the pages show p10 beside the hours owed. An alarm that
stands is over as soon as the set is more likely than not to carry them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.detection import own_rule
from schemas.metrics import BatteryDay
from schemas.metrics.signal import Severity, SignalKind
from schemas.time import DAY_MS
from streams.kernels.detection.judgement import Judgement
from streams.kernels.detection.row_watch import Judged, RowWatch, Series, SeriesReading, Watched

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemas.detection import BatteryRules
    from schemas.metrics import Row
    from schemas.registry import Device

BACKUP = Series("backup_p10_h", SignalKind.BACKUP)
RESISTANCE = Series("resistance_25c_mohm", SignalKind.RESISTANCE)
DAY_S = DAY_MS / 1000


class SetTrends(RowWatch):
    """Fold of a set's days: backup time against the contract, resistance against the set's own."""

    name = "set_trends"
    version = 2
    source: type[Row] = BatteryDay
    window_s = {SignalKind.BACKUP: DAY_S, SignalKind.RESISTANCE: DAY_S}  # noqa: RUF012 - read only

    def __init__(self, rules: BatteryRules, version: str) -> None:
        super().__init__(version)
        self._rules = rules

    def read(self, _device: Device, row: BatteryDay, /) -> Iterable[SeriesReading]:
        """Backup p10, p50 and what is owed; newest and usual resistance, the rise, and the steps behind them."""
        end = row.ts + DAY_MS
        yield SeriesReading(BACKUP, "h", end, (row.backup_p10_h, row.backup_p50_h, row.contract_h, row.soh_pct))
        yield SeriesReading(
            RESISTANCE,
            "mohm",
            end,
            (row.resistance_25c_mohm, row.resistance_usual_mohm, row.resistance_rise_pct, float(row.resistance_steps)),
        )

    def judge(self, device: Device, watched: Watched, /) -> Judged:
        """Judge a day's backup time, or its newest resistance."""
        rules = own_rule(self._rules, "battery", device.detection)
        return _backup(watched) if watched.newest.series == BACKUP else _resistance(watched, rules)


def _backup(watched: Watched) -> Judged:
    p10, p50, owed, soh_pct = watched.newest.figures
    if p10 is None or p50 is None or owed is None:
        return Judged((), None, (0, 1))
    p90 = 2 * p50 - p10
    short = (p50 if watched.standing.active else p90) < owed
    verdict = Judgement(
        active=short,
        since_ts=watched.newest.ts - DAY_MS,
        value=p10,
        evidence={"backup_p50_h": p50, "backup_p90_h": p90, "contract_h": owed, "soh_pct": soh_pct},
        severity=Severity.MEDIUM,
        baseline=owed,
        low=owed,
        cost=owed - p50 if short else None,
        cost_unit="h" if short else "",
    )
    return Judged((), verdict, (1, 1))


def _resistance(watched: Watched, rules: BatteryRules) -> Judged:
    newest, usual, rise_pct, steps = watched.newest.figures
    learned = int(steps or 0), rules.resistance_steps
    if newest is None or usual is None or rise_pct is None:
        return Judged((), None, learned)
    limit_pct = rules.resistance_return_pct if watched.standing.active else rules.resistance_rise_pct
    verdict = Judgement(
        active=rise_pct > limit_pct,
        since_ts=watched.newest.ts - DAY_MS,
        value=newest,
        evidence={"rise_pct": rise_pct, "steps": steps},
        severity=Severity.LOW,
        baseline=usual,
        high=usual * (1 + rules.resistance_rise_pct / 100),
    )
    return Judged((), verdict, learned)
