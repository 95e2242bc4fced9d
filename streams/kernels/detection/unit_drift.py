"""A coal-gangue unit (煤矸石机组) that needs more heat than its load explains, or runs below its usual load.

Heat rate: fuel heat against electricity supplied, hour by hour, as `efficiency` does for a plant; only hours that the
laboratory covers, for a registered heat value says nothing of the fuel. Capacity factor: CUSUM of the daily figure
below its own median of four weeks, in robust standard deviations; a day at a standstill is no evidence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.detection import own_rule
from schemas.metrics import GangueWindow
from schemas.metrics.gangue import UnitWindow
from schemas.metrics.signal import SignalKind
from schemas.time import DAY_MS, HOUR_MS, UTC_OFFSET_MS
from streams.kernels.detection.cusum import step
from streams.kernels.detection.efficiency import (
    KNOWN,
    Efficiency,
    EfficiencyState,
    efficiency_from_json,
    efficiency_to_json,
)
from streams.kernels.detection.judgement import Judgement
from streams.kernels.detection.robust import clip, median, robust_sd
from streams.kernels.detection.row_watch import Judged, RowWatch, Series, SeriesReading, Watched

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from schemas.detection import CapacityFactorRule, HeatRateRule
    from schemas.metrics import Row
    from schemas.registry import Device

HEAT_RATE = Series("net_heat_rate_kj_kwh", SignalKind.HEAT_RATE)
CAPACITY_FACTOR = Series("capacity_factor_pct", SignalKind.CAPACITY_FACTOR)
KGCE_PER_GJ = 1e3 / 29.3076
KJ_KWH_PER_GJ_MWH = 1e3
KWH_PER_MWH = 1e3


class UnitDrift(RowWatch):
    """Fold of a unit's windows: its hours for the heat rate, its local days for the capacity factor."""

    name = "unit_drift"
    source: type[Row] = GangueWindow
    window_s = {SignalKind.HEAT_RATE: HOUR_MS / 1000, SignalKind.CAPACITY_FACTOR: DAY_MS / 1000}  # noqa: RUF012

    def __init__(self, heat_rate: HeatRateRule, capacity_factor: CapacityFactorRule, version: str) -> None:
        super().__init__(version)
        self._heat_rate, self._capacity_factor = heat_rate, capacity_factor

    def _rules(self, unit: Device) -> tuple[HeatRateRule, CapacityFactorRule]:
        own = unit.detection
        return (
            own_rule(self._heat_rate, "heat_rate", own),
            own_rule(self._capacity_factor, "capacity_factor", own),
        )

    def read(self, unit: Device, row: GangueWindow, /) -> Iterable[SeriesReading]:
        """Supplied electricity and heat of an hour; capacity factor and generation of a local day."""
        heat_rate, capacity_factor = self._rules(unit)
        if row.span is UnitWindow.HOUR:
            is_known = row.coverage >= KNOWN and row.laboratory_share >= heat_rate.laboratory_share
            figures = (row.supplied_mwh, row.fuel_heat_gj) if is_known else (None, None)
            yield SeriesReading(HEAT_RATE, "kJ/kWh", row.ts, figures)
        elif row.span is UnitWindow.DAY and (row.ts + UTC_OFFSET_MS) % DAY_MS == 0:
            is_known = row.coverage >= capacity_factor.coverage_needed
            figures = (row.capacity_factor_pct, row.generated_mwh) if is_known else (None, None)
            yield SeriesReading(CAPACITY_FACTOR, "%", row.ts, figures)

    def judge(self, unit: Device, watched: Watched, /) -> Judged:
        """Judge an hour's heat, or a day's capacity factor."""
        heat_rate, capacity_factor = self._rules(unit)
        is_heat = watched.newest.series == HEAT_RATE
        judged = _heat(watched, heat_rate) if is_heat else _capacity(watched, capacity_factor)
        if judged.judgement is None or (heat_rate if is_heat else capacity_factor).enabled:
            return judged
        return judged._replace(judgement=judged.judgement._replace(active=False, cost=None, cost_unit=""))


