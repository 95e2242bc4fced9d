"""Fields that a reading was sent with and is used without: each is kept as it came, with a reason.

One odd field costs itself, not its reading. What is set aside is no measurement, but it may be evidence: battery
safety looks at it (`evidence`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson
from pydantic_core import to_json

from schemas.quantity import LARGEST
from schemas.readings import MODELS, Kind, Reading


class AsideReason(StrEnum):
    """Why a field is not used; exhaustive."""

    OUT_OF_RANGE = "out_of_range"
    """Outside its physical or registered range, 0xFFFF among them."""
    WRONG_TYPE = "wrong_type"
    """No number where one is due, NaN, a list of another length."""
    UNKNOWN_FIELD = "unknown_field"
    """No field of this kind of reading."""
    BAD_QUALITY = "bad_quality"
    """The device itself says that the reading is bad."""


class SetAside(NamedTuple):
    """One field as it was sent, and why it is not used."""

    reason: AsideReason
    value: Any
    """JSON: of a list the whole list; text in place of what is too long or no JSON."""


Aside = Mapping[str, SetAside]
"""What was set aside of one reading, by field."""

NOTHING: Aside = MappingProxyType({})

UNKNOWN = "(unknown)"
"""Stands for all unknown fields of a reading: how many names a device can think of must not matter."""

MOST_CHARACTERS = 400
"""A value whose JSON is longer is kept as the beginning of it."""

MOST_LEVELS = 8
"""A value nested deeper is kept as text: it travels in a Kafka record, and its reader's own limit is for all of it."""

EVIDENCE: Mapping[Kind, frozenset[str]] = {
    Kind.BATTERY: frozenset({"temperature_c", "cell_voltage_v", "pack_voltage_v"}),
    Kind.SITE_POWER: frozenset({"smoke", "water", "dc_voltage_v"}),
}
"""Fields for whose sake a reading is kept even where nothing of it can be used: it may be all there is of a fire."""


def as_kept(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Bring what was sent into a form that every store on the way holds, and bound its size."""
    if isinstance(value, dict | list) and len(text := _as_text(value)) > MOST_CHARACTERS:
        return _in_short(value) or _shown(text)  # what is long is not gone through in Python
    plain = _plain(value, MOST_LEVELS)
    if isinstance(plain, str):
        return _shown(plain.replace("\0", _NUL))  # once more, and it is the same: what was cut stays readable
    text = orjson.dumps(plain).decode()
    return plain if len(text) <= MOST_CHARACTERS and _NUL not in text else _shown(text)


def _in_short(value: dict[str, Any] | list[Any]) -> list[Any] | None:
    """A list of numbers that is too long, with fewer digits, for it may be evidence; None where that does not do."""
    if not isinstance(value, list) or len(value) > MOST_CHARACTERS:
        return None
    short = [float(f"{item:.4g}") if type(item) is float and math.isfinite(item) else item for item in value]
    return (
        short
        if all(type(item) in {int, float} and abs(item) <= LARGEST for item in short)
        and (len(_as_text(short)) <= MOST_CHARACTERS)
        else None
    )


def _shown(text: str) -> str:
    return text.replace(_NUL, "\N{SYMBOL FOR NULL}")[:MOST_CHARACTERS]


def _as_text(value: Any) -> str:  # noqa: ANN401 - any JSON
    return to_json(value, inf_nan_mode="constants").decode()


_NUL = "\\u0000"
_LONG = range(-(2**63), 2**64)


def _plain(value: Any, levels: int) -> Any:  # noqa: ANN401 - any JSON
    """Say in text what JSON cannot (NaN, an integer of any length, half a character), and what is nested too deep."""
    if isinstance(value, dict | list) and not levels:
        return _as_text(value)[:MOST_CHARACTERS]
    if isinstance(value, dict):
        return {_plain(str(key), levels): _plain(item, levels - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, levels - 1) for item in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    is_odd = not math.isfinite(value) if type(value) is float else type(value) is int and value not in _LONG
    return str(value) if is_odd else value


@cache
def measured(kind: Kind) -> tuple[str, ...]:
    """Fields that a reading of a kind may carry a value in: all but identity, time and what must be there."""
    common = Reading.model_fields
    return tuple(
        name for name, field in MODELS[kind].model_fields.items() if name not in common and not field.is_required()
    )


def is_senseless(kind: Kind, reading: Reading, aside: Aside) -> bool:
    """Whether nothing is left of a reading because of what was set aside: then it is refused."""
    if any(field in EVIDENCE.get(kind, ()) for field in aside) or all(
        item.reason is AsideReason.BAD_QUALITY for item in aside.values()
    ):
        return False  # or nothing was set aside, or by the device's own word, which is heard
    return all(getattr(reading, name) is None for name in measured(kind))
