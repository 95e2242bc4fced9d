"""Admission by the registry: ranges, and what a device says in place of a value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.quarantine import Reason
from schemas.readings import BatteryReading, Kind
from schemas.registry import BatterySet, Device, Registry
from streams.intake.admission import Directory, judge

TS = 1_780_000_000_000


def device(absent_values: dict[str, list[float]] | None = None) -> Device:
    """A battery set."""
    return Device(
        device_id="b",
        site_id="s",
        kind=Kind.BATTERY,
        battery=BatterySet(cell_count=16, nominal_ah=100),
        absent_values=absent_values or {},
    )


def judged(of: Device, values: dict[str, Any]) -> tuple[Reason | None, BatteryReading]:
    """Why a reading is refused, and the reading as it then is."""
    reading = BatteryReading(ts=TS, **values)
    refusal = judge(Directory(1, Registry(sites=[], devices=[])), of, reading)
    return (None if refusal is None else refusal.reason), reading


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"temperature_c": [21.5, 6553.5]}, {"temperature_c": [6553.5]}),
        ({"cell_voltage_v": [3.3] * 15 + [65.535]}, {"cell_voltage_v": [65.535]}),
        ({"soc_pct": 655.35}, {"soc_pct": [655.35]}),
        ({"soh_bms_pct": 255.0}, {"soh_bms_pct": [255, 655.35]}),
        ({"cycles": 65535}, {"cycles": [65535]}),
    ],
)
def test_a_sentinel_is_quarantined_until_it_is_declared(values: dict[str, Any], said: dict[str, list[float]]) -> None:
    """Undeclared it costs the reading; declared it is an absent channel, and the others stay."""
    assert judged(device(), {"current_a": -1.5, **values})[0] is Reason.OUT_OF_RANGE
    reason, reading = judged(device(said), {"current_a": -1.5, **values})
    ((field, sent),) = values.items()
    kept = getattr(reading, field)
    assert reason is None
    assert reading.current_a == -1.5
    assert kept == ([*sent[:-1], None] if isinstance(sent, list) else None)


@given(st.floats(-400, 400), st.lists(st.floats(-100, 7000), min_size=1, max_size=4))
def test_nothing_else_changes(current_a: float, celsius: list[float]) -> None:
    """A declared sentinel admits no other value that is out of range, and alters none that is within."""
    plain, declared = (
        judged(of, {"current_a": current_a, "temperature_c": celsius})
        for of in (device(), device({"temperature_c": [6553.5]}))
    )
    if 6553.5 not in celsius:
        assert plain == declared


def test_absent_values_are_of_fields_that_the_device_measures() -> None:
    """A name that is misspelt is told, not ignored."""
    with pytest.raises(ValidationError, match="temperatur_c"):
        device({"temperatur_c": [6553.5]})
    with pytest.raises(ValidationError, match="no measured field"):
        device({"ts": [0]})
