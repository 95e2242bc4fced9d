"""What the registry and the reference data make of one set: its thresholds in volts, amperes and milliseconds."""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from streams.kernels.battery.fusion import Z_90, Sensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.battery_reference import BatteryHealthReference, ChemistryReference
    from schemas.registry import Device

GAS_CONSTANT = 8.314
KELVIN = 273.15
REFERENCE_C = 25.0
NEAR_END_V = 0.4
"""This far above the cut-off the cells begin to part, and which one is the weakest is worth noting. (unsourced)"""
IDLE_FULL_PERCENT = 60.0
"""A full set without a current does not come down to the open-circuit voltage of this state of charge: hysteresis and
surface charge are a third of what lies between. (unsourced)"""
MEAN_FROM_PERCENT = 3.0
"""About what a cut-off leaves inside. (unsourced)"""


class SocReading(NamedTuple):
    """A state of charge read from a rest voltage; shares of one."""

    soc: float
    sigma: float


class Left(NamedTuple):
    """What is left in a cell, read from a voltage at the foot of its curve: charge above empty, not a share of its own.

    Of what lies above that, a loaded cold cell gives the share `given` only; the rest comes back with warmth.
    """

    share: float
    """Of the nominal charge."""
    sigma: float
    given: float = 1.0
    given_sigma: float = 0.0

    def soc(self, soh: float) -> float:
        """State of charge of a cell of this health."""
        return 1.0 - self.given * (1.0 - self.share / soh)


