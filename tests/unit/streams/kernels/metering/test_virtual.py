"""Virtual meters: sums and differences of real ones, checked on a water network's flows."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from schemas.arrival import Arrival
from schemas.metrics import MeterMinute, Quality
from schemas.readings import FlowReading, Kind
from schemas.registry import Device, Registry, Role, Sector, Site, VirtualMeter, VirtualPart
from schemas.time import MINUTE_MS
from streams.intake.admission import Directory
from streams.kernels.metering.register import RegisterMetering
from streams.kernels.metering.virtual import VirtualMeters

FLOWS = Path(__file__).parents[6] / "shared" / "data" / "battledim_2018" / "flows_5min.csv.gz"
METERS = ("p227", "p235", "PUMP_1")


def part(meter_id: str, sign: int = 1, quantity: str = "volume_m3", factor: float | None = None) -> VirtualPart:
    """A part of a virtual meter."""
    return VirtualPart.model_validate({"meter_id": meter_id, "quantity": quantity, "sign": sign, "factor": factor})


def site(*meters: VirtualMeter) -> Site:
    """A water network with virtual meters."""
    return Site(
        site_id="net", name="Net", name_zh="管网", sector=Sector.COKING, city="太原", virtual_meters=meters
    )  # fmt: skip


def virtual(meter_id: str, *parts: VirtualPart, quantity: str = "volume_m3") -> VirtualMeter:
    """A virtual water meter."""
    return VirtualMeter(meter_id=meter_id, kind=Kind.WATER, quantity=quantity, parts=parts)


ZONE = virtual("zone-a", part("p227"), part("p235"), part("PUMP_1", -1))
DEVICES = [Device(device_id=name, site_id="net", kind=Kind.WATER, period_s=300) for name in METERS]
UNIT = Device(device_id="unit", site_id="net", kind=Kind.GANGUE_UNIT, role=Role.CONSUMED)


def minute(meter: str, increment: float | None, quality: Quality, coverage: float = 1.0) -> MeterMinute:
    """One minute of a meter."""
    return MeterMinute(meter, "volume_m3", 0, "net", increment, coverage, quality)


def zone(*minutes: MeterMinute) -> list[MeterMinute]:
    """Minutes of the zone out of its parts'."""
    found = VirtualMeters().rows(site(ZONE), DEVICES, {MeterMinute: minutes}, {MeterMinute: minutes})
    return [row for row in found.rows if isinstance(row, MeterMinute)]


def test_a_minute_is_as_good_as_its_worst_part() -> None:
    """Coverage is the least, quality the worst; the increment counts signs."""
    (row,) = zone(
        minute("p227", 5.0, Quality.GOOD),
        minute("p235", 4.0, Quality.ESTIMATED, 0.0),
        minute("PUMP_1", 2.0, Quality.GOOD),
    )
    assert row == MeterMinute("zone-a", "volume_m3", 0, "net", 7.0, 0.0, Quality.ESTIMATED)


@pytest.mark.parametrize("third", [(), (minute("PUMP_1", None, Quality.UNKNOWN, 0.0),)])
def test_a_part_that_is_missing_or_unknown_makes_the_sum_unknown(third: tuple[MeterMinute, ...]) -> None:
    """Never a sum of what happens to be there."""
    (row,) = zone(minute("p227", 5.0, Quality.GOOD), minute("p235", 4.0, Quality.GOOD), *third)
    assert (row.increment, row.coverage, row.quality) == (None, 0.0, Quality.UNKNOWN)


def test_virtual_meters_may_be_made_of_virtual_meters() -> None:
    """Down to real registers, each with the factor it counts with in the end."""
    nested = site(ZONE, virtual("rest", part("p227"), part("zone-a", -1)))
    factors = {device_id: factor for (device_id, _), factor in nested.virtual_terms["rest"].items()}
    assert factors == {"p227": 0.0, "p235": -1.0, "PUMP_1": 1.0}


@pytest.mark.parametrize(
    ("meters", "complaint"),
    [
        ([virtual("v", part("p999"))], "neither a device nor a virtual meter"),
        ([virtual("v", part("p227", quantity="steam_t"))], "has no register steam_t"),
        ([virtual("v", part("unit", quantity="gangue_t"))], "give the part a factor"),
        ([virtual("a", part("b")), virtual("b", part("a"))], "hold each other: a → b → a"),
        ([virtual("p227", part("p235"))], "another meter or device has this id"),
    ],
)
def test_an_impossible_virtual_meter_is_refused_and_says_why(meters: list[VirtualMeter], complaint: str) -> None:
    """Unknown parts, mixed units, cycles and ids that are taken never reach the database."""
    with pytest.raises(ValidationError, match=complaint):
        Registry(sites=[site(*meters)], devices=[*DEVICES, UNIT])


def test_a_virtual_meter_has_rows_but_no_readings() -> None:
    """Kernels over rows find what it stands for; a reading under its id stays unknown."""
    directory = Directory(1, Registry(sites=[site(ZONE)], devices=DEVICES))
    subject = directory.subject("zone-a")
    assert isinstance(subject, Device)
    assert subject.kind is Kind.WATER
    assert "zone-a" in directory.entities_of("net")
    assert "zone-a" not in directory.devices


@pytest.mark.skipif(not FLOWS.exists(), reason=f"no real data at {FLOWS}")
def test_daily_volumes_of_a_network_equal_an_independent_computation() -> None:
    """Two weeks of BattLeDIM 2018: each inlet and zone A, the trapezoid by numpy."""
    days = 14
    with gzip.open(FLOWS, "rt", encoding="utf-8") as text:
        rows = list(islice(csv.DictReader(text), days * 288 + 1))
    stamps = [
        round(dt.datetime.fromisoformat(row["Timestamp"]).replace(tzinfo=dt.UTC).timestamp() * 1000) for row in rows
    ]
    minutes: list[MeterMinute] = []
    for device in DEVICES:
        arrivals = [
            Arrival(device.device_id, 0, FlowReading(ts=ts, flow_m3_h=float(row[device.device_id])))
            for ts, row in zip(stamps, rows, strict=True)
        ]
        given = RegisterMetering().fold(None, device, arrivals)[1]
        minutes += [row for row in given if isinstance(row, MeterMinute)]
    minutes += zone(*minutes)
    flows = np.array([[float(row[name]) for name in METERS] for row in rows])
    flows = np.column_stack([flows, flows[:, 0] + flows[:, 1] - flows[:, 2]])
    truth = {
        (name, day): float(np.trapezoid(flows[day * 288 : (day + 1) * 288 + 1, at], dx=1 / 12))
        for at, name in enumerate((*METERS, "zone-a"))
        for day in range(days)
    }
    found: dict[tuple[str, int], float] = {}
    for row in minutes:
        assert row.increment is not None
        assert row.quality is Quality.GOOD
        key = row.device_id, (row.ts - stamps[0]) // (1440 * MINUTE_MS)
        found[key] = found.get(key, 0.0) + row.increment
    assert found == pytest.approx(truth, rel=1e-9)
