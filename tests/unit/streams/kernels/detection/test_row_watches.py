"""Detectors over derived rows: limits, balances and units; and phases. Each speaks once it can know."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.metrics import BatteryDay, DetectorStatus, PlantRolling, Signal, WaterDay
from schemas.metrics.signal import Phase, SignalKind
from schemas.readings import Kind
from schemas.registry import BatterySet, Device, Site
from schemas.time import DAY_MS
from streams.kernels.detection.batteries.set_trends import SetTrends
from streams.kernels.detection.plant_limits import PlantLimits, WaterBalance
from streams.kernels.detection.reference import detection
from tests.support.detected.units import (
    DRIFT,
    HOUR_MS,
    METER,
    PHASES,
    SITE,
    T0,
    UNIT,
    blank,
    phases,
    unit_days,
    unit_hours,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.metrics import Row
    from streams.kernels.contract import Fold

RULES = detection()


def signals(kernel: Fold, subject: Device | Site, rows: Sequence[object]) -> list[Signal]:
    """What one ordered pass gives out."""
    return [row for row in kernel.fold(None, subject, rows)[1] if isinstance(row, Signal)]


def phase(kernel: Fold, subject: Device | Site, rows: Sequence[object]) -> Phase:
    """How far it says it is, in the end."""
    return [row for row in kernel.fold(None, subject, rows)[1] if isinstance(row, DetectorStatus)][-1].phase


# --- limits and quotas -------------------------------------------------------------------------------------------

LIMITS = PlantLimits(RULES.limit, RULES.quota, "test")


def window(day: int, unit_energy: float | None, *, coverage: float = 1.0, quota_gap: float | None = None) -> Any:  # noqa: ANN401
    """The 30 days that end with a day, against a limit of 109 kgce/t."""
    return blank(
        PlantRolling,
        site_id="p", line_id="plant", window_h=720, ts=T0 + day * DAY_MS, unit_energy_kgce=unit_energy, production=1e5,
        limit_level_3=109.0, unit_water_m3=0.6, gap_to_quota_pct=quota_gap, coverage=coverage,
    )  # fmt: skip


def test_a_month_above_its_limit_is_said_with_what_it_cost() -> None:
    """Value, limit as corrected, and the excess over the whole production."""
    first = signals(LIMITS, SITE, [window(day, 112.0) for day in range(3)])[0]
    assert (first.kind, first.active, first.value, first.high) == (SignalKind.LIMIT, True, 112.0, 109.0)
    assert first.cost == pytest.approx(3 * 1e5)
    assert (first.cost_unit, first.unit) == ("kgce", "kgce/t")


def test_a_window_of_which_too_little_is_known_is_held_to_no_limit() -> None:
    """It says `learning`: half a month is not what a limit stands for."""
    rows = [window(day, 140.0, coverage=0.6) for day in range(4)]
    assert signals(LIMITS, SITE, rows) == []
    assert phase(LIMITS, SITE, rows) is Phase.LEARNING


def test_a_value_on_the_limit_does_not_flap() -> None:
    """Above it counts once; only clearly below is over."""
    values = [110.0, 108.5, 109.2, 108.6, 109.1, 107.0, 107.0]
    given_out = signals(LIMITS, SITE, [window(day, value) for day, value in enumerate(values)])
    assert [row.active for row in given_out if row.samples == 1] == [True, False]


def test_the_newest_window_is_not_judged_while_it_grows() -> None:
    """Its last row counts, once the next day's has come."""
    assert signals(LIMITS, SITE, [window(1, 150.0), window(1, 108.0), window(2, 108.0)]) == []


def test_an_intake_above_the_quota_is_said_beside_the_limit() -> None:
    """The quota that stands behind the gap is the limit of the signal."""
    first = signals(LIMITS, SITE, [window(day, 100.0, quota_gap=20.0) for day in range(2)])[0]
    assert (first.kind, first.metric, first.cost_unit) == (SignalKind.QUOTA, "unit_water_m3", "m3")
    assert first.high == pytest.approx(0.5)


# --- battery sets ------------------------------------------------------------------------------------------------

TRENDS = SetTrends(RULES.battery, "test")
BATTERY_SET = Device(device_id="b", site_id="p", kind=Kind.BATTERY, battery=BatterySet(nominal_ah=100))


