"""A battery set as its BMS shows it."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from schemas.arrival import Arrival
from schemas.metrics import BatteryLatest, BatteryQuarter, Quality
from schemas.readings import BatteryReading, Kind
from schemas.registry import BatterySet, Device
from schemas.time import QUARTER_MS
from streams.kernels.battery.pack import PackMonitor, view_of
from streams.kernels.battery.reference import health_reference

KERNEL = PackMonitor(health_reference())
T0 = 1_780_000_200_000 - 1_780_000_200_000 % QUARTER_MS
SET = Device(device_id="b", site_id="s", kind=Kind.BATTERY, battery=BatterySet(nominal_ah=100))


def reading(seconds: float, **fields: object) -> Arrival:
    """A reading some seconds after T0."""
    return Arrival("b", 0, BatteryReading.model_validate({"ts": T0 + round(seconds * 1000), **fields}))


def quarters(arrivals: list[Arrival]) -> list[BatteryQuarter]:
    """Closed quarters of one ordered pass."""
    return [row for row in KERNEL.fold(None, SET, arrivals)[1] if isinstance(row, BatteryQuarter)]


def test_spread_and_worst_cell_leave_absent_channels_out() -> None:
    """An absent sixteenth channel must not read as 3.3 V of spread."""
    cells: list[float | None] = [3.300, 3.301, 3.280, 3.302, 0.0]
    view = view_of(BatteryReading(ts=T0, cell_voltage_v=cells))
    assert view.spread_mv is not None
    assert math.isclose(view.spread_mv, 22.0, abs_tol=1e-6)
    assert view.worst_cell == 3


def test_temperature_rise_needs_both_temperatures() -> None:
    """Without the ambient the rise is unknown, not the temperature itself."""
    assert view_of(BatteryReading(ts=T0, temperature_c=[25.0, 27.0])).rise_c is None
    assert view_of(BatteryReading(ts=T0, temperature_c=[25.0, 27.0], ambient_c=20.0)).rise_c == 7.0


def test_constant_discharge_adds_up_to_current_times_time() -> None:
    """20 A out at 50 V for a quarter of an hour is 5 Ah and 0.25 kWh."""
    row = quarters([reading(60 * at, pack_voltage_v=50.0, current_a=-20.0) for at in range(16)])[0]
    assert row.discharge_ah is not None
    assert math.isclose(row.discharge_ah, 5.0)
    assert row.energy_out_kwh is not None
    assert math.isclose(row.energy_out_kwh, 0.25)
    assert (row.charge_ah, row.energy_in_kwh, row.coverage, row.quality) == (0.0, 0.0, 1.0, Quality.GOOD)


def test_a_change_of_sign_is_split_at_its_zero() -> None:
    """+10 A to −10 A in a minute charges and discharges; it does not cancel out."""
    arrivals = [reading(0, pack_voltage_v=50.0, current_a=10.0), reading(60, pack_voltage_v=50.0, current_a=-10.0)]
    arrivals += [reading(60 * at, pack_voltage_v=50.0, current_a=0.0) for at in range(2, 16)]
    row = quarters(arrivals)[0]
    assert row.charge_ah is not None
    assert math.isclose(row.charge_ah, 10 / 2 * 30 / 3600)


def test_nothing_is_integrated_over_a_gap() -> None:
    """What happened while nobody measured is unknown and missing from the coverage."""
    arrivals = [reading(0, pack_voltage_v=50.0, current_a=-20.0), reading(600, pack_voltage_v=50.0, current_a=-20.0)]
    arrivals += [reading(60 * at, pack_voltage_v=50.0, current_a=-20.0) for at in range(11, 16)]
    row = quarters(arrivals)[0]
    assert math.isclose(row.coverage, 1 / 3)
    assert row.quality is Quality.PARTIAL
    assert row.discharge_ah is not None
    assert math.isclose(row.discharge_ah, 5.0 / 3)


def test_a_set_that_measures_no_current_has_no_energy() -> None:
    """Null is the answer, not zero."""
    row = quarters([reading(60 * at, pack_voltage_v=50.0) for at in range(16)])[0]
    assert (row.energy_out_kwh, row.coverage, row.quality) == (None, 0.0, Quality.UNKNOWN)


def test_temperature_rate_looks_five_minutes_back() -> None:
    """1 °C a minute for six minutes reads as 1 °C a minute, and as unknown before there are five minutes."""
    rows = KERNEL.fold(None, SET, [reading(60 * at, temperature_c=[20.0 + at]) for at in range(4)])[1]
    assert isinstance(rows[-1], BatteryLatest)
    assert rows[-1].temperature_rate_c_min is None
    rows = KERNEL.fold(None, SET, [reading(60 * at, temperature_c=[20.0 + at]) for at in range(7)])[1]
    assert isinstance(rows[-1], BatteryLatest)
    assert rows[-1].temperature_rate_c_min == 1.0


@given(st.lists(st.tuples(st.integers(1, 300), st.floats(-100, 100, width=32)), min_size=2, max_size=80), st.data())
def test_a_fold_in_two_parts_is_the_fold_of_the_whole(steps: list[tuple[int, float]], data: st.DataObject) -> None:
    """State carries everything the next reading needs, through its saved form too."""
    seconds, arrivals = 0, []
    for step, current in steps:
        seconds += step
        arrivals.append(
            reading(seconds, pack_voltage_v=51.2, current_a=current, temperature_c=[20 + current / 10], ambient_c=15.0)
        )
    cut = data.draw(st.integers(1, len(arrivals) - 1))
    whole_state, whole = KERNEL.fold(None, SET, arrivals)
    state, rows = KERNEL.fold(None, SET, arrivals[:cut])
    assert state is not None
    state, more = KERNEL.fold(KERNEL.load(KERNEL.dump(state)), SET, arrivals[cut:])
    assert state == whole_state
    assert [row for row in [*rows, *more] if isinstance(row, BatteryQuarter)] == [
        row for row in whole if isinstance(row, BatteryQuarter)
    ]
