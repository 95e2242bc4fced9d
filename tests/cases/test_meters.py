"""What real meters send never becomes a wrong number marked `good`: the cases M* that concern sums."""

from __future__ import annotations

import pytest

from schemas.metrics import Quality
from schemas.registered.sense import NonsenseError
from schemas.time import MINUTE_MS
from tests.support.cases import Run, between, load, message, needs_cases, play

pytestmark = needs_cases

FIRST_TS = 1_780_000_020_000
"""The first reading of most cases."""


def test_half_an_hour_of_zeros_is_an_excursion_and_known_in_sum(own_url: str) -> None:
    """M01: what passed while the gateway sent 0 is counted once it is back, estimated, and one event says so."""
    run = play("M01", own_url)
    assert run.total("M01-E") == pytest.approx(119.0)
    zeros = list(between(run.minutes("M01-E"), FIRST_TS + 60 * MINUTE_MS, FIRST_TS + 90 * MINUTE_MS))
    assert len(zeros) >= 29
    assert all(minute.quality is not Quality.GOOD for minute in zeros)
    assert run.kinds("M01-E") == ["excursion"]


def test_a_start_up_zero_is_not_a_registers_whole_life_in_one_minute(own_url: str) -> None:
    """M02: the first reading ever is 0; the register begins with the second."""
    run = play("M02", own_url)
    assert run.total("M02-E") == pytest.approx(19.0)
    assert run.minutes("M02-E")[0].quality is not Quality.GOOD


@pytest.mark.parametrize("name", ["M03", "M04"])
def test_a_register_in_another_unit_is_counted_as_before_and_named(own_url: str, name: str) -> None:
    """M03, M04: from the update on the register shows 1000 times, or a tenth of, what it did."""
    run = play(name, own_url)
    device = f"{name}-E"
    assert run.total(device) == pytest.approx(119.0)
    later = list(between(run.minutes(device), FIRST_TS + 59 * MINUTE_MS, FIRST_TS + 200 * MINUTE_MS))
    assert len(later) >= 59
    assert all(minute.quality is not Quality.GOOD for minute in later)
    assert run.kinds(device) == ["scale"]


def test_power_with_the_wrong_sign_leaves_both_registers_right_and_is_told(own_url: str) -> None:
    """M25: the import register counts, the export register rests, and power says the other direction."""
    run = play("M25", own_url)
    assert run.books().quarantined == 0
    assert run.total("M25-E") == pytest.approx(119.0)
    assert run.total("M25-E", "energy_export_kwh", Quality.GOOD) == 0.0
    assert set(run.qualities("M25-E", "energy_export_kwh")) == {Quality.GOOD}
    assert run.kinds("M25-E") == ["contradiction"]
    assert run.kinds("M25-E", "energy_export_kwh") == []


def test_zeros_every_night_add_nothing_each_morning(own_url: str) -> None:
    """M32: 0 from 20 h to 6 h, the right value by day: every night is an excursion of its own."""
    run = play("M32", own_url)
    assert run.total("M32-E") == pytest.approx(446.0)
    assert set(run.kinds("M32-E")) == {"excursion"}


def test_the_highest_value_as_rollover_is_refused_with_a_hint(own_url: str) -> None:
    """M34: eight digits start again at 100 000 000, not at 99 999 999; with that the register counts on exactly."""
    case = load("M34")
    with pytest.raises(NonsenseError, match="Write 100000000"):
        Run(own_url, case.registry)
    meter = case.registry.devices[0].model_copy(update={"rollover": {"energy_import_kwh": 100_000_000.0}})
    run = Run(own_url, case.registry.model_copy(update={"devices": [meter]})).publish(case.messages)
    assert run.total("M34-E") == pytest.approx(99.0)
    assert run.kinds("M34-E") == ["rollover"]


@pytest.mark.parametrize("from_minute", [0, 60])
def test_two_meters_under_one_id_are_one_alarm(own_url: str, from_minute: int) -> None:
    """Two series of values in turn: one event, one alarm that says so, no figure that is nobody's."""
    case = load("M01")
    name = case.registry.devices[0].device_id
    sent = [
        (at * MINUTE_MS + half, value)
        for at in range(180)
        for half, value in ((0, 1_000.0 + 0.5 * at), (30_000, 52_000.0 + 3.1 * at))
        if not half or at >= from_minute
    ]
    run = Run(own_url, case.registry)
    for first in range(0, len(sent), 60):
        readings = [{"ts": FIRST_TS + ts, "energy_import_kwh": value} for ts, value in sent[first : first + 60]]
        run.publish([message(case.registry.sites[0].site_id, "electricity", name, readings)])
    assert len(run.events(name)) == 1
    [alarm] = [each for each in run.alarms() if each["kind"] == "meter_changed"]
    assert alarm["metric"] == "energy_import_kwh"
    assert run.total(name) == pytest.approx(0.5 * 180 if from_minute else 0.0, abs=8.0)