def set_days(
    *, backups: Sequence[float | None] = (), rises: Sequence[float | None] = (), width_h: float = 0.2
) -> list[Row]:
    """Days of a set that is owed two hours, by p50 and how far p10 is below it, of a usual resistance of 20 mΩ."""
    p10s = [None if hours is None else hours - width_h for hours in backups]
    count = max(len(backups), len(rises))
    return [
        blank(
            BatteryDay,
            device_id="b", site_id="p", ts=T0 + day * DAY_MS, contract_h=2.0, resistance_usual_mohm=20.0,
            backup_p10_h=p10s[day] if backups else None, backup_p50_h=backups[day] if backups else None,
            resistance_steps=6 if rises else 0,
            resistance_rise_pct=rises[day] if rises else None,
            resistance_25c_mohm=20.0 * (1 + (rises[day] or 0.0) / 100) if rises else None,
        )
        for day in range(count)
    ]  # fmt: skip


def test_backup_below_the_contract_is_said_in_hours_and_does_not_flap() -> None:
    """All of the forecast is short of two hours; over once it is more likely kept; a day not known changes nothing."""
    given_out = signals(TRENDS, BATTERY_SET, set_days(backups=[2.5, 1.75, None, 1.95, 1.9, 2.0, 1.95]))
    assert [(row.active, row.samples) for row in given_out] == [(True, 1), (True, 2), (True, 3), (False, 1)]
    first = given_out[0]
    assert (first.kind, first.low, first.unit, first.cost_unit) == (SignalKind.BACKUP, 2.0, "h", "h")
    assert first.value == pytest.approx(1.55)
    assert first.cost == pytest.approx(0.25)
    evidence = orjson.loads(first.evidence)
    assert (evidence["backup_p50_h"], evidence["backup_p90_h"]) == pytest.approx((1.75, 1.95))


@pytest.mark.parametrize("width_h", [0.1, 0.5, 1.5])
def test_a_wide_forecast_that_may_well_hold_the_contract_is_no_alarm(width_h: float) -> None:
    """However far p10 lies below the hours owed: that is not known yet, and not short."""
    rows = set_days(backups=[2.05, 1.95, 2.3, 2.0, 1.98, 2.5], width_h=width_h)
    assert signals(TRENDS, BATTERY_SET, rows) == []


def test_a_set_never_measured_is_not_said_to_be_short() -> None:
    """It says that it is learning."""
    rows = set_days(backups=[None] * 5)
    assert signals(TRENDS, BATTERY_SET, rows) == []
    assert phase(TRENDS, BATTERY_SET, rows) is Phase.LEARNING


def test_a_resistance_that_has_risen_is_said_against_the_set_s_own() -> None:
    """Above a fifth more; over below 12 %."""
    given_out = signals(TRENDS, BATTERY_SET, set_days(rises=[5.0, 19.0, 30.0, 15.0, 10.0, 10.0]))
    assert [(row.active, row.kind) for row in given_out if row.samples == 1] == [
        (True, SignalKind.RESISTANCE),
        (False, SignalKind.RESISTANCE),
    ]
    assert (given_out[0].value, given_out[0].baseline, given_out[0].high) == (26.0, 20.0, 24.0)


# --- water balance -----------------------------------------------------------------------------------------------

BALANCE = WaterBalance(RULES.balance, "test")


def balances(residuals: Sequence[float | None], tolerance: float = 40.0) -> list[Row]:
    """Water days as the view gives them."""
    rows: list[Row] = []
    before: float | None = None
    for day, residual in enumerate(residuals):
        known = residual is not None and before is not None
        suspected = (residual > tolerance and before > tolerance) if known else None  # type: ignore[operator]
        rows.append(
            blank(
                WaterDay,
                site_id="p", ts=T0 + day * DAY_MS, residual_m3=residual, intake_m3=1000.0,
                tolerance_m3=None if residual is None else tolerance, leak_suspected=suspected,
            )
        )  # fmt: skip
        before = residual
    return rows


def test_a_residual_beyond_the_meters_errors_counts_on_its_second_day() -> None:
    """One bad day is none; two are a leak, with the water lost on both."""
    assert signals(BALANCE, SITE, balances([10, 90, 10, 10])) == []
    first = signals(BALANCE, SITE, balances([10, 90, 70, 0]))[0]
    assert (first.ts, first.cost, first.cost_unit) == (T0 + 3 * DAY_MS, 160.0, "m3")


def test_a_day_that_does_not_close_neither_begins_nor_ends_a_leak() -> None:
    """Unknown is evidence of nothing."""
    given_out = signals(BALANCE, SITE, balances([10, 90, 90, None, None, 90, 90, 90, 10, 10]))
    assert [row.active for row in given_out if row.samples == 1] == [True, False]
    assert given_out[-1].ts == T0 + 9 * DAY_MS


# --- units -------------------------------------------------------------------------------------------------------


