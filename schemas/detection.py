"""Parameters of detectors: defaults per kind of series in reference data, overridden per device in the registry.

Times are in the unit their names say; thresholds of z are in robust standard deviations. "Documented" is what
docs/detection.md, "Numbers and their sources" holds with its source, of batteries docs/battery-health.md, "Numbers and
their sources"; the others are engineering defaults (unsourced).
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0, lt=1)]


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = True


class ProductionRule(_Rule):
    """A plant's meter as it would count at the plant's usual production: the line by which it is converted."""

    hours_needed: Count = 168
    """Hours of known production before the line is drawn. (unsourced)"""
    memory_hours: Positive = 1_008.0
    """Forgetting of the line: six weeks. (unsourced)"""
    clip_z: Positive = 3.0
    reach: Positive = 1.0
    """An hour is not judged where the line's own error there is more than this many spreads of an hour. (unsourced)"""


class SeasonalRule(_Rule):
    """Hour-of-week baseline: z of each hour against the usual of this hour of the week."""

    clip_z: Positive = 3.0
    """What is learned from is held within this (documented)."""
    alarm_z: Positive = 6.0
    """An hour farther out than this is active. (unsourced)"""
    return_z: Positive = 3.0
    """Nearer than this it has returned: the deadband. (unsourced)"""
    weeks_needed: Count = 3
    """History before it is armed. (unsourced)"""
    memory_weeks: Count = 8
    """Weeks that the baseline averages over. (unsourced)"""
    level_days: Positive = 14.0
    """Time constant of the level that all hours share: follows the seasons, not a day. (unsourced)"""
    floor_share: Share = 0.03
    """A spread below this share of the level is taken for this: no meter and no plant is quieter. (unsourced)"""
    downward: bool = False
    """Whether a value far below the usual counts too."""


class DriftRule(_Rule):
    """CUSUM over the clipped z of the hours, in long-run standard deviations."""

    k: Annotated[float, Field(ge=0.5, le=1.0)] = 0.75
    """Slack (documented: 0.5–1.0)."""
    h: Annotated[float, Field(ge=6, le=10)] = 8.0
    """Decision interval (documented: 6–10)."""
    day_share: Share | None = None
    """Share of h that the hours of one local day can add; None: no bound. Below 1/2 it takes three days. (unsourced)"""
    adopt_days: Positive = 14.0
    """A level that has stood this long in alarm becomes the baseline, and the detector is armed again. (unsourced)"""


class StepRule(_Rule):
    """Week-on-week difference of the daily mean, median of two days."""

    sd: Positive = 2.5
    """Robust standard deviations (documented)."""
    hold_days: Count = 7
    """How long it is held (documented)."""
    days_needed: Count = 28
    floor_share: Share = 0.02
    """Least spread of the differences, as a share of the level. (unsourced)"""


class BaseLoadRule(_Rule):
    """The 20 % quantile of the last 24 hours against its median of 28 days."""

    share: Share = 0.2
    z: Positive = 6.0
    """(documented)"""
    days: Annotated[int, Field(ge=7, le=28)] = 28
    """(documented)"""
    days_needed: Count = 28
    confirm_hours: Count = 3
    """In a row beyond the threshold: around midnight the last 24 hours are a mixture of two days. (unsourced)"""
    floor_share: Share = 0.03
    """Least spread, as a share of the median. (unsourced)"""
    adopt_days: Positive = 14.0


class NightFlowRule(_Rule):
    """Minimum night flow against the same nights of the weeks before: a leak, abrupt or incipient."""

    from_hour: Annotated[int, Field(ge=0, le=23)] = 2
    to_hour: Annotated[int, Field(ge=1, le=24)] = 5
    """Local (documented)."""
    weeks: Annotated[int, Field(ge=2, le=4)] = 4
    """Same weekdays that are compared with. (unsourced)"""
    nights_needed: Count = 21
    jump_z: Positive = 5.0
    """One night this far above is an abrupt leak. (unsourced)"""
    k: Annotated[float, Field(ge=0.5, le=1.0)] = 0.75
    h: Annotated[float, Field(ge=6, le=10)] = 10.0
    """CUSUM of the nights: an incipient leak (documented)."""
    clip_z: Positive = 3.0
    hold_nights: Count = 10
    """After this the new level becomes the baseline, and the detector is armed again. Fewer than six are no week."""
    floor_share: Share = 0.03
    """Least spread, as a share of the level. (unsourced)"""


class FlatlineRule(_Rule):
    """No change at all (documented: max(12 samples, 3 h))."""

    samples: Count = 12
    hours: Positive = 3.0


class SpikeRule(_Rule):
    """Beyond what the meter's rating allows and far from the day's median (documented)."""

    mads: Positive = 8.0
    rated_share: Positive = 1.0
    """Physical maximum as a share of the registered rating."""


