"""Views over battery rows: fused SoH, the cause of a discharge, backup time, the fleet, and a site's outages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from schemas.arrival import Arrival
from schemas.metrics.battery_health import (
    BatteryCapacity,
    BatteryEpisode,
    BatteryHour,
    CapacityMethod,
    CapacityReason,
    EpisodeKind,
)
from schemas.metrics.battery_prospects import Advice, BatteryDischarge, BatteryHealth, BatterySoh, DischargeCause
from schemas.metrics.battery_sites import BatteryShareHour, SiteLoadHour, SiteOutage
from schemas.metrics.common import Quality
from schemas.readings import Kind, SitePowerReading
from schemas.registered.cycling import BatteryUse
from schemas.registry import BatterySet, Device, Sector, Site
from schemas.time import DAY_MS, HOUR_MS
from streams.kernels.battery.backup import LoadProfile, Store, backup_of
from streams.kernels.battery.limits import Limits
from streams.kernels.battery.outages import SiteOutages
from streams.kernels.battery.prospects.discharges import Discharges
from streams.kernels.battery.prospects.fleet import FleetHealth
from streams.kernels.battery.prospects.state_of_health import StateOfHealth
from streams.kernels.battery.reference import health_reference
from tests.support.worlds.fleet_year import FleetYear
from tests.support.worlds.health_score import Score, note_singles, score
from tests.support.worlds.sets import T0

if TYPE_CHECKING:
    from schemas.metrics import Row

REFERENCE = health_reference()
SITE = Site(site_id="s", name="s", name_zh="基站", sector=Sector.BASE_STATION, city="太原")
POWER = Device(device_id="p", site_id="s", kind=Kind.SITE_POWER)
SOH = StateOfHealth(REFERENCE)


def battery(device_id: str, nominal_ah: float = 100) -> Device:
    """A set of the site."""
    return Device(device_id=device_id, site_id="s", kind=Kind.BATTERY, battery=BatterySet(nominal_ah=nominal_ah))


def blank(row_type: type[Any], **values: object) -> Any:  # noqa: ANN401 - a row of the type asked for
    """A row with the given values and nothing else."""
    given = {"device_id": "b", "site_id": "s", "coverage": 1.0, "quality": Quality.GOOD, "flags": ""} | values
    return row_type(**{name: given.get(name) for name in row_type._fields})


def capacity(day: float, ah: float | None, sigma_ah: float = 1.5, at_least: float = 60.0) -> BatteryCapacity:
    """What one discharge said."""
    row: BatteryCapacity = blank(
        BatteryCapacity,
        ts=T0 + round(day * DAY_MS),
        capacity_ah=ah,
        sigma_ah=None if ah is None else sigma_ah,
        at_least_ah=at_least,
        method=None if ah is None else CapacityMethod.FULL,
        reason=CapacityReason.FLAT_REGION if ah is None else None,
        full_cycles=0.8,
        cutoff_cell_v=2.8,
    )
    return row


def histories(*rows: BatteryCapacity) -> list[BatterySoh]:
    """SoH after each discharge."""
    return list(SOH.history(battery("b"), rows))


def test_estimates_fuse_by_inverse_variance_and_the_interval_narrows() -> None:
    """Two equal estimates lie in the middle with less doubt; a sure one outweighs an unsure one."""
    registered = battery("b").model_copy(update={"accuracy": 0.01})
    first, second = SOH.history(registered, [capacity(0, 84.0), capacity(1, 86.0)])
    assert first.soh_pct == 84.0
    assert second.soh_pct == pytest.approx(85.0, abs=0.2)
    assert first.sigma_pct is not None
    assert second.sigma_pct is not None
    assert second.sigma_pct < first.sigma_pct
    *_, unsure = SOH.history(registered, [capacity(0, 84.0, sigma_ah=1.0), capacity(1, 90.0, sigma_ah=4.0)])
    assert unsure.soh_pct == pytest.approx(84.3, abs=0.3)
    assert second.estimates == 2


def test_what_stands_beside_a_corrected_figure_is_corrected_too() -> None:
    """A sensor that the curve says counts 8 % too much: what was drawn at least, and what was believed before."""
    rows = [
        capacity(day, ah, at_least=0.985 * ah)._replace(curve_ratio=1.13, curve_sigma=0.035)
        for day, ah in ((0, 99.0), (30, 99.0), (60, 82.0))
    ]
    first, _, last = histories(*rows)
    assert first.soh_pct is not None
    assert first.at_least_pct is not None
    assert first.at_least_pct < first.soh_pct < 93.0
    assert last.soh_pct is not None
    assert last.believed_pct is not None
    assert last.change_pct is not None
    assert last.believed_pct + last.change_pct == pytest.approx(last.soh_pct, abs=0.5)


def test_without_an_estimate_the_soh_is_null_with_a_reason_and_a_lower_bound() -> None:
    """A discharge that says nothing of the capacity still says what was drawn."""
    (row,) = histories(capacity(0, None, at_least=60.0))
    assert (row.soh_pct, row.reason, row.at_least_pct) == (None, CapacityReason.FLAT_REGION, 60.0)
    *_, later = histories(capacity(0, 84.0), capacity(100, None))
    assert later.evidence_ts == T0
    assert later.soh_pct is not None
    assert later.sigma_pct is not None
    assert later.soh_pct < 84.0


def test_a_lower_bound_comes_back_when_the_load_that_lowered_it_is_not_heard() -> None:
    """A load that says 3 % too much, and in turn half too much, which the foot of the curve refutes."""
    rows, hours = [], []
    for number, ratio in enumerate((1.03, 1.5) * 4):
        drawn = capacity(10 * number, 82.0, sigma_ah=2.0, at_least=40.0 if number else 80.0)
        drawn = drawn._replace(ended_ts=drawn.ts + 3 * HOUR_MS, systematic_ah=1.5, doubts="")
        rows.append(drawn._replace(curve_ratio=1.0, curve_sigma=0.02, witnesses="curve"))
        hours.append(BatteryShareHour("b", drawn.ts + HOUR_MS, "s", ratio, 0.0, 1.0))
    known = list(SOH.history(battery("b"), rows, hours, POWER))
    heard, unheard = known[::2], known[1::2]
    assert {row.at_least_pct for row in unheard} == {80.0}
    assert [row.at_least_pct for row in heard] == pytest.approx([80.0 / (1.0 + (heard[0].gain_pct or 0.0) / 100)] * 4)


def test_a_changed_capacity_rewrites_the_history_from_there_on() -> None:
    """Rows behind a withdrawn discharge are computed again, those before it stand."""
    rows = [capacity(0, 84.0), capacity(20, 80.0), capacity(30, 83.0)]
    replaced = SOH.rows(
        SITE, [battery("b"), POWER], {BatteryCapacity: [rows[1]]}, {BatteryCapacity: [rows[0], rows[2]]}
    )
    assert [row.ts for row in replaced.rows] == [rows[2].ts]
    assert [(want.row_type, want.from_ts) for want in replaced.cleared] == [(BatterySoh, rows[1].ts)]


def power(second: float, *, failed: bool | None, amps: float = 40.0) -> Arrival:
    """What a power system says."""
    reading = SitePowerReading(
        ts=T0 + round(second * 1000), mains_failed=failed, dc_voltage_v=50.0, dc_load_current_a=amps
    )
    return Arrival("p", 0, reading)


def test_an_outage_has_a_beginning_an_end_and_what_was_drawn() -> None:
    """From the first reading without mains to the first one with it."""
    readings = [power(60 * at, failed=10 <= at < 100) for at in range(130)]
    rows = SiteOutages().fold(None, POWER, readings)[1]
    last = {row.ts: row for row in rows if isinstance(row, SiteOutage)}
    (outage,) = last.values()
    assert (outage.ts, outage.ended_ts) == (T0 + 600_000, T0 + 6_000_000)
    assert outage.energy_kwh == pytest.approx(2.0 * 1.5)
    hours = [row for row in rows if isinstance(row, SiteLoadHour)]
    assert [(row.load_w, row.failed_min, row.coverage) for row in hours] == [(2000.0, 50.0, 1.0), (2000.0, 40.0, 1.0)]


def test_an_outage_s_fold_may_be_cut_anywhere() -> None:
    """One by one through the saved form, or all at once: the same rows and state."""
    fold = SiteOutages()
    readings = [power(97 * at, failed=None if at % 11 == 0 else at % 40 > 25, amps=at % 7) for at in range(200)]
    whole_state, whole = fold.fold(None, POWER, readings)
    state, parts = None, []
    for reading in readings:
        state, rows = fold.fold(fold.load(fold.dump(state)), POWER, [reading])
        parts += rows
    assert (state, parts) == (whole_state, whole)


def episode(**values: object) -> BatteryEpisode:
    """A two-hour discharge at T0 from full."""
    known = {
        "ts": T0,
        "kind": EpisodeKind.DISCHARGE,
        "ended_ts": T0 + 2 * HOUR_MS,
        "duration_h": 2.0,
        "charge_ah": -50.0,
        "soc_start_pct": 100.0,
        "soc_start_sigma_pct": 1.0,
        "temperature_start_c": 25.0,
    }
    row: BatteryEpisode = blank(BatteryEpisode, **(known | values))
    return row


def loads(watts: float, *, hours: int = 24, after: int = 4) -> list[SiteLoadHour]:
    """Hourly loads around T0, with mains on."""
    return [
        blank(SiteLoadHour, device_id="p", ts=T0 + at * HOUR_MS, load_w=watts, failed_min=0.0)
        for at in range(-hours, after)
    ]


def soh_row(device_id: str = "b", soh: float = 85.0, sigma: float = 2.0, day: float = -30) -> BatterySoh:
    """A SoH known before T0."""
    row: BatterySoh = blank(
        BatterySoh,
        device_id=device_id,
        ts=T0 + round(day * DAY_MS),
        soh_pct=soh,
        sigma_pct=sigma,
        at_least_pct=80.0,
        evidence_ts=T0 + round(day * DAY_MS),
        method=CapacityMethod.FULL,
        estimates=1,
    )
    return row


def discharge(
    outages: list[SiteOutage], hours: list[SiteLoadHour], soh: list[BatterySoh], devices: list[Device] | None = None
) -> BatteryDischarge:
    """The view's row of the discharge at T0."""
    found: dict[type[Row], list[Any]] = {
        BatteryEpisode: [episode()],
        SiteOutage: outages,
        SiteLoadHour: hours,
        BatterySoh: soh,
    }
    view, devices = Discharges(REFERENCE), devices or [battery("b"), POWER]
    changed: dict[type[Row], list[Any]] = {BatteryEpisode: [episode()]}
    assert {want.row_type for want in view.wants(SITE, devices, changed)} == set(found)
    (row,) = view.rows(SITE, devices, changed, found).rows
    assert isinstance(row, BatteryDischarge)
    return row


