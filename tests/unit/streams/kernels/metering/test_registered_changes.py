"""Factors, ratings and exchanges that the registry says from a moment on: history keeps what held then."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from schemas.arrival import Arrival
from schemas.metrics import MeterEvent, MeterEventKind, MeterLatest, MeterMinute, Quality
from schemas.readings import ElectricityReading, FlowReading, Kind
from schemas.registry import Device, Registry
from schemas.time import HOUR_MS, MINUTE_MS
from streams.intake.admission import Directory, admit
from streams.kernels.metering.register import RegisterMetering

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.metrics import Row

FIELD = "energy_import_kwh"
KERNEL = RegisterMetering()
T0 = 1_780_000_020_000 - 1_780_000_020_000 % MINUTE_MS
CHANGE = T0 + 600 * MINUTE_MS


def meter(**known: Any) -> Device:  # noqa: ANN401 - any field
    """A meter that is read every minute."""
    return Device.model_validate({"device_id": "m", "site_id": "s", "kind": Kind.ELECTRICITY, "period_s": 60, **known})


def readings(shown: Sequence[float], powers: Sequence[float] | None = None) -> list[Arrival]:
    """One reading a minute from T0 on."""
    return [
        Arrival(
            "m",
            0,
            ElectricityReading(
                ts=T0 + at * MINUTE_MS, energy_import_kwh=value, power_kw=None if powers is None else powers[at]
            ),
        )
        for at, value in enumerate(shown)
    ]


def minutes(rows: Sequence[Row]) -> dict[int, MeterMinute]:
    """Minutes as they stand in the end, by their number after T0."""
    return {
        (row.ts - T0) // MINUTE_MS: row
        for row in rows
        if isinstance(row, MeterMinute) and row.quantity != "energy_export_kwh"
    }


def metered(device: Device, arrivals: Sequence[Arrival]) -> tuple[dict[int, MeterMinute], set[MeterEventKind]]:
    """Minutes of a meter, and what befell it."""
    _, rows = KERNEL.fold(None, device, arrivals)
    return minutes(rows), {row.kind for row in rows if isinstance(row, MeterEvent)}


def total(found: dict[int, MeterMinute]) -> float:
    """All that is known to have passed, kWh."""
    return math.fsum(row.increment or 0.0 for row in found.values())


def test_a_multiplier_makes_energy_of_what_a_transformers_meter_shows() -> None:
    """80 times 0.02 kWh a minute; power is multiplied as well, and agrees."""
    device = meter(multiplier={FIELD: 80, "power_kw": 80}, rated=200)
    shown = [1000 + 0.02 * at for at in range(1200)]
    arrivals = readings(shown, [1.2] * 1200)
    found, events = metered(device, arrivals)
    assert total(found) == pytest.approx(80 * 0.02 * 1199)
    assert (events, {row.quality for row in found.values()}) == (set(), {Quality.GOOD})
    latest = next(row for row in reversed(KERNEL.fold(None, device, arrivals)[1]) if isinstance(row, MeterLatest))
    assert [latest.total, latest.rate] == pytest.approx([shown[-1], 96.0])


@pytest.mark.parametrize("offset_ms", [0, 20_000])
def test_a_new_ratio_holds_from_its_moment_on_and_history_keeps_the_old_one(offset_ms: int) -> None:
    """The meter counts on; 80 times until the transformers are changed, 120 times from then on."""
    device = meter(multiplier={FIELD: 80}, changes=[{"valid_from": CHANGE + offset_ms, "multiplier": {FIELD: 120}}])
    found, events = metered(device, readings([1000 + 0.02 * at for at in range(1200)]))
    share = offset_ms / MINUTE_MS
    assert events == set()
    assert found[500].increment == pytest.approx(1.6)
    assert found[900].increment == pytest.approx(2.4)
    assert total(found) == pytest.approx(600 * 1.6 + 599 * 2.4 - share * 0.8)
    odd = {at for at, row in found.items() if row.quality is not Quality.GOOD}
    assert odd == (set() if offset_ms == 0 else {600})


def test_a_new_unit_that_is_registered_is_no_event() -> None:
    """From a moment on it shows Wh: a factor of 0.001 from then on, and every minute stays good."""
    device = meter(changes=[{"valid_from": CHANGE, "multiplier": {FIELD: 0.001}}])
    kwh = [1000 + 0.5 * at for at in range(1200)]
    found, events = metered(device, readings([*kwh[:600], *(1000 * value for value in kwh[600:])]))
    assert (events, {row.quality for row in found.values()}) == (set(), {Quality.GOOD})
    assert total(found) == pytest.approx(0.5 * 1199)


@pytest.mark.parametrize("first", [0.0, 17.25])
@pytest.mark.parametrize("missing", [0, 2, 300])
def test_an_exchange_with_its_final_reading_counts_on_exactly(first: float, missing: int) -> None:
    """What the old meter counted until it was taken out, and the new one since; `good`, but for a gap between."""
    old = [83_000 + 0.5 * at for at in range(600)]
    final = old[-1] + 0.5
    new = [first + 0.5 * at for at in range(600)]
    device = meter(changes=[{"valid_from": CHANGE, "final": {FIELD: final}, "first": {FIELD: first}}])
    arrivals = readings([*old, *new])
    found, events = metered(device, arrivals[: 600 - missing] + arrivals[600:])
    assert total(found) == pytest.approx(0.5 * 1199)
    assert events - {MeterEventKind.GAP} == {MeterEventKind.REPLACEMENT}
    odd = {row.quality for row in found.values()} - {Quality.GOOD}
    assert odd == ({Quality.ESTIMATED} if missing > 3 else set())


def test_a_final_reading_that_cannot_be_is_not_believed() -> None:
    """1 000 times what the old meter can have counted: nothing of it is good consumption."""
    old, new = [83_000 + 0.5 * at for at in range(600)], [0.5 * at for at in range(600)]
    device = meter(changes=[{"valid_from": CHANGE, "final": {FIELD: 8_330_000}}])
    found, _ = metered(device, readings([*old, *new]))
    good = math.fsum(row.increment or 0.0 for row in found.values() if row.quality is Quality.GOOD)
    assert good <= 0.5 * 1199 + 1e-6
    assert found[600].quality is not Quality.GOOD


def test_a_new_rating_bounds_what_passes_from_its_moment_on() -> None:
    """A plant that is extended counts four times as fast: within its new rating, and so is its history."""
    speeds = [0.5] * 600 + [2.0] * 600
    shown = [sum(speeds[:at]) + 1000 for at in range(1200)]
    known = {"rated": 40, "changes": [{"valid_from": CHANGE, "rated": 160}]}
    found, events = metered(meter(**known), readings(shown))
    assert (events, {row.quality for row in found.values()}) == (set(), {Quality.GOOD})
    directory = Directory(1, Registry(devices=[], sites=[]))
    power = Arrival("m", T0, ElectricityReading(ts=T0, energy_import_kwh=1.0, power_kw=120.0))
    taken = admit(directory, meter(**known), power)
    assert isinstance(taken, Arrival)
    assert taken.reading.__dict__["power_kw"] == 120.0


def test_a_flow_without_a_register_is_multiplied_too() -> None:
    """The factor of the flow, and from a moment on another one."""
    device = meter(
        kind=Kind.GAS, multiplier={"flow_m3_h": 10}, changes=[{"valid_from": CHANGE, "multiplier": {"flow_m3_h": 20}}]
    )
    arrivals = [Arrival("m", 0, FlowReading(ts=T0 + at * MINUTE_MS, flow_m3_h=6.0)) for at in range(1200)]
    found, _ = metered(device, arrivals)
    assert [found[100].increment, found[900].increment] == pytest.approx([1.0, 2.0])


def test_a_reset_behind_a_registered_change_is_still_a_reset() -> None:
    """The register itself falls to zero, wherever what it is followed by stands."""
    device = meter(multiplier={FIELD: 80}, changes=[{"valid_from": CHANGE, "multiplier": {FIELD: 120}}])
    shown = [1000 + 0.02 * at for at in range(900)] + [0.02 * at for at in range(900)]
    found, events = metered(device, readings(shown))
    assert events == {MeterEventKind.RESET}
    assert total(found) == pytest.approx(600 * 1.6 + 1199 * 2.4, rel=0.002)


@pytest.mark.parametrize("seed", range(20))
def test_any_changes_give_the_truth_and_the_same_however_readings_are_cut(seed: int) -> None:
    """Ratios, units and exchanges at random moments, folded in pieces through JSON: sums within 0.1 %."""
    draw = random.Random(seed)
    factor, face, unit = draw.choice((1.0, 40.0)), 5000.0, 1.0
    known: dict[str, Any] = {"multiplier": {FIELD: factor}, "changes": []}
    steps = [draw.uniform(0.1, 0.3) for _ in range(1500)]
    moments = set(draw.sample(range(300, 1200, 60), 3))
    shown, truth = [], 0.0
    for at, step in enumerate(steps):
        if at in moments:
            change: dict[str, Any] = {"valid_from": T0 + at * MINUTE_MS}
            match draw.choice(("ratio", "unit", "exchange")):
                case "ratio":
                    factor = draw.choice((60.0, 120.0, 0.5))
                    change["multiplier"] = {FIELD: factor * unit}
                case "unit":
                    # The same amount, shown a thousand times as large.
                    face, unit = face * 1000, unit / 1000
                    change["multiplier"] = {FIELD: factor * unit}
                case _:
                    final, face = face, draw.uniform(0, 50) / unit
                    change |= {"final": {FIELD: final}, "first": {FIELD: face}}
            known["changes"].append(change)
        shown.append(face)
        face += step / unit
        truth += step * factor if at + 1 < len(steps) else 0.0
    device = meter(**known)
    arrivals = readings(shown)
    _, whole = KERNEL.fold(None, device, arrivals)
    rows, state, at = [], None, 0
    while at < len(arrivals):
        cut = at + draw.randint(1, 200)
        state, more = KERNEL.fold(state, device, arrivals[at:cut])
        state = KERNEL.load(KERNEL.dump(state))
        rows += more
        at = cut
    assert minutes(rows) == minutes(whole)
    assert total(minutes(whole)) == pytest.approx(truth, rel=0.001)


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        ({"multiplier": {"frequency_hz": 2}}, "multiplier names frequency_hz"),
        ({"changes": [{"valid_from": CHANGE, "final": {"mass_t": 1}}]}, "changes name mass_t"),
        ({"changes": [{"valid_from": CHANGE, "first": {FIELD: 1}}]}, "needs the final reading"),
        ({"changes": [{"valid_from": CHANGE}, {"valid_from": CHANGE - HOUR_MS}]}, "in the order of their valid_from"),
        ({"multiplier": {FIELD: 0}}, "greater than 0"),
    ],
)
def test_changes_that_cannot_be_meant_are_refused(known: dict[str, Any], sentence: str) -> None:
    """Fields that the meter does not have, moments out of order, a factor of nothing."""
    with pytest.raises(ValidationError, match=sentence):
        meter(**known)
