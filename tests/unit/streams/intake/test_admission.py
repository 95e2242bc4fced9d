"""Admission by the registry: ranges, and what a device says in place of a value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.arrival import Arrival, as_sent
from schemas.aside import AsideReason, SetAside, measured
from schemas.columns.arrivals import Arrivals
from schemas.kafka.quarantine import Reason
from schemas.quantity import FAR_BEHIND_MS, HORIZON_MS, LARGEST
from schemas.readings import MODELS, BatteryReading, DeviceQuality, ElectricityReading, Kind, ranges_of
from schemas.registry import BatterySet, Device, Registry, ValidRange
from schemas.structs import values_of
from streams.intake.admission import Directory, Refusal, admit
from streams.intake.candidates import newest_before
from tests.support.any_readings import kind_and_readings

if TYPE_CHECKING:
    from schemas.readings import Reading

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


def judged(of: Device, values: dict[str, Any]) -> tuple[dict[str, Any], BatteryReading]:
    """What is set aside of a reading, and the reading as it then is."""
    reading = BatteryReading(ts=TS, **values)
    admitted = admit(Directory(1, Registry(sites=[], devices=[])), of, Arrival("b", TS, reading))
    assert isinstance(admitted, Arrival)
    return {field: kept.value for field, kept in admitted.aside.items()}, reading


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
def test_a_sentinel_costs_itself_and_declared_it_is_not_even_told(
    values: dict[str, Any], said: dict[str, list[float]]
) -> None:
    """Undeclared it is set aside and kept; declared it is an absent channel; the others stay either way."""
    ((field, sent),) = values.items()
    for of, apart in ((device(), {field: sent}), (device(said), {})):
        aside, reading = judged(of, {"current_a": -1.5, **values})
        kept = getattr(reading, field)
        assert aside == apart
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


def meter(reading: dict[str, Any]) -> Arrival | Refusal:
    """What becomes of an energy meter's reading."""
    of = Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY)
    arrival = Arrival("m", TS, ElectricityReading(ts=TS, **reading))
    return admit(Directory(1, Registry(sites=[], devices=[])), of, arrival)


@pytest.mark.parametrize("odd", [{"frequency_hz": 0.0}, {"power_factor": 1.02}, {"current_a": [1.0, 2.0, 3e6]}])
def test_an_impossible_field_is_set_aside_and_the_rest_is_used(odd: dict[str, Any]) -> None:
    """The register beside it is as good as ever."""
    admitted = meter({"energy_import_kwh": 5.0, **odd})
    assert isinstance(admitted, Arrival)
    ((field, sent),) = odd.items()
    assert dict(admitted.aside) == {field: SetAside(AsideReason.OUT_OF_RANGE, sent)}
    assert getattr(admitted.reading, field) is None
    assert getattr(admitted.reading, "energy_import_kwh") == 5.0  # noqa: B009 - of any kind


def test_a_reading_of_which_nothing_is_left_is_refused_as_it_came() -> None:
    """It says nothing; in the quarantine it can be judged anew once its range is known better."""
    arrival = Arrival("m", TS, ElectricityReading(ts=TS, power_kw=9e9))
    of = Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY, rated=100)
    refused = admit(Directory(1, Registry(sites=[], devices=[])), of, arrival)
    assert isinstance(refused, Refusal)
    assert refused.reason is Reason.OUT_OF_RANGE
    assert json.loads(as_sent(arrival))["power_kw"] == 9e9


def test_a_reading_that_its_device_calls_bad_is_no_measurement() -> None:
    """Zeros in place of values would be counted as consumption; they are kept beside it."""
    admitted = meter({"energy_import_kwh": 0.0, "power_kw": 0.0, "quality": "bad"})
    assert isinstance(admitted, Arrival)
    assert {field: kept.reason for field, kept in admitted.aside.items()} == {
        "energy_import_kwh": AsideReason.BAD_QUALITY,
        "power_kw": AsideReason.BAD_QUALITY,
    }
    assert json.loads(as_sent(admitted)) == {"ts": TS, "energy_import_kwh": 0.0, "power_kw": 0.0, "quality": "bad"}
    assert all(getattr(admitted.reading, name) is None for name in measured(Kind.ELECTRICITY))


def test_absent_values_are_of_fields_that_the_device_measures() -> None:
    """A name that is misspelt is told, not ignored."""
    with pytest.raises(ValidationError, match="temperatur_c"):
        device({"temperatur_c": [6553.5]})
    with pytest.raises(ValidationError, match="no measured field"):
        device({"ts": [0]})


