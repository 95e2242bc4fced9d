"""A device's own parameters of a detector, from the registry."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.metrics import BatteryDay, Signal
from schemas.metrics.signal import SignalKind
from schemas.readings import ElectricityReading, Kind
from schemas.registry import BatterySet, Device
from storage.readings import Arrival
from streams.anomaly.local_time import DAY_MS
from streams.anomaly.phases import PhaseLoss
from streams.anomaly.reference import detection
from streams.anomaly.set_trends import SetTrends
from tests.unit.streams.anomaly.test_set_safety import DAY, KERNEL, SET, floating

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


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
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