def test_a_unit_that_needs_five_per_cent_more_heat_is_found_within_a_shift() -> None:
    """At 1.5 % of noise and under changing load; never before. Its cost is the heat beyond, as coal equivalent."""
    given_out = signals(DRIFT, UNIT, unit_hours(520, worse=0.05, from_hour=480))
    onset = next(row for row in given_out if row.active)
    assert (onset.kind, onset.unit, onset.cost_unit) == (SignalKind.HEAT_RATE, "kJ/kWh", "kgce")
    assert 480 < (onset.ts - T0) / HOUR_MS <= 488
    assert onset.value is not None
    assert 9_000 < onset.value < 12_000


def test_fuel_that_no_laboratory_has_seen_says_nothing_of_a_unit() -> None:
    """Its heat is a registered guess; the detector stays `learning`."""
    rows = unit_hours(520, worse=0.3, from_hour=480, laboratory=0.2)
    assert signals(DRIFT, UNIT, rows) == []
    assert phase(DRIFT, UNIT, rows) is Phase.LEARNING


def test_a_unit_held_below_its_usual_load_is_found_within_days() -> None:
    """A fifth less, at 4 % of scatter; the electricity not generated is its cost."""
    rng = random.Random(8)
    usual = [60 * (1 + rng.gauss(0, 0.04)) for _ in range(40)]
    given_out = signals(DRIFT, UNIT, unit_days([*usual, *[48.0] * 8]))
    onset = next(row for row in given_out if row.active)
    assert onset.kind is SignalKind.CAPACITY_FACTOR
    assert 40 < (onset.ts - T0) / DAY_MS <= 45
    assert onset.cost_unit == "kWh"
    assert signals(DRIFT, UNIT, unit_days(usual)) == []


def test_a_standstill_is_no_drift() -> None:
    """An overhaul of two weeks is planned; what comes after is held against what was before."""
    assert signals(DRIFT, UNIT, unit_days([*[60.0, 62.0, 58.0] * 8, *[0.0] * 14, *[60.0] * 10])) == []


# --- phases ------------------------------------------------------------------------------------------------------


def test_a_phase_without_voltage_is_said_and_named() -> None:
    """The first of three, at 0 V."""
    first = signals(PHASES, METER, phases([0.0, 5_770.0, 5_780.0]))[0]
    assert (first.kind, first.active) == (SignalKind.PHASE_LOSS, True)
    assert '"phase":1' in first.evidence


def test_a_phase_without_current_counts_only_under_load() -> None:
    """An idle plant's phases may be as uneven as they like."""
    assert signals(PHASES, METER, phases([5_770.0] * 3, [40.0, 0.3, 41.0]))
    assert signals(PHASES, METER, phases([5_770.0] * 3, [4.0, 0.03, 4.1], kw=50.0)) == []


def test_neither_sagging_phases_nor_a_dead_meter_are_a_lost_phase() -> None:
    """All three low is a sag, all at zero an outage, and none at all is unknown."""
    for volts in ([4_000.0, 4_100.0, 3_900.0], [0.0, 0.0, 0.0], None):
        assert signals(PHASES, METER, phases(volts)) == []


# --- the promise -------------------------------------------------------------------------------------------------

CASES: list[tuple[Any, Device | Site, list[Any]]] = [
    (LIMITS, SITE, [window(day, 105.0 + day % 7, quota_gap=float(day % 5 - 2)) for day in range(24)]),
    (BALANCE, SITE, balances([None if day % 11 == 0 else 90.0 * (day % 5 > 1) for day in range(30)])),
    (DRIFT, UNIT, [*unit_hours(200, worse=0.1, from_hour=180)]),
    (DRIFT, UNIT, unit_days([60 + day % 4 - 20 * (day > 24) for day in range(60)])),
    (PHASES, METER, [*phases([0.0, 230.0, 230.0])]),
]


@pytest.mark.parametrize("case", range(len(CASES)))
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_it_does_not_matter_how_rows_are_cut(case: int, data: st.DataObject) -> None:
    """Fed in two parts, with the state written and read back between: the same rows and the same state."""
    kernel, subject, rows = CASES[case]
    cut = data.draw(st.integers(1, len(rows) - 1))
    whole, expected = kernel.fold(None, subject, rows)
    half, given_out = kernel.fold(None, subject, rows[:cut])
    kept = kernel.dump(half)
    end, more = kernel.fold(kernel.load(kept), subject, rows[cut:])
    assert kernel.dump(half) == kept
    assert [*given_out, *more] == expected
    assert kernel.dump(end) == kernel.dump(whole)
    assert len(kernel.dump(end)) <= 2_000