class Limits:
    """Thresholds of one set, and the curves of its chemistry. Pure: built from registry and reference data alone."""

    def __init__(self, device: Device, reference: BatteryHealthReference) -> None:
        battery = device.battery
        assert battery is not None  # noqa: S101 - a device of kind battery has one
        self.device = device
        self.reference = reference
        self.chemistry: ChemistryReference = reference.chemistries[battery.chemistry_name]
        chemistry, rates, times = self.chemistry, reference.rates, reference.times
        self.nominal_ah = nominal = battery.nominal_ah
        self.valid_from = battery.valid_from
        sensor = reference.sensor
        bench = battery.cell_count == 1
        usual = sensor.bench_gain / Z_90 if bench else sensor.sigma(sensor.gain)
        self.gain_sigma = usual if device.accuracy is None else sensor.sigma(device.accuracy)
        """Relative, of the current sensor."""
        self.sensor = Sensor(nominal, self.gain_sigma)
        offset = nominal * (sensor.bench_offset if bench else 1.0)
        self.sigma_a = rates.sigma_current_c * offset
        self.sigma_known_a = rates.sigma_current_known_c * offset
        self.population = chemistry.foot_soh
        self.cell_count = battery.cell_count
        self.idle_a = rates.idle_c * nominal
        self.step_a = rates.step_c * nominal
        self.firm_a = rates.firm_c * nominal
        self.offset_alarm_a = rates.offset_alarm_c * nominal
        self.float_cell_v = chemistry.float_cell_v if battery.float_cell_v is None else battery.float_cell_v
        self.cutoff_cell_v = chemistry.cutoff_cell_v if battery.cutoff_cell_v is None else battery.cutoff_cell_v
        self.cutoff_v = battery.cutoff_v
        self.near_end_v = self.cutoff_cell_v + NEAR_END_V
        self.full_by_voltage = chemistry.full_by_voltage
        self.gap_ms = round(times.gap_periods * device.period_s * 1000)
        self.bridged_gap_ms = max(times.bridged_gap_ms, self.gap_ms)
        self.steady_gap_ms = min(self.bridged_gap_ms, max(times.steady_gap_ms, 2 * self.gap_ms))
        self.full_after_ms = times.full_after_ms
        self.rest_after_ms = times.rest_after_ms
        self.coarse_ms = times.coarse_ms
        self.has_curve = bool(chemistry.ocv_v)
        self.drained_cell_v = (
            interpolate(IDLE_FULL_PERCENT, chemistry.ocv_percent, chemistry.ocv_v) if self.has_curve else 0.0
        )
        """No set that is full shows less while nothing flows."""
        from_percent = reference.witness.curve_from_percent
        self.foot_v = interpolate(from_percent, chemistry.ocv_percent, chemistry.ocv_v) if self.has_curve else 0.0
        """A rested cell at this or below is at the foot of the curve, where charge is told by voltage."""
        self.foot_share_per_v = 0.0
        if self.has_curve:
            width = max(0.001, chemistry.sigma_hysteresis_v)
            self.foot_share_per_v = (
                (self.soc_at(self.foot_v + width) - self.soc_at(self.foot_v - width)) / (2 * width) * self.population
            )
        self.level_ah = reference.witness.level_from * nominal if self.has_curve else math.inf
        """Drawn from full, at which a cell stands where its curve is level."""
        self.level_v = (
            interpolate(reference.witness.level_percent, chemistry.ocv_percent, chemistry.ocv_v)
            if self.has_curve
            else 0.0
        )
        self._mean_cell_v = _mean_between(chemistry, MEAN_FROM_PERCENT) or battery.nominal_v / battery.cell_count

    def capacity_factor(self, temperature_c: float) -> float:
        """Share of the 25 °C capacity that can be drawn at a temperature (k_T); linear between, level outside."""
        reference = self.reference
        return interpolate(temperature_c, reference.capacity_temperature_c, reference.capacity_factor)

    def resistance_factor(self, temperature_c: float) -> float:
        """Resistance at a temperature over that at 25 °C: exp[E/R·(1/T − 1/298)], E = 20 kJ/mol."""
        inverse = 1.0 / (temperature_c + KELVIN) - 1.0 / (REFERENCE_C + KELVIN)
        return math.exp(self.reference.activation_j_mol / GAS_CONSTANT * inverse)

    def cell_drop_v(self, amps: float, temperature_c: float) -> float:
        """Voltage a cell loses under a steady current (A, discharge positive), by the chemistry's usual resistance."""
        return amps * self.chemistry.ohm_ah / self.nominal_ah * self.resistance_factor(temperature_c)

    def lead_v(self, amps: float | None) -> float:
        """Most that leads and breakers take of the pack's voltage at a current: as much as its cells at 25 °C."""
        return 0.0 if amps is None else self.cell_count * self.cell_drop_v(abs(amps), REFERENCE_C)

    def warmed_c(self, celsius: float, amps: float, hours: float) -> float:
        """Temperature that a set's own losses bring it to after some hours of discharge at `amps`.

        C_th·T' = I²·R(T) − C_th·ΔT/τ with R as at the beginning: a little much of a cold set, whose R falls.
        """
        rules = self.reference.backup
        cell_w = amps * self.cell_drop_v(amps, celsius)
        tau_s = 3600.0 * rules.thermal_h
        return celsius + cell_w * tau_s / (rules.heat_j_k_ah * self.nominal_ah) * -math.expm1(-hours / rules.thermal_h)

    def loaded_v(self, amps: float, temperature_c: float | None) -> float:
        """Mean voltage of the set over a discharge at `amps`: what charge is turned into energy with."""
        drop = (
            self.cell_drop_v(amps, REFERENCE_C if temperature_c is None else temperature_c) if self.has_curve else 0.0
        )
        return (self._mean_cell_v - drop) * self.cell_count

    def soc_at(self, cell_v: float) -> float:
        """SoC (0–1) on the open-circuit curve, whether or not the voltage tells it well there."""
        chemistry = self.chemistry
        return interpolate(cell_v, chemistry.ocv_v, chemistry.ocv_percent) / 100

    def share_left(self, rest_cell_v: float) -> float:
        """Charge above empty, as a share of nominal, of a rested cell, by the foot of the curve; 0 without one."""
        return self.soc_at(rest_cell_v) * self.population if self.has_curve else 0.0

    def share_left_loaded(self, loaded_cell_v: float, amps: float, temperature_c: float) -> float:
        """The same of a cell that shows a voltage under `amps` of discharge."""
        return self.share_left(loaded_cell_v + self.cell_drop_v(amps, temperature_c)) if self.has_curve else 0.0

    def soc_kept(self, loaded_cell_v: float, amps: float, celsius: float, soh: float | None = None) -> float:
        """SoC (0–1) at which a full set that is discharged at `celsius` comes down to a loaded voltage.

        Of what it would give at 25 °C it gives the share k_T: the rest is at the bottom, where cold keeps it, and comes
        back with warmth. So a set that has given much already has less than k_T of the rest left to give.
        """
        left = self.share_left_loaded(loaded_cell_v, amps, celsius)
        return Left(left, 0.0, self.capacity_factor(celsius)).soc(soh or self.population)

    def at_cutoff(self, loaded_cell_v: float, amps: float, temperature_c: float | None, beside_v: float = 0.0) -> Left:
        """What a discharge to the cut-off leaves inside: 0 is where the chemistry's curve ends at 25 °C.

        `beside_v` is the doubt of a voltage that no channel shows.
        """
        celsius = REFERENCE_C if temperature_c is None else temperature_c
        sigma = self.chemistry.sigma_empty_percent / 100
        if not self.has_curve:
            return Left(0.0, sigma)
        low, left, high = (
            self.share_left_loaded(loaded_cell_v + apart, amps, celsius) for apart in (-beside_v, 0.0, beside_v)
        )
        sigma = math.hypot(sigma, (high - low) / 2)
        given = self.capacity_factor(celsius)
        doubt = self.reference.capacity.temperature_sigma * (1.0 - given)
        return Left(left, sigma, given, doubt)

    def read_knee(
        self, loaded_cell_v: float, amps: float, temperature_c: float | None, beside_v: float = 0.0
    ) -> Left | None:
        """What is left by a loaded voltage, only on the steep end of the curve; None above it.

        There the curve falls by 115 mV a per cent: a resistance wrong by a fifth moves the SoC by a tenth of a point.
        """
        celsius = REFERENCE_C if temperature_c is None else temperature_c
        left = self.share_left_loaded(loaded_cell_v, amps, celsius)
        if not self.has_curve or left > self.chemistry.knee_percent / 100 * self.population:
            return None
        return self.at_cutoff(loaded_cell_v, amps, temperature_c, beside_v)

    def read_foot(self, rest_cell_v: float, beside_v: float = 0.0) -> Left | None:
        """What is left by a rest after a discharge, with its σ; None above the foot of the curve.

        `beside_v` is the doubt of a voltage that no channel shows. Hysteresis and the spread of cells around the curve
        are a set's own.
        """
        return self._read(rest_cell_v, beside_v, self.chemistry.blind_from_percent)

    def least_above_foot(self, rest_cell_v: float, beside_v: float = 0.0) -> float:
        """Share of nominal that a rest above the foot of the curve shows to be left, two σ below what it reads.

        0 without a curve. No more than where the foot ends: above it the voltage does not tell.
        """
        chemistry = self.chemistry
        if not self.has_curve:
            return 0.0
        volts = rest_cell_v + chemistry.hysteresis_v - 2 * self._rest_sigma_v(beside_v)
        share = min(chemistry.blind_from_percent / 100 * self.population, self.share_left(volts))
        return max(0.0, share - 2 * chemistry.sigma_foot_percent / 100)

    def _rest_sigma_v(self, beside_v: float) -> float:
        """Standard deviation of a rest voltage as the curve's, with that of a channel that is not shown."""
        chemistry = self.chemistry
        return math.sqrt(chemistry.sigma_ocv_v**2 + chemistry.sigma_hysteresis_v**2 + beside_v**2)

    def _read(self, rest_cell_v: float, beside_v: float, below_percent: float) -> Left | None:
        chemistry = self.chemistry
        if not self.has_curve:
            return None
        volts = rest_cell_v + chemistry.hysteresis_v
        share = self.share_left(volts)
        if share >= below_percent / 100 * self.population:
            return None
        width = self._rest_sigma_v(beside_v)
        slope_sigma = (self.share_left(volts + width) - self.share_left(volts - width)) / 2
        foot = chemistry.sigma_foot_percent / 100 * min(1.0, 2.0 * share / (chemistry.blind_from_percent / 100))
        return Left(share, math.hypot(max(slope_sigma, chemistry.sigma_empty_percent / 100), foot))

    def read_start(self, rest_cell_v: float) -> Left | None:
        """What is in a cell that rests at the foot of its curve before a load; None above it, and without a curve."""
        return self._read(rest_cell_v, 0.0, self.reference.capacity.two_point_to_percent)

    def read_rest(self, cell_v: float, soh: float | None = None) -> SocReading | None:
        """SoC of a set of this health (None: a usual one) by a rest voltage, with its σ; None where that is blind."""
        left = self.read_foot(cell_v)
        if left is not None:
            soh = soh or self.population
            return SocReading(left.soc(soh), left.sigma / soh)
        if not self.has_curve:
            return None
        chemistry = self.chemistry
        soc = self.soc_at(cell_v)
        if soc <= chemistry.blind_to_percent / 100:
            return None
        width = chemistry.sigma_ocv_v + chemistry.sigma_hysteresis_v
        sigma = (self.soc_at(cell_v + width) - self.soc_at(cell_v - width)) / 2
        return SocReading(soc, max(sigma, chemistry.sigma_empty_percent / 100))


