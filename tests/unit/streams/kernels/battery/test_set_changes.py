"""A set that is not what it was: seen at the next usable discharge, named, and the old evidence put away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.metrics import Signal
from schemas.metrics.battery_health import BatteryCapacity
from schemas.metrics.battery_prospects import BatterySoh, SohChange
from schemas.metrics.signal import Severity, SignalKind
from schemas.time import YEAR_MS
from streams.kernels.battery.prospects.site_view import replaced_ts, soh_at
from streams.kernels.battery.prospects.state_of_health import StateOfHealth
from streams.kernels.battery.reference import health_reference
from streams.kernels.battery.tracking.health import SetHealth
from streams.kernels.detection.batteries.set_changes import SetChanges
from tests.support.worlds.sets import NASA_SET, T0, Rig, lfp_set, nasa_discharges, nasa_readings

if TYPE_CHECKING:
    from schemas.arrival import Arrival
    from schemas.registry import Device

REFERENCE = health_reference()


def capacities(device: Device, readings: list[Arrival]) -> list[BatteryCapacity]:
    """What each discharge said last."""
    rows = SetHealth(REFERENCE).fold(None, device, readings)[1]
    last = {row.ts: row for row in rows if isinstance(row, BatteryCapacity)}
    return [last[ts] for ts in sorted(last)]


def histories(device: Device, readings: list[Arrival]) -> list[BatterySoh]:
    """Fused SoH after each discharge."""
    return list(StateOfHealth(REFERENCE).history(device, capacities(device, readings)))


def cycle(rig: Rig, *, amps: float = 30.0, until_v: float = 2.8) -> None:
    """Discharge to the cut-off from full, rest, charge again and float; a month passes."""
    rig.run(2)
    rig.run(6, -amps, until_cell_v=until_v)
    rig.run(0.5)
    rig.run(8, 20.0)
    rig.run(2)
    rig.second += 30 * 86_400


def history(rig: Rig) -> list[BatterySoh]:
    """Fused SoH after each discharge of a rig."""
    return histories(rig.device, rig.readings)


def test_a_swapped_set_is_right_at_its_next_discharge_and_named() -> None:
    """70 → 95 %: within a point at once, `set_replaced` with what was believed, and a narrow interval again."""
    rig = Rig(lfp_set(), soh=0.70)
    for _ in range(4):
        cycle(rig)
    rig.capacity_ah, rig.ohm, rig.soc = 95.0, 0.95 * rig.ohm, 1.0
    cycle(rig)
    cycle(rig)
    *_, before, swapped, after = history(rig)
    assert before.soh_pct == pytest.approx(70.0, abs=1.0)
    assert before.change is None
    assert swapped.soh_pct == pytest.approx(95.0, abs=1.0)
    assert swapped.change is SohChange.SET_REPLACED
    assert swapped.believed_pct == pytest.approx(70.0, abs=1.0)
    assert after.soh_pct == pytest.approx(95.0, abs=1.0)
    assert after.change is None
    assert after.sigma_pct is not None
    assert after.sigma_pct < 1.5


def test_a_cell_that_fails_is_named_and_the_others_are_shown_beside_it() -> None:
    """85 → 60 % by one cell: `cell_failed` with its number, and the rest of the set held more."""
    rig = Rig(lfp_set(), soh=0.85)
    for _ in range(3):
        cycle(rig)
    # Cell 6 empties early: at the end of what it holds the others rest at their own, higher voltages.
    rig.capacity_ah, rig.soc = 60.0, 1.0
    rig.run(2)
    rig.cells_off_v = {cell: 0.45 for cell in range(16) if cell != 5}
    cycle(rig)
    newest = history(rig)[-1]
    assert newest.soh_pct == pytest.approx(60.0, abs=1.0)
    assert newest.change is SohChange.CELL_FAILED
    assert newest.weakest_cell == 6
    assert newest.others_pct is not None
    assert newest.soh_pct is not None
    assert newest.others_pct > newest.soh_pct + 5


def test_a_set_whose_same_cell_stands_out_was_not_exchanged() -> None:
    """25 → 54 %, one cell behind by as much in both discharges: `corrected`, and no alarm of another set."""
    rig = Rig(lfp_set(), soh=0.85)
    cycle(rig)
    (measured,) = [row for row in capacities(rig.device, rig.readings) if row.capacity_ah is not None]
    assert measured.sigma_ah is not None
    low = measured._replace(
        capacity_ah=25.0, at_least_ah=20.0, sigma_ah=1.2, weakest_cell=12, weakest_gap_v=0.27, resistance_mohm=11.2
    )
    more = low._replace(
        ts=low.ts + 86_400_000, capacity_ah=53.6, at_least_ah=50.0, weakest_gap_v=0.26, resistance_mohm=10.8
    )
    corrected = list(StateOfHealth(REFERENCE).history(rig.device, [low, more]))
    assert corrected[-1].change is SohChange.CORRECTED
    assert corrected[-1].soh_pct == pytest.approx(53.6, abs=0.5)
    exchanged = list(StateOfHealth(REFERENCE).history(rig.device, [low, more._replace(weakest_cell=3)]))
    assert exchanged[-1].change is SohChange.SET_REPLACED
    for rows, alarms in ((corrected, 0), (exchanged, 1)):
        given = SetChanges("test").fold(None, rig.device, rows)[1]
        assert sum(isinstance(row, Signal) and row.active for row in given) == alarms


def test_a_current_sensor_that_was_adjusted_is_told_from_another_set() -> None:
    """Capacity up by 6 % and resistance down as much, with the same cells: `recalibrated`."""
    rig = Rig(lfp_set(), soh=0.85)
    for _ in range(3):
        cycle(rig)
    rig.sign = 1.06  # type: ignore[assignment] # the sensor shows 6 % more from now on
    cycle(rig)
    newest = history(rig)[-1]
    assert newest.change is SohChange.RECALIBRATED
    assert newest.change_pct == pytest.approx(5.1, abs=0.7)


def test_a_registered_replacement_starts_anew() -> None:
    """From `valid_from` on nothing is known until the new set's own discharge, and then only that counts."""
    rig = Rig(lfp_set(), soh=0.70)
    for _ in range(3):
        cycle(rig)
    moment = T0 + round(rig.second * 1000) - 86_400_000
    rig.capacity_ah, rig.soc = 95.0, 1.0
    cycle(rig)
    assert rig.device.battery is not None
    device = rig.device.model_copy(update={"battery": rig.device.battery.model_copy(update={"valid_from": moment})})
    rows = histories(device, rig.readings)
    assert (rows[-1].estimates, rows[-1].change) == (1, SohChange.REGISTERED)
    assert rows[-1].soh_pct == pytest.approx(95.0, abs=0.7)
    assert soh_at(rows[:-1], moment + 1, REFERENCE.fusion, replaced_ts(device))[1] is None


