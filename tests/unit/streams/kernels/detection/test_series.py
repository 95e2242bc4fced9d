"""Detectors of one series: what they find, what they leave alone, how they learn and what they keep."""

from __future__ import annotations

import functools

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.detection import DriftRule, checked_overrides, with_overrides
from schemas.metrics.signal import Phase, SignalKind
from schemas.time import DAY_MS, HOUR_MS, QUARTER_MS, UTC_OFFSET_MS
from streams.kernels.codec import Codec
from streams.kernels.detection.reference import detection
from streams.kernels.detection.series.drift import Cusum, Drift
from streams.kernels.detection.series.night_flow import Night, NightState
from streams.kernels.detection.series.production import LINE, LoadLine
from streams.kernels.detection.series.series import SHAPES, SeriesDetectors
from tests.support.detected.series import (
    CODEC,
    MONDAY_TS,
    QUARTERS_A_DAY,
    SUBJECT,
    Run,
    days_after,
    detectors,
    habits,
    hours_after,
    run,
)

STATE_LIMIT = 2048
LEAK_DAY = 40
LEAK_M3_H = 10.0


@functools.cache
def with_leak(days: int = 52, size: float = LEAK_M3_H, from_day: int = LEAK_DAY, until_day: int = 999) -> Run:
    """A series with an abrupt leak from a midday on."""
    values = habits(days)
    start, end = from_day * QUARTERS_A_DAY + 50, until_day * QUARTERS_A_DAY
    return run([value and value + size * (start <= at < end) for at, value in enumerate(values)])


def test_a_quiet_series_says_nothing() -> None:
    """Eight weeks of habits and noise raise no alarm."""
    assert run(habits(56)).onsets == []


def test_an_abrupt_leak_is_found_in_its_first_night() -> None:
    """10 m³/h beside a night flow of 35."""
    found = [row for row in with_leak().onsets if row.kind is SignalKind.NIGHT_FLOW]
    assert len(found) == 1
    assert 0 < hours_after(found[0], LEAK_DAY * QUARTERS_A_DAY + 50) < 24
    assert found[0].value is not None
    assert found[0].baseline is not None
    assert found[0].value - found[0].baseline == pytest.approx(LEAK_M3_H, abs=4)
    assert found[0].cost_unit == "m3"
    assert orjson.loads(found[0].evidence)["found_by"] == "jump"


def test_an_incipient_leak_is_found_while_it_is_small() -> None:
    """Growing by 0.3 m³/h a day, found before it has reached 9 m³/h."""
    values = habits(80)
    start = 40 * QUARTERS_A_DAY
    growing = [value and value + max(0, at - start) / QUARTERS_A_DAY * 0.3 for at, value in enumerate(values)]
    found = [row for row in run(growing).onsets if row.kind is SignalKind.NIGHT_FLOW]
    assert 0 < days_after(found[0], 40) < 30


def test_what_is_in_alarm_is_not_learned() -> None:
    """The baseline of the night goes on as if there were no leak, as long as it is in alarm."""
    baselines = [
        row.baseline for row in with_leak().statuses if row.kind is SignalKind.NIGHT_FLOW and row.phase is Phase.ALARM
    ]
    rule = detection().series["volume_m3"].night_flow
    assert rule is not None
    assert len(baselines) == rule.hold_nights
    assert all(baseline is not None and baseline < 40 for baseline in baselines)


def test_a_level_that_stays_is_adopted_and_the_detector_armed_again() -> None:
    """After ten nights the leak is the baseline, and a second one on top of it is found."""
    values = habits(70)
    leaks = [(40 * QUARTERS_A_DAY + 50, LEAK_M3_H), (56 * QUARTERS_A_DAY + 50, LEAK_M3_H)]
    twice = [value and value + sum(size * (at >= start) for start, size in leaks) for at, value in enumerate(values)]
    rows = [row for row in run(twice).signals if row.kind is SignalKind.NIGHT_FLOW and row.samples == 1]
    assert [row.active for row in rows] == [True, False, True, False]
    assert orjson.loads(rows[1].evidence) == {"ended": "adopted"}


def test_a_mended_leak_ends_its_alarm() -> None:
    """Two nights near the baseline are the end of it."""
    rows = [row for row in with_leak(until_day=43).signals if row.kind is SignalKind.NIGHT_FLOW and row.samples == 1]
    assert [row.active for row in rows] == [True, False]
    assert orjson.loads(rows[1].evidence) == {"ended": "returned"}


