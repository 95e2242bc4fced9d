"""What a device that writes objects has measured: its value, and not its number, its time, its quality or its limit.

A danger must be heard in whatever form it is written, and a healthy device that sends more than a bare value must not
become one. Of an object the parts count that are named as a value is, and channels that are numbered; where none is,
all parts but those that only describe it.
"""

from __future__ import annotations

import math
import re
from typing import Any

from pydantic_core import from_json

from schemas.aside import MOST_CHARACTERS

VALUE = frozenset(
    {"value", "val", "v", "current_value", "reading", "measure", "measured", "measurement", "data", "result"}
    | {"值", "数值", "当前值", "实时值", "测量值", "测值"}
)
CELSIUS = frozenset(
    {"temperature", "temp", "t", "celsius", "c", "deg_c", "temperature_c", "temp_c", "t_c", "温度", "温度值"}
)
VOLTS = frozenset(
    {
        "voltage",
        "volt",
        "volts",
        "u",
        "m_v",
        "mv",
        "voltage_v",
        "voltage_mv",
        "cell_voltage",
        "电压",
        "电压值",
        "单体电压",
    }
)
STATE = frozenset(
    {"state", "status", "alarm", "alarmed", "alert", "active", "triggered", "detected", "on", "warning", "warn", "trip"}
    | {"alarm_state", "alarm_status", "状态", "告警", "报警", "告警状态", "报警状态", "触发"}
)
"""How an input's verdict is named; of a measured figure these are words about it, or limits."""
_ABOUT = """
    id uid uuid ts time timestamp date datetime quality q qos unit units uom name label tag title desc description
    comment remark note limit limits threshold setpoint hysteresis range rated nominal accuracy resolution precision
    scale factor gain offset calibration seq sequence index idx no nr num number count counter total size version
    ver fw model vendor serial sn addr address port type kind class category priority age interval period duration
    uptime rssi snr humidity rh pressure soc soh resistance ir capacity meta info config last updated since source
    src enabled enable online valid ok connected installed muted ack acknowledged health healthy good ready
"""
ABOUT = frozenset(_ABOUT.split())
"""A word in a part's name by which it only describes the value."""
_BESIDE = """
    cell sensor channel ch slot rack module string pack group zone location position pos room floor site device k n
    i point battery power current level severity
"""
BESIDE = frozenset(_BESIDE.split())
"""Names of parts that tell which of several it is, unless there is nothing else."""
_LIMITING = frozenset({"alarm", "warn", "warning", "trip", "alert"})
"""Beside a value a limit is meant by it, or a word about the value."""
ABOUT_CHINESE = re.compile(
    r"时间|时刻|名称|名字|编号|序号|编码|单位|质量|阈值|限|类型|位置|备注|描述|地址|设备|厂家|型号|版本|等级|级别|湿度|通道号"
)
CONTAINER = (dict, list)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\x00-\x7f]+")
_NUMBERED = re.compile(
    r"(?:v|t|c|u|s|ch|temp|temperature|cell|sensor|channel|probe|zone|通道|温度|单体|电池)?[_ #-]?\d+"
)


def parts_of(value: dict[str, Any], names: frozenset[str], *, leave: frozenset[str] = frozenset()) -> list[Any]:
    """Those of an object that are what it measures, in its order; `names` is what the field itself is called.

    Parts named as in `leave` are none.
    """
    parts = [(plain_name(key), part) for key, part in value.items() if not _is_about(key, leave)]
    named = [part for name, part in parts if is_value(name, names) or isinstance(part, CONTAINER)]
    if any(part not in (None, [], {}) for part in named):
        return named
    return [part for name, part in parts if name not in BESIDE] or [part for _, part in parts]


def is_value(name: str, names: frozenset[str]) -> bool:
    """Whether a part is named as a value is, as its field, or as one of several channels."""
    return name in VALUE or name in names or _NUMBERED.fullmatch(name) is not None


def plain_name(key: str) -> str:
    """A part's name as the sets of names have it: `currentValue` is `current_value`."""
    return "_".join(_WORDS.findall(key)).lower()


def _is_about(key: str, leave: frozenset[str]) -> bool:
    """Whether a part is named as what only describes, or is to be left."""
    if (name := plain_name(key)) in VALUE:
        return False
    words = name.split("_")
    if words[-1] == "at" or name in {"min_value", "max_value"}:
        return True
    if leave and (name in leave or name.removesuffix("s") in leave or not _LIMITING.isdisjoint(words)):
        return True
    return ABOUT_CHINESE.search(key) is not None or any(
        word in ABOUT or word.removesuffix("s") in ABOUT for word in words
    )


_WITH_UNIT = re.compile(
    r"\s*([-+]?\d+(?:[.,]\d+)?)\s*(?:°\s?C|℃|C|V)\s*|\s*([-+]?\d+,\d+)\s*", re.ASCII | re.IGNORECASE
)
"""A number with its unit behind it, or with a decimal comma: `250 °C`, `250,0`."""


def as_number(value: Any) -> float | None:  # noqa: ANN401 - any JSON
    """Read a number, also one that was sent as text; None for anything else."""
    if type(value) is float:
        return value if math.isfinite(value) else None
    if type(value) is int:
        return float(value)
    if isinstance(value, str):
        found = _WITH_UNIT.fullmatch(value)
        try:
            number = float(value if found is None else (found[1] or found[2]).replace(",", "."))
        except ValueError:
            return None
        return number if math.isfinite(number) else None
    return None


def numbers(value: Any, names: frozenset[str]) -> list[float | None]:  # noqa: ANN401 - any JSON
    """Read a list of numbers, however it is nested, named or written, or a single one.

    `names` is what one of them may be called in an object: `CELSIUS`, `VOLTS`.
    """
    if value is None:
        return []
    if isinstance(value, dict):
        return numbers(parts_of(value, names, leave=STATE), names)
    if isinstance(value, list):
        return [
            found
            for item in value
            for found in ((numbers(item, names) or [None]) if isinstance(item, CONTAINER) else [as_number(item)])
        ]
    return numbers(listed(value), names) if is_json(value) else [as_number(value)]


def is_json(value: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether a text is one of a list or of an object."""
    return isinstance(value, str) and value.lstrip()[:1] in {"[", "{"}


def listed(text: str) -> Any:  # noqa: ANN401 - any JSON
    """A list or an object that was sent as text, or is kept as its beginning; None where it is none."""
    is_cut = len(text) >= MOST_CHARACTERS
    try:
        return from_json(text[: text.rfind(",")] if is_cut else text, allow_partial=is_cut)
    except ValueError:
        return None
