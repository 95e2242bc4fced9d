"""The foot of the curve as a witness of a current sensor for which nobody vouches.

No class is registered and no load of the site was measured: such a sensor may be off by ten per cent, and its own count
tells nothing of it. The foot of the open-circuit curve tells a gain to some 5 %, and what that leaves of the doubt is
in the interval. Where the two agree to one σ the count stands; where they do not, the gain that both agree on best is
taken out of what is shown. Nothing is taken out of what is believed: whether a set has changed is told by what was
counted.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics.battery_health import Witness
from streams.kernels.battery.tracking.witnesses import witnesses_of

if TYPE_CHECKING:
    from schemas.metrics.battery_health import BatteryCapacity
    from streams.kernels.battery.limits import Limits
    from streams.kernels.battery.tracking.witnesses import Ratio


LEVEL_HOLDS = 0.60
"""Of nominal: of a set that holds less, the drop is not read where its curve is level, and the comparison with the foot
tells nothing. (unsourced)"""


class SensorGain(NamedTuple):
    """A gain that is taken out (0.01: the sensor counts 1 % too much), and its standard deviation."""

    value: float
    sigma: float


def gain_by_curve(curve: Ratio | None, limits: Limits) -> SensorGain:
    """What a sensor of no class is off by, as far as the foot of the curve tells.

    `curve` is charge counted along the foot over what the curve says; None where that was never compared, and nothing
    is known of the gain.
    """
    rules, sensor = limits.reference.witness, limits.reference.sensor
    if curve is None:
        return SensorGain(0.0, sensor.unvouched_sigma)
    before, apart = sensor.unvouched_sigma**2, curve.value / rules.curve_usual - 1.0
    share = before / (before + curve.sigma**2)
    agrees = abs(apart) <= rules.curve_believed_sigmas * curve.sigma
    return SensorGain(
        0.0 if agrees or curve.sigma > rules.curve_sigma_max else share * apart, math.sqrt(before * (1.0 - share))
    )


def may_count_half(row: BatteryCapacity, limits: Limits) -> bool:
    """Whether a low capacity and a high resistance may both be a current of which a part is counted only.

    A set may be as poor as that. Then the site's load says so, or a sensor whose class is known.
    """
    if row.capacity_ah is None or row.resistance_ratio is None or Witness.RESISTANCE in witnesses_of(row.witnesses):
        return False
    return row.resistance_ratio < 1.0 and row.capacity_ah < LEVEL_HOLDS * limits.nominal_ah