def test_a_night_with_a_lost_quarter_is_as_low_as_one_without() -> None:
    """One of twelve quarters unknown must not leave fewer hours to be low in; with three the night is unknown."""
    flows = [30.0, 29.0, 20.0, 21.0, 20.0, 21.0, 28.0, 30.0, 31.0, 30.0, 32.0, 30.0]

    def lowest(*lost: int) -> float | None:
        night = Night()
        for at, flow in enumerate(flows):
            night = night.and_quarter(None if at in lost else flow)
        return night.minimum

    assert lowest() == pytest.approx(20.5)
    assert lowest(4) == pytest.approx(20.5, abs=0.2)
    assert lowest(0, 4, 8) is None


def test_a_second_leak_during_the_alarm_is_young_again() -> None:
    """A jump on top of what stands has an onset of its own."""
    values = habits(52)
    leaks = [(40 * QUARTERS_A_DAY + 50, LEAK_M3_H), (43 * QUARTERS_A_DAY + 50, 2 * LEAK_M3_H)]
    twice = [value and value + sum(size * (at >= start) for start, size in leaks) for at, value in enumerate(values)]
    found = [row for row in run(twice).onsets if row.kind is SignalKind.NIGHT_FLOW]
    assert len(found) == 2
    assert found[0].since_ts < found[1].since_ts


def test_a_base_load_left_on_is_found_within_a_day() -> None:
    """15 kW more in the hours when nobody works."""
    values = habits(50)
    start = 40 * QUARTERS_A_DAY + 70
    found = run(
        [value and value + 15 * (at >= start) for at, value in enumerate(values)],
        detectors("energy_import_kwh"),
        quantity="energy_import_kwh",
    )
    first = next(row for row in found.onsets if row.kind is SignalKind.BASE_LOAD)
    assert hours_after(first, start) <= 24
    assert first.cost_unit == "kWh"


def test_a_step_is_held_for_seven_days() -> None:
    """Week-on-week difference of the daily mean (docs/detection.md)."""
    rows = [row for row in with_leak(size=40).signals if row.kind is SignalKind.STEP and row.samples == 1]
    assert [row.active for row in rows] == [True, False]
    assert 7 <= (rows[1].ts - rows[0].ts) / 86_400_000 <= 9


def test_a_register_that_stands_still_is_flat_after_three_hours() -> None:
    """At hours when it usually counts, and only then."""
    start = 40 * QUARTERS_A_DAY + 40
    frozen = run([0.0 if start <= at < start + 30 else value for at, value in enumerate(habits(42))])
    first = next(row for row in frozen.onsets if row.kind is SignalKind.FLATLINE)
    assert hours_after(first, start) == 3.0
    idle = run([0.0 for _ in habits(42)])
    assert idle.onsets == []


def test_a_spike_is_beyond_the_rating_and_far_from_the_day() -> None:
    """Either alone is none."""
    values = habits(3)
    values[200], values[210] = 1_000.0, 140.0
    assert [row.value for row in run(values, detectors(rated=200)).onsets] == [1_000.0]
    assert run(values, detectors(rated=2_000)).onsets == []


def test_a_series_without_enough_history_says_that_it_is_learning() -> None:
    """And nothing else, whatever comes."""
    wild = run([value and value * (10 if at % 7 == 0 else 1) for at, value in enumerate(habits(13))])
    assert wild.onsets == []
    assert {row.phase for row in wild.statuses} == {Phase.LEARNING}
    assert all(row.samples < row.samples_needed for row in wild.statuses)


def test_a_detector_is_armed_when_it_has_learned_and_in_alarm_while_active() -> None:
    """The status row of a series goes through all three phases."""
    phases = [row.phase for row in with_leak().statuses if row.kind is SignalKind.NIGHT_FLOW]
    order = [phase for at, phase in enumerate(phases) if at == 0 or phase is not phases[at - 1]]
    assert order == [Phase.LEARNING, Phase.ARMED, Phase.ALARM, Phase.ARMED]


def test_unknown_quarters_are_evidence_of_nothing() -> None:
    """A gap neither begins nor ends an alarm, and the week's rhythm is not lost over it."""
    values = habits(70)
    holes = [None if 38 <= at / QUARTERS_A_DAY < 41 or at % 17 == 0 else value for at, value in enumerate(values)]
    assert run(holes).onsets == []
    start = 40 * QUARTERS_A_DAY + 50
    silent = run(
        [None if at >= start + 200 else value and value + 10 * (at >= start) for at, value in enumerate(values)]
    )
    assert [row.active for row in silent.signals if row.kind is SignalKind.NIGHT_FLOW] == [True, True]


