"""What else bears a capacity out, beside the charge that its current sensor counted.

A sensor that counts twice as much gives twice the capacity, as sure of itself as any other. So each capacity is held
against what does not come from that count:

* `curve`: the foot of the open-circuit curve tells charge above empty, a share of nominal. What was counted along it,
  from about 27 % down to the end, over what the curve says was drawn: 1 where sensor and registered capacity agree.
* `resistance`: a load step's ΔV/ΔI is as much too small as the current is counted too large. Sets differ, and joints
  age, so it bears out within a factor, and beyond that the curve has to. No set's is far below the usual.
* `charge`: what went back in until the set was full again, over what was drawn. It does not know a gain, which is in
  both, but an offset, a clipped or a stuck current.

One that contradicts refuses the capacity; one that doubts it widens the interval, and the quality is `partial`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics.battery_health import CapacityReason, Doubt, Witness
from schemas.metrics.common import Quality

if TYPE_CHECKING:
    from schemas.battery_reference import WitnessRules
    from schemas.metrics.battery_health import BatteryCapacity
    from streams.kernels.battery.limits import Left, Limits


KNOW_A_GAIN = frozenset({Witness.CURVE, Witness.RESISTANCE, Witness.LOAD, Witness.BENCH})
"""Those that would tell a current sensor that counts too much."""


RESTORE_BELIEF = KNOW_A_GAIN - {Witness.RESISTANCE}
"""Those that bring a contradicted sensor back into belief: a resistance bears out within a factor of 1.4 only."""

KNOW_ITS_CLASS = frozenset({Witness.LOAD, Witness.BENCH})
"""Those that would tell a gain that is off by a few per cent; a registered `accuracy` says the same."""


class Ratio(NamedTuple):
    """What was counted over what a witness says was there, and the standard deviation of that."""

    value: float
    sigma: float


class Verdict(NamedTuple):
    """What a witness says of a capacity."""

    is_borne_out: bool = False
    is_contradicted: bool = False
    doubt: float = 0.0
    """Relative standard deviation that it adds to the capacity's."""


class EndCells(NamedTuple):
    """The cells at the last loaded sample, or at the cut-off."""

    weakest: int | None
    """1-based; None where no cell is shown, or where it is one that no channel shows."""
    median_v: float | None
    """Of the median cell."""
    unseen_v: float
    """Doubt about the lowest voltage where a channel is missing that may be it; 0 where all are shown."""


class FootSpan(NamedTuple):
    """A stretch of a discharge along the foot of the curve."""

    counted_ah: float
    share_from: float
    """Charge above empty at its beginning, as a share of nominal, by the loaded voltage."""
    drop_sigma_v: float
    """Doubt of the drop, and of the hysteresis, that was taken off there."""
    doubt_ah: float
    is_by_level: bool
    """Whether the drop is the set's own: the usual one goes with a `nominal_ah` that may be wrong, and bears nothing
    out."""


def curve_ratio(span: FootSpan, left: Left, celsius: float | None, limits: Limits) -> Ratio | None:
    """Charge counted along the foot of the curve over what the curve says; None where the stretch is too short.

    Below the temperature at which cold begins to keep charge the foot is another one.
    """
    chemistry, rules = limits.chemistry, limits.reference.witness
    share = span.share_from - left.share
    if celsius is None or limits.capacity_factor(celsius) < rules.curve_warm_from or share < rules.curve_span_min:
        return None
    volts = math.hypot(chemistry.sigma_ocv_v, span.drop_sigma_v)
    sigma = math.hypot(
        volts * limits.foot_share_per_v,
        left.sigma,
        chemistry.sigma_foot_percent / 100,
        span.doubt_ah / limits.nominal_ah,
    )
    return Ratio(span.counted_ah / (share * limits.nominal_ah), sigma / share)