@pytest.mark.parametrize("kind", list(Kind))
def test_what_no_meter_measures_is_set_aside_whatever_its_device_is_registered_with(kind: Kind) -> None:
    """Every number of every kind, also where the device's own range is open: kernels add up, and infinity is no sum."""
    numbers = {name for name in measured(kind) if "float" in str(MODELS[kind].model_fields[name].annotation)}
    battery = BatterySet(cell_count=16, nominal_ah=100) if kind is Kind.BATTERY else None
    own = {name: ValidRange(low=0) for name in numbers}
    for ranges in ({}, own):
        of = Device(device_id="b", site_id="s", kind=kind, battery=battery, ranges=ranges)
        checks = {check.field: check for check in Directory(1, Registry(sites=[], devices=[])).checks(of)}
        assert numbers <= checks.keys()
        assert all(-LARGEST <= checks[name].low < checks[name].high <= LARGEST for name in numbers)


def test_a_register_beyond_all_that_is_measured_costs_itself() -> None:
    """1.8e308 kWh is no reading: it is kept with its reason, and the power beside it is used."""
    reading = ElectricityReading(ts=TS, energy_import_kwh=1.7976931348623157e308, power_kw=5.0)
    of = Device(device_id="e", site_id="s", kind=Kind.ELECTRICITY)
    admitted = admit(Directory(1, Registry(sites=[], devices=[])), of, Arrival("e", TS, reading))
    assert isinstance(admitted, Arrival)
    assert admitted.aside == {"energy_import_kwh": SetAside(AsideReason.OUT_OF_RANGE, 1.7976931348623157e308)}
    assert (reading.energy_import_kwh, reading.power_kw) == (None, 5.0)


@given(given_=kind_and_readings(), data=st.data())
def test_readings_that_are_not_suspect_are_given_back_as_they_are(
    given_: tuple[Kind, list[Reading]], data: st.DataObject
) -> None:
    """All at once or one by one: whatever admission would do anything to is found by its columns."""
    kind, found = given_
    devices = []
    for number in range(2):
        wide = {name: ValidRange(low=-1e15, high=1e15) for name in ranges_of(kind) if data.draw(st.booleans())}
        absent = {name: [0.0] for name in list(ranges_of(kind))[:1] if data.draw(st.integers(0, 3)) == 0}
        battery = BatterySet(cell_count=16, nominal_ah=100) if kind is Kind.BATTERY else None
        devices.append(
            Device(
                device_id=f"d-{number}", site_id="s", kind=kind, ranges=wide, absent_values=absent, battery=battery,
                rated=data.draw(st.none() | st.floats(1, 1000)),
            )
        )  # fmt: skip
    directory = Directory(1, Registry(sites=[], devices=[]))
    owners, arrivals = [], []
    for reading in found:
        owners.append(data.draw(st.sampled_from(devices)))
        reading.quality = data.draw(st.none() | st.sampled_from(DeviceQuality))
        received_ts = reading.ts + data.draw(st.sampled_from([0, FAR_BEHIND_MS, FAR_BEHIND_MS + 1, HORIZON_MS + 1]))
        arrivals.append(Arrival(owners[-1].device_id, received_ts, reading))
    suspects = directory.suspects(owners, Arrivals.of_each(kind, arrivals))
    for at, (owner, arrival) in enumerate(zip(owners, arrivals, strict=True)):
        before = repr(values_of(arrival.reading))
        admitted = admit(directory, owner, arrival)
        if at not in suspects:
            assert admitted is arrival
            assert repr(values_of(arrival.reading)) == before


def test_of_no_readings_none_is_suspect() -> None:
    """There is no first of them to hold the others against."""
    arrivals = Arrivals.of_each(Kind.WATER, [])
    assert Directory(1, Registry(sites=[], devices=[])).suspects([], arrivals) == []


@pytest.mark.parametrize("ts", [-(2**63), -(10**30), 0])
def test_a_time_beyond_all_bounds_is_a_clock_that_was_lost(ts: int) -> None:
    """Whatever integer a device sends as its time costs that reading and nothing else."""
    device = Device(device_id="e-1", site_id="s", kind=Kind.ELECTRICITY)
    directory = Directory(1, Registry(sites=[], devices=[]))
    reading = ElectricityReading(ts=ts, energy_import_kwh=1.0)
    arrival = Arrival("e-1", 1_790_000_000_000, reading)
    assert directory.suspects([device], Arrivals.of_each(Kind.ELECTRICITY, [arrival])) == [0]
    admitted = admit(directory, device, arrival)
    assert isinstance(admitted, Refusal)
    assert admitted.reason is Reason.CLOCK_BEHIND


def test_the_newest_reading_before_is_that_of_earlier_messages_of_the_device() -> None:
    """Not of its own message, as an array may be stored in parts, and not one that was refused."""
    sent = [("e-1", 5, 0), ("e-1", 9, 0), ("e-1", 99, 0), ("e-2", 1, 1), ("e-1", 3, 2), ("e-1", 2, 3)]
    device_ids, times, messages = zip(*sent, strict=True)
    assert newest_before(device_ids, times, messages, {2}) == [None, None, None, None, 9, 9]
