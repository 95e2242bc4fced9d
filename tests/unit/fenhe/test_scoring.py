"""The mathematics of scores, on cases made by hand."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from fenhe.scoring.detection import FITTING, RaisedAlarm, World, score_detection
from fenhe.scoring.evidence import SetEvidence, read_evidence, together
from fenhe.scoring.health import Forecast, ScoredEstimate, score_backup, score_estimates
from fenhe.scoring.metering import Counted, score_metering
from fenhe.scoring.picture import estimate_against_truth
from schemas.metrics.signal import SignalKind
from simulators.truth import Label, LabelKind

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3_600_000
DAY = 24 * HOUR


def window(hour: int, true: float, shown: float | None, device: str = "E1") -> Counted:
    """An hour of a meter."""
    return Counted(device, "energy_import_kwh", hour * HOUR, (hour + 1) * HOUR, true, shown)


def label(kind: LabelKind, start: int, end: int | None, *, device: str = "E1", site: str = "S1") -> Label:
    """A label from one hour to another."""
    return Label(kind, site, device, "", start * HOUR, None if end is None else end * HOUR, 0.0, "")


def test_metering_without_faults_is_scored_as_none_and_by_ratio_of_sums() -> None:
    """Bias is Σ shown over Σ true, not the mean of ratios; unknown windows are counted, not scored."""
    found = score_metering([window(0, 100, 110), window(1, 300, 290), window(2, 100, None)], [])["none"]
    assert found.windows == 3
    assert found.known == pytest.approx(2 / 3)
    assert found.bias == 0
    assert found.mean_absolute == pytest.approx(20 / 400)
    assert found.worst == 0


def test_what_a_frozen_register_catches_up_with_belongs_to_its_fault() -> None:
    """The window after a fault counts to it, so a catch-up is no error of the sum; later windows have no fault."""
    rows = [window(0, 10, 10), window(1, 10, 0), window(2, 10, 20), window(4, 10, 11)]
    found = score_metering(rows, [label(LabelKind.FREEZE_CATCH_UP, 1, 2)])
    assert found["freeze_catch_up"].bias == 0
    assert found["freeze_catch_up"].mean_absolute == 1.0
    assert found["freeze_catch_up"].windows == 2
    assert found["none"].bias == pytest.approx(0.05)


def test_a_window_under_several_faults_is_scored_under_none_of_them() -> None:
    """What a slow bias did to an hour is not charged to the reset of the same hour."""
    labels = [label(LabelKind.SLOW_BIAS, 0, 9), label(LabelKind.RESET, 3, None)]
    found = score_metering([window(hour, 10, 9) for hour in range(9)], labels)
    assert set(found) == {"slow_bias", "several"}
    assert (found["slow_bias"].windows, found["several"].windows) == (8, 1)


def test_a_label_of_another_meter_does_not_excuse_a_window() -> None:
    """Faults are a meter's own."""
    found = score_metering([window(1, 10, 0)], [label(LabelKind.GAP, 0, 3, device="E2")])
    assert set(found) == {"none"}
    assert found["none"].worst == 1.0


def test_a_virtual_meter_is_scored_apart_and_shares_the_faults_of_its_parts() -> None:
    """Neither its errors nor those of a part under a fault weigh on what real meters do without one."""
    rows = [window(hour, 10, shown, "V") for hour, shown in ((0, 11), (3, 0))] + [window(0, 10, 10)]
    found = score_metering(rows, [label(LabelKind.FREEZE, 3, 4)], {"V": {"E1", "E2"}})
    assert set(found) == {"none", "virtual", "virtual_faulty"}
    assert [found[kind].worst for kind in ("none", "virtual", "virtual_faulty")] == pytest.approx([0, 0.1, 1])


def test_estimates_are_scored_by_method_and_coverage_counts_every_set() -> None:
    """Of four sets two have an estimate; MAE, bias, hit rate and interval are those of the two."""
    rows = [
        ScoredEstimate("B1", "full_discharge", 0.85, 0.80, 0.90, 0.84),
        ScoredEstimate("B2", "partial", 0.80, 0.79, 0.81, 0.83),
        ScoredEstimate("B3", "", None, None, None, 0.9),
        ScoredEstimate("B4", "", None, None, None, 0.9),
    ]
    found = score_estimates(rows)
    assert set(found) == {"all", "full_discharge", "partial"}
    everything = found["all"]
    assert everything.coverage == 0.5
    assert everything.mae == pytest.approx(0.02)
    assert everything.bias == pytest.approx(-0.01)
    assert everything.hit_rate == 0.5
    assert everything.interval == pytest.approx(0.06)
    assert found["partial"].coverage == 0.25
    assert score_estimates([]) == {}


