"""CUSUM: small deviations that last.

    S ← max(0, S + z − k),   in alarm from S > h until S is 0 again

over z held within ±3 and divided by the stretch of hours that follow each other, so that h means the same for a
steady meter and for one whose hours hang together. In alarm the sum is held at h: it comes down within h/k hours once
the cause is gone, and the detector is armed again. A level that stays for `adopt_days` is taken over by the baseline.

Where people decide when to work, one day may be as unusual as they like: `day_share` is the share of h that the hours
of one local day can add, so that a Sunday of overtime, which its own hours of the week have never seen, is no drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from schemas.time import HOUR_MS, local_day
from streams.kernels.detection.cusum import in_alarm, summed
from streams.kernels.detection.packed import single
from streams.kernels.detection.robust import clip

if TYPE_CHECKING:
    from schemas.detection import DriftRule


class Drift(NamedTuple):
    """Where a sum of deviations stands."""

    cusum: float = 0.0
    rising_since: int = 0
    """When the sum left zero, ms; 0 while it is zero."""
    active: bool = False
    samples: int = 0
    """In alarm: how many samples, and the mean of their excess."""
    excess: float = 0.0
    total: float = 0.0
    """Excess since the onset, in the series' unit times hours."""
    day: int = 0
    """Local day, and what its hours have added so far; only where that is bounded."""
    gained: float = 0.0


@dataclass(frozen=True, slots=True)
class Cusum:
    """One-sided CUSUM of a series of one sample an hour."""

    rule: DriftRule
    clip_z: float

    def advance(self, drift: Drift, ts: int, z: float, excess: float) -> Drift:
        """Take one z (already divided by the stretch) and the excess it stands for."""
        rise, day, gained = self._bounded(drift, ts, clip(z, self.clip_z) - self.rule.k)
        cusum = single(summed(drift.cusum, rise, 0.0))
        if cusum == 0:
            return Drift(day=day, gained=gained)
        since = drift.rising_since or ts - HOUR_MS
        total = single(max(0.0, drift.total + excess))
        if drift.active:
            samples = drift.samples + 1
            mean = single(drift.excess + (excess - drift.excess) / samples)
            held = min(cusum, self.rule.h)
            return Drift(held, since, active=True, samples=samples, excess=mean, total=total, day=day, gained=gained)
        if in_alarm(cusum, self.rule.h, active=False):
            first = single(excess)
            return Drift(self.rule.h, since, active=True, samples=1, excess=first, total=total, day=day, gained=gained)
        return Drift(cusum, since, total=total, day=day, gained=gained)

    def _bounded(self, drift: Drift, ts: int, rise: float) -> tuple[float, int, float]:
        """What an hour may add, its local day, and what that day has added then."""
        share = self.rule.day_share
        if share is None:
            return rise, 0, 0.0
        day = local_day(ts - 1)
        gained = drift.gained if day == drift.day else 0.0
        if rise > 0:
            rise = min(rise, max(0.0, share * self.rule.h - gained))
            gained = single(gained + rise)
        return rise, day, gained

    def is_adopted(self, drift: Drift) -> bool:
        """Whether a level has stood so long that it is the usual now."""
        return drift.active and drift.samples >= self.rule.adopt_days * 24