class EfficiencyRule(_Rule):
    """Energy against what a regression on production explains, hour by hour of operation (EnPI CUSUM)."""

    k: Annotated[float, Field(ge=0.5, le=1.0)] = 0.75
    h: Annotated[float, Field(ge=6, le=10)] = 8.0
    clip_z: Positive = 3.0
    hours_needed: Count = 168
    memory_hours: Positive = 1_008.0
    """Forgetting of the regression: six weeks. (unsourced)"""
    floor_share: Share = 0.005
    """Least spread of the residual, as a share of the energy. (unsourced)"""
    adopt_hours: Positive = 336.0


LIMIT_WINDOWS_H = (24, 168, 720)
"""Windows that limits may be held against: those of `plant_rolling` that hold a day or more."""


class LimitRule(_Rule):
    """A plant's unit consumption against its limit or quota."""

    window_h: Annotated[int, Field(ge=24, le=720)] = 720
    """24, 168 or 720: the window that is held against it; limits stand for long periods."""
    coverage_needed: Share = 0.9
    """Of the window's hours. (unsourced)"""
    return_share: Share = 0.01
    """Below the limit by this share it has returned. (unsourced)"""


class BalanceRule(_Rule):
    """What a site's meters of one medium leave unaccounted for, against the usual of it."""

    meter_error: Share = 0.01
    """Relative error of a meter of electricity, steam or gas whose accuracy is not registered. (unsourced)"""
    tolerance_share: Positive = 0.5
    """Of 2·√Σ(εᵢVᵢ)²: against a usual of their own, errors that do not change cancel. (unsourced)"""
    sd: Positive = 5.0
    """Robust standard deviations of the days, where these are more. (unsourced)"""
    days: Annotated[int, Field(ge=7, le=28)] = 28
    """Whose median is the usual. (unsourced)"""
    days_needed: Count = 14
    confirm_days: Count = 2
    """In a row (documented)."""
    adopt_days: Count = 28


class HeatRateRule(EfficiencyRule):
    """Fuel heat of a unit against the electricity it supplied."""

    laboratory_share: Share = 0.9
    """Of the fuel's mass that laboratory values must cover. (unsourced)"""


class CapacityFactorRule(_Rule):
    """Daily capacity factor below its own median (CUSUM)."""

    k: Annotated[float, Field(ge=0.5, le=1.0)] = 0.75
    h: Annotated[float, Field(ge=6, le=10)] = 8.0
    clip_z: Positive = 3.0
    days: Count = 28
    days_needed: Count = 14
    coverage_needed: Share = 0.95
    floor_share: Share = 0.05
    """Least spread, as a share of the median. (unsourced)"""
    standstill_pct: Positive = 5.0
    """At or below this the unit stands, which is no drift. (unsourced)"""
    adopt_days: Count = 28


class PhaseLossRule(_Rule):
    """The weakest of three phases against the strongest."""

    voltage_share: Share = 0.78
    """(DL/T 645 meters' usual setting, unverified)"""
    current_share: Share = 0.05
    """(unsourced)"""
    load_share: Share = 0.1
    """Of the rating from which currents are looked at. (unsourced)"""


class BatteryRules(_Rule):
    """Battery safety and cells; those that say so are documented, the others (unsourced)."""

    temperature_max_c: float = 55.0
    """(documented)"""
    temperature_deadband_c: Positive = 2.0
    rate_max_c_min: Positive = 1.0
    """(documented)"""
    rate_errors: Positive = 6.0
    """The slope must be this many of its standard errors: a noisy sensor is no fire."""
    idle_c_rate: Positive = 0.05
    """(documented)"""
    rise_min_c: Positive = 10.0
    """T_max − T_ambient at rest, above this set's own usual."""
    rise_sd: Positive = 5.0
    rise_readings: Count = 3
    rests_needed: Count = 1_440
    float_cell_v: Positive = 3.33
    """The median cell is at least at this voltage in float."""
    float_settle_h: Positive = 1.0
    cells_needed: Count = 12
    cell_noise_mv: Positive = 2.0
    """A cell's noise is never taken for less (of a sensor: ±2 mV, docs/simulators.md)."""
    sag_z: Positive = 6.0
    floats_needed: Count = 240
    memory_readings: Count = 1_440
    day_readings_needed: Count = 120
    weak_z: Positive = 6.0
    """(documented)"""
    fall_mv: Positive = 5.0
    """Fallen by this over seven days."""
    spread_max_mv: Positive = 50.0
    """(documented)"""
    current_days: Count = 28
    current_days_needed: Count = 14
    current_sd: Positive = 6.0
    current_c_rate: Positive = 0.005
    stuck_h: Positive = 3.0
    """A sensor is stuck that has shown one value for so long (documented, flatline) while others like it moved."""
    stuck_c: Positive = 5.0
    """By how much the median of the other temperatures must have ranged meanwhile. (unsourced)"""
    stuck_mv: Positive = 60.0
    """By how much the median of the other cells must have ranged: more than float and rest make it move. (unsourced)"""
    resistance_rise_pct: Positive = 20.0
    """Above the set's own usual, at 25 °C; a healthy simulated fleet stays below 14.1 in 267 set-years. (unsourced)"""
    resistance_return_pct: Positive = 12.0
    resistance_steps: Count = 5
    """Load-on steps it takes: three for the usual, and two. (unsourced)"""