def test_the_prior_fades_by_two_to_three_points_a_year_with_a_doubt_of_its_own() -> None:
    """Two years without a discharge: five points down, and surely not by less than one or more than nine."""
    rig = Rig(lfp_set(), soh=0.85)
    cycle(rig)
    rows = history(rig)
    now = soh_at(rows, rows[-1].ts + round(2 * YEAR_MS), REFERENCE.fusion)[1]
    assert now is not None
    assert rows[-1].soh_pct is not None
    assert 100 * now.soh == pytest.approx(rows[-1].soh_pct - 5.0, abs=0.01)
    assert 0.02 < now.sigma < 0.035


def test_a_change_is_an_alarm_until_a_discharge_bears_it_out() -> None:
    """High where a cell failed; over with the next discharge that agrees with the new belief."""
    rig = Rig(lfp_set(), soh=0.70)
    for _ in range(3):
        cycle(rig)
    rig.capacity_ah, rig.soc = 95.0, 1.0
    cycle(rig)
    cycle(rig)
    rows = SetChanges("test").fold(None, rig.device, history(rig))[1]
    signals = [row for row in rows if isinstance(row, Signal)]
    assert [(row.kind, row.active, row.severity) for row in signals] == [
        (SignalKind.SET_CHANGED, True, Severity.MEDIUM),
        (SignalKind.SET_CHANGED, False, Severity.MEDIUM),
    ]


@pytest.mark.parametrize(("every_s", "bound"), [(0.0, 0.1), (60.0, 0.5)])
def test_the_fused_soh_of_a_real_cell_follows_it(every_s: float, bound: float) -> None:
    """NASA B0005, 168 discharges with regenerations of two points: what is shown is right, and its interval holds."""
    discharges = nasa_discharges()
    rows = histories(NASA_SET, nasa_readings(discharges, every_s=every_s))
    truth = [50 * each.capacity_ah for each in discharges]
    errors = [abs((row.soh_pct or 0.0) - true) for row, true in zip(rows, truth, strict=True)]
    hits = [(row.soh_low_pct or 0) <= true <= (row.soh_high_pct or 0) for row, true in zip(rows, truth, strict=True)]
    assert sum(errors) / len(errors) <= bound
    assert sum(hits) / len(hits) >= 0.85
    assert max(row.sigma_pct or 9.0 for row in rows) < 0.8
