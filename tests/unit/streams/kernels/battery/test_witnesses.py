"""A capacity is held against what its current sensor did not count: no liar is believed, nobody honest is refused."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from schemas.metrics.battery_health import BatteryCapacity, CapacityReason
from schemas.metrics.battery_prospects import SohChange
from schemas.metrics.common import Quality
from streams.kernels.battery.limits import Limits
from streams.kernels.battery.prospects.curve_gain import gain_by_curve
from streams.kernels.battery.reference import health_reference
from streams.kernels.battery.tracking.health import SetHealth
from streams.kernels.battery.tracking.witnesses import Ratio, by_curve, by_resistance
from tests.support.worlds.fault_kinds import tally, worlds_of
from tests.support.worlds.sets import Rig, lfp_set

if TYPE_CHECKING:
    from streams.kernels.battery.tracking.set_state import SetState

SEEDS = range(300, 302)


@pytest.mark.parametrize(
    "kind", ["gain 0.5", "gain 2", "nominal_ah x 0.5", "nominal_ah x 2", "clipped below half", "stuck"]
)
def test_a_sensor_or_a_registration_that_is_grossly_wrong_gives_no_confident_state_of_health(kind: str) -> None:
    """Counted twice or half, clipped, standing still, or a wrong rated capacity: refused, or marked partial."""
    found = tally(worlds_of(kind, SEEDS))
    assert found.confident_wrong == 0


@pytest.mark.parametrize("has_site", [False, True])
def test_a_replaced_cell_is_told_by_a_discharge_that_rests_in_the_flat_region(*, has_site: bool) -> None:
    """More was drawn and is left than the set was believed to hold: unknown until the next usable one."""
    worlds = worlds_of("weak cell replaced", range(7300, 7303), has_site=has_site)
    found = tally(worlds)
    assert (found.shown, found.missed) == (5 * len(worlds), 0)
    for world in worlds:
        (first,) = [row for row in world.shown() if row.change is SohChange.SET_REPLACED]
        assert (first.soh_pct, first.reason) == (None, CapacityReason.FLAT_REGION)


def test_an_honest_sensor_is_believed_and_its_figures_say_what_bears_them_out() -> None:
    """Nothing wrong: each discharge that could tell is published, borne out by curve, resistance, load and recharge."""
    worlds = worlds_of("nothing wrong", SEEDS, has_site=True)
    found = tally(worlds)
    assert found.shown == 4 * len(SEEDS)
    assert found.good >= 0.9 * found.shown
    last = [set(world.shown()[-1].witnesses.split(",")) for world in worlds]
    assert all({"curve", "resistance", "load"} <= each for each in last)
    assert any("charge" in each for each in last)


def test_a_sensor_whose_class_nobody_states_is_partial_and_its_interval_allows_for_three_per_cent() -> None:
    """Neither an `accuracy` nor the site's load: curve and resistance cannot tell a gain of some per cent."""
    found = tally(worlds_of("gain 0.97", SEEDS[:1]) + worlds_of("gain 1.03", SEEDS[1:]))
    assert (found.good, found.missed) == (0, 0)
    assert found.shown == 8
    assert found.hits >= 0.85 * found.shown


@pytest.mark.parametrize("kind", ["gain 0.9", "gain 1.1"])
def test_the_load_of_the_site_refuses_a_sensor_that_is_ten_per_cent_off(kind: str) -> None:
    """Without mains the sets carry what the power system measures: where both cannot be right nothing is good."""
    worlds = worlds_of(kind, SEEDS, has_site=True)
    found = tally(worlds)
    assert (found.good, found.missed) == (0, 0)
    assert any(row.reason is CapacityReason.CONTRADICTED for world in worlds for row in world.shown())


@pytest.mark.parametrize("kind", ["gain 0.9", "gain 0.95", "gain 1.05", "gain 1.1"])
def test_of_a_sensor_that_nobody_vouches_for_the_interval_allows_for_ten_per_cent(kind: str) -> None:
    """No class, no load: the gain that the foot of the curve tells is taken out, and nothing is good."""
    found = tally(worlds_of(kind, range(500, 508)))
    assert found.good == 0
    assert found.shown >= 8
    assert found.hits >= 0.85 * found.shown


