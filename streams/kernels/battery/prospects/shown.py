"""What is shown of what was counted of a set: without its sensor's gain, and held against what was shown before.

What is believed of a set stays as its sensor counted it, for that tells whether the set has changed. What is shown may
move though the set has not: where a surer witness takes another gain out, or a witness is no longer heard. That is said
in the place of a change, with what was shown before.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics.battery_prospects import SohChange
from streams.kernels.battery.fusion import faded
from streams.kernels.battery.prospects.changes import Change

if TYPE_CHECKING:
    from schemas.battery_reference import Fusion
    from streams.kernels.battery.fusion import Belief
    from streams.kernels.battery.limits import Limits
    from streams.kernels.battery.prospects.curve_gain import SensorGain


class ShownHealth(NamedTuple):
    """Figures of a set after a discharge."""

    belief: Belief | None
    at_least_ah: float
    """Most that one discharge drew."""
    change: Change | None
    gain: float | None
    """That was taken out (0.01: the sensor counts 1 % too much); None where nothing tells it."""


def without_gain(counted: ShownHealth, gain: SensorGain, limits: Limits) -> ShownHealth:
    """Take the gain of a sensor that nobody vouches for out of all that it counted; no wider than is published.

    A lower bound is only ever lowered. A change was told by what was counted, and is as much less.
    """
    belief, change = counted.belief, counted.change
    if belief is None:
        return counted
    soh = belief.soh / (1.0 + gain.value)
    own = belief.systematic**2 - (limits.gain_sigma * belief.soh) ** 2
    most = (limits.reference.capacity.sigma_max * soh) ** 2 - belief.variance
    systematic = math.sqrt(max(0.0, min(max(0.0, own) + (gain.sigma * soh) ** 2, most)))
    return ShownHealth(
        belief._replace(soh=soh, systematic=systematic),
        counted.at_least_ah / (1.0 + max(0.0, gain.value)),
        None if change is None else change.scaled(1.0 / (1.0 + gain.value)),
        gain.value,
    )


def held_against(before: Belief | None, shown: ShownHealth, fusion: Fusion) -> ShownHealth:
    """Say that a figure was measured anew where it has moved by as much as a change that is named, and none was.

    `before` is what was shown after the discharge before.
    """
    now = shown.belief
    if before is None or now is None or shown.change is not None:
        return shown
    moved = now.soh - faded(before, now.ts, 0.0, fusion).soh
    if abs(moved) < fusion.named_from:
        return shown
    kind = SohChange.REMEASURED if now.sigma < before.sigma else SohChange.LESS_SURE
    return shown._replace(change=Change(kind, 100 * moved, 100 * before.soh))


def last_shown(before: Belief | None, shown: ShownHealth) -> Belief | None:
    """What the next figure is held against: what was shown last of a set that has not changed since."""
    return before if shown.belief is None and shown.change is None else shown.belief