def resistance_ratio(pack_mohm: float | None, limits: Limits) -> float | None:
    """Usual resistance of such a set over its own, as a gain of the current sensor would have it; None without one."""
    if pack_mohm is None or not limits.has_curve:
        return None
    own_ohm_ah = pack_mohm / 1000 / limits.cell_count * limits.nominal_ah
    return limits.reference.witness.step_share * limits.chemistry.ohm_ah / own_ohm_ah


def by_curve(ratio: Ratio | None, limits: Limits) -> Verdict:
    """Judge a capacity by the foot of the curve, where the lowest of many cells is a little early (`curve_usual`)."""
    rules = limits.reference.witness
    if ratio is None:
        return Verdict()
    verdict = judged(
        ratio.value / rules.curve_usual - 1.0, math.hypot(ratio.sigma, limits.gain_sigma), rules, rules.curve_sigmas
    )
    return verdict if ratio.sigma <= rules.curve_sigma_max else verdict._replace(is_borne_out=False)


def by_resistance(ratio: float | None, amps: float, celsius: float | None, limits: Limits) -> Verdict:
    """Judge a capacity by the resistance: twice the usual is an old joint, or half of the current counted.

    Its correction to 25 °C is doubted as any other from a table. A step out of float shows some ten millivolts more or
    less than the ohmic drop, for a full cell's own voltage is not the float voltage: at a small current (`amps`) that
    is all there is. What lies between is unusual, and the interval is as wide as can be published.
    """
    if ratio is None or celsius is None:
        return Verdict()
    rules = limits.reference.witness
    doubt = limits.reference.capacity.temperature_sigma * abs(limits.resistance_factor(celsius) - 1.0)
    within = rules.resistance_within * (1.0 + doubt)
    if 1 / within <= ratio <= within:
        return Verdict(is_borne_out=True)
    drop_v = rules.step_share * limits.cell_drop_v(amps, celsius)
    apart = rules.float_step_v / drop_v if drop_v > 0 else math.inf
    is_possible = 1 / within - apart <= 1 / ratio <= within + apart
    return Verdict(doubt=limits.reference.capacity.sigma_max) if is_possible else Verdict(is_contradicted=True)


def by_charge(ratio: Ratio, limits: Limits) -> Verdict:
    """Judge a capacity by what went back in."""
    rules = limits.reference.witness
    verdict = judged(ratio.value - 1.0, ratio.sigma, rules)
    return verdict if ratio.sigma <= rules.charge_sigma_max else verdict._replace(is_borne_out=False)


def judged(apart: float, sigma: float, rules: WitnessRules, sigmas: float | None = None) -> Verdict:
    """Bear out within what chance allows; contradict far beyond it, or grossly; else doubt by as much as it is off."""
    if apart**2 <= rules.innovation * sigma**2:
        return Verdict(is_borne_out=True)
    if abs(apart) > (sigmas or rules.contradicted_sigmas) * sigma and abs(apart) > rules.contradicted_from:
        return Verdict(is_contradicted=True)
    return Verdict(doubt=math.sqrt(apart**2 - sigma**2))


def contradicted(row: BatteryCapacity) -> BatteryCapacity:
    """A discharge's capacity, refused; nor was what it drew counted by a sensor that is believed."""
    return row._replace(
        capacity_ah=None, sigma_ah=None, systematic_ah=None, usable_ah=None, others_ah=None, soh_pct=None,
        method=None, reason=CapacityReason.CONTRADICTED, at_least_ah=0.0, quality=Quality.UNKNOWN,
    )  # fmt: skip


def text_of(names: frozenset[Witness] | frozenset[Doubt]) -> str:
    """Witnesses, or doubts, as a column holds them."""
    return ",".join(sorted(names))


def with_doubt(text: str | None, *more: Doubt) -> str:
    """Doubts of a column and some more, each once; a row from before there were any holds none."""
    return ",".join(sorted({*filter(None, (text or "").split(",")), *more}))


def witnesses_of(text: str | None) -> frozenset[Witness]:
    """Read them back; rows from before there were any hold nothing."""
    return frozenset(Witness(name) for name in (text or "").split(",") if name)