class LimitsOf:
    """Thresholds of sets, made once for each registered version of one."""

    def __init__(self, reference: BatteryHealthReference) -> None:
        self._reference = reference
        self._known: dict[str, tuple[Device, Limits]] = {}

    def of(self, device: Device) -> Limits:
        """Thresholds of a set."""
        known = self._known.get(device.device_id)
        if known is None or known[0] is not device:
            known = self._known[device.device_id] = (device, Limits(device, self._reference))
        return known[1]


def _mean_between(chemistry: ChemistryReference, from_percent: float) -> float | None:
    """Mean open-circuit voltage from a SoC up to full, by trapezoids; None without a curve."""
    if not chemistry.ocv_v:
        return None
    points = [from_percent, *[percent for percent in chemistry.ocv_percent if percent > from_percent]]
    volts = [interpolate(percent, chemistry.ocv_percent, chemistry.ocv_v) for percent in points]
    area = sum((v0 + v1) / 2 * (p1 - p0) for (p0, v0), (p1, v1) in pairwise(zip(points, volts, strict=True)))
    return area / (points[-1] - points[0])


def interpolate(at: float, xs: Sequence[float], ys: Sequence[float]) -> float:
    """Linear between points, level outside of them; `xs` ascends and may stay level, where the later point counts."""
    upper = bisect_right(xs, at)
    if upper == 0:
        return ys[0]
    if upper == len(xs):
        return ys[-1]
    x0, x1 = xs[upper - 1], xs[upper]
    return ys[upper - 1] + (ys[upper] - ys[upper - 1]) * (at - x0) / (x1 - x0)
