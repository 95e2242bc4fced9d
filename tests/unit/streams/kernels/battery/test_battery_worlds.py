"""Health of sets whose cells the estimator has never seen: errors, bias and intervals, method by method."""

from __future__ import annotations

import random

from schemas.metrics.battery_health import CapacityMethod
from schemas.readings import BatteryReading
from streams.kernels.battery.fusion import Z_90
from tests.support.worlds.battery_faults import Doubtful
from tests.support.worlds.battery_worlds import MAKERS, World, scored
from tests.support.worlds.method_worlds import SHOWN, scores_of
from tests.support.worlds.scenario_sets import scores_of_scenario

LFP = sorted(MAKERS)
SETS = 10


def test_sets_of_several_makers_drawn_to_the_cut_off_are_right_and_their_intervals_hold() -> None:
    """LFP of three makers, LMFP and NMC, sensors of ±1 %: within a point, unbiased to half of one, nine of ten held."""
    makers = [*LFP, "lmfp", "nmc"]
    score = scored((World(seed, makers[seed % 5]), [None]) for seed in range(2 * SETS))
    full = score[CapacityMethod.FULL]
    assert len(full.errors) >= SETS
    assert full.mae <= 1.0
    assert abs(full.bias) <= 0.5
    assert full.hit_rate >= 0.85


def test_what_is_left_is_read_from_the_foot_of_the_curve() -> None:
    """10–25 % left, hysteresis of 0–10 mV, spread cells: within 1.5 points, and the interval holds."""
    rng = random.Random(3)
    score = scored((World(1000 + seed, LFP[seed % 3]), [rng.uniform(10, 25)]) for seed in range(2 * SETS))
    partial = score[CapacityMethod.OCV]
    assert len(partial.errors) >= SETS
    assert partial.mae <= 1.5
    assert partial.hit_rate >= 0.8


def test_a_weak_cell_is_not_underrated_at_twenty_per_cent_left() -> None:
    """At SoH 75 and 95 % alike: the foot tells charge, not the share of a cell's own."""
    for soh in (0.75, 0.95):
        score = scored(
            (World(seed, "lfp_a", hysteresis_v=0.005, gain=0.0, offset_c=0.0, soh=soh), [20.0]) for seed in range(4)
        )
        assert abs(score[CapacityMethod.OCV].bias) <= 1.5


def test_a_dead_channel_and_a_poor_sensor_leave_the_interval_honest() -> None:
    """The weakest cell's channel is dead, or the gain 3 % off and registered so: the truth lies within."""
    dead = scored((World(seed, LFP[seed % 3], dead_channel=-1), [None]) for seed in range(SETS))
    assert dead["fused"].hit_rate >= 0.8
    poor = scored(
        (World(seed, LFP[seed % 3], gain=(-0.03, 0.03)[seed % 2], accuracy=0.03), [None]) for seed in range(SETS)
    )
    assert poor["fused"].hit_rate >= 0.85


def test_a_weakest_cell_that_no_channel_shows_makes_no_liar_of_its_sensor() -> None:
    """Its voltage, the pack's less the others', comes to the foot early by noise: the curve's doubt says so."""
    errors = []
    for seed in range(61000, 61012):
        world = Doubtful(seed, LFP[seed % 3], accuracy=0.01, dead_channel=-1)
        world.cycle(None)
        dead = world.dead
        assert dead is not None
        for arrival in world.readings:
            assert isinstance(arrival.reading, BatteryReading)
            assert arrival.reading.cell_voltage_v is not None
            assert arrival.reading.cell_voltage_v[dead] is None
        (row,) = world.estimates()[0]
        assert row.reason is None
        assert row.capacity_ah is not None
        assert row.sigma_ah is not None
        errors.append(abs(row.capacity_ah / world.nominal - world.true_pct / 100) * world.nominal / row.sigma_ah)
    assert sum(error <= Z_90 for error in errors) >= 0.85 * len(errors)


def test_the_interval_is_as_wide_as_it_says_over_sensors_drawn_from_their_class() -> None:
    """Of what is shown after each discharge nine in ten hold: neither fewer, nor all."""
    accuracy, hits = 0.01, []
    for seed in range(8000, 8020):
        gain = random.Random(seed).uniform(-accuracy, accuracy)
        world = Doubtful(seed, LFP[seed % 3], gain=gain, accuracy=accuracy)
        for left in (None, 18.0, None):
            world.use(left)
        for row in world.shown():
            assert row.soh_low_pct is not None
            assert row.soh_high_pct is not None
            hits.append(row.soh_low_pct <= world.true_pct <= row.soh_high_pct)
    assert 0.85 <= sum(hits) / len(hits) < 1.0


def test_every_way_of_discharging_is_scored_by_its_own_method() -> None:
    """The cut-off, the knee, a rest and two rests: each gives estimates, of sets that fade as real ones do."""
    found = scores_of(range(310_000, 310_005))
    lfp = found["LFP"].by_method
    assert set(lfp) == {*CapacityMethod, SHOWN}
    assert set(found["LMFP, NMC"].by_method) == {CapacityMethod.FULL, SHOWN}
    assert lfp[SHOWN].mae <= 1.0
    assert len(lfp[SHOWN].hits) == len(lfp[SHOWN].errors)


def test_sets_of_the_capacity_tests_scenario_are_told_as_float_fills_them() -> None:
    """Its test by the crew is a knee, its outage two days later a full discharge: both within a point and a half."""
    found = scores_of_scenario(seed=1, sets=4).by_method
    assert {CapacityMethod.FULL, CapacityMethod.KNEE, SHOWN} <= set(found)
    assert max(abs(error) for error in found[CapacityMethod.FULL].errors + found[CapacityMethod.KNEE].errors) <= 1.5