def test_mains_flags_tell_an_outage_from_a_core_capacity_test() -> None:
    """Mains out: outage. Mains known to be on, for two hours: a test. Nothing known: unknown."""
    outage: SiteOutage = blank(SiteOutage, device_id="p", ts=T0 + 90_000, ended_ts=T0 + 2 * HOUR_MS)
    assert discharge([outage], loads(2000), []).cause is DischargeCause.OUTAGE
    assert discharge([], loads(2000), []).cause is DischargeCause.CAPACITY_TEST
    assert discharge([], loads(2000, after=1), []).cause is DischargeCause.UNKNOWN


def test_a_set_that_is_cycled_is_not_tested_each_day() -> None:
    """Registered for peak shaving: with mains on it cycles; in an outage it carries the site as any other."""
    set_ = battery("b")
    assert set_.battery is not None
    shaver = set_.model_copy(update={"battery": set_.battery.model_copy(update={"use": BatteryUse.PEAK_SHAVING})})
    assert discharge([], loads(2000), [], devices=[shaver, POWER]).cause is DischargeCause.CYCLING
    outage: SiteOutage = blank(SiteOutage, device_id="p", ts=T0 + 90_000, ended_ts=T0 + 2 * HOUR_MS)
    assert discharge([outage], loads(2000), [], devices=[shaver, POWER]).cause is DischargeCause.OUTAGE


