"""A discharge until its set is full again: what went back in bears its capacity out, or not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.time import HOUR_MS
from streams.kernels.battery.tracking.capacity import after_recharge
from streams.kernels.battery.tracking.witnesses import Ratio

if TYPE_CHECKING:
    from schemas.metrics.battery_health import BatteryCapacity
    from streams.kernels.battery.fusion import Belief
    from streams.kernels.battery.limits import Limits

FULL_BEFORE = 0.99
"""SoC from which a discharge must have begun, so that being full again closes the circle. (unsourced)"""


class Recharge(NamedTuple):
    """What a discharge said, and what has gone back in since."""

    row: BatteryCapacity
    drawn_ah: float
    """To its end, beyond the cut-off too."""
    before: Belief | None
    """What was believed before it."""
    returned_ah: float = 0.0
    stored_ah: float = 0.0
    """The part of it below the float voltage: what flows above it may be stored, or kept up by a set that is full."""

    def with_charge(self, ah: float, *, below_float: bool) -> Recharge:
        """Count what went in, or out again."""
        return self._replace(
            returned_ah=self.returned_ah + ah, stored_ah=self.stored_ah + ah if below_float else self.stored_ah
        )


def closed(recharge: Recharge, ts: int, limits: Limits, *, knows_offset: bool) -> BatteryCapacity | None:
    """Judge a discharge now that its set is full again at `ts`, ms; None where that tells nothing.

    `knows_offset`: what the current sensor shows without a current has been learned.
    """
    drawn_ah = recharge.drawn_ah
    returned_ah = max(recharge.stored_ah, min(drawn_ah, recharge.returned_ah))
    if returned_ah <= 0:
        return None
    hours = (ts - recharge.row.ts) / HOUR_MS
    offset_a = limits.sigma_known_a if knows_offset else limits.sigma_a
    sigma = math.hypot(limits.reference.witness.charge_sigma, offset_a * hours / drawn_ah)
    return after_recharge(recharge.row, Ratio(drawn_ah / returned_ah, sigma), limits, ts)
