"""One series through all its detectors: quarters of an hour in, signals out.

A quarter that is unknown or estimated is None: it is evidence of nothing, no detector moves, and days and nights with
too little of themselves known stay unknown. The state is a few hundred numbers and is written in less than 2 kB.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.kinds import unit_name
from schemas.metrics.signal import Severity, SignalKind
from schemas.time import DAY_MS, HOUR_MS, QUARTER_MS, QUARTERS_AN_HOUR, UTC_OFFSET_MS, local_hour
from streams.kernels.codec import BIT, PACKED, PACKED_BYTES, Beside, Codec, Shape, Together
from streams.kernels.detection.judgement import (
    NEW,
    STANDING,
    Judgement,
    Standing,
    Subject,
    enter,
    moved,
    stand,
    status,
)
from streams.kernels.detection.packed import Floats, pushed
from streams.kernels.detection.robust import known
from streams.kernels.detection.series.daily import KNOWN_HOURS, BaseLoad, BaseLoadState, StepDetector, StepState
from streams.kernels.detection.series.drift import Cusum, Drift
from streams.kernels.detection.series.night_flow import KNOWN_QUARTERS, Night, NightFlowDetector, NightState
from streams.kernels.detection.series.production import AS_COUNTED, Conditions
from streams.kernels.detection.series.quarterly import Flatline, FlatState, Spike
from streams.kernels.detection.series.seasonal import Distance, Season, Seasonal

if TYPE_CHECKING:
    from schemas.detection import SeriesRules
    from schemas.metrics import Row

KINDS = (
    SignalKind.SEASONAL,
    SignalKind.DRIFT,
    SignalKind.STEP,
    SignalKind.BASE_LOAD,
    SignalKind.NIGHT_FLOW,
    SignalKind.FLATLINE,
    SignalKind.SPIKE,
)
HOUR_S, QUARTER_S, DAY_S = 3_600.0, 900.0, 86_400.0
WINDOW_S = {
    SignalKind.SEASONAL: HOUR_S,
    SignalKind.DRIFT: HOUR_S,
    SignalKind.STEP: DAY_S,
    SignalKind.BASE_LOAD: DAY_S,
    SignalKind.NIGHT_FLOW: HOUR_S,
    SignalKind.FLATLINE: QUARTER_S,
    SignalKind.SPIKE: QUARTER_S,
}


class SeriesState(NamedTuple):
    """What the next quarter needs of all before it."""

    end_ts: int
    """End of the newest quarter taken, ms."""
    quarters: Floats = ()
    """Of the open hour; NaN where unknown."""
    night: Night = Night()
    hours: Floats = ()
    """The newest 24 hourly means."""
    season: Season = Season()
    unusual: bool = False
    """Whether the seasonal detector is active."""
    unusual_since: int = 0
    drift: Drift = Drift()
    step: StepState = StepState()
    base_load: BaseLoadState = BaseLoadState()
    nights: NightState = NightState()
    flat: FlatState = FlatState()
    standings: tuple[Standing, ...] = (NEW,) * len(KINDS)


class _Sink:
    """Collects what the detectors of one series say of one quarter."""

    def __init__(
        self, subject: Subject, standings: tuple[Standing, ...], ts: int, seen_ts: int, beside: Conditions
    ) -> None:
        self.subject, self.ts, self.seen_ts, self.beside = subject, ts, seen_ts, beside
        self.standings = list(standings)
        self.rows: list[Row] = []

    def take(self, kind: SignalKind, judgement: Judgement | None) -> None:
        """Take a verdict."""
        at = KINDS.index(kind)
        if judgement is not None and self.beside.evidence:
            judgement = judgement._replace(evidence={**judgement.evidence, **dict(self.beside.evidence)})
        if judgement is not None and judgement.cost is not None:  # a rate times hours
            judgement = judgement._replace(cost_unit=unit_name(self.subject.metric))
        self.standings[at], signal = stand(
            self.standings[at],
            judgement,
            subject=self.subject,
            kind=kind,
            ts=self.ts,
            seen_ts=self.seen_ts,
            window_s=WINDOW_S[kind],
        )
        if signal is not None:
            self.rows.append(signal)

    def stands(self, kind: SignalKind, learned: tuple[int, int], baseline: float | None) -> None:
        """Take how far a detector is."""
        at = KINDS.index(kind)
        self.standings[at] = enter(self.standings[at], learned=learned[0] >= learned[1], ts=self.ts)
        self.rows.append(
            status(self.standings[at], subject=self.subject, kind=kind, ts=self.ts, learned=learned, baseline=baseline)
        )


class SeriesDetectors:
    """All detectors of one kind of series, with the parameters of one device."""

    def __init__(self, rules: SeriesRules, *, period_s: float, rated: float | None, version: str) -> None:
        self.rules = rules
        self.version = version
        self._seasonal = Seasonal(rules.seasonal) if rules.seasonal else None
        self._cusum = Cusum(rules.drift, rules.seasonal.clip_z) if rules.drift and rules.seasonal else None
        self._step = StepDetector(rules.step) if rules.step and rules.step.enabled else None
        self._base_load = BaseLoad(rules.base_load) if rules.base_load and rules.base_load.enabled else None
        self._night_flow = (
            NightFlowDetector(rules.night_flow) if rules.night_flow and rules.night_flow.enabled else None
        )
        self._flatline = Flatline(rules.flatline, period_s) if rules.flatline and rules.flatline.enabled else None
        self._off = tuple(kind for kind in KINDS if (rule := getattr(rules, kind.value)) and not rule.enabled)
        self._spike = Spike(rules.spike, rated) if rules.spike and rules.spike.enabled and rated else None

    def advance(
        self,
        state: SeriesState | None,
        subject: Subject,
        end_ts: int,
        rate: float | None,
        seen_ts: int,
        *,
        beside: Conditions = AS_COUNTED,
    ) -> tuple[SeriesState, list[Row]]:
        """Take the quarter that ended at `end_ts`, as a mean rate; quarters that are left out are unknown.

        `seen_ts`: device time of the item that closed the quarter; `beside`: what production says of it.
        """
        rows: list[Row] = []
        after = state or SeriesState(end_ts - QUARTER_MS)
        for missing in range(after.end_ts + QUARTER_MS, end_ts, QUARTER_MS):
            after = self._quarter(after, _Sink(subject, after.standings, missing, seen_ts, AS_COUNTED), None, rows)
        return self._quarter(after, _Sink(subject, after.standings, end_ts, seen_ts, beside), rate, rows), rows

    def _quarter(self, state: SeriesState, sink: _Sink, rate: float | None, rows: list[Row]) -> SeriesState:
        ts = sink.ts
        if self._off:
            state = self._end(state, sink)
        if self._spike is not None:
            sink.take(SignalKind.SPIKE, self._spike.judge(ts, rate, state.hours))
        if self._flatline is not None and (rate is not None):
            usual = self._seasonal.distance(state.season, ts, rate) if self._seasonal and rate == 0 else None
            if usual is not None:
                usual = usual._replace(expected=usual.expected + sink.beside.shift)
            flat, verdict = self._flatline.judge(state.flat, ts, rate, usual, is_idle=sink.beside.is_idle)
            sink.take(SignalKind.FLATLINE, verdict)
            state = state._replace(flat=flat)
        rate = None if rate is None or not sink.beside.is_judged else rate - sink.beside.shift
        if self._night_flow is not None:
            state = self._night(state, self._night_flow, sink, rate)
        quarters = pushed(state.quarters, math.nan if rate is None else rate, QUARTERS_AN_HOUR)
        if ts % HOUR_MS:
            state = state._replace(quarters=quarters)
        else:
            state = self._hour(state._replace(quarters=()), sink, quarters)
        rows += sink.rows
        return state._replace(end_ts=ts, standings=tuple(sink.standings))

    def _end(self, state: SeriesState, sink: _Sink) -> SeriesState:
        """End what still stands of detectors that were switched off, and forget what they had learned of it."""
        for kind in self._off:
            if sink.standings[KINDS.index(kind)].samples:
                off = Judgement(active=False, since_ts=sink.ts, value=None, evidence={"ended": "switched off"})
                sink.take(kind, off)
                sink.stands(kind, (0, 1), None)
                state = state._replace(**_FORGOTTEN.get(kind, {}))
        return state

    def _night(self, state: SeriesState, detector: NightFlowDetector, sink: _Sink, rate: float | None) -> SeriesState:
        rule = detector.rule
        if not rule.from_hour <= local_hour(sink.ts - 1) < rule.to_hour:
            return state
        night = state.night.and_quarter(rate)
        if (sink.ts + UTC_OFFSET_MS) % DAY_MS != rule.to_hour * HOUR_MS:
            return state._replace(night=night)
        nights, verdict = detector.judge(state.nights, sink.ts, night.minimum)
        sink.take(SignalKind.NIGHT_FLOW, verdict)
        sink.stands(SignalKind.NIGHT_FLOW, detector.learned(nights), _finite(detector.expected(nights)[0]))
        return state._replace(night=Night(), nights=nights)

    def _hour(self, state: SeriesState, sink: _Sink, quarters: Floats) -> SeriesState:
        present = known(quarters)
        mean = sum(present) / len(present) if len(present) >= KNOWN_QUARTERS else None
        state = state._replace(hours=pushed(state.hours, math.nan if mean is None else mean, 24))
        closes_day = (sink.ts + UTC_OFFSET_MS) % DAY_MS == 0
        if self._base_load is not None:
            base_load, verdict = self._base_load.judge(state.base_load, sink.ts, state.hours, closes_day=closes_day)
            sink.take(SignalKind.BASE_LOAD, verdict)
            state = state._replace(base_load=base_load)
            sink.stands(SignalKind.BASE_LOAD, self._base_load.learned(base_load), verdict and verdict.baseline)
        if self._seasonal is not None:
            state = self._season(state, self._seasonal, sink, mean)
        if closes_day and self._step is not None:
            day = known(state.hours)
            step, verdict = self._step.judge(
                state.step, sink.ts, sum(day) / len(day) if len(day) >= KNOWN_HOURS else None
            )
            sink.take(SignalKind.STEP, verdict)
            sink.stands(SignalKind.STEP, self._step.learned(step), verdict and verdict.baseline)
            state = state._replace(step=step)
        return state

    def _season(self, state: SeriesState, detector: Seasonal, sink: _Sink, mean: float | None) -> SeriesState:
        distance = None if mean is None else detector.distance(state.season, sink.ts, mean)
        if mean is not None and distance is not None:
            state = self._judge_hour(state, detector, sink, mean, distance)
        is_frozen = state.unusual or state.drift.active or state.base_load.alarm_hours > 0
        if mean is not None and not is_frozen:
            state = state._replace(season=detector.learn(state.season, sink.ts, mean))
        learned = detector.learned(state.season)
        expected = None if distance is None else distance.expected
        if detector.rule.enabled:
            sink.stands(SignalKind.SEASONAL, learned, expected)
        if self._cusum is not None and self._cusum.rule.enabled:
            sink.stands(SignalKind.DRIFT, learned, expected)
        return state

    def _judge_hour(
        self, state: SeriesState, detector: Seasonal, sink: _Sink, mean: float, distance: Distance
    ) -> SeriesState:
        rule = detector.rule
        excess = mean - distance.expected
        size = abs(distance.z) if rule.downward else distance.z
        unusual = rule.enabled and size > (rule.return_z if state.unusual else rule.alarm_z)
        since = (state.unusual_since if state.unusual else sink.ts - HOUR_MS) if unusual else 0
        low = distance.expected - rule.alarm_z * distance.spread if rule.downward else None
        high = distance.expected + rule.alarm_z * distance.spread
        seasonal = Judgement(
            active=unusual,
            since_ts=since,
            value=mean,
            evidence={"spread": distance.spread, "hours_learned": state.season.hours},
            severity=Severity.LOW,
            baseline=distance.expected,
            low=low,
            high=high,
            z=distance.z,
        )
        if rule.enabled:
            sink.take(SignalKind.SEASONAL, seasonal)
        state = state._replace(unusual=unusual, unusual_since=since)
        if self._cusum is None or not self._cusum.rule.enabled:
            return state
        z = distance.z / distance.stretch
        drift = self._cusum.advance(state.drift, sink.ts, z, excess)
        evidence: dict[str, float | int | str | None] = {
            "cusum": drift.cusum,
            "h": self._cusum.rule.h,
            "k": self._cusum.rule.k,
            "spread": distance.spread,
            "stretch": distance.stretch,
            "mean_excess": drift.excess if drift.active else None,
        }
        season = state.season
        if self._cusum.is_adopted(drift):
            season = season._replace(level=season.level + drift.excess)
            drift = Drift()
            evidence["ended"] = "adopted"
        verdict = Judgement(
            active=drift.active,
            since_ts=drift.rising_since,
            value=mean,
            evidence=evidence,
            baseline=distance.expected,
            high=distance.expected + self._cusum.rule.k * distance.spread * distance.stretch,
            z=z,
            cost=drift.total if drift.active else None,
        )
        sink.take(SignalKind.DRIFT, verdict)
        return state._replace(drift=drift, season=season)


_FORGOTTEN: dict[SignalKind, dict[str, Any]] = {
    SignalKind.DRIFT: {"drift": Drift()},
    SignalKind.STEP: {"step": StepState()},
    SignalKind.BASE_LOAD: {"base_load": BaseLoadState()},
    SignalKind.NIGHT_FLOW: {"nights": NightState()},
    SignalKind.FLATLINE: {"flat": FlatState()},
    SignalKind.SEASONAL: {"unusual": False, "unusual_since": 0},
}
"""What a detector leaves behind when it is switched off; the season is learned for others, too."""


def is_in_alarm(state: SeriesState) -> bool:
    """Whether a detector of the series' level is: what is in alarm is not learned from."""
    levels = state.unusual, state.drift.active, state.base_load.alarm_hours, state.nights.alarm_nights, state.step.held
    return any(levels)


