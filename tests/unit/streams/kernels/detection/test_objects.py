"""A healthy device that sends objects raises nothing, and a danger within one is heard: in the guard and the worker."""

from __future__ import annotations

import json

import pytest

from schemas.metrics.signal import SignalKind
from schemas.readings import Kind
from tests.unit.streams.kernels.detection.test_odd_evidence import after_float, alarms_of

TS = 1_780_000_000_000
LONG = {"value": 0, "description": "x" * 500}
ZONES = [{"id": at, "name": f"zone {at}", "value": 0, "quality": 192} for at in range(1, 31)]

NO_SMOKE: list[object] = [
    {"value": False, "quality": 192},
    {"value": 0, "ts": TS},
    {"state": "off", "name": "smoke-1"},
    {"status": "normal", "id": 7},
    {"v": 0, "q": 192, "t": TS},
    {"value": "0", "unit": "", "limit": 1},
    {"value": False, "status": "online"},
    {"value": 0, "status": 1},
    {"value": False, "active": True},
    {"value": 0, "alarm_level": 3},
    {"value": 0, "alarm": 0, "updatedAt": "2026-11-30T12:00:00Z"},
    {"smoke": 0, "zone": 2, "battery": 98},
    {"state": 0, "severity": 1, "deviceName": "烟感1"},
    {"状态": "正常", "名称": "烟感", "编号": 3},
    {"值": 0, "时间": TS, "告警阈值": 1},
    [{"id": 1, "value": 0}, {"id": 2, "value": 0}],
    {"zone1": {"value": 0, "ts": TS}, "zone2": {"value": 0, "ts": TS}},
    {"data": {"value": False, "quality": "GOOD"}, "meta": {"version": 2}},
    {"id": 101},
    {"name": "smoke-1", "ts": TS},
    {"value": None, "quality": 0},
    json.dumps({"value": 0, "ts": TS}),
    "[0, 0]",
    LONG,
    ZONES,
    "未触发",
    "无火",
    "不告警",
    "正常(0)",
    "0:正常",
    "未检测到烟雾",
    "没有告警",
    "烟感正常",
    "告警解除",
    "未浸水",
    "no_alarm",
    "Not detected",
    "alarm: off",
    "0 ppm",
    "待机",
]

SMOKE: list[object] = [
    {"value": True, "quality": 192},
    {"value": 1, "ts": TS},
    {"state": "on", "name": "smoke-1"},
    {"status": "alarm", "id": 7},
    {"v": 1, "q": 192, "t": TS},
    {"value": 0, "alarm": 1},
    {"value": False, "status": "ALARM"},
    {"value": 0, "状态": "告警"},
    {"value": None, "detected": True},
    {"smoke": 1, "status": "ok"},
    {"status": "ok", "smoke": True},
    {"状态": "有烟", "名称": "烟感"},
    {"值": 1, "时间": TS},
    [{"id": 1, "value": 0}, {"id": 2, "value": 1}],
    {"zone1": {"value": 0}, "zone2": {"value": 1, "ts": TS}},
    {"data": {"value": True}},
    {"values": [0, 0, 1]},
    {"ch1": 0, "ch2": 1},
    {"east": False, "west": True},
    {"zone": 1},
    json.dumps({"value": 1, "ts": TS}),
    "[0, 1]",
    [{"value": 1}, *ZONES],
    "未消除",
    "未确认告警",
    "不正常",
    "告警(1)",
    "1:告警",
    "告警未恢复",
    "smoke detected",
    "not normal",
    "smoke",
    "烟感动作",
]

WARM: list[object] = [
    {"value": 25, "quality": 192},
    {"value": 25.5, "ts": TS, "unit": "°C"},
    [{"id": 101, "value": 25}, {"id": 102, "value": 26}],
    [{"sensor": 90, "temp": 25}, {"sensor": 91, "temp": 26}],
    {"t1": 25, "alarm_limit": 70},
    {"t1": 25, "t2": 26, "alarm": 60, "warn": 57},
    {"temp1": 25, "humidity": 61},
    {"温度": 25, "编号": 101, "上限": 70},
    {"temperature": {"value": 25, "max_value": 125}, "thresholds": {"high": 70}},
    {"value": 25, "high": 70, "low": -20},
    {"value": "25 °C", "seq": 4711, "rssi": 70},
    {"front": 25, "back": 26, "calibratedAt": TS},
    {"count": 60, "values": [25, 26]},
    json.dumps([{"id": 101, "value": 25}]),
]