def test_without_estimates_there_is_no_error_and_no_hit_rate() -> None:
    """Null is an answer."""
    found = score_estimates([ScoredEstimate("B1", "", None, None, None, 0.9)])["all"]
    assert (found.coverage, found.mae, found.hit_rate) == (0, None, None)


def test_backup_is_scored_by_medians_and_by_the_promise_of_p10() -> None:
    """One of three falls short of its p10; a set without any time left is not divided by."""
    rows = [Forecast("B1", 4, 3, 4), Forecast("B2", 6, 4, 3), Forecast("B3", 3, 2, 4), Forecast("B4", 1, None, 0)]
    found = score_backup(rows)
    assert found.forecasts == 4
    assert found.bias == 0
    assert found.median_error == pytest.approx(0.25)
    assert found.p10_kept == pytest.approx(2 / 3)
    assert score_backup([]).median_error is None


def test_a_scenario_counts_where_half_of_its_sets_are_known_and_a_hundred_times_were_forecast() -> None:
    """By whatever method: a few easy sets say nothing of the estimator, nor do a few forecasts."""
    known, unknown = ScoredEstimate("B1", "ocv", 0.8, 0.7, 0.9, 0.8), ScoredEstimate("B2", "", None, None, None, 0.9)
    assert {each.counts for each in score_estimates([known, unknown]).values()} == {True}
    assert {each.counts for each in score_estimates([known, unknown, unknown]).values()} == {False}
    forecast = Forecast("B1", 3.0, 2.5, 3.1)
    assert [score_backup([forecast] * count).counts for count in (99, 100)] == [False, True]


def test_parts_of_a_scenario_count_where_the_whole_does(tmp_path: Path) -> None:
    """Sixty forecasts in each of two parts: neither counts, both together do, and no figure is lost in the file."""
    estimate = ScoredEstimate("B1", "full", 0.85, 0.80, 0.90, 0.84)
    of_one = ScoredEstimate("B1", "ocv", 0.86, 0.80, 0.90, 0.84)
    part = SetEvidence([estimate], [estimate], [estimate, of_one], [], [Forecast("B1", 3.0, 2.5, 3.1)] * 60)
    assert not part.backup()["outages"].counts
    files = [tmp_path / "1.json", tmp_path / "2.json"]
    for file in files:
        part.write(file)
    whole = together([read_evidence(file) for file in files])
    assert whole == together([part, part])
    assert whole.backup()["outages"].counts
    assert whole.backup()["outages"].forecasts == 120
    assert whole.discharges()["ocv"].bias == pytest.approx(0.02)
    assert whole.health()["all"].sets == 2


WORLD = World({"E1": "S1", "E2": "S1", "E3": "S2"}, 0, 400 * DAY)


def alarm(kind: SignalKind, hour: float, device: str = "E1", site: str = "S1") -> RaisedAlarm:
    """An alarm raised at an hour."""
    return RaisedAlarm(site, device, kind, round(hour * HOUR), round(hour * HOUR))