def test_a_late_mains_flag_asks_for_the_discharge_again() -> None:
    """The flag is on another device: its change alone makes the view look at the discharges within."""
    outage: SiteOutage = blank(SiteOutage, device_id="p", ts=T0, ended_ts=T0 + HOUR_MS)
    wants = Discharges(REFERENCE).wants(SITE, [battery("b"), POWER], {SiteOutage: [outage]})
    (asked,) = [want for want in wants if want.row_type is BatteryEpisode]
    assert asked.from_ts <= T0 < asked.to_ts


def test_backup_is_what_is_in_the_set_over_its_share_of_the_load() -> None:
    """85 Ah down to the cut-off, at 25 °C and 2 kW: about two hours; two such sets last twice as long."""
    one = discharge([], loads(2000), [soh_row()])
    usable_ah = 85 * (1 - 0.03)
    assert one.forecast_p50_h == pytest.approx(usable_ah * 51.9 / 2000, rel=0.02)
    assert one.forecast_p10_h is not None
    assert one.forecast_p50_h is not None
    assert one.forecast_p10_h < one.forecast_p50_h
    two = discharge([], loads(2000), [soh_row(), soh_row("c")], [battery("b"), battery("c"), POWER])
    assert two.forecast_p50_h == pytest.approx(2 * one.forecast_p50_h, rel=0.03)


