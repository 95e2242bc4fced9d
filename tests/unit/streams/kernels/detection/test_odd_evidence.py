"""A danger is heard in whatever form its BMS or FSU writes it, and a word for "no" is none."""

from __future__ import annotations

import random
from typing import Any

import pytest

from schemas.alarms import alarm_id
from schemas.metrics.signal import SignalKind
from schemas.readings import Kind
from streams.guard.watch import SafetyWatch
from tests.unit.streams.kernels.detection.test_sick_or_broken import (
    DIRECTORY,
    FOLDS,
    POWER,
    T0,
    World,
    guard,
    healthy,
    record_of,
    worker,
)


def alarms_of(kind: Kind, readings: list[dict[str, Any]]) -> set[SignalKind]:
    """What the worker's folds tell of a danger, and the guard with them."""
    world = World(kind, readings, set())
    published = {record.kind for record in guard(world, random.Random(1))}
    active = {row.kind for row in worker(world) if row.active}
    assert published <= active
    return published


def after_float(**odd: object) -> list[dict[str, Any]]:
    """A set in float, and then three readings with something odd in them."""
    rng = random.Random(3)
    return [*(healthy(rng) for _ in range(5)), *(healthy(rng) | odd for _ in range(3))]


@pytest.mark.parametrize(
    "celsius",
    [
        [25.0] * 11 + [250.0],
        [25.123456789012] * 59 + [250.0],
        [[250.0]],
        {"t1": 25.0, "t2": 250.0},
        [{"value": 250.0}],
        "[25,250]",
        ["250 °C"],
        ["250,0"],
        [None, None, "  90.5℃"],
    ],
)
def test_heat_is_heard_in_any_form(celsius: object) -> None:
    """More sensors than a reading holds, longer than what is kept, nested, named, as text, with a unit."""
    assert alarms_of(Kind.BATTERY, after_float(temperature_c=celsius)) == {SignalKind.OVER_TEMPERATURE}


@pytest.mark.parametrize(
    "cells",
    [[3.375] * 23 + [1.0], [3.375123456789] * 39 + [1.0], [3375] * 15 + [1000], [3.375] * 15 + ["1.0 V"]],
)
def test_a_short_is_heard_in_any_form(cells: object) -> None:
    """More cells than a reading holds, in mV, as text."""
    assert alarms_of(Kind.BATTERY, after_float(cell_voltage_v=cells)) == {SignalKind.CELL_SAG}


def test_a_short_is_not_hidden_by_what_no_cell_shows() -> None:
    """Another channel of which −65.5 V is read is a wire, and not a cell that is lower still."""
    rng = random.Random(2)
    readings = [healthy(rng) for _ in range(8)]
    for at, odd in enumerate((11, 14, 12), 5):
        readings[at]["cell_voltage_v"][2] = 1.62
        readings[at]["cell_voltage_v"][odd] = -65.5
    assert alarms_of(Kind.BATTERY, readings) == {SignalKind.CELL_SAG}


def test_a_channel_that_shows_an_empty_list_moves_no_other_one() -> None:
    """Each cell keeps its number, whatever stands in the place of another: it takes the same one twice."""
    rng = random.Random(2)
    readings = [healthy(rng) for _ in range(8)]
    for values, odd in zip(readings[5:], ([], "x", {}), strict=True):
        values["cell_voltage_v"][4], values["cell_voltage_v"][10] = odd, 1.1
    assert alarms_of(Kind.BATTERY, readings) == {SignalKind.CELL_SAG}


def test_two_shorts_that_take_turns_in_being_the_lowest_are_one_alarm() -> None:
    """It takes the same cell twice, and each of them is dead in every reading."""
    rng = random.Random(2)
    readings = [healthy(rng) for _ in range(8)]
    for at in range(5, 8):
        readings[at]["cell_voltage_v"][2:4] = [0.5 + 0.01 * (at % 2), 0.51 - 0.01 * (at % 2)]
    assert alarms_of(Kind.BATTERY, readings) == {SignalKind.CELL_SAG}


@pytest.mark.parametrize("sent", [[True], [0, 1], {"value": 1}, {"state": "ALARM"}, "告警", "有烟", -1, 2, "Y"])
def test_smoke_is_heard_in_any_form(sent: object) -> None:
    """In a list, in an object, in Chinese, as a number."""
    assert alarms_of(Kind.SITE_POWER, [{"smoke": False}, {"smoke": sent}]) == {SignalKind.SMOKE}


@pytest.mark.parametrize(
    "sent", ["正常", "无", "未告警", "OK.", "clear", "inactive", "0.00", "N", "-", "未知", [False], ["off"], {}, [], ""]
)
def test_a_word_for_no_or_for_nothing_is_no_smoke(sent: object) -> None:
    """An alarm for each reading of an FSU that writes 正常 is one that nobody looks at."""
    assert alarms_of(Kind.SITE_POWER, [{"smoke": False}, {"smoke": sent}]) == set()


def test_smoke_of_a_moment_is_heard_whatever_else_contradicts_itself() -> None:
    """A clock that stands makes one moment of all its messages, and the first of them said that there is none."""
    watch = SafetyWatch(FOLDS)
    watch.directory = DIRECTORY
    assert watch.take(record_of(POWER, [{"smoke": False, "dc_voltage_v": 54.0}], 0), T0) == []
    smoking = record_of(POWER, [{"smoke": True, "dc_voltage_v": 53.0}], 0)
    [raised] = watch.take(smoking, T0)
    assert raised.alarm_id == alarm_id("p", "smoke", "smoke", T0)
    assert watch.take(smoking, T0) == []
