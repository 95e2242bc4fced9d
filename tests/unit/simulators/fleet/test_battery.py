"""The battery model against conservation laws, its curve's limits and the specified spreads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.fleet.battery import (
    CELLS_MAX,
    CHARGE_C_RATE,
    CUTOFF_V,
    OHM_AH,
    Batteries,
    second_life,
    temperature_factor,
)
from simulators.fleet.curves import FOOT_SOH, MAKERS, OCV_VOLTS, OpenCircuit, ocv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Step = tuple[float, bool, float]

SETS = 25
ALL = np.arange(SETS)


def fleet(seed: int = 1) -> Batteries:
    """A few floating sets."""
    return second_life(SETS, np.random.default_rng(seed), np.full(SETS, 20.0))


def carry(batteries: Batteries, steps: Sequence[Step], ambient_c: float = 20.0) -> NDArray[np.float64]:
    """Run (seconds, mains, load) steps; return the charge that the current carried into each set, Ah."""
    carried = np.zeros(SETS)
    for seconds, mains, load_w in steps:
        batteries.drive(
            ALL,
            mains=np.full(SETS, mains),
            load_w=np.full(SETS, load_w),
            next_s=np.full(SETS, seconds),
        )
        carried += batteries.current_a * seconds / 3600
        batteries.integrate(ALL, np.full(SETS, seconds), np.full(SETS, ambient_c))
    return carried


steps = st.lists(
    st.tuples(st.floats(1, 60), st.booleans(), st.floats(200, 5_000)),
    max_size=40,
)


@given(steps)
@settings(max_examples=40, deadline=None)
def test_charge_is_conserved_in_every_cell(steps: list[Step]) -> None:
    """What the current carried in is in the cells, or was shunted past them."""
    batteries = fleet()
    before = batteries.charge_ah.copy()
    carried = carry(batteries, steps)
    found = batteries.charge_ah - before + batteries.shunted_ah
    np.testing.assert_allclose(found, np.broadcast_to(carried[:, None], found.shape), atol=1e-9)


@given(st.lists(st.floats(-0.5, 1.5), min_size=1, max_size=50))
def test_open_circuit_voltage_stays_on_its_curve_and_never_falls(socs: list[float]) -> None:
    """The curve is clamped to its ends and monotonic."""
    for maker in range(MAKERS):
        volts, slope = ocv(np.sort(np.array(socs)), maker)
        assert volts.min() >= OCV_VOLTS[maker][0]
        assert volts.max() <= OCV_VOLTS[maker][-1]
        assert (np.diff(volts) >= -1e-12).all()
        assert (slope >= 0).all()


@pytest.mark.parametrize(
    ("percent", "volts"), [(0, 2.5), (6, 3.188), (24, 3.269), (42, 3.306), (60, 3.306), (98, 3.34)]
)
def test_open_circuit_voltage_meets_the_specified_points(percent: float, volts: float) -> None:
    """The documented points are on the curve (docs/battery-health.md)."""
    assert ocv(np.array([percent / 100]))[0][0] == pytest.approx(volts, abs=1e-9)


def test_the_foot_of_the_curve_tells_charge_and_its_top_a_share_of_the_cell() -> None:
    """At 17 % of nominal left a weak and a strong cell show one voltage; at 80 % of their own they do, too."""
    weak, strong = 0.75, 0.95
    cells = OpenCircuit(np.zeros((1, 1), dtype=np.int64), np.array([[weak, strong]]))
    at_foot = cells.at(np.array([[0.17 / weak, 0.17 / strong]]))[0]
    assert at_foot[0, 0] == pytest.approx(at_foot[0, 1], abs=1e-9)
    assert at_foot[0, 0] == pytest.approx(ocv(np.array([0.17 / FOOT_SOH]))[0][0], abs=1e-9)
    assert np.ptp(cells.at(np.array([[0.9, 0.9]]))[0]) < 0.001


def test_a_rested_cell_s_state_of_charge_is_read_back_from_its_curve() -> None:
    """Whoever made it, and however worn it is."""
    soc = np.array([[0.97, 0.985], [0.992, 0.999], [0.98, 0.995]])
    cells = OpenCircuit(np.arange(MAKERS)[:, None], np.array([[0.75, 0.9], [0.8, 0.96], [0.74, 0.85]]))
    np.testing.assert_allclose(cells.soc_at(cells.at(soc)[0]), soc, atol=1e-6)


@given(steps, st.floats(-20, 35))
@settings(max_examples=25, deadline=None)
def test_temperature_stays_between_ambient_and_what_its_losses_allow(steps: list[Step], ambient_c: float) -> None:
    """Losses only heat: never below the coldest surrounding, never beyond a plausible rise."""
    batteries = fleet()
    carry(batteries, steps, ambient_c)
    assert batteries.temperature_c.min() >= min(20.0, ambient_c) - 1e-9
    assert batteries.temperature_c.max() <= max(20.0, ambient_c) + 25


def test_a_set_discharges_to_the_cut_off_opens_and_charges_back_to_float() -> None:
    """The whole course: float, discharge, protection, charge at 0.15 C, float again."""
    batteries = fleet()
    full = batteries.charge_ah.copy()
    carry(batteries, [(60, False, 2_500.0)] * 600)
    assert batteries.open.all()
    assert (batteries.current_a == 0).all()
    assert (batteries.soc(ALL) < 0.12).all()

    carry(batteries, [(60, True, 0.0)])
    np.testing.assert_allclose(batteries.current_a, CHARGE_C_RATE * batteries.nominal_ah)
    carry(batteries, [(60, True, 0.0)] * 60 * 12)
    np.testing.assert_allclose(batteries.pack_v, batteries.float_v, atol=0.02)
    assert (batteries.current_a < 0.02 * batteries.nominal_ah).all()
    np.testing.assert_allclose(batteries.charge_ah, full, rtol=0.02)


@pytest.mark.parametrize(("celsius", "share"), [(-10.0, 0.65), (0.0, 0.90)])
def test_cold_keeps_charge_inside_that_comes_back_with_warmth(celsius: float, share: float) -> None:
    """A full set gives k_T of what it gives warm, shows its true voltage at rest, and gives the rest once warm."""
    batteries = fleet()
    batteries.heat_j_k[:] = 1e12  # held at one temperature, as in a climate chamber
    batteries.thermal_tau_s[:] = 1e12
    batteries.temperature_c[:] = celsius
    carry(batteries, [(60, False, 1_200.0)] * 60 * 9, celsius)
    assert batteries.open.all()
    given = 1 - batteries.soc(ALL)
    assert (abs(given - share) < 0.05).all()
    volts = batteries.drive(ALL, mains=np.zeros(SETS, bool), load_w=np.zeros(SETS), next_s=np.full(SETS, 60.0))
    rested = batteries.open_circuit(ALL).at(batteries.charge_ah / batteries.capacity_ah)[0]
    assert abs(volts - rested)[batteries.cells].max() < 0.02
    batteries.temperature_c[:] = 25.0
    batteries.open[:] = False
    carry(batteries, [(60, False, 1_200.0)] * 60 * 4, 25.0)
    assert (batteries.soc(ALL) < 0.07).all()


def test_no_loaded_cell_goes_below_the_cut_off() -> None:
    """The BMS opens before any cell is dragged below its limit."""
    batteries = fleet()
    for _ in range(500):
        volts = batteries.drive(
            ALL, mains=np.zeros(SETS, bool), load_w=np.full(SETS, 3_000.0), next_s=np.full(SETS, 60.0)
        )
        loaded = batteries.cells & ~batteries.open[:, None]
        assert volts[loaded].min(initial=CUTOFF_V) >= CUTOFF_V
        assert volts[batteries.cells].min() >= OCV_VOLTS[0][0]
        batteries.integrate(ALL, np.full(SETS, 60.0), np.full(SETS, 20.0))


def test_a_steep_end_of_the_curve_does_not_make_a_minute_step_swing() -> None:
    """Charging current near full tapers; it never jumps back up."""
    batteries = fleet()
    carry(batteries, [(60, False, 2_000.0)] * 60)
    currents = []
    for _ in range(600):
        carry(batteries, [(60, True, 0.0)])
        currents.append(batteries.current_a.copy())
    rises = np.diff(np.array(currents), axis=0)
    assert rises.max() < 0.02 * batteries.nominal_ah.max()


def test_spread_of_a_second_life_fleet_is_the_specified_one() -> None:
    """SoH 0.849 ± 0.049 in 0.74–0.96; R0·C 80 mΩ·Ah ± 8.6 %; correlation −0.3."""
    count = 7_000
    batteries = second_life(count, np.random.default_rng(3), np.full(count, 20.0))
    soh = batteries.soh
    assert soh.mean() == pytest.approx(0.849, abs=0.003)
    assert soh.std() == pytest.approx(0.048, abs=0.003)
    assert 0.74 <= soh.min() < soh.max() <= 0.96
    product = batteries.resistance_ohm.sum(axis=1) / batteries.cell_count * batteries.nominal_ah
    assert product.mean() == pytest.approx(OHM_AH, rel=0.01)
    assert product.std() / product.mean() == pytest.approx(0.086, abs=0.008)
    assert np.corrcoef(soh, product)[0, 1] == pytest.approx(-0.3, abs=0.05)
    cell_soh = batteries.capacity_ah / batteries.nominal_ah[:, None]
    assert np.where(batteries.cells, cell_soh, np.nan)[batteries.cell_count == CELLS_MAX].std(axis=1).mean() == (
        pytest.approx(0.02, abs=0.003)
    )


def test_resistance_follows_its_activation_energy() -> None:
    """One at 25 °C, about double at 0 °C (20 kJ/mol)."""
    factor = temperature_factor(np.array([25.0, 0.0]))
    assert factor[0] == pytest.approx(1.0)
    assert factor[1] == pytest.approx(2.09, abs=0.02)