@pytest.mark.parametrize(("ratio", "is_believed"), [(1.04, True), (0.92, False), (1.10, False)])
def test_a_count_that_nobody_vouches_for_stands_where_the_curve_agrees_to_one_sigma(
    ratio: float, *, is_believed: bool
) -> None:
    """What the curve leaves of the doubt is there in any case; never compared, all of it."""
    limits = Limits(lfp_set(), health_reference())
    gain, unknown = gain_by_curve(Ratio(ratio, 0.045), limits), gain_by_curve(None, limits)
    assert (gain.value == 0.0) is is_believed
    assert gain.value * (ratio - 1.02) >= 0.0
    assert limits.gain_sigma < gain.sigma < unknown.sigma
    assert unknown.value == 0.0


@pytest.mark.parametrize("kind", ["gain 0.5", "nominal_ah x 2"])
def test_half_a_capacity_at_twice_the_resistance_is_not_shown_of_a_sensor_that_nobody_vouches_for(kind: str) -> None:
    """Both may be half of the current; the curve agrees because its drop was read where it is not level."""
    worlds = worlds_of(kind, [900])
    assert any(row.capacity_ah is not None for row in worlds[0].estimates()[0])
    assert (tally(worlds).shown, tally(worlds).missed) == (0, 0)


def test_a_gain_that_the_load_of_the_site_tells_is_shown_and_taken_out() -> None:
    """3 % too little of the set, 2 % at most of the power system: the figure lies nearer than without it."""
    alone = worlds_of("gain 0.97", SEEDS[:1])
    beside = worlds_of("gain 0.97", SEEDS[:1], has_site=True)
    for world, other in zip(beside, alone, strict=True):
        shown, before = world.shown()[-1], other.shown()[-1]
        assert shown.gain_pct is not None
        assert shown.gain_pct < 0
        assert shown.soh_pct is not None
        assert before.soh_pct is not None
        truth = world.truth_at(shown.ts)
        assert abs(shown.soh_pct - truth) < abs(before.soh_pct - truth)
        assert (shown.sigma_pct or 9) < (before.sigma_pct or 0)


def test_a_power_system_that_counts_half_takes_nothing_from_a_set_that_the_curve_bears_out() -> None:
    """Far apart, and the foot of the curve says which: the set stands, with its own gain and no more doubt."""
    (world,) = worlds_of("nothing wrong", SEEDS[:1], has_site=True, site_gain=-0.5)
    (alone,) = worlds_of("nothing wrong", SEEDS[:1])
    assert tally([world]).missed == 0
    last, before = world.shown()[-1], alone.shown()[-1]
    assert last.gain_pct == 0.0
    assert last.load_ratio == pytest.approx(2.0, abs=0.03)
    assert (last.soh_pct, last.sigma_pct) == (before.soh_pct, before.sigma_pct)


@pytest.mark.parametrize("kind", ["nominal_ah x 0.8", "nominal_ah x 1.25"])
def test_a_rated_capacity_that_is_a_quarter_off_is_refused_though_the_load_bears_the_sensor_out(kind: str) -> None:
    """The site's load tells a gain, not `nominal_ah`: the foot of the curve does, and a rest above it says nothing."""
    found = tally(worlds_of(kind, SEEDS, has_site=True))
    assert (found.good, found.missed) == (0, 0)


def test_a_good_set_registered_a_quarter_too_large_is_not_shown_as_a_poor_one() -> None:
    """A set of 90 % whose full discharge counts 0.87 of what the curve says: no 74 % ± 4."""
    found = tally(worlds_of("nominal_ah x 1.25", [42004]))
    assert (found.shown, found.missed) == (0, 0)


@pytest.mark.parametrize(("ratio", "is_refused"), [(0.86, True), (0.90, False), (1.12, False), (1.18, True)])
def test_the_curve_refuses_what_no_healthy_set_comes_to(ratio: float, *, is_refused: bool) -> None:
    """Of healthy sets 0.90 to 1.12 was seen; of ones registered a quarter too large 0.80."""
    verdict = by_curve(Ratio(ratio, 0.05), Limits(lfp_set(), health_reference()))
    assert verdict.is_contradicted == is_refused


@pytest.mark.parametrize("kind", ["gain 0.8 later", "gain 1.2 later"])
def test_a_sensor_that_counts_otherwise_from_one_day_on_moves_no_figure(kind: str) -> None:
    """A fifth more or less of the same cells: named `recalibrated` or contradicted, and what it says is refused."""
    found = tally(worlds_of(kind, SEEDS))
    assert found.missed == 0
    assert found.shown >= 2 * len(SEEDS)


