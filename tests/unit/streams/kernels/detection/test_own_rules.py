"""A device's own parameters of a detector, from the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from schemas.arrival import Arrival
from schemas.metrics import BatteryDay, DetectorStatus, Signal
from schemas.metrics.signal import Phase, SignalKind
from schemas.readings import ElectricityReading, Kind
from schemas.registry import BatterySet, Device, Sector, Site
from schemas.time import DAY_MS
from streams.kernels.detection.batteries.set_trends import SetTrends
from streams.kernels.detection.efficiency import PlantEfficiency
from streams.kernels.detection.energy_balance import EnergyBalance
from streams.kernels.detection.phases import PhaseLoss
from streams.kernels.detection.plant_limits import PlantLimits
from streams.kernels.detection.reference import detection
from streams.kernels.detection.series.meters import MeterDetectors
from streams.kernels.detection.series.series import is_in_alarm
from tests.support.detected.plants import plant
from tests.support.detected.sets import DAY, SET, floating
from tests.unit.streams.kernels.detection.hours import plant_hours
from tests.unit.streams.kernels.detection.test_energy_balance import day as balance_day
from tests.unit.streams.kernels.detection.test_row_watches import window
from tests.unit.streams.kernels.detection.test_set_safety import KERNEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.kernels.contract import Fold

RULES = detection()
T0 = 1_780_243_200_000


def meter(**detection: dict[str, Any]) -> Device:
    """Register a meter with parameters of its own."""
    return Device(device_id="e-1", site_id="s", kind=Kind.ELECTRICITY, rated=1000, detection=detection)


def phase_loss(device: Device) -> list[bool]:
    """Verdicts on three readings with a phase at 70 %."""
    readings = [ElectricityReading(ts=T0 + 60_000 * at, voltage_v=[230.0, 229.0, 161.0]) for at in range(3)]
    rows = PhaseLoss(detection().phase_loss, "test").fold(None, device, [Arrival("e-1", 0, each) for each in readings])[
        1
    ]
    return [row.active for row in rows if isinstance(row, Signal)]


def test_a_meters_own_threshold_counts() -> None:
    """A phase at 70 % is lost by the defaults, and not where half is said to be enough, or nobody is to look."""
    assert phase_loss(meter()) == [True] * 3
    assert phase_loss(meter(phase_loss={"voltage_share": 0.5})) == []
    assert phase_loss(meter(phase_loss={"enabled": False})) == []


def test_a_condition_ends_when_its_detector_is_switched_off() -> None:
    """With the next reading: it does not stand for ever."""
    kernel = PhaseLoss(detection().phase_loss, "test")
    reading = ElectricityReading(ts=T0, voltage_v=[230.0, 229.0, 161.0])
    standing, _ = kernel.fold(None, meter(), [Arrival("e-1", 0, reading)])
    later = Arrival("e-1", 0, reading.model_copy(update={"ts": T0 + 60_000}))
    (row,) = kernel.fold(standing, meter(phase_loss={"enabled": False}), [later])[1]
    assert isinstance(row, Signal)
    assert not row.active


def test_a_sets_own_spread_and_resistance_count() -> None:
    """A set whose maker allows 100 mV, and whose joints are known to rise."""
    own = SET.model_copy(update={"detection": {"battery": {"spread_max_mv": 100, "resistance_rise_pct": 40}}})
    wide = floating(3 * DAY, lambda _: {"cell_voltage_v": lambda cells: [cells[0] + 0.07, *cells[1:]]}, step=5)
    kinds = [{row.kind for row in KERNEL.fold(None, each, wide)[1] if isinstance(row, Signal)} for each in (SET, own)]
    assert kinds == [{SignalKind.CELL_SPREAD}, set()]

    def risen(device: Device) -> set[SignalKind]:
        rows = [day(at) for at in range(3)]
        given = SetTrends(detection().battery, "test").fold(None, device, rows)[1]
        return {row.kind for row in given if isinstance(row, Signal) and row.active}

    assert (risen(SET), risen(own)) == ({SignalKind.RESISTANCE}, set())


def day(at: int) -> BatteryDay:
    """A day on which a set's resistance stands 30 % above its usual."""
    fields = dict.fromkeys(BatteryDay._fields)
    fields |= {"device_id": "b-1", "site_id": "bs-1", "ts": T0 + at * DAY_MS}
    fields |= {
        "resistance_25c_mohm": 13.0,
        "resistance_usual_mohm": 10.0,
        "resistance_rise_pct": 30.0,
        "resistance_steps": 5,
    }
    return BatteryDay(**fields)  # type: ignore[arg-type]


def site(**detection: dict[str, Any]) -> Site:
    """Register a plant with parameters of its own."""
    return Site(site_id="p", name="P", name_zh="厂", sector=Sector.CEMENT, city="长治", detection=detection)