def _finite(value: float) -> float | None:
    return None if math.isnan(value) else value


def _as_seen_from(standings: tuple[Standing, ...], end_ts: int) -> list[Any]:
    return [[] if each == NEW else _STANDING.plain(moved(each, -end_ts)) for each in standings]


def _as_they_are(saved: list[Any], end_ts: int) -> tuple[Standing, ...]:
    return tuple(moved(_STANDING.of(each), end_ts) if each else NEW for each in saved)


_STANDING = Codec[Standing](Standing, shapes={Standing: STANDING._replace(blank=None)})
_HISTORY = {"days": PACKED}
SHAPES = {
    Standing: STANDING,
    SeriesState: Shape(
        ways={
            "quarters": PACKED,
            "hours": PACKED,
            "unusual": BIT,
            "standings": Beside("end_ts", _as_seen_from, _as_they_are),
        }
    ),
    Night: Shape((Together("*newest", "lowest"), "unknown")),
    Season: Shape(
        (
            "means",
            "spreads",
            "hours",
            Together("variance", "usual", "level", "origin", "long_run", "day_sum"),
            "day_hours",
        ),
        ways={"means": PACKED, "spreads": PACKED_BYTES},
    ),
    Drift: Shape(
        (Together("cusum", "excess", "total"), "rising_since", "active", "samples", "day", "gained"),
        ways={"active": BIT},
        left_off=len(("day", "gained")),
    ),
    StepState: Shape(ways=_HISTORY),
    BaseLoadState: Shape(ways=_HISTORY),
    NightState: Shape(
        (
            "nights",
            "cusum",
            "rising_since",
            "excess",
            "alarm_nights",
            "onset_ts",
            "returned",
            "lost",
            Together("adopted", "*fallen"),
        ),
        ways={"nights": PACKED, "excess": PACKED},
        later=len(("adopted and fallen",)),
    ),
}
"""How a series is saved: thousands are, so few characters matter. Moments of standings are as seen from the newest
quarter's end; states of detection-2026.2 lack what nights had fallen to."""
