"""What the registry and the reference data make of one set: its thresholds in volts, amperes and milliseconds."""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.battery_reference import BatteryHealthReference, ChemistryReference
    from schemas.registry import Device

GAS_CONSTANT = 8.314
KELVIN = 273.15
REFERENCE_C = 25.0
MEAN_FROM_PERCENT = 3.0
"""About what a cut-off leaves inside. (unsourced)"""


class SocReading(NamedTuple):
    """A state of charge read from a rest voltage; shares of one."""

    soc: float
    sigma: float


class Limits:
    """Thresholds of one set, and the curves of its chemistry. Pure: built from registry and reference data alone."""

    def __init__(self, device: Device, reference: BatteryHealthReference) -> None:
        battery = device.battery
        assert battery is not None  # noqa: S101 - a device of kind battery has one
        self.reference = reference
        self.chemistry: ChemistryReference = reference.chemistries[battery.chemistry_name]
        chemistry, rates, times = self.chemistry, reference.rates, reference.times
        self.nominal_ah = nominal = battery.nominal_ah
        self.cell_count = battery.cell_count
        self.idle_a = rates.idle_c * nominal
        self.step_a = rates.step_c * nominal
        self.firm_a = rates.firm_c * nominal
        self.sigma_a = rates.sigma_current_c * nominal
        self.sigma_known_a = rates.sigma_current_known_c * nominal
        self.offset_alarm_a = rates.offset_alarm_c * nominal
        self.float_cell_v = chemistry.float_cell_v if battery.float_cell_v is None else battery.float_cell_v
        self.cutoff_cell_v = chemistry.cutoff_cell_v if battery.cutoff_cell_v is None else battery.cutoff_cell_v
        self.cutoff_v = battery.cutoff_v
        self.full_by_voltage = chemistry.full_by_voltage
        self.gap_ms = round(times.gap_periods * device.period_s * 1000)
        self.bridged_gap_ms = max(times.bridged_gap_ms, self.gap_ms)
        self.steady_gap_ms = min(self.bridged_gap_ms, max(times.steady_gap_ms, 2 * self.gap_ms))
        self.full_after_ms = times.full_after_ms
        self.rest_after_ms = times.rest_after_ms
        self.coarse_ms = times.coarse_ms
        self.has_curve = bool(chemistry.ocv_v)
        self.drained_cell_v = (
            interpolate(chemistry.blind_from_percent, chemistry.ocv_percent, chemistry.ocv_v) if self.has_curve else 0.0
        )
        """No set that is full shows less, with or without a usual load."""
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

    def soc_left(self, loaded_cell_v: float, amps: float, temperature_c: float) -> float:
        """SoC (0–1) left in a cell that shows `loaded_cell_v` under `amps` of discharge; 0 without a curve."""
        if not self.has_curve:
            return 0.0
        return self.soc_at(loaded_cell_v + self.cell_drop_v(amps, temperature_c))

    def soc_kept(self, loaded_cell_v: float, amps: float, celsius: float) -> float:
        """SoC (0–1) at which a full set that is discharged at `celsius` comes down to a loaded voltage.

        Of what it would give at 25 °C it gives the share k_T: the rest is at the bottom, where cold keeps it, and comes
        back with warmth. So a set that has given much already has less than k_T of the rest left to give.
        """
        return 1.0 - self.capacity_factor(celsius) * (1.0 - self.soc_left(loaded_cell_v, amps, celsius))

    def at_cutoff(self, loaded_cell_v: float, amps: float, temperature_c: float | None) -> SocReading:
        """SoC that a discharge to the cut-off leaves inside: 0 % is where the chemistry's curve ends at 25 °C."""
        celsius = REFERENCE_C if temperature_c is None else temperature_c
        sigma = self.chemistry.sigma_empty_percent / 100
        if not self.has_curve:
            return SocReading(0.0, sigma)
        doubt = self.reference.capacity.temperature_sigma * (1.0 - self.capacity_factor(celsius))
        return SocReading(self.soc_kept(loaded_cell_v, amps, celsius), math.hypot(sigma, doubt))

    def read_knee(self, loaded_cell_v: float, amps: float, temperature_c: float | None) -> SocReading | None:
        """SoC from a loaded voltage, only on the steep end of the curve; None above it.

        There the curve falls by 115 mV a per cent: a resistance wrong by a fifth moves the SoC by a tenth of a point.
        """
        left = self.soc_left(loaded_cell_v, amps, REFERENCE_C if temperature_c is None else temperature_c)
        if not self.has_curve or left > self.chemistry.knee_percent / 100:
            return None
        return self.at_cutoff(loaded_cell_v, amps, temperature_c)

    def read_rest(self, cell_v: float) -> SocReading | None:
        """SoC from a rest voltage, with its σ from the curve's slope; None where the curve is blind."""
        if not self.has_curve:
            return None
        chemistry = self.chemistry
        soc = self.soc_at(cell_v)
        if chemistry.blind_from_percent / 100 <= soc <= chemistry.blind_to_percent / 100:
            return None
        width = chemistry.sigma_ocv_v
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