def _heat(watched: Watched, rule: HeatRateRule) -> Judged:
    supplied, heat = watched.newest.figures
    state = efficiency_from_json(watched.memory) if watched.memory else EfficiencyState()
    verdict = None
    if supplied is not None and supplied > 0 and heat is not None:
        state, verdict = Efficiency(rule).judge(state, watched.newest.ts, supplied, heat)
    if verdict is not None and supplied:
        scale = KJ_KWH_PER_GJ_MWH / supplied
        cost = verdict.cost
        verdict = verdict._replace(
            value=_times(verdict.value, scale),
            baseline=_times(verdict.baseline, scale),
            high=_times(verdict.high, scale),
            cost=_times(cost, KGCE_PER_GJ),
        )
    learned = state.regression.hours, rule.hours_needed
    return Judged(tuple(efficiency_to_json(state)), verdict, learned)


class CapacityMemory(NamedTuple):
    """What is remembered of a unit's capacity factor."""

    cusum: float = 0.0
    since: int = 0
    """When the sum left zero, ms; 0 while it is zero."""
    alarm_days: int = 0
    lost_kwh: float = 0.0
    """Since the onset, against the usual."""
    days: tuple[float, ...] = ()
    """Capacity factors of the days learned from, %, oldest first."""

    @classmethod
    def of(cls, flat: Sequence[Any]) -> CapacityMemory:
        """Read the memory of a watched series; an empty one is that of a unit not seen before."""
        if not flat:
            return cls()
        cusum, since, alarm_days, lost_kwh, *days = flat
        return cls(cusum, since, alarm_days, lost_kwh, tuple(days))

    @property
    def flat(self) -> tuple[Any, ...]:
        """The same as a watched series keeps it."""
        return (*self[:4], *self.days)


def _capacity(watched: Watched, rule: CapacityFactorRule) -> Judged:
    ts = watched.newest.ts
    value, generated = watched.newest.figures
    memory = CapacityMemory.of(watched.memory)
    days = memory.days
    learned = len(days), rule.days_needed
    if value is None or value <= rule.standstill_pct:
        return Judged(watched.memory, None, learned)
    if len(days) < rule.days_needed:
        return Judged(CapacityMemory(days=(*days, value)).flat, None, (len(days) + 1, rule.days_needed))
    usual = median(days)
    spread = max(robust_sd(days), rule.floor_share * usual)
    z = (usual - value) / spread
    total, is_low, kept = step(memory.cusum, clip(z, rule.clip_z), k=rule.k, h=rule.h, active=memory.alarm_days > 0)
    since = (memory.since or ts - DAY_MS) if total > 0 else 0
    lost_kwh = memory.lost_kwh + (generated or 0.0) * (usual / value - 1) * KWH_PER_MWH
    lost_kwh = max(0.0, lost_kwh) if total > 0 else 0.0
    verdict = Judgement(
        active=is_low and memory.alarm_days < rule.adopt_days,
        since_ts=since,
        value=value,
        evidence={"cusum": total, "h": rule.h, "spread": spread, "days": len(days)},
        baseline=usual,
        low=usual - rule.k * spread,
        z=-z,
        cost=lost_kwh if is_low else None,
        cost_unit="kWh" if is_low else "",
    )
    if is_low and memory.alarm_days >= rule.adopt_days:
        # What has been so for weeks is how this unit is run now: learn it anew.
        return Judged((), verdict._replace(cost=None, cost_unit=""), (0, rule.days_needed))
    if is_low:
        after = CapacityMemory(kept, since, memory.alarm_days + 1, lost_kwh, days)
        return Judged(after.flat, verdict, learned)
    newest = (*days, value)[-rule.days :]
    return Judged(CapacityMemory(kept, since, 0, lost_kwh, newest).flat, verdict, (len(newest), rule.days_needed))


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
