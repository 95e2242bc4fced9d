"""Battery health as a fold: its promise to the engine, SoC, sentinels and sensors that lie."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.arrival import Arrival
from schemas.metrics.battery_health import BatteryCapacity, BatteryHour, BatteryResistance, BatteryState, EpisodeKind
from schemas.readings import BatteryReading
from streams.kernels.battery.reference import health_reference
from streams.kernels.battery.tracking.health import SetHealth
from tests.support.worlds.sets import CURVE, T0, Rig, lfp_set

if TYPE_CHECKING:
    from schemas.metrics import Row

KERNEL = SetHealth(health_reference())


def rows_of(rig: Rig) -> list[Row]:
    """Everything one ordered pass gives out."""
    return KERNEL.fold(None, rig.device, rig.readings)[1]


def hours_of(rig: Rig) -> list[BatteryHour]:
    """Hours that are over."""
    return [row for row in rows_of(rig) if isinstance(row, BatteryHour)]


def now_of(rig: Rig) -> BatteryState:
    """The newest state."""
    return [row for row in rows_of(rig) if isinstance(row, BatteryState)][-1]


def on_float(hours: float = 3) -> Rig:
    """A set on float."""
    rig = Rig(lfp_set())
    rig.say(0.0)
    rig.run(hours)
    return rig


_STEPS = st.tuples(
    st.sampled_from([1, 5, 60, 60, 60, 200, 1000, 4000]),
    st.sampled_from([-45.0, -25.0, -24.0, -3.0, -1.0, 0.0, 0.0, 0.1, 15.0]),
    st.sampled_from([2.7, 2.85, 3.1, 3.2, 3.3, 3.39, 3.4]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_STEPS, min_size=2, max_size=60), st.sets(st.integers(1, 59), max_size=8))
def test_it_does_not_matter_how_readings_are_cut(steps: list[tuple[int, float, float]], cuts: set[int]) -> None:
    """Whole, in parts, and through the saved form: the same rows and the same state, and the given one unchanged."""
    second, arrivals = 0, []
    for step, amps, volts in steps:
        second += step
        cells: list[float | None] = [volts + 0.001 * cell for cell in range(16)]
        if second % 7 == 0:
            cells[3] = None
        reading = BatteryReading(
            ts=T0 + second * 1000,
            pack_voltage_v=volts * 16,
            current_a=amps,
            cell_voltage_v=cells,
            temperature_c=[20.0 + amps / 10],
            soc_pct=float(second % 3),
            soh_bms_pct=99.0,
        )
        arrivals.append(Arrival("b", 0, reading))
    device = lfp_set()
    whole_state, whole = KERNEL.fold(None, device, arrivals)
    state, parts = None, []
    edges = [0, *sorted(cut for cut in cuts if cut < len(arrivals)), len(arrivals)]
    for start, end in pairwise(edges):
        before = KERNEL.dump(state)
        after, given_out = KERNEL.fold(state, device, arrivals[start:end])
        assert KERNEL.dump(state) == before
        state = KERNEL.load(KERNEL.dump(after))
        assert state == after
        parts += given_out
    assert parts == whole
    assert state == whole_state


def test_the_state_stays_small() -> None:
    """A set that has seen everything keeps under 3 kB."""
    rig = on_float()
    rig.run(2, -25.0, period_s=10)
    rig.run(0.4)
    rig.run(0.2, 15.0)
    state, _ = KERNEL.fold(None, rig.device, rig.readings)
    assert len(KERNEL.dump(state)) < 3000


def test_an_hour_on_float_makes_the_soc_known_and_doubt_grows_with_time() -> None:
    """Before: unknown. After: 100 %. Under load it falls with the charge, and the doubt rises steadily."""
    assert now_of(on_float(0.5)).soc_pct is None
    rig = on_float(2)
    assert now_of(rig).soc_pct == 100.0
    rig.run(1, -20.0)
    first = now_of(rig)
    rig.run(1, -20.0)
    second = now_of(rig)
    assert first.soc_pct == pytest.approx(100 - 20 / 84.9 * 100, abs=0.5)
    assert first.soc_sigma_pct is not None
    assert second.soc_sigma_pct is not None
    full = CURVE.sigma_full_percent
    assert second.soc_sigma_pct - first.soc_sigma_pct == pytest.approx(first.soc_sigma_pct - full, rel=0.05)


def test_the_soc_is_held_over_a_gap_and_says_so() -> None:
    """What flowed while nobody measured is unknown: the SoC stays, the doubt grows, a flag stands."""
    rig = on_float()
    rig.run(1, -20.0)
    before = now_of(rig)
    rig.silence(2)
    rig.run(0.1)
    after = now_of(rig)
    assert after.soc_pct == pytest.approx(before.soc_pct, abs=0.5)
    assert after.soc_sigma_pct is not None
    assert before.soc_sigma_pct is not None
    assert after.soc_sigma_pct > before.soc_sigma_pct + 5
    assert "held" in after.flags


def test_a_load_step_gives_the_resistance_at_25_degrees() -> None:
    """ΔV/ΔI of the pack, normalised with 20 kJ/mol."""
    cold = 0.112 * math.exp(20_000 / 8.314 * (1 / 278.15 - 1 / 298.15))
    rig = Rig(lfp_set(), ohm_ah=cold, celsius=5.0)
    rig.soc = 0.5
    rig.say(0.0)
    rig.run(0.5)
    rig.run(0.5, -25.0)
    steps = [row for row in rows_of(rig) if isinstance(row, BatteryResistance)]
    assert [row.step for row in steps] == ["load_on"]
    assert steps[0].cell_mohm_ah_25c == pytest.approx(112, rel=0.02)
    assert steps[0].step_s == 60.0


def test_a_reversed_current_is_recognised_by_the_voltage_s_answer() -> None:
    """A sensor that shows discharge as charge: its sign is turned round from the first load step on."""
    rig = on_float()
    rig.sign = -1
    assert rig.run(6, -25.0, until_cell_v=2.8)
    rig.run(0.5)
    rows = rows_of(rig)
    (row,) = {row.ts: row for row in rows if isinstance(row, BatteryCapacity)}.values()
    assert row.capacity_ah == pytest.approx(85.0, rel=0.01)
    assert "reversed_current" in row.flags
    assert row.quality == "estimated"


def test_an_offset_current_sensor_is_recognised_on_float() -> None:
    """1.5 A that flow on float for hours are the sensor's, and are taken off the discharge that follows."""
    rig = on_float(0)
    rig.offset_a = 1.5
    rig.run(6)
    assert "offset_current" in hours_of(rig)[-1].flags
    rig.run(6, -25.0, until_cell_v=2.8)
    rig.run(0.5)
    (row,) = {row.ts: row for row in rows_of(rig) if isinstance(row, BatteryCapacity)}.values()
    assert row.capacity_ah == pytest.approx(85.0, rel=0.01)