def test_the_foot_is_compared_by_the_drop_that_the_set_itself_shows() -> None:
    """Twice the usual resistance is in the drop that is read where the curve is level, and leaves the ratio at one."""
    found = []
    for ohm_ah in (0.112, 0.224):
        rig = Rig(lfp_set(), soh=0.85, ohm_ah=ohm_ah)
        rig.run(2)
        rig.run(9, -20.0, until_cell_v=2.8)
        rig.run(0.5)
        rows = SetHealth(health_reference()).fold(None, rig.device, rig.readings)[1]
        found.append([row.curve_ratio for row in rows if isinstance(row, BatteryCapacity)][-1])
    assert found == [pytest.approx(1.0, abs=0.03)] * 2


def test_the_curve_bears_nothing_out_where_the_usual_drop_was_taken_off() -> None:
    """A set that appears to hold 60 % comes to the foot before its level: its drop is by a `nominal_ah` in doubt."""
    found = tally(worlds_of("nominal_ah x 1.25", [71], has_site=True))
    assert (found.good, found.missed) == (0, 0)


def test_a_tested_class_is_a_rectangle_and_a_loose_one_has_its_errors_near_the_bound() -> None:
    """±1 % is 1/√3 of it; ±3 %, or a class that nobody has registered, 1/√2."""
    sensor = health_reference().sensor
    assert sensor.sigma(0.01) == pytest.approx(0.01 / 3**0.5, rel=0.001)
    assert sensor.sigma(0.03) == pytest.approx(0.03 / 2**0.5, rel=0.001)


def test_an_offset_is_told_by_what_goes_back_in() -> None:
    """1.5 % of nominal too much or too little in both directions: no figure is marked good."""
    worlds = worlds_of("offset -1.5 % C", SEEDS)
    assert tally(worlds).good == 0
    assert any(row.reason is CapacityReason.CONTRADICTED for row in worlds[0].shown())


def test_a_contradicted_sensor_is_not_believed_where_nothing_would_tell_its_gain() -> None:
    """After a full discharge that contradicts the sensor, one that rests above the foot says nothing."""
    rows = worlds_of("gain 0.5", [SEEDS[0]])[0].shown()
    assert {row.soh_pct for row in rows} == {None}
    assert {row.quality for row in rows} == {Quality.UNKNOWN}


def test_a_set_may_be_saved_and_read_back_while_it_is_recharged() -> None:
    """The fold gives the same however it is cut, also between a discharge and what goes back in after it."""
    world = worlds_of("nothing wrong", [SEEDS[1]])[0]
    fold = SetHealth(health_reference())
    whole_state, whole = fold.fold(None, world.device, world.readings)
    state: SetState | None = None
    rows = []
    for at in range(0, len(world.readings), 97):
        state, given = fold.fold(state, world.device, world.readings[at : at + 97])
        state = fold.load(fold.dump(state))
        rows += given
    assert rows == whole
    assert fold.dump(state) == fold.dump(whole_state)
    assert any(isinstance(row, BatteryCapacity) and row.charge_ratio for row in rows)


def test_a_discharge_that_waits_for_its_recharge_is_given_out_again_from_each_saved_state_on() -> None:
    """A late reading takes back what was seen after it: from the state saved before, the capacity comes again."""
    world = worlds_of("nothing wrong", [SEEDS[0]])[0]
    fold = SetHealth(health_reference())
    state: SetState | None = None
    asked = 0
    for before, arrival in pairwise(world.readings):
        state, _ = fold.fold(state, world.device, [before])
        assert state is not None
        crosses = before.reading.ts // fold.snapshot_ms != arrival.reading.ts // fold.snapshot_ms
        if crosses and state.recharge is not None:
            _, resumed = fold.fold(state, world.device, [arrival])
            assert state.recharge.row.ts in {row.ts for row in resumed if isinstance(row, BatteryCapacity)}
            asked += 1
    assert asked


@pytest.mark.parametrize(("amps", "is_refused"), [(20.0, False), (200.0, True)])
def test_a_resistance_that_float_may_have_made_does_not_refuse_a_capacity(amps: float, *, is_refused: bool) -> None:
    """A third of the usual drop at 0.2 C is 15 mV, which a full cell's own voltage may hide; at 2 C it is 140 mV."""
    verdict = by_resistance(3.3, amps, 25.0, Limits(lfp_set(), health_reference()))
    assert not verdict.is_borne_out
    assert verdict.is_contradicted is is_refused
    assert (verdict.doubt > 0) is not is_refused
