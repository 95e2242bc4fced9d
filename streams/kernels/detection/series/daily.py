"""Detectors over days: a step in the daily mean, and a base load that was left on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics.signal import Severity
from schemas.time import DAY_MS, HOURS_A_DAY
from streams.kernels.detection.judgement import Judgement
from streams.kernels.detection.packed import Floats, pushed, single
from streams.kernels.detection.robust import known, median, quantile, robust_sd

if TYPE_CHECKING:
    from schemas.detection import BaseLoadRule, StepRule

WEEK = 7
STEP_DAYS = 36
"""28 differences from week to week, and today's."""
WEEKS = 4
"""Whose same weekday says what is usual."""
KNOWN_HOURS = 20
"""Hours that must be known of a day or of the last 24 hours. (unsourced)"""


class StepState(NamedTuple):
    """Daily means; NaN where unknown."""

    days: Floats = ()
    held: int = 0
    """Days it is still held; 0 where there is none."""
    since_ts: int = 0
    size: float = 0.0


@dataclass(frozen=True, slots=True)
class StepDetector:
    """Week-on-week difference of the daily mean, median of two days, held for a week.

    A day must lie as far above the usual of its weekday, too: the end of a few low days is a step from what was a week
    before, and only back to what was before that.
    """

    rule: StepRule

    def learned(self, state: StepState) -> tuple[int, int]:
        """Days known, days needed."""
        return len(known(state.days)), self.rule.days_needed

    def judge(self, state: StepState, ts: int, mean: float | None) -> tuple[StepState, Judgement | None]:
        """Take the mean of the day that ended at `ts`."""
        days = pushed(state.days, math.nan if mean is None else mean, STEP_DAYS)
        have, need = self.learned(state)
        after = state._replace(days=days)
        if mean is None or have < need:
            return after, None
        changes = [now - then for then, now in zip(days, days[WEEK:], strict=False)]
        newest = known(changes[-2:])
        earlier = known(changes[:-2])
        level = abs(median(known(days)))
        if len(newest) < 2 or len(earlier) < 2 * WEEK or level == 0:  # noqa: PLR2004 - two days
            return after, None
        spread = max(robust_sd(earlier), self.rule.floor_share * level)
        above = [days[-at] - median(known(days[-at - WEEK :: -WEEK][:WEEKS])) for at in (1, 2)]
        change = min(median(newest), median(above))
        z = change / spread
        is_step = z > self.rule.sd
        held = max(state.held - 1, 0)
        if is_step and not state.held:
            held = self.rule.hold_days
            after = after._replace(since_ts=ts - 2 * DAY_MS, size=single(change))
        elif is_step and not held:
            held = 1  # the week is over and the same step still shows: it is no second one
        after = after._replace(held=held)
        verdict = Judgement(
            active=held > 0,
            since_ts=after.since_ts,
            value=mean,
            evidence={"change": change, "sd": spread, "threshold_sd": self.rule.sd},
            baseline=mean - change,
            high=mean - change + self.rule.sd * spread,
            z=z,
            cost=after.size * (ts - after.since_ts) / DAY_MS * HOURS_A_DAY if held else None,
        )
        return after, verdict


class BaseLoadState(NamedTuple):
    """Base loads of the days before; none is added while in alarm."""

    days: Floats = ()
    high_hours: int = 0
    """In a row beyond the threshold, before it is an alarm."""
    alarm_hours: int = 0
    since_ts: int = 0
    total: float = 0.0
    """In alarm: excess times hours."""


@dataclass(frozen=True, slots=True)
class BaseLoad:
    """The 20 % quantile of the last 24 hourly means, judged every hour against the median of 28 days of it.

    The trade takes it daily; the same quantile over the last 24 hours, judged hourly, answers up to a day sooner.
    Source: docs/detection.md, "Numbers and their sources".
    """

    rule: BaseLoadRule

    def learned(self, state: BaseLoadState) -> tuple[int, int]:
        """Days known, days needed."""
        return len(state.days), self.rule.days_needed

    def judge(
        self, state: BaseLoadState, ts: int, last_day: Floats, *, closes_day: bool
    ) -> tuple[BaseLoadState, Judgement | None]:
        """Take the hour that ended at `ts`; `last_day`: the 24 hourly means up to then, NaN where unknown."""
        hours = known(last_day)
        if len(last_day) < HOURS_A_DAY or len(hours) < KNOWN_HOURS:
            return state, None
        base = quantile(hours, self.rule.share)
        have, need = self.learned(state)
        if have < need:
            return (state._replace(days=pushed(state.days, base, self.rule.days)) if closes_day else state), None
        usual = median(state.days)
        spread = max(robust_sd(state.days), self.rule.floor_share * abs(usual))
        if spread <= 0:
            return state, None
        z = (base - usual) / spread
        is_high = z > (self.rule.z / 2 if state.alarm_hours else self.rule.z)
        high_hours = state.high_hours + 1 if is_high else 0
        active = is_high and (state.alarm_hours > 0 or high_hours >= self.rule.confirm_hours)
        if active:
            after = state._replace(
                alarm_hours=state.alarm_hours + 1,
                since_ts=state.since_ts or ts - DAY_MS,
                total=single(state.total + (base - usual)),
            )
            if after.alarm_hours >= self.rule.adopt_days * HOURS_A_DAY:
                shifted = tuple(single(day + base - usual) for day in state.days)
                after, active = BaseLoadState(days=shifted), False
        else:
            days = pushed(state.days, base, self.rule.days) if closes_day else state.days
            after = BaseLoadState(days=days, high_hours=high_hours)
        verdict = Judgement(
            active=active,
            since_ts=after.since_ts,
            value=base,
            evidence={"quantile": self.rule.share, "sd": spread, "days": have, "threshold_z": self.rule.z},
            severity=Severity.MEDIUM,
            baseline=usual,
            high=usual + self.rule.z * spread,
            z=z,
            cost=after.total if active else None,
        )
        return after, verdict
