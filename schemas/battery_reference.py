"""Reference data of battery health: curves, thresholds and uncertainties, versioned; never constants in code."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Reference(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _ascending(what: str, numbers: tuple[float, ...], *, strictly: bool) -> None:
    if any(b < a or (strictly and b == a) for a, b in pairwise(numbers)):
        msg = f"{what} must ascend: {numbers}"
        raise ValueError(msg)


class ChemistryReference(_Reference):
    """A kind of cell. Without an open-circuit curve its capacity is known from full discharges alone."""

    ocv_percent: tuple[float, ...]
    """True SoC, %, ascending."""
    ocv_v: tuple[float, ...]
    """Rest voltage of one cell at those, V at 25 °C."""
    blind_from_percent: float
    """From here up to `blind_to_percent` a rest voltage does not tell the SoC."""
    blind_to_percent: float
    knee_percent: float
    """Up to here the curve is so steep that a loaded voltage tells the SoC too."""
    float_cell_v: Positive
    cutoff_cell_v: Positive
    full_by_voltage: bool
    ohm_ah: Positive
    """Quasi-steady resistance of a cell times its capacity, Ω·Ah at 25 °C."""
    foot_soh: Positive
    """Mean SoH of the cells that the curve is of: times it, % of own charge at the foot are % of nominal charge."""
    hysteresis_v: float
    """How far a rest reached by discharging is taken to lie below the curve, and how sure that is."""
    sigma_hysteresis_v: float
    sigma_ocv_v: Positive
    sigma_foot_percent: float
    """Spread of cells around the foot of the curve, % of nominal."""
    sigma_full_percent: Positive
    sigma_empty_percent: Positive

    @model_validator(mode="after")
    def _a_curve(self) -> Self:
        if len(self.ocv_percent) != len(self.ocv_v):
            msg = "ocv_percent and ocv_v are the two sides of one curve: give as many of each"
            raise ValueError(msg)
        _ascending("ocv_percent", self.ocv_percent, strictly=True)
        _ascending("ocv_v", self.ocv_v, strictly=False)
        return self


class Rates(_Reference):
    """Currents, as multiples of the nominal capacity per hour."""

    idle_c: Positive
    step_c: Positive
    firm_c: Positive
    sigma_current_c: Positive
    sigma_current_known_c: Positive
    offset_alarm_c: Positive


class Times(_Reference):
    """Lengths of time, ms, and of gaps in the device's periods."""

    full_after_ms: int
    rest_after_ms: int
    bridged_gap_ms: int
    gap_periods: float
    steady_gap_ms: int
    coarse_ms: int
    frozen_ms: int


class CapacityRules(_Reference):
    """When a discharge tells the capacity."""

    sigma_max: Share
    bridged_max: Share
    steady_tolerance: Share
    steady_sigma: Share
    shallow: Share
    start_sigma_max: Share
    temperature_min_c: float
    temperature_max_c: float
    temperature_sigma: Share
    noted_from: Share
    two_point_to_percent: float
    """A rest up to here is the beginning of a two-point estimate, % of the curve."""
    two_point_span: Share
    """Least of the curve between its two rests."""
    two_point_spread: Share
    """Relative spread of the capacities of cells that show the same voltages: the population's."""
    two_point_sigma_max: Share


class Fusion(_Reference):
    """How estimates of one set are fused. Shares of the nominal capacity."""

    fade_per_year: float
    fade_per_year_sigma: Positive
    fade_sigma_year: Positive
    fade_sigma_cycle: Positive
    innovation: Positive
    repeatability: Positive
    systematic_sigma: Positive
    named_from: Share
    named_sigmas: Positive
    weak_gap_v: Positive
    weak_gap_grown_v: Positive
    recalibrated_within: Share
    population_soh: Share
    population_sigma: Share


class IdentityRules(_Reference):
    """When the cells of a set are taken for others than those that were measured. Shares of nominal and of one."""

    from_share: Share
    to_share: Share
    samples_min: int
    cells_min: int
    reliable_from: Share
    other_below: Share
    doubted_below: Share
    float_sigma_v: Positive
    cycles_from: int
    cycles_share: Share


class SensorRules(_Reference):
    """Relative error bounds of current sensors."""

    gain: Share
    unvouched_sigma: Share
    """Of one for which nobody vouches, before the foot of the curve is asked: its standard deviation."""
    bench_gain: Share
    bench_offset: Share
    """Over that of a set's sensor."""
    site_gain: Share
    registered_share: Share
    """Of a registered `accuracy`: its standard deviation."""
    loose_from: Share
    loose_share: Share
    """The same from `loose_from` on, and of a sensor of which nobody has registered a class."""

    def sigma(self, bound: float) -> float:
        """Standard deviation of a gain within ± bound."""
        return bound * (self.registered_share if bound < self.loose_from else self.loose_share)


class WitnessRules(_Reference):
    """How a capacity is held against what its current sensor did not count."""

    innovation: Positive
    contradicted_sigmas: Positive
    contradicted_from: Share
    curve_from_percent: Positive
    curve_span_min: Share
    curve_sigma_max: Share
    level_from: Share
    level_percent: Positive
    level_sigma_v: Positive
    curve_sigmas: Positive
    curve_usual: Positive
    """What was counted over what the curve says, of healthy sets."""
    curve_believed_sigmas: Positive
    curve_warm_from: Share
    resistance_sigma: Share
    step_share: Share
    resistance_within: Positive
    float_step_v: Positive
    charge_sigma: Share
    charge_sigma_max: Share
    load_sigma: Share
    load_sigma_max: Share
    load_steady: Share
    soh_max: Positive


class SocRules(_Reference):
    """How far a counted SoC is trusted. Shares of one."""

    hold_sigma_per_h: Share
    frozen_after: Share
    odd_difference: Share


class BackupRules(_Reference):
    """How backup time is forecast, and why a set was discharged."""

    heat_j_k_ah: Positive
    """J/K of a cell for each Ah of its nominal capacity."""
    thermal_h: Positive
    """Time constant towards the surroundings, h."""

    load_sigma: Share
    clock_ms: int
    test_from_ms: int
    counted_from_h: float
    observable_days: float


class AdviceThresholds(_Reference):
    """When a set is to be watched or retired (退役)."""

    watch_below_soh_pct: float
    retire_below_soh_pct: float
    spread_float_mv: float
    worst_cell_z: float


class BatteryHealthReference(_Reference):
    """Everything battery health is computed with; the version is stored with every figure."""

    version: str
    chemistries: dict[str, ChemistryReference]
    capacity_temperature_c: tuple[float, ...]
    capacity_factor: tuple[float, ...]
    activation_j_mol: Positive
    rates: Rates
    times: Times
    capacity: CapacityRules
    fusion: Fusion
    sensor: SensorRules
    identity: IdentityRules
    witness: WitnessRules
    soc: SocRules
    backup: BackupRules
    advice: AdviceThresholds

    @model_validator(mode="after")
    def _a_table(self) -> Self:
        if len(self.capacity_temperature_c) != len(self.capacity_factor):
            msg = "capacity_temperature_c and capacity_factor are the two sides of one table: give as many of each"
            raise ValueError(msg)
        _ascending("capacity_temperature_c", self.capacity_temperature_c, strictly=True)
        return self