def test_no_capacity_of_its_own_no_forecast() -> None:
    """And none without a load either."""
    assert discharge([], loads(2000), []).forecast_p50_h is None
    assert discharge([], [], [soh_row()]).forecast_p50_h is None
    assert discharge([], loads(2000), [soh_row(day=1)]).forecast_p50_h is None


def test_capacity_factors_are_those_of_the_document() -> None:
    """k_T: 0.45 at −20 °C, 0.65 at −10, 0.80 at −5, 0.90 at 0, 1.0 from 20 °C, linear between."""
    limits = Limits(battery("b"), REFERENCE)
    found = [limits.capacity_factor(celsius) for celsius in (-30, -20, -15, -10, -5, 0, 10, 20, 40)]
    assert found == pytest.approx([0.45, 0.45, 0.55, 0.65, 0.80, 0.90, 0.95, 1.0, 1.0])
    assert limits.resistance_factor(25.0) == 1.0
    assert limits.resistance_factor(0.0) == pytest.approx(math.exp(20_000 / 8.314 * (1 / 273.15 - 1 / 298.15)))


def test_cold_keeps_its_share_at_the_bottom() -> None:
    """A full set gives k_T in the cold, as specified; after half of its 65 % the other half is left."""
    limits = Limits(battery("b"), REFERENCE)
    profile = LoadProfile({hour.ts: 200.0 for hour in loads(200)}, T0)  # too little to warm it
    hours = {}
    for soc, celsius in ((1.0, 25.0), (1.0, -10.0), (0.675, -10.0), (0.3, -10.0)):
        backup = backup_of(Store(0.85, 0.01, soc, 0.01, celsius, 1.0), profile, limits, REFERENCE)
        assert backup is not None
        hours[soc, celsius] = backup.p50_h
    assert hours[1.0, -10.0] == pytest.approx(0.65 * hours[1.0, 25.0], rel=0.03)
    assert hours[0.675, -10.0] == pytest.approx(hours[1.0, -10.0] / 2, rel=0.05)
    assert hours[0.3, -10.0] == 0.0


def test_a_cold_set_is_forecast_as_warm_as_its_own_losses_make_it() -> None:
    """I²·R(T) of a cell through its heat capacity: towards I²·R·τ/C_th, most of it within τ; and a longer forecast."""
    limits = Limits(battery("b"), REFERENCE)
    rules = REFERENCE.backup
    settled = 30.0 * limits.cell_drop_v(30.0, -5.0) * rules.thermal_h * 3600 / (rules.heat_j_k_ah * 100)
    assert 5 < settled < 12
    assert limits.warmed_c(-5.0, 30.0, 100.0) == pytest.approx(-5.0 + settled)
    assert limits.warmed_c(-5.0, 30.0, rules.thermal_h) == pytest.approx(-5.0 + settled * (1 - math.exp(-1)))
    profile = LoadProfile({hour.ts: 1500.0 for hour in loads(1500)}, T0)
    backup = backup_of(Store(0.85, 0.01, 1.0, 0.01, -5.0, 1.0), profile, limits, REFERENCE)
    assert backup is not None
    amps = 1500 / limits.loaded_v(0.0, -5.0)
    kept = limits.soc_kept(limits.cutoff_cell_v, amps, -5.0)
    as_cold_as_it_is = 0.85 * 100 * (1 - kept) * limits.loaded_v(amps, -5.0) / 1500
    assert 1.05 * as_cold_as_it_is < backup.p50_h < 1.15 * as_cold_as_it_is


