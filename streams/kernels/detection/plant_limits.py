"""Limits and quotas of a plant, and its water balance: held against figures that the plant's own rows carry.

The limit is the line's own after corrections, the quota the general one (通用定额); both stand for long periods, so
the window of 30 days is judged, once a day, and only where nearly all of its hours are known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.detection import own_rule
from schemas.metrics import PlantRolling, WaterDay
from schemas.metrics.signal import Severity, SignalKind
from schemas.time import DAY_MS
from streams.kernels.detection.judgement import Judgement
from streams.kernels.detection.row_watch import Judged, RowWatch, Series, SeriesReading, Watched
from streams.kernels.plant.limits import gap_pct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemas.detection import BalanceRule, LimitRule
    from schemas.metrics import Row
    from schemas.registry import Site

DAY_S = 86_400.0
HOUR_S = 3_600.0
SAME_PCT = 1e-6


class PlantLimits(RowWatch):
    """Fold of rolling figures: unit energy (or electricity) above its limit, unit intake above its quota."""

    name = "plant_limits"
    source: type[Row] = PlantRolling

    def __init__(self, limit: LimitRule, quota: LimitRule, version: str) -> None:
        self._rules = {SignalKind.LIMIT: limit, SignalKind.QUOTA: quota}
        self.window_s = {kind: rule.window_h * HOUR_S for kind, rule in self._rules.items()}
        super().__init__(version)

    def _rule(self, site: Site, kind: SignalKind) -> LimitRule:
        return own_rule(self._rules[kind], kind.value, site.detection)

    def window_of(self, site: Site, kind: SignalKind, /) -> float:
        """Length of the window that is judged, s."""
        return self._rule(site, kind).window_h * HOUR_S

    def read(self, site: Site, row: PlantRolling, /) -> Iterable[SeriesReading]:
        """Value, limit, production, and coverage of the window that is judged."""
        judged = {kind for kind in self._rules if self._rule(site, kind).window_h == row.window_h}
        line = "" if row.line_id == "plant" else f"/{row.line_id}"
        limit, quota_gap = row.limit_level_3, row.gap_to_quota_pct
        if limit is not None and SignalKind.LIMIT in judged:
            is_electric = _is_electric(row)
            value = row.unit_electricity_kwh if is_electric else row.unit_energy_kgce
            metric, unit = ("unit_electricity_kwh", "kWh") if is_electric else ("unit_energy_kgce", "kgce")
            yield SeriesReading(
                Series(metric + line, SignalKind.LIMIT),
                f"{unit}/{site.product_unit}",
                row.ts,
                (value, limit, row.production, float(row.coverage)),
            )
        if quota_gap is not None and row.unit_water_m3 is not None and SignalKind.QUOTA in judged:
            yield SeriesReading(
                Series("unit_water_m3" + line, SignalKind.QUOTA),
                f"m3/{site.product_unit}",
                row.ts,
                (row.unit_water_m3, row.unit_water_m3 / (1 + quota_gap / 100), row.production, float(row.coverage)),
            )

    def judge(self, site: Site, watched: Watched, /) -> Judged:
        """Above the limit; once it is, until it is clearly below."""
        value, limit, production, coverage = watched.newest.figures
        rule, ts = self._rule(site, watched.newest.series.kind), watched.newest.ts
        learned = round((coverage or 0.0) * rule.window_h), round(rule.coverage_needed * rule.window_h)
        if value is None or limit is None or learned[0] < learned[1]:
            return Judged((), None, learned)
        high = limit - rule.return_share * abs(limit) if watched.standing.active else limit
        is_over = rule.enabled and value > high
        excess = (value - limit) * production if is_over and production is not None else None
        unit = watched.newest.unit.partition("/")[0]
        return Judged(
            (),
            Judgement(
                active=is_over,
                since_ts=ts - DAY_MS,
                value=value,
                evidence={"window_h": rule.window_h, "coverage": coverage, "gap_pct": gap_pct(value, limit)},
                baseline=limit,
                high=limit,
                cost=None if excess is None else max(0.0, excess),
                cost_unit="" if excess is None else unit,
            ),
            learned,
        )


def _is_electric(row: PlantRolling) -> bool:
    """Whether the line's limit is one of electricity: the gap tells which figure was held against it."""
    if row.unit_electricity_kwh is None or row.gap_to_limit_pct is None:
        return False
    gap = gap_pct(row.unit_electricity_kwh, row.limit_level_3)
    return gap is not None and abs(gap - row.gap_to_limit_pct) < SAME_PCT


WATER_RESIDUAL = Series("residual_m3", SignalKind.BALANCE)


class WaterBalance(RowWatch):
    """Fold of water days: more went in than came out, by more than the meters' errors allow, two days in a row."""

    name = "water_balance"
    metrics = frozenset({WATER_RESIDUAL.metric})
    source: type[Row] = WaterDay
    window_s = {SignalKind.BALANCE: DAY_S}  # noqa: RUF012 - read only

    def __init__(self, rule: BalanceRule, version: str) -> None:
        super().__init__(version)
        self._rule = rule

    def read(self, _site: Site, row: WaterDay, /) -> Iterable[SeriesReading]:
        """Residual, tolerance, whether it was so the day before as well, and the intake."""
        suspected = None if row.leak_suspected is None else float(row.leak_suspected)
        figures = (row.residual_m3, row.tolerance_m3, suspected, row.intake_m3)
        yield SeriesReading(WATER_RESIDUAL, "m3", row.ts + DAY_MS, figures)

    def judge(self, site: Site, watched: Watched, /) -> Judged:
        """Active on the second day beyond the tolerance; over on the first one within it."""
        residual, tolerance, suspected, intake = watched.newest.figures
        known, lost = watched.memory or (0, 0.0)
        if residual is None or tolerance is None:
            return Judged((known, lost), None, (known, 2))
        known = min(known + 1, 2)
        is_over = residual > tolerance and own_rule(self._rule, "balance", site.detection).enabled
        lost = lost + residual if is_over else 0.0
        memory, learned = (known, lost), (known, 2)
        if is_over and not suspected and not watched.standing.active:
            return Judged(memory, None, learned)
        return Judged(
            memory,
            Judgement(
                active=is_over,
                since_ts=watched.newest.ts - 2 * DAY_MS,
                value=residual,
                evidence={"tolerance_m3": tolerance, "intake_m3": intake},
                severity=Severity.MEDIUM,
                baseline=0.0,
                high=tolerance,
                cost=lost if is_over else None,
                cost_unit="m3" if is_over else "",
            ),
            learned,
        )