def test_a_sensor_that_shows_charge_drawn_while_the_voltage_stands_is_not_believed() -> None:
    """10 A drawn for six hours from a set that stays at its float voltage: refused."""
    rig = on_float(0)
    rig.offset_a = -10.0
    rig.run(6)
    rig.offset_a = 0.0
    rig.run(1)
    (row,) = {row.ts: row for row in rows_of(rig) if isinstance(row, BatteryCapacity)}.values()
    assert (row.capacity_ah, row.reason) == (None, "sensor")


def test_a_frozen_bms_soc_is_recognised() -> None:
    """The BMS stays at 100 % while a fifth of the charge is drawn."""
    rig = on_float()
    rig.bms_soc_pct = 100.0
    rig.run(1.5, -20.0)
    assert {"frozen_bms_soc", "odd_bms_soc"} <= set(hours_of(rig)[-1].flags.split(","))
    assert not hours_of(on_float(6))[-1].flags


def test_a_soh_of_99_that_never_moves_is_no_soh() -> None:
    """It is shown as null, after a day of standing still; one that moves or is another number is shown."""
    rig = Rig(lfp_set())
    rig.bms_soh_pct = 99.0
    rig.run(26, period_s=120)
    last = hours_of(rig)[-1]
    assert (last.soh_bms_pct, last.flags) == (None, "sentinel_bms_soh")
    assert hours_of(on_float(2))[-1].soh_bms_pct == 88.0


@pytest.mark.parametrize(("cells", "channels", "absent"), [(15, 16, False), (16, 16, True)])
def test_an_absent_sixteenth_cell_is_no_weak_cell(cells: int, channels: int, *, absent: bool) -> None:
    """0.000 V where no cell is registered is nothing; where one is it is told; it is never a spread."""
    rig = Rig(lfp_set(cells=cells))
    rig.channels = channels
    rig.absent = {15} if absent else set()
    rig.cells_off_v = {4: -0.020}
    rig.say(0.0)
    rig.run(2)
    last = hours_of(rig)[-1]
    assert last.float_spread_mv == pytest.approx(20.0, abs=0.5)
    assert last.float_worst_cell == 5
    assert last.float_worst_z == pytest.approx(-20.0, abs=0.5)
    assert ("absent_cell" in last.flags) is absent


def test_cells_are_compared_apart_in_float_and_under_load() -> None:
    """A cell that sags only under load shows there and not in float."""
    rig = on_float(1.5)
    rig.cells_off_v = {7: -0.030}
    rig.run(2, -25.0)
    last = hours_of(rig)[-1]
    assert last.load_worst_cell == 8
    assert last.load_spread_mv == pytest.approx(30.0, abs=0.5)
    assert last.float_spread_mv is None
    assert hours_of(rig)[0].float_spread_mv == pytest.approx(0.0, abs=0.01)


def test_a_discharge_tells_how_long_it_will_last_only_with_a_capacity_of_its_own() -> None:
    """Never measured: no remaining time. After one full discharge: from SoC, capacity and the present power."""
    rig = on_float()
    rig.run(1, -25.0)
    assert now_of(rig).remaining_p50_h is None
    rig.run(6, -25.0, until_cell_v=2.8)
    rig.run(0.5)
    rig.run(8, 12.0)
    rig.soc = 1.0
    rig.run(3)
    rig.run(2 / 60, -25.0)
    assert now_of(rig).kind is EpisodeKind.DISCHARGE
    assert now_of(rig).remaining_p50_h == pytest.approx(85 * 0.97 / 25, rel=0.06)
    rig.run(58 / 60, -25.0)
    now = now_of(rig)
    assert now.kind is EpisodeKind.DISCHARGE
    assert now.remaining_p50_h == pytest.approx(85 * 0.97 / 25 - 1, rel=0.06)
    assert now.remaining_p50_h is not None
    assert now.remaining_p10_h is not None
    assert now.remaining_p10_h < now.remaining_p50_h
