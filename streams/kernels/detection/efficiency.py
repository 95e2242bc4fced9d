"""Efficiency of a plant: energy beyond what its production explains (EnPI CUSUM).

    Ê = β₀ + β₁·P,   z = (E − Ê)/s,   S ← max(0, S + z − k)

over hours of operation. The regression is recursive least squares with forgetting over six weeks: five weighted sums,
from which β is solved anew each hour. What is learned from is held within ±3 s, and nothing is learned in alarm. s is
the residual's own spread, stretched where hours follow each other. Source: ISO 50006 practice; k and h:
docs/detection.md, "Numbers and their sources".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.detection import own_rule
from schemas.metrics import PlantHour, Quality
from schemas.metrics.signal import DetectorStatus, SignalKind
from schemas.time import HOUR_MS, QUARTER_DAY_MS
from streams.kernels.codec import Codec, Saved, Way
from streams.kernels.detection.cusum import step
from streams.kernels.detection.judgement import (
    NEW,
    STANDING,
    Judgement,
    Signaller,
    Standing,
    Subject,
    enter,
    stand,
    status,
)
from streams.kernels.detection.robust import clip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.detection import EfficiencyRule
    from schemas.metrics import Row
    from schemas.registry import Site

HOUR_S = 3_600.0
CORRELATION_HOURS = 336
CORRELATION_MAX = 0.9
KNOWN = 0.99
"""Share of the hour that every meter must know: a ratio of part of the energy to all of the product is none."""


class Regression(NamedTuple):
    """Weighted sums of production P and energy E, and how hours scatter around the line."""

    hours: int = 0
    weight: float = 0.0
    p: float = 0.0
    e: float = 0.0
    pp: float = 0.0
    pe: float = 0.0
    variance: float = 0.0
    """Of the residual relative to what was expected."""
    correlation: float = 0.0
    last_z: float = math.nan
    last_ts: int = 0


class EfficiencyState(NamedTuple):
    """What has been learned of a plant, and its CUSUM."""

    regression: Regression = Regression()
    cusum: float = 0.0
    rising_since: int = 0
    active: bool = False
    alarm_hours: int = 0
    excess: float = 0.0
    """In alarm: energy beyond what was expected."""


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Judges pairs of production and energy, one an hour of operation; any units."""

    rule: EfficiencyRule

    def expected(self, known: Regression, production: float) -> tuple[float, float] | None:
        """Energy explained by a production, and its spread; None as long as it is learned."""
        if known.hours < self.rule.hours_needed:
            return None
        mean_p, mean_e = known.p / known.weight, known.e / known.weight
        scatter = known.pp / known.weight - mean_p * mean_p
        slope = 0.0
        if scatter > 1e-6 * mean_p * mean_p:
            slope = (known.pe / known.weight - mean_p * mean_e) / scatter
        expected = mean_e + slope * (production - mean_p)
        return expected, max(math.sqrt(known.variance), self.rule.floor_share) * abs(expected)

    def judge(
        self, state: EfficiencyState, ts: int, production: float, energy: float
    ) -> tuple[EfficiencyState, Judgement | None]:
        """Take the hour of operation that ended at `ts`."""
        rule, known = self.rule, state.regression
        line = self.expected(known, production)
        if line is None or line[0] <= 0:
            return state._replace(regression=self._learn(known, ts, production, energy)), None
        expected, spread = line
        z = (energy - expected) / spread
        correlation = min(max(known.correlation, 0.0), CORRELATION_MAX)
        stretch = math.sqrt((1 + correlation) / (1 - correlation))
        total, active, kept = step(state.cusum, clip(z / stretch, rule.clip_z), k=rule.k, h=rule.h, active=state.active)
        since = (state.rising_since or ts - HOUR_MS) if total > 0 else 0
        after = state._replace(
            cusum=kept,
            rising_since=since,
            active=active,
            alarm_hours=state.alarm_hours + 1 if active else 0,
            excess=max(0.0, state.excess + energy - expected) if total > 0 else 0.0,
        )
        ended = ""
        if after.alarm_hours >= rule.adopt_hours:
            # What has been so for two weeks of operation is how this plant works now: learn it anew.
            after, active, ended = EfficiencyState(), False, "adopted"
        elif not active:
            held = expected + clip(z, rule.clip_z) * spread
            after = after._replace(
                regression=self._learn(known, ts, production, held, residual=held / expected - 1, z=z)
            )
        evidence: dict[str, float | int | str | None] = {
            "cusum": total,
            "h": rule.h,
            "production": production,
            "spread": spread,
            "stretch": stretch,
            "excess_pct": 100 * (energy - expected) / expected if expected else None,
        }
        if ended:
            evidence["ended"] = ended
        return after, Judgement(
            active=active,
            since_ts=since,
            value=energy,
            evidence=evidence,
            baseline=expected,
            high=expected + rule.k * spread * stretch,
            z=z,
            cost=after.excess if active else None,
            cost_unit="kgce" if active else "",
        )

    def _learn(
        self,
        known: Regression,
        ts: int,
        production: float,
        energy: float,
        *,
        residual: float | None = None,
        z: float = math.nan,
    ) -> Regression:
        keep = 1 - 1 / self.rule.memory_hours
        hours = known.hours + 1
        if residual is None and hours > self.rule.hours_needed // 4:
            # Still learning: the spread is that around the line as far as it is known.
            line = Efficiency(self.rule.model_copy(update={"hours_needed": 1})).expected(known, production)
            residual = energy / line[0] - 1 if line and line[0] else None
        variance = known.variance
        if residual is not None:
            count = max(1, hours - self.rule.hours_needed // 4)
            variance += (residual * residual - variance) / min(count, self.rule.memory_hours)
        correlation = known.correlation
        if not math.isnan(z) and not math.isnan(known.last_z) and ts - known.last_ts <= 2 * HOUR_MS:
            limit = self.rule.clip_z
            correlation += (clip(z, limit) * clip(known.last_z, limit) - correlation) / CORRELATION_HOURS
        return Regression(
            hours,
            keep * known.weight + 1,
            keep * known.p + production,
            keep * known.e + energy,
            keep * known.pp + production * production,
            keep * known.pe + production * energy,
            variance,
            correlation,
            z,
            ts,
        )


def efficiency_to_json(state: EfficiencyState) -> list[Any]:
    """Write what has been learned as JSON values."""
    known = state.regression
    last_z = None if math.isnan(known.last_z) else known.last_z
    return [list(known._replace(last_z=0.0)), last_z, *state[1:]]


def efficiency_from_json(fields: Sequence[Any]) -> EfficiencyState:
    """Read it back."""
    known, last_z, *rest = fields
    regression = Regression(*known)._replace(last_z=math.nan if last_z is None else last_z)
    return EfficiencyState(regression, *rest)


EFFICIENCY = Way(efficiency_to_json, efficiency_from_json)
"""How it is saved: apart from the rest, because JSON has no NaN, stands `last_z`."""


class LineState(NamedTuple):
    """One product line: the hour that may still grow, what was learned, and the verdict."""

    open_hour: PlantHour
    state: EfficiencyState = EfficiencyState()
    standing: Standing = NEW


class PlantEfficiency(Signaller, Saved[dict[str, LineState]]):
    """Fold of plant hours: comprehensive energy against production, for each product line."""

    name = "plant_efficiency"
    version = 1
    source = PlantHour
    kinds = frozenset({SignalKind.EFFICIENCY})
    snapshot_ms = QUARTER_DAY_MS
    codec = Codec(dict[str, LineState], shapes={EfficiencyState: EFFICIENCY, Standing: STANDING})

    def __init__(self, rule: EfficiencyRule, version: str) -> None:
        self._rule = rule
        self._version = version

    def fold(
        self, state: dict[str, LineState] | None, site: Site, hours: Sequence[PlantHour]
    ) -> tuple[dict[str, LineState], list[Row]]:
        """Take hours; one is judged when a later one has come."""
        lines = dict(state or {})
        rows: list[Row] = []
        for hour in hours:
            before = lines.get(hour.line_id)
            if before is None:
                lines[hour.line_id] = LineState(hour)
            elif hour.ts == before.open_hour.ts:
                lines[hour.line_id] = before._replace(open_hour=hour)
            else:
                lines[hour.line_id] = self._judge(before, site, hour.ts, rows)._replace(open_hour=hour)
        return lines, rows

    def _judge(self, line: LineState, site: Site, seen_ts: int, rows: list[Row]) -> LineState:
        hour = line.open_hour
        known = min(hour.energy_known, hour.production_known) >= KNOWN and hour.quality is not Quality.ESTIMATED
        if not known or not hour.production or hour.energy_kgce is None:
            return line  # not in operation, or not known: no evidence either way
        ts = hour.ts + HOUR_MS
        rule = own_rule(self._rule, "efficiency", site.detection)
        state, verdict = Efficiency(rule).judge(line.state, ts, hour.production, hour.energy_kgce)
        if verdict is not None and not rule.enabled:
            verdict = verdict._replace(active=False, cost=None, cost_unit="")
        subject = Subject(site.site_id, site.site_id, _metric(hour.line_id), "kgce/h", self._version)
        standing, signal = stand(
            line.standing, verdict, subject=subject, kind=SignalKind.EFFICIENCY, ts=ts, seen_ts=seen_ts, window_s=HOUR_S
        )
        have, need = state.regression.hours, rule.hours_needed
        standing = enter(standing, learned=have >= need, ts=ts)
        if signal is not None:
            rows.append(signal)
        rows.append(
            status(
                standing,
                subject=subject,
                kind=SignalKind.EFFICIENCY,
                ts=ts,
                learned=(have, need),
                baseline=verdict and verdict.baseline,
            )
        )
        return line._replace(state=state, standing=standing)

    def is_behind(self, state: dict[str, LineState], row: Row) -> bool:
        """Whether a status was told of before: the open hour is not judged yet."""
        assert isinstance(row, DetectorStatus)  # noqa: S101 - only these are retold
        return any(_metric(name) == row.metric and row.ts <= line.open_hour.ts for name, line in state.items())


def _metric(line_id: str) -> str:
    return "energy_kgce" if line_id == "plant" else f"energy_kgce/{line_id}"