HOT: list[object] = [
    {"value": 90, "quality": 192},
    [{"id": 1, "value": 25}, {"id": 2, "value": 91}],
    [{"sensor": 1, "temp": 25}, {"sensor": 2, "temp": 92}],
    {"t1": 25, "t2": 93, "alarm_limit": 120},
    {"front": 25, "back": 94},
    {"min": 25, "max": 95},
    {"温度1": 25, "温度2": 96},
    {"values": [25, 97], "ts": TS},
    {"temperature": {"value": 98}},
    {"sensor": 99},
    {"battery_temp": 91, "ambient": 20},
    {"battery1": 25, "battery2": 92},
    {"current_temp": 93, "id": 4},
    {"value": "90.5 ℃"},
    json.dumps([{"id": 1, "value": 25}, {"id": 2, "value": 91}]),
]


def cells(*, of: float, at: int = 3, value: str = "v") -> list[dict[str, float]]:
    """Sixteen cells as objects, one of which shows another voltage."""
    return [{"id": cell, value: of if cell == at else 3.375, "temp": 25, "q": 192} for cell in range(1, 17)]


WELL: list[object] = [
    cells(of=3.39),
    cells(of=3.39, value="voltage"),
    cells(of=3.39, value="电压"),
    [{"cell": cell, "u": 3.38, "status": 1} for cell in range(1, 17)],
    [{"no": cell, "mV": 3380} for cell in range(1, 17)],
    {f"c{cell}": 3.38 for cell in range(1, 17)} | {"count": 1, "limit": 1.5},
    [{"id": cell, "value": 3.3751234, "time": "2026-11-30T12:00:00Z"} for cell in range(1, 17)],
]
DEAD: list[object] = [
    cells(of=1.0),
    cells(of=1.0, value="voltage"),
    cells(of=1.0, value="电压"),
    [{"no": cell, "mV": 1000 if cell == 4 else 3380} for cell in range(1, 17)],
    {f"c{cell}": 1.0 if cell == 9 else 3.38 for cell in range(1, 17)} | {"count": 16},
    {"cells": [{"v": 1.0 if cell == 2 else 3.38} for cell in range(16)], "limits": {"low": 2.5}},
]


@pytest.mark.parametrize("sent", NO_SMOKE, ids=str)
@pytest.mark.parametrize("field", ["smoke", "water"])
def test_an_object_or_word_of_an_input_that_is_not_set_raises_nothing(field: str, sent: object) -> None:
    """Its quality, its time, its name and its limit are no smoke, nor is a word for no."""
    assert alarms_of(Kind.SITE_POWER, [{field: False}, {field: sent}]) == set()


@pytest.mark.parametrize("sent", SMOKE, ids=str)
@pytest.mark.parametrize("field", ["smoke", "water"])
def test_an_input_that_is_set_is_heard_within_an_object(field: str, sent: object) -> None:
    """Wherever it stands, and whatever stands beside it."""
    assert alarms_of(Kind.SITE_POWER, [{field: False}, {field: sent}]) == {SignalKind(field)}


@pytest.mark.parametrize("celsius", WARM, ids=str)
def test_an_object_of_a_healthy_temperature_raises_nothing(celsius: object) -> None:
    """Its number, its quality and its limit are no temperatures."""
    assert alarms_of(Kind.BATTERY, after_float(temperature_c=celsius)) == set()


@pytest.mark.parametrize("celsius", HOT, ids=str)
def test_heat_is_heard_within_an_object(celsius: object) -> None:
    """By whatever name, beside whatever else."""
    assert alarms_of(Kind.BATTERY, after_float(temperature_c=celsius)) == {SignalKind.OVER_TEMPERATURE}


@pytest.mark.parametrize("sent", WELL, ids=str)
def test_an_object_of_healthy_cells_raises_nothing(sent: object) -> None:
    """A cell's number is not its voltage."""
    assert alarms_of(Kind.BATTERY, after_float(cell_voltage_v=sent)) == set()


@pytest.mark.parametrize("sent", DEAD, ids=str)
def test_a_short_is_heard_within_objects(sent: object) -> None:
    """The number beside it moves no cell."""
    assert alarms_of(Kind.BATTERY, after_float(cell_voltage_v=sent)) == {SignalKind.CELL_SAG}