def test_the_state_of_a_series_stays_within_two_kilobytes() -> None:
    """At every quarter of a series with leaks, steps and gaps, whatever is in alarm; with its line on production."""
    made, state, largest = detectors(), None, 0
    line = len(Codec[LoadLine](LoadLine, shapes={LoadLine: LINE}).dump(LoadLine(99_999, *[1.5] * 7)))
    for at, value in enumerate(habits(60)):
        rate = value and 123_456.789 * value + 1e6 * (at > 40 * QUARTERS_A_DAY) + 3e6 * (at > 50 * QUARTERS_A_DAY)
        end = MONDAY_TS + (at + 1) * QUARTER_MS
        state, _ = made.advance(state, SUBJECT, end, None if at % 29 == 0 else rate, end)
        if at % 8 == 0:
            largest = max(largest, len(CODEC.dump(state)))
    assert 1_000 < largest + line <= STATE_LIMIT


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2_600), st.lists(st.integers(0, 2_600), max_size=30), st.floats(0, 60), st.integers(1_500, 2_600))
def test_it_does_not_matter_where_a_series_is_cut(cut: int, holes: list[int], leak: float, start: int) -> None:
    """Written and read back anywhere, with holes and leaks anywhere: the same rows and the same state."""
    values = [value and value + leak * (at >= start) for at, value in enumerate(habits(27))]
    for hole in holes:
        values[hole % len(values)] = None
    whole, parts = run(values), run(values, cut=cut)
    assert parts.rows == whole.rows
    assert parts.state is not None
    assert whole.state is not None
    assert CODEC.dump(parts.state) == CODEC.dump(whole.state)


def test_a_device_may_have_parameters_of_its_own() -> None:
    """Overrides of the registry are laid over the defaults, and what does not exist is refused."""
    rules = with_overrides(detection().series["volume_m3"], {"night_flow": {"enabled": False}, "drift": {"h": 6}})
    assert rules.drift is not None
    assert rules.drift.h == 6
    values = [value and value + 20 * (at >= 3_900) for at, value in enumerate(habits(52))]
    kinds = {row.kind for row in run(values, SeriesDetectors(rules, period_s=60, rated=None, version="t")).onsets}
    assert SignalKind.NIGHT_FLOW not in kinds
    with pytest.raises(ValueError, match="no detector"):
        checked_overrides({"nightflow": {}})
    with pytest.raises(ValueError, match="jump"):
        checked_overrides({"night_flow": {"jump": 3}})


def test_one_day_is_no_drift_where_a_day_is_bounded() -> None:
    """A Sunday of overtime adds at most its share of h, in however many hours; three days like it do speak."""
    rule = DriftRule(h=10, day_share=0.5)
    cusum, drift, codec = Cusum(rule, 3.0), Drift(), Codec[Drift](Drift, shapes=SHAPES)
    midnight = 20_600 * DAY_MS - UTC_OFFSET_MS
    active = []
    for hour in range(1, 72):
        drift = codec.load(codec.dump(cusum.advance(drift, midnight + hour * HOUR_MS, 3.0, 1.0)))
        active.append(drift.active)
    assert not any(active[:48])
    assert all(active[48:])
    assert Cusum(DriftRule(h=10), 3.0).advance(Drift(cusum=9.0), midnight, 3.0, 1.0).active


LOW_DAYS = 33


@pytest.mark.parametrize("days", [1, 2])
@pytest.mark.parametrize("share", [0.65, 0.85])
def test_the_end_of_low_days_is_neither_a_leak_nor_a_step(days: int, share: float) -> None:
    """A plant runs low for a day or two, and then as ever: that night, and a week later, nothing has happened."""
    low = range(LOW_DAYS * QUARTERS_A_DAY, (LOW_DAYS + days) * QUARTERS_A_DAY)
    values = [value and value * (share if at in low else 1.0) for at, value in enumerate(habits(52))]
    kinds = {row.kind for row in run(values).onsets}
    assert not kinds & {SignalKind.NIGHT_FLOW, SignalKind.STEP}


def test_a_fall_that_lasts_is_taken_over_and_a_leak_seen_on_top_of_it() -> None:
    """A leak is mended after it was adopted; the next one, six nights later, is as large and found at once."""
    leak_days = [*range(30, 42), *range(48, 52)]
    values = [value and value + LEAK_M3_H * (at // QUARTERS_A_DAY in leak_days) for at, value in enumerate(habits(52))]
    found = [row for row in run(values).onsets if row.kind is SignalKind.NIGHT_FLOW]
    assert [round(days_after(row, 0)) for row in found] == [30, 48]


def test_a_state_of_the_version_before_can_be_read() -> None:
    """States are kept for months; what they did not hold was nothing."""
    state = NightState((1.0, 2.0), 0.5, 7, (), 0, 0, 0, 0.0)
    codec = Codec[NightState](NightState, shapes=SHAPES)
    assert codec.of(codec.plain(state)[:8]) == state
