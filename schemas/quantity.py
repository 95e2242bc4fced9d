"""Field types of readings: a number with its unit in the field's name and its valid range beside it.

A range is *declared* on the model and *enforced* where the registry is (`streams.intake.admission`),
because a device may be registered with a range of its own (a one-cell test set, a 35 kV feeder).
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, LiteralString, Never

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError, core_schema

from schemas.time import DAY_MS
from schemas.words import refusals

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema


@dataclass(frozen=True, slots=True)
class Range:
    """Valid range of a quantity, both ends included; None leaves an end open."""

    low: float | None
    high: float | None

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Show the range as `minimum` and `maximum` in the exported JSON Schema."""
        schema = handler(core_schema)
        if self.low is not None:
            schema["minimum"] = self.low
        if self.high is not None:
            schema["maximum"] = self.high
        return schema


@dataclass(frozen=True, slots=True)
class Register:
    """Marks a field as a register: a running total whose differences are the consumption."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number with both ends included, as JSON Schema has it: `1.0` and `1e3` are whole numbers, too."""

    low: int
    high: int

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Take an integer as it is, and only where it is none look at a float."""
        whole = core_schema.int_schema(strict=True, ge=self.low, le=self.high)
        written = core_schema.chain_schema(
            [core_schema.float_schema(strict=True), core_schema.no_info_plain_validator_function(_whole), whole]
        )
        either: list[CoreSchema | tuple[CoreSchema, str]] = [whole, written]
        return core_schema.union_schema(
            either,
            mode="left_to_right",
            custom_error_type="whole_number",
            custom_error_message=refusals.WHOLE_FROM_TO(low=self.low, high=self.high),
        )

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Show it as an integer."""
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


def _whole(value: float) -> int:
    if not value.is_integer():
        refuse(refusals.NOT_WHOLE())
    return int(value)


_PROBLEM: tuple[LiteralString, LiteralString] = ("value", "{problem}")


def refuse(problem: str) -> Never:
    """Say what is wrong with a value that is being read.

    Not by a ValueError: pydantic keeps one in its own error, with its traceback and so with all that the callers hold,
    in a circle that Python's collector does not see. Three thousand messages of 10 kB with an odd time kept 40 MB.
    """
    raise PydanticCustomError(*_PROBLEM, {"problem": problem}) from None


_RFC_3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-](\d\d):(\d\d))?", re.ASCII)
_LEAP = "60"
_MICROSECONDS = 7
"""Digits of a fraction, with its point, that a moment keeps; it may have more."""
_LAST_HOUR, _LAST_SIXTIETH = 23, 59


def _to_ms(value: object) -> int:
    """RFC 3339 text, or a whole number, to milliseconds since the epoch. Raises PydanticCustomError."""
    if type(value) is int:
        return value
    if type(value) is str:
        return _moment(value)
    if type(value) is float and value.is_integer():
        return int(value)
    refuse(refusals.NOT_A_TIME())


def _moment(text: str) -> int:
    """Read a moment as RFC 3339 has it; a leap second is the first of the next day, as clocks that know none have it.

    Raises PydanticCustomError.
    """
    found = _RFC_3339.fullmatch(text)
    if found is None:
        refuse(refusals.NOT_RFC_3339())
    date, hour, minute, second, fraction, zone, zone_hour, zone_minute = found.groups()
    if zone is None:
        refuse(refusals.NO_TIME_ZONE())
    is_leap = second == _LEAP
    if int(hour) > _LAST_HOUR or int(minute) > _LAST_SIXTIETH or (int(second) > _LAST_SIXTIETH and not is_leap):
        refuse(refusals.NO_TIME_OF_DAY(time=f"{hour}:{minute}:{second}"))
    if zone_hour is not None and (int(zone_hour) > _LAST_HOUR or int(zone_minute) > _LAST_SIXTIETH):
        refuse(refusals.NO_OFFSET(zone=zone))
    fraction = (fraction or "")[:_MICROSECONDS]
    written = f"{date}T{hour}:{minute}:{'59' if is_leap else second}{fraction}{zone.upper()}"
    try:
        ms = round(dt.datetime.fromisoformat(written).timestamp() * 1000)
    except ValueError:
        refuse(refusals.NO_DAY(date=date))
    if not is_leap:
        return ms
    if (ms + 1000) % DAY_MS >= 1000:  # noqa: PLR2004 - one second
        refuse(refusals.LEAP_SECOND())
    return ms + 1000


TO_MS = BeforeValidator(_to_ms, json_schema_input_type=int | str)
Timestamp = Annotated[int, TO_MS]
"""Milliseconds since the epoch, UTC; on the wire also RFC 3339 with a time zone."""

CALENDAR_END_TS = 253_402_300_800_000
"""The year 10000, which has no date any more."""

CalendarTime = Annotated[Timestamp, Field(ge=0, lt=CALENDAR_END_TS)]
"""A time inside the calendar (1970 to 9999); `ts` itself is held against the collector's clock instead."""

QuarterOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):(00|15|30|45)$")]
"""A time of day, HH:MM, at which a quarter of an hour begins."""

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]
"""Site, device and set identifiers: safe in an MQTT topic, a file name and a URL."""

Finite = Annotated[float, Field(allow_inf_nan=False)]
LARGEST = 1e15
"""No meter measures more, in any unit: it is a hundred times what China uses of kWh in a year, and little more makes a
float64 too coarse to count by ones. (unsourced)"""
Rate = Annotated[Finite, Range(-LARGEST, LARGEST)]
"""An instantaneous value that only its device's rating bounds more closely."""
Total = Annotated[Finite, Register(), Range(0, LARGEST)]
"""A register reading: never negative; it may roll over, be reset or be replaced."""

EARLIEST_TS = 946_684_800_000
"""2000-01-01: a device clock before this has lost its battery, or sends seconds for milliseconds."""

CLOCK_AHEAD_MS = 5 * 60_000
"""A reading more than this in the collector's future is quarantined as `clock_ahead`."""

FAR_BEHIND_MS = 400 * DAY_MS
"""A reading so much older than its arrival, and than the device's newest reading, is `clock_behind`. (unsourced)

Longer than a year, so that a year's history may come in any order.
"""

HORIZON_MS = 20 * 366 * DAY_MS
"""A reading that is so old when it arrives is `clock_behind` in any case: clocks that were lost begin at 2000.
Recordings of 2008, which people do replay, are younger. (unsourced)"""
