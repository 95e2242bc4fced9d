"""Night flow: a leak runs all night, when next to nothing else does.

The lowest mean of four consecutive quarters between 02:00 and 05:00 (夜间最小流量) is held against the same weekday of
the weeks before. One night far above is an abrupt leak; many a little above (CUSUM) an incipient one.

Its memory goes on with what was expected for as long as it is in alarm: a leak is not learned. After `hold_nights` the
level that stood is taken over, by shifting the whole memory, so that the next leak is seen on top of this one; the
evidence says so (`ended: adopted`). A fall as clear as a jump shifts it down: at once where it is no more than what was
taken over, which somebody has mended; otherwise after three such nights. One or two of them are a plant that ran low:
they are not learned, and their end is no leak.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics.signal import Severity
from schemas.time import DAY_MS, HOURS_A_DAY, QUARTERS_AN_HOUR
from streams.kernels.detection.cusum import in_alarm, summed
from streams.kernels.detection.judgement import Judgement
from streams.kernels.detection.packed import Floats, pushed, single
from streams.kernels.detection.robust import clip, known, median, robust_sd

if TYPE_CHECKING:
    from schemas.detection import NightFlowRule

WEEK = 7
NIGHTS = 35
"""Remembered: four weeks before the last one, for differences from week to week."""
CHANGE_TO_EXCESS = 0.8
"""Spread of a night against the median of four, over that of a night against one: √((1 + 0.30)/2)."""
RECENT = 3
"""Nights whose median says how large a leak is."""
FALL_NIGHTS = 3
"""Nights in a row that far below the baseline, after which it has fallen. (unsourced)"""
RETURN_NIGHTS = 2
RETURN_Z = 2.0
"""A leak has ended when this many nights in a row were this near to the baseline. (unsourced)"""
KNOWN_QUARTERS = 3
"""Of four in a row, for their mean: a lost quarter must not leave a night fewer hours to be low in. (unsourced)"""
UNKNOWN_QUARTERS = 2
"""Of a night of twelve; its minimum is then no longer told. (unsourced)"""


class Night(NamedTuple):
    """An open night: its lowest mean of four consecutive quarters so far, m³/h."""

    newest: Floats = ()
    """The newest four quarters; NaN where unknown."""
    lowest: float = math.inf
    unknown: int = 0

    def and_quarter(self, rate: float | None) -> Night:
        """Take the next quarter."""
        newest = pushed(self.newest, math.nan if rate is None else rate, QUARTERS_AN_HOUR)
        present, lowest = known(newest), self.lowest
        if len(newest) == QUARTERS_AN_HOUR and len(present) >= KNOWN_QUARTERS:
            lowest = min(lowest, single(sum(present) / len(present)))
        return Night(newest, lowest, self.unknown + (rate is None))

    @property
    def minimum(self) -> float | None:
        """The minimum night flow; None where more than two quarters are unknown."""
        return None if self.unknown > UNKNOWN_QUARTERS or math.isinf(self.lowest) else self.lowest


class NightState(NamedTuple):
    """Nights as they would be without the leaks that are known of."""

    nights: Floats = ()
    """Oldest first; NaN where unknown."""
    cusum: float = 0.0
    rising_since: int = 0
    """When the sum left zero, ms."""
    excess: Floats = ()
    """In alarm: how far each of the newest nights lay above the baseline."""
    alarm_nights: int = 0
    """Of the present alarm; 0 where there is none."""
    onset_ts: int = 0
    returned: int = 0
    lost: float = 0.0
    """m³ above the baseline since the onset."""
    fallen: Floats = ()
    """Not in alarm: how far each of the newest nights in a row lay below the baseline, all of them far."""
    adopted: float = 0.0
    """m³/h of leaks that were taken over into the baseline, and not mended since."""


@dataclass(frozen=True, slots=True)
class NightFlowDetector:
    """Judges one minimum night flow a day, m³/h."""

    rule: NightFlowRule

    def learned(self, state: NightState) -> tuple[int, int]:
        """Nights known, nights needed."""
        return len(known(state.nights)), self.rule.nights_needed

    def expected(self, state: NightState) -> tuple[float, float]:
        """Baseline and spread for the next night, m³/h; NaN where the same weekday is not known."""
        nights = state.nights
        same = known(nights[-WEEK * week] for week in range(1, self.rule.weeks + 1) if WEEK * week <= len(nights))
        changes = known(now - then for then, now in zip(nights, nights[WEEK:], strict=False))
        level = median(known(nights))
        if len(changes) < WEEK:
            return median(same), math.nan
        return median(same), max(CHANGE_TO_EXCESS * robust_sd(changes), self.rule.floor_share * abs(level))

    def judge(self, state: NightState, ts: int, flow: float | None) -> tuple[NightState, Judgement | None]:
        """Take the night that ended at `ts`; a night that is not known leaves everything as it is."""
        if flow is None:
            return self._unknown(state), None
        have, need = self.learned(state)
        baseline, spread = self.expected(state)
        if have < need or math.isnan(baseline) or math.isnan(spread) or spread <= 0:
            return state._replace(nights=pushed(state.nights, flow, NIGHTS)), None
        z = (flow - baseline) / spread
        if state.alarm_nights:
            after, verdict = self._in_alarm(state, ts, flow, baseline, spread)
        else:
            after, verdict = self._armed(state, ts, flow, baseline, spread)
        return after, verdict._replace(
            value=flow,
            baseline=baseline,
            high=baseline + self.rule.jump_z * spread,
            z=z,
            cost=after.lost if verdict.active else None,
            cost_unit="m3" if verdict.active else "",
        )

    def _unknown(self, state: NightState) -> NightState:
        return state._replace(nights=pushed(state.nights, math.nan, NIGHTS))

    def _armed(
        self, state: NightState, ts: int, flow: float, baseline: float, spread: float
    ) -> tuple[NightState, Judgement]:
        excess = flow - baseline
        z = excess / spread
        total = single(summed(state.cusum, clip(z, self.rule.clip_z), self.rule.k))
        since = (state.rising_since if state.cusum > 0 else ts - DAY_MS) if total > 0 else 0
        jump = z > self.rule.jump_z
        if jump or in_alarm(total, self.rule.h, active=False):
            onset = ts - DAY_MS if jump else since
            after = state._replace(
                nights=pushed(state.nights, baseline, NIGHTS),
                cusum=0.0,
                rising_since=0,
                excess=(single(excess),),
                alarm_nights=1,
                onset_ts=onset,
                returned=0,
                lost=single(excess * (ts - onset) / DAY_MS * HOURS_A_DAY / (1 if jump else 2)),
                fallen=(),
            )
            return after, self._leak(after, total, jump=jump)
        if z < -self.rule.jump_z:
            return self._fallen(state, ts, excess, baseline, spread)
        after = state._replace(nights=pushed(state.nights, flow, NIGHTS), cusum=total, rising_since=since, fallen=())
        return after, Judgement(active=False, since_ts=ts, value=None, evidence={"cusum": total, "h": self.rule.h})

    def _fallen(
        self, state: NightState, ts: int, excess: float, baseline: float, spread: float
    ) -> tuple[NightState, Judgement]:
        """Leave a night far below the baseline unlearned, unless a leak was mended or there are enough in a row."""
        verdict = Judgement(active=False, since_ts=ts, value=None, evidence={"fell_m3_h": excess})
        fallen = pushed(state.fallen, excess, FALL_NIGHTS)
        known_as = state._replace(nights=pushed(state.nights, baseline, NIGHTS))
        if state.adopted and -excess < state.adopted + self.rule.jump_z * spread:
            return self._rearmed(known_as, excess), verdict
        if len(fallen) == FALL_NIGHTS:
            return self._rearmed(known_as, median(fallen)), verdict
        return self._unknown(state)._replace(cusum=0.0, rising_since=0, fallen=fallen), verdict

    def _in_alarm(
        self, state: NightState, ts: int, flow: float, baseline: float, spread: float
    ) -> tuple[NightState, Judgement]:
        excess = flow - baseline
        stood = median(state.excess)
        returned = state.returned + 1 if excess < RETURN_Z * spread else 0
        renewed = excess - stood > self.rule.jump_z * spread
        lost = max(0.0, excess - stood) if renewed else state.lost / HOURS_A_DAY + max(0.0, excess)
        after = state._replace(
            nights=pushed(state.nights, baseline, NIGHTS),
            excess=(single(excess),) if renewed else pushed(state.excess, excess, RECENT),
            alarm_nights=1 if renewed else state.alarm_nights + 1,
            onset_ts=ts - DAY_MS if renewed else state.onset_ts,
            returned=returned,
            lost=single(lost * HOURS_A_DAY),
        )
        if renewed:
            # What stood until now is the baseline of the new one.
            shifted = tuple(single(night + stood) for night in after.nights)
            after = after._replace(
                nights=shifted, excess=(single(excess - stood),), adopted=single(state.adopted + stood)
            )
            return after, self._leak(after, 0.0, jump=True)._replace(renewed=True)
        if returned >= RETURN_NIGHTS:
            return self._rearmed(after, 0.0), self._ended(ts, "returned")
        if after.alarm_nights > self.rule.hold_nights:
            return self._rearmed(after, median(after.excess)), self._ended(ts, "adopted")
        return after, self._leak(after, 0.0, jump=False)

    def _leak(self, state: NightState, cusum: float, *, jump: bool) -> Judgement:
        size = median(state.excess)
        evidence = {
            "excess_m3_h": size,
            "cusum": cusum,
            "h": self.rule.h,
            "found_by": "jump" if jump else "cusum",
            "nights": state.alarm_nights,
        }
        return Judgement(
            active=True,
            since_ts=state.onset_ts,
            value=None,
            evidence=evidence,
            severity=Severity.HIGH if jump else Severity.MEDIUM,
        )

    def _rearmed(self, state: NightState, shift: float) -> NightState:
        nights = tuple(single(night + shift) for night in state.nights)
        return NightState(nights, adopted=single(max(0.0, state.adopted + shift)))

    def _ended(self, ts: int, how: str) -> Judgement:
        return Judgement(active=False, since_ts=ts, value=None, evidence={"ended": how})