class SeriesRules(BaseModel):
    """All detectors of one kind of series; one that is absent is not run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    production: ProductionRule | None = None
    seasonal: SeasonalRule | None = None
    drift: DriftRule | None = None
    step: StepRule | None = None
    base_load: BaseLoadRule | None = None
    night_flow: NightFlowRule | None = None
    flatline: FlatlineRule | None = None
    spike: SpikeRule | None = None


class Detection(BaseModel):
    """Defaults of one version; the version stands in every signal."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    series: dict[str, SeriesRules]
    """By register name."""
    efficiency: EfficiencyRule
    limit: LimitRule
    quota: LimitRule
    balance: BalanceRule
    heat_rate: HeatRateRule
    capacity_factor: CapacityFactorRule
    phase_loss: PhaseLossRule
    battery: BatteryRules


Overrides = dict[str, dict[str, Any]]
"""Of one device or site: detector name → parameters that differ, as in {"night_flow": {"jump_z": 8}}."""


def checked_overrides(overrides: Overrides) -> Overrides:
    """Return a device's overrides where they fit the rules.

    Raises ValueError where a detector or a parameter is unknown, or battery safety would be switched off.
    """
    _check(overrides, _OF_DEVICES, elsewhere=_OF_SITES, whose="a site")
    if "battery" in overrides and not BatteryRules.model_validate(overrides["battery"]).enabled:
        msg = "battery safety cannot be switched off; shelve an alarm, or say that planned maintenance is under way"
        raise ValueError(msg)
    return overrides


def checked_site_overrides(overrides: Overrides) -> Overrides:
    """Return a site's overrides where they fit the rules. Raises ValueError as for a device."""
    _check(overrides, _OF_SITES, elsewhere=_OF_DEVICES, whose="a device")
    for name in ("limit", "quota"):
        window_h = LimitRule.model_validate(overrides.get(name, {})).window_h
        if window_h not in LIMIT_WINDOWS_H:
            msg = f"{name}: no window of {window_h} h is computed; there are {', '.join(map(str, LIMIT_WINDOWS_H))}"
            raise ValueError(msg)
    return overrides


def _check(
    overrides: Overrides, rules: dict[str, type[_Rule]], *, elsewhere: dict[str, type[_Rule]], whose: str
) -> None:
    for name, parameters in overrides.items():
        if name not in rules:
            hint = f"its parameters are {whose}'s" if name in elsewhere else f"there are {', '.join(sorted(rules))}"
            msg = f"no detector {name!r} here: {hint}"
            raise ValueError(msg)
        rules[name].model_validate(parameters)


_OF_DEVICES: dict[str, type[_Rule]] = {
    "production": ProductionRule,
    "seasonal": SeasonalRule,
    "drift": DriftRule,
    "step": StepRule,
    "base_load": BaseLoadRule,
    "night_flow": NightFlowRule,
    "flatline": FlatlineRule,
    "spike": SpikeRule,
    "phase_loss": PhaseLossRule,
    "heat_rate": HeatRateRule,
    "capacity_factor": CapacityFactorRule,
    "battery": BatteryRules,
}
_OF_SITES: dict[str, type[_Rule]] = {
    "limit": LimitRule,
    "quota": LimitRule,
    "balance": BalanceRule,
    "efficiency": EfficiencyRule,
}

R = TypeVar("R", bound=_Rule)


def own_rule(rule: R, name: str, overrides: Overrides) -> R:
    """Lay overrides of one detector, a device's or a site's, over its rule."""
    own = overrides.get(name)
    return type(rule).model_validate(rule.model_dump() | own) if own else rule


def with_overrides(rules: SeriesRules, overrides: Overrides) -> SeriesRules:
    """Lay a device's overrides over the rules of its kind of series; detectors the kind does not run stay away."""
    run = {name: getattr(rules, name, None) for name in overrides}
    return rules.model_copy(
        update={name: own_rule(rule, name, overrides) for name, rule in run.items() if rule is not None}
    )
