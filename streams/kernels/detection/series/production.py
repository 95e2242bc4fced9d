"""What a plant's meter would count at the plant's usual production: what production decides is no habit.

    x' = x − β·(P − P_usual)

β is the slope of a least-squares line of the meter's hours on the production in them, with forgetting over six weeks;
P_usual is the mean production of the hours it was first drawn from, and stays. What is learned from is held within
±3 s of the line, and nothing is learned in alarm. An hour whose production lies so far from all that was seen that the
line cannot tell is learned from and not judged. Where production is not known, x is judged as it was counted, and the
evidence says so.

Source: docs/detection.md, "Numbers and their sources", "a plant that runs at night".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from streams.kernels.codec import Shape, Together
from streams.kernels.detection.packed import single
from streams.kernels.detection.robust import clip

if TYPE_CHECKING:
    from schemas.detection import ProductionRule

CONSTANT = 1e-9
"""Production that scatters by less than this share of its square does not vary."""


class LoadLine(NamedTuple):
    """A meter on production, per hour: means and sums of squares about them, all forgotten exponentially."""

    hours: int = 0
    """Learned from."""
    weight: float = 0.0
    made: float = 0.0
    """Mean production."""
    counted: float = 0.0
    """Mean rate."""
    scatter: float = 0.0
    """Σ(P − P̄)²"""
    shared: float = 0.0
    """Σ(P − P̄)(x − x̄)"""
    variance: float = 0.0
    """Of an hour about the line."""
    usual: float = 0.0
    """P_usual; 0 until the line is drawn."""

    @property
    def slope(self) -> float:
        """β; 0 where production never varied."""
        return self.shared / self.scatter if self.scatter > CONSTANT * self.weight * self.made**2 else 0.0


LINE = Shape(
    ("hours", Together("weight", "made", "counted", "scatter", "shared", "variance", "usual")),
    blank=LoadLine(),
)
"""How it is saved: until something is learned, as nothing."""


class Conditions(NamedTuple):
    """What production says of the quarters of one hour."""

    shift: float = 0.0
    """What the hour counts more than at usual production, in the series' unit per hour."""
    is_judged: bool = True
    is_idle: bool = False
    """The plant stands: nothing need flow."""
    evidence: tuple[tuple[str, float | str], ...] = ()
    """What stands beside each verdict."""


AS_COUNTED = Conditions()


@dataclass(frozen=True, slots=True)
class Production:
    """Learns one meter's line, and converts its hours."""

    rule: ProductionRule

    def conditions(self, line: LoadLine, made: float | None, *, is_idle: bool) -> Conditions:
        """Say how an hour in which so much was made is to be judged; None: that is not known."""
        if made is None:
            return Conditions(evidence=(("production", "unknown"),))
        if line.hours < self.rule.hours_needed:
            return Conditions(is_idle=is_idle, evidence=(("production", made), ("judged", "as counted")))
        evidence = (("production", made), ("usual_production", line.usual), ("per_product", line.slope))
        return Conditions(line.slope * (made - line.usual), self._tells(line, made), is_idle, evidence)

    def learn(self, line: LoadLine, made: float, rate: float) -> LoadLine:
        """Take an hour."""
        hours = line.hours + 1
        expected = line.counted + line.slope * (made - line.made)
        residual, spread = rate - expected, math.sqrt(line.variance)
        tells = self._tells(line, made)
        if line.hours >= self.rule.hours_needed and spread > 0 and tells:
            residual = clip(residual / spread, self.rule.clip_z) * spread
        keep = 1 - 1 / self.rule.memory_hours
        weight = keep * line.weight + 1
        d_made, d_rate = made - line.made, expected + residual - line.counted
        part = keep * line.weight / weight
        variance, seen = line.variance, hours - self.rule.hours_needed // 4
        if seen > 0 and tells:  # the line is known a little
            variance += (residual * residual - variance) / min(seen, self.rule.memory_hours)
        mean = line.made + d_made / weight
        return LoadLine(
            hours,
            single(weight),
            single(mean),
            single(line.counted + d_rate / weight),
            single(keep * line.scatter + part * d_made * d_made),
            single(keep * line.shared + part * d_made * d_rate),
            single(variance),
            single(mean) if hours == self.rule.hours_needed else line.usual,
        )

    def _tells(self, line: LoadLine, made: float) -> bool:
        """Whether the line's own error at a production is within reach: its scatter stands for what was seen."""
        beyond = made - line.made
        return beyond * beyond <= self.rule.reach**2 * line.scatter or abs(beyond) <= CONSTANT * abs(line.made)
