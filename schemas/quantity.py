"""Field types of readings: a number with its unit in the field's name and its valid range beside it.

A range is *declared* on the model and *enforced* where the registry is (`streams.intake.admission`),
because a device may be registered with a range of its own (a one-cell test set, a 35 kV feeder).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
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


def _to_ms(value: object) -> object:
    """RFC 3339 text to integer milliseconds since the epoch; anything else is left to pydantic."""
    if type(value) is str:
        moment = dt.datetime.fromisoformat(value)
        if moment.tzinfo is None:
            msg = "ts needs a time zone, for example 2026-03-01T08:00:00Z"
            raise ValueError(msg)
        return round(moment.timestamp() * 1000)
    return value


Timestamp = Annotated[int, BeforeValidator(_to_ms, json_schema_input_type=int | str)]
"""Milliseconds since the epoch, UTC; on the wire also RFC 3339 with a time zone."""

CalendarTime = Annotated[Timestamp, Field(ge=0, lt=253_402_300_800_000)]
"""A time inside the calendar (1970 to 9999); `ts` itself is held against the collector's clock instead."""

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]
"""Site, device and set identifiers: safe in an MQTT topic, a file name and a URL."""

Finite = Annotated[float, Field(allow_inf_nan=False)]
Total = Annotated[Finite, Register(), Range(0, None)]
"""A register reading: never negative; it may roll over, be reset or be replaced."""

EARLIEST_MS = 946_684_800_000
"""2000-01-01: a device clock before this has lost its battery, or sends seconds for milliseconds."""

CLOCK_AHEAD_MS = 5 * 60_000
"""A reading more than this in the collector's future is quarantined as `clock_ahead`."""
