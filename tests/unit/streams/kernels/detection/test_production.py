"""A plant's meters are judged as they would count at usual production: a campaign is no leak, and hides none."""

from __future__ import annotations

import itertools

import orjson
import pytest

from schemas.metrics import DetectorStatus, Row
from schemas.metrics.signal import SignalKind
from schemas.readings import Kind
from schemas.registry import Device, Role
from schemas.time import HOUR_MS
from streams.kernels.detection.reference import detection
from streams.kernels.detection.series.meters import MeterDetectors
from streams.kernels.detection.series.production import LoadLine, Production
from tests.unit.streams.kernels.detection.hours import T0, plant_hours, raised

KERNEL = MeterDetectors(detection())
INTAKE = Device(device_id="w", site_id="s", kind=Kind.WATER, role=Role.CONSUMED, rated=500)
FEEDER = Device(device_id="w", site_id="s", kind=Kind.ELECTRICITY, role=Role.CONSUMED, rated=5000)
CHANGE = 36 * 24 + 10
"""Hour of day 36 in which something changes, for a week."""
DAYS = 44


def more(hour: int) -> float:
    """30 % more for a week."""
    return 1.3 if CHANGE <= hour < CHANGE + 168 else 1.0


def judged(device: Device = INTAKE, *, is_measured: bool = True, leak: float = 0.0) -> list[Row]:
    """What a week of 30 % more production says, with a leak in the middle of it."""
    quantity = "volume_m3" if device is INTAKE else "energy_import_kwh"
    hours = plant_hours(
        DAYS, quantity=quantity, share=more, is_measured=is_measured, leak=lambda hour: leak * (hour >= CHANGE + 48)
    )
    return KERNEL.fold(None, device, hours)[1]


@pytest.mark.parametrize("device", [INTAKE, FEEDER], ids=["water", "electricity"])
def test_a_week_of_more_production_raises_no_alarm(device: Device) -> None:
    """30 % more is made, and water and electricity follow; no detector speaks."""
    assert raised(judged(device)) == []


def test_a_leak_while_more_is_made_is_found_within_a_day() -> None:
    """10 m³/h beside 98, in a plant that runs day and night; measured: 5 h. The evidence holds production."""
    first = raised(judged(leak=10.0))[0]
    assert 0 < (first.ts - T0) / HOUR_MS - (CHANGE + 48) <= 24
    evidence = orjson.loads(first.evidence)
    assert evidence["production"] > 110
    assert evidence["usual_production"] == pytest.approx(99, abs=2)
    assert evidence["per_product"] == pytest.approx(0.6, abs=0.03)


def test_where_production_is_not_measured_the_meter_is_held_to_its_own_habits() -> None:
    """As a network without a product; the evidence says so."""
    found = raised(judged(is_measured=False))
    assert {SignalKind.SEASONAL, SignalKind.DRIFT} <= {row.kind for row in found}
    assert all(orjson.loads(row.evidence)["production"] == "not measured" for row in found)


def test_a_product_meter_that_falls_silent_leaves_the_habits_and_says_so() -> None:
    """Unknown production is taken for none: the hours count as they are."""
    hours = plant_hours(DAYS, is_known=lambda hour: hour < CHANGE, leak=lambda hour: 15.0 * (hour >= CHANGE + 24))
    first = raised(KERNEL.fold(None, INTAKE, hours)[1])[0]
    assert (first.ts - T0) / HOUR_MS > CHANGE + 24
    assert orjson.loads(first.evidence)["production"] == "unknown"


def test_a_line_is_not_believed_far_from_where_it_was_drawn() -> None:
    """Production that never varied says nothing of one that is a third higher: learned from, not judged."""
    production = Production(detection().series["volume_m3"].production)  # type: ignore[arg-type]
    line = LoadLine()
    for at in range(400):
        line = production.learn(line, 100.0, 80.0 + at % 3)
    assert production.conditions(line, 100.0, is_idle=False).is_judged
    assert not production.conditions(line, 133.0, is_idle=False).is_judged
    for at in range(3):
        line = production.learn(line, 133.0, 100.0 + at % 3)
    after = production.conditions(line, 133.0, is_idle=False)
    assert after.is_judged
    assert after.shift == pytest.approx(20, abs=2)


def test_a_plant_that_stands_still_is_not_flat() -> None:
    """Nothing is made and nothing flows; without its production known it would be an alarm."""
    hours = [
        hour._replace(rate_1=0.0, rate_2=0.0, rate_3=0.0, rate_4=0.0, production=made and 0.0, is_idle=made is not None)
        if at >= 600
        else hour
        for made in (100.0,)
        for at, hour in enumerate(plant_hours(26))
    ]
    assert SignalKind.FLATLINE not in {row.kind for row in raised(KERNEL.fold(None, INTAKE, hours)[1])}
    blind = [hour._replace(is_measured=False, production=None, is_idle=False) for hour in hours]
    assert SignalKind.FLATLINE in {row.kind for row in raised(KERNEL.fold(None, INTAKE, blind)[1])}


def test_a_meter_may_be_told_to_count_as_it_is() -> None:
    """`production: {enabled: false}` in the registry: this one does not follow the product."""
    own = INTAKE.model_copy(update={"detection": {"production": {"enabled": False}}})
    state, _ = KERNEL.fold(None, own, plant_hours(2))
    assert state["volume_m3"].line == LoadLine()


def test_it_does_not_matter_how_hours_are_cut() -> None:
    """With the state written and read back at each cut: line, verdicts and statuses are those of one pass."""
    hours = plant_hours(9)
    whole_state, whole = KERNEL.fold(None, INTAKE, hours)
    state, rows = None, list[Row]()
    for start, stop in itertools.pairwise([0, 1, 40, 170, 171, len(hours)]):
        after, given = KERNEL.fold(state, INTAKE, hours[start:stop])
        state, rows = KERNEL.load(KERNEL.dump(after)), rows + given
    assert rows == whole
    assert KERNEL.dump(state or {}) == KERNEL.dump(whole_state)
    assert any(isinstance(row, DetectorStatus) for row in rows)