def test_an_alarm_finds_a_label_of_its_place_time_and_kind_alone() -> None:
    """One of five alarms is right: the others are early, elsewhere, of another kind, or long after."""
    leak = label(LabelKind.LEAK_ABRUPT, 100, 1_000)
    alarms = [
        alarm(SignalKind.NIGHT_FLOW, 110),
        alarm(SignalKind.NIGHT_FLOW, 99),
        alarm(SignalKind.NIGHT_FLOW, 110, "E3", "S2"),
        alarm(SignalKind.PHASE_LOSS, 110),
        alarm(SignalKind.NIGHT_FLOW, 100 + 8 * 24),
    ]
    found = score_detection(alarms, [leak], WORLD)
    assert found.labels == 1
    assert found.detector.alarms == 5
    assert found.detector.precision == pytest.approx(1 / 5)
    assert found.detector.recall == 1
    assert found.detector.median_delay_h == pytest.approx(10)
    assert [each.raised_ts // HOUR for each in found.mistaken] == [99, 110, 110, 292]
    years = 3 * 400 / 365.2425
    assert found.detector.false_per_device_year == pytest.approx(4 / years)
    assert found.by_kind["leak_abrupt"].recall == 1


def test_an_alarm_of_a_virtual_meter_finds_what_befell_its_parts() -> None:
    """What no sub-meter sees tells of a leak at the main; a sum of other meters does not."""
    leak = label(LabelKind.LEAK_ABRUPT, 100, 1_000)
    for parts, precision in ((("E1", "E2"), 1.0), (("E2",), 0.0)):
        world = WORLD._replace(sites={**WORLD.sites, "V": "S1"}, virtual={"V": frozenset(parts)})
        found = score_detection([alarm(SignalKind.NIGHT_FLOW, 110, "V")], [leak], world)
        assert found.detector.precision == precision


def test_an_alarm_of_the_whole_site_finds_a_label_of_its_device() -> None:
    """A leak on a main shows in the plant's balance."""
    leak = label(LabelKind.LEAK_ABRUPT, 100, 1_000)
    site_wide = RaisedAlarm("S1", "S1", SignalKind.BALANCE, 120 * HOUR, 120 * HOUR)
    assert score_detection([site_wide], [leak], WORLD).detector.precision == 1


def test_an_alarm_after_the_runaway_is_of_no_use() -> None:
    """A precursor is found before its end or not at all; its delay is measured from its beginning."""
    precursor = label(LabelKind.RUNAWAY_PRECURSOR, 10, 11)
    late = score_detection([alarm(SignalKind.OVER_TEMPERATURE, 11.5)], [precursor], WORLD)
    early = score_detection([alarm(SignalKind.SELF_HEATING, 10.5)], [precursor], WORLD)
    assert (late.detector.recall, late.detector.precision) == (0, 0)
    assert (early.detector.recall, early.detector.median_delay_h) == (1, 0.5)


def test_alarms_that_fit_no_label_and_labels_nobody_is_to_find_do_not_count() -> None:
    """A gateway that is offline is neither right nor wrong; an outage is not missed."""
    others = [label(LabelKind.MAINS_OUTAGE, 1, 2), label(LabelKind.DUPLICATE, 1, 2)]
    found = score_detection([RaisedAlarm("S1", "E1", "offline", HOUR, HOUR)], others, WORLD)
    assert (found.labels, found.detector.alarms, found.detector.precision) == (0, 0, None)


def test_the_random_control_has_as_many_alarms_and_finds_next_to_nothing() -> None:
    """Beside a perfect detector, alarms scattered over 400 days and three devices are mostly wrong; seeded."""
    labels = [label(LabelKind.PHASE_LOSS, 100 + 400 * number, 110 + 400 * number) for number in range(10)]
    alarms = [alarm(SignalKind.PHASE_LOSS, 101 + 400 * number) for number in range(10)]
    found = score_detection(alarms, labels, WORLD)
    assert found.detector.precision == found.detector.recall == 1
    assert found.control.alarms == 10
    assert found.control.precision is not None
    assert found.control.precision < 0.2
    assert found == score_detection(alarms, labels, WORLD)
    assert found.control != score_detection(alarms, labels, WORLD, seed=2).control


def test_every_kind_that_is_to_be_found_has_alarms_that_could_find_it() -> None:
    """No label can only be missed."""
    assert all(FITTING.values())
    assert all(SignalKind.SMOKE not in fitting for fitting in FITTING.values())


def test_the_picture_has_a_point_for_every_estimate() -> None:
    """Well-formed SVG; sets without an estimate are counted, not drawn."""
    rows = [
        ScoredEstimate("B1", "full_discharge", 0.85, 0.80, 0.90, 0.84),
        ScoredEstimate("B<2>", "partial", 0.70, None, None, 0.83),
        ScoredEstimate("B3", "", None, None, None, 0.9),
    ]
    root = ET.fromstring(estimate_against_truth(rows, "a & b"))  # noqa: S314 - our own text
    space = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f"{space}circle")) == 2
    texts = [each.text or "" for each in root.iter(f"{space}text")]
    assert any("2 of 3 sets" in text for text in texts)
    assert ET.fromstring(estimate_against_truth([], "nothing")) is not None  # noqa: S314 - our own text