def verdicts(kernel: Fold, subject: Site | Device, rows: Sequence[object]) -> list[bool]:
    """Whether each verdict given out was active."""
    return [row.active for row in kernel.fold(None, subject, rows)[1] if isinstance(row, Signal)]


def test_a_plants_own_window_and_deadband_of_its_limit_count() -> None:
    """Held against its limit by the day; its quota is still held by the month."""
    kernel = PlantLimits(RULES.limit, RULES.quota, "test")
    days = [window(at, 120.0, quota_gap=20.0)._replace(window_h=hours) for at in range(3) for hours in (24, 720)]
    own = kernel.fold(None, site(limit={"window_h": 24}), days)[1]
    judged = {(row.kind, row.window_s) for row in own if isinstance(row, Signal)}
    assert judged == {(SignalKind.LIMIT, 24 * 3600), (SignalKind.QUOTA, 720 * 3600)}
    near = [window(at, value) for at, value in enumerate([112.0, 107.0, 107.0])]
    assert verdicts(kernel, site(), near) == [True, False]
    assert verdicts(kernel, site(limit={"return_share": 0.05}), near) == [True, True]


def test_a_plants_own_balance_and_efficiency_count() -> None:
    """A looser balance, and an efficiency that is slower to speak; switched off, nobody speaks and an end is said."""
    odd = [balance_day(at, hall=40.0 if at < 20 else 38.0) for at in range(24)]
    balance = EnergyBalance(RULES.balance, "test")
    assert verdicts(balance, site(), odd)[0]
    assert verdicts(balance, site(balance={"tolerance_share": 2.0}), odd) == []
    state, _ = balance.fold(None, site(), odd)
    over = [balance_day(at, hall=38.0) for at in range(24, 27)]
    ended = balance.fold(state, site(balance={"enabled": False}), over)[1]
    assert [row.active for row in ended if isinstance(row, Signal)][-1] is False

    efficiency = PlantEfficiency(RULES.efficiency, "test")
    worse = plant(240, 0.05, 200)
    assert any(verdicts(efficiency, site(), worse))
    assert not any(verdicts(efficiency, site(efficiency={"hours_needed": 1000}), worse))
    assert not any(verdicts(efficiency, site(efficiency={"enabled": False}), worse))


def test_a_leak_alarm_ends_when_its_detector_is_switched_off() -> None:
    """With the next hour, visibly; and what is learned for others is no longer frozen."""
    kernel = MeterDetectors(RULES)
    hours = plant_hours(30, leak=lambda hour: 40.0 * (hour >= 28 * 24))
    intake = Device(device_id="w", site_id="s", kind=Kind.WATER)
    off = {name: {"enabled": False} for name in ("seasonal", "drift", "step", "night_flow")}
    state, said = kernel.fold(None, intake, hours[:-2])
    standing = {row.kind for row in said if isinstance(row, Signal) and row.active}
    assert {SignalKind.DRIFT, SignalKind.NIGHT_FLOW} <= standing
    after, ended = kernel.fold(state, intake.model_copy(update={"detection": off}), hours[-2:])
    last = {row.kind: row for row in ended if isinstance(row, Signal)}
    assert standing <= last.keys()
    assert not any(row.active for row in last.values())
    assert '"switched off"' in last[SignalKind.DRIFT].evidence
    phases = {row.kind: row.phase for row in ended if isinstance(row, DetectorStatus)}
    assert Phase.ALARM not in phases.values()
    assert after["volume_m3"].series is not None
    assert not is_in_alarm(after["volume_m3"].series)


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"limit": {"window_h": 100}}, "no window of 100 h"),
        ({"night_flow": {}}, "its parameters are a device's"),
        ({"efficiency": {"k": 3}}, "k"),
        ({"balance": {"tolerance": 3}}, "tolerance"),
    ],
)
def test_what_no_detector_of_a_site_has_is_refused(parameters: dict[str, dict[str, Any]], says: str) -> None:
    """When the registry is read, with where it belongs."""
    with pytest.raises(ValidationError, match=says):
        site(**parameters)


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"limit": {}}, "its parameters are a site's"),
        ({"battery": {"enabled": False}}, "battery safety cannot be switched off"),
        ({"phase": {}}, "no detector 'phase'"),
        ({"phase_loss": {"volts": 3}}, "volts"),
        ({"capacity_factor": {"days": 0}}, "days"),
    ],
)
def test_what_no_detector_has_is_refused(parameters: dict[str, dict[str, Any]], says: str) -> None:
    """When the registry is read, with the name of what is wrong."""
    with pytest.raises(ValidationError, match=says):
        Device(
            device_id="b", site_id="s", kind=Kind.BATTERY, detection=parameters,
            battery=BatterySet(cell_count=16, nominal_ah=100),
        )  # fmt: skip