def test_a_rest_voltage_tells_the_soc_only_outside_the_flat_region() -> None:
    """The documented curve, which charging reaches from below: a rest after a discharge lies 5 mV under it."""
    limits = Limits(battery("b"), REFERENCE)
    found = limits.read_rest(3.233)
    assert found is not None
    assert found.soc == pytest.approx(0.18)
    assert 0.005 < found.sigma < 0.02
    assert [limits.read_rest(volts) for volts in (3.295, 3.306, 3.32)] == [None] * 3


def health(soh: list[BatterySoh], *, watts: float = 1000, **hour: object) -> BatteryHealth:
    """The fleet's row of set b for the hour before T0."""
    found: dict[type[Row], list[Any]] = {
        BatteryHour: [blank(BatteryHour, ts=T0 - HOUR_MS, temperature_mean_c=25.0, soc_pct=100.0, **hour)],
        BatterySoh: soh,
        SiteLoadHour: loads(watts),
    }
    view, devices = FleetHealth(REFERENCE), [battery("b"), POWER]
    wants = view.wants(SITE, devices, {BatteryHour: found[BatteryHour]})
    found |= {want.row_type: [] for want in wants if want.row_type not in found}
    (row,) = view.rows(SITE, devices, {BatteryHour: found[BatteryHour]}, found).rows
    assert isinstance(row, BatteryHealth)
    return row


@pytest.mark.parametrize(
    ("soh", "how", "advice", "reasons"),
    [
        (85.0, {}, Advice.KEEP, ""),
        (68.0, {}, Advice.WATCH, "soh"),
        (58.0, {"watts": 600.0}, Advice.RETIRE, "soh"),
        (85.0, {"watts": 2000.0}, Advice.RETIRE, "backup"),
        (85.0, {"float_spread_mv": 60.0}, Advice.RETIRE, "cell_spread"),
        (85.0, {"float_worst_z": -7.0}, Advice.WATCH, "weak_cell"),
    ],
)
def test_advice_has_its_reasons(soh: float, how: dict[str, Any], advice: Advice, reasons: str) -> None:
    """Thresholds are reference data; backup counts at p10 against the contract's hours."""
    row = health([soh_row(soh=soh)], **how)
    assert (row.advice, row.advice_reasons) == (advice, reasons)


def test_a_set_never_measured_is_unknown_and_first_to_be_tested() -> None:
    """No SoH, no backup, no judgement; and the most contracted energy in doubt."""
    never, known = health([]), health([soh_row()])
    assert (never.soh_pct, never.backup_p50_h, never.misses_contract) == (None, None, None)
    assert (never.advice, never.soh_reason) == (Advice.UNKNOWN, CapacityReason.NO_DISCHARGE)
    assert never.test_priority_kwh > 2 * known.test_priority_kwh


def test_a_soh_s_doubt_grows_with_its_age() -> None:
    """The same estimate, a month and three years old."""
    young, old = health([soh_row(day=-30)]), health([soh_row(day=-1100)])
    assert young.soh_sigma_pct is not None
    assert old.soh_sigma_pct is not None
    assert old.soh_sigma_pct > young.soh_sigma_pct + 0.4
    assert old.soh_age_days == pytest.approx(1100, abs=0.1)


def test_what_is_of_usual_sets_is_no_error_of_single_discharges() -> None:
    """An estimate between two rests at the foot is not fused, and is scored apart."""
    result = Score(1)
    full = capacity(1, 85.0)._replace(soh_pct=85.0)
    note_singles(result, [full, full._replace(soh_pct=70.0, method=CapacityMethod.TWO_POINT)], 84.0)
    assert (result.single_errors, result.two_point_errors) == ([1.0], [-14.0])


def test_a_simulated_fleet_is_told_as_well_as_it_is_published() -> None:
    """Forty sets, sixty days: within two points, intervals that hold, nothing from the flat region."""
    result = score(FleetYear(seed=5, sets=40, days=60))
    assert len(result.errors) >= 8
    assert result.mae <= 2.0
    assert result.hit_rate >= 0.75
    assert result.published_flat == 0
    assert len(result.errors) <= result.possible
    assert set(result.reasons) <= {"too_shallow", "no_rest", "flat_region", "temperature", "start_unknown", "uncertain"}
