"""All kinds of reading on the wire. Units stand in the field names; ranges beside the fields.

Source: docs/message-format.md, "Kinds". Every field but `ts` may be absent: a missing value is unknown, never zero.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import Annotated, ClassVar, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator, model_validator

from schemas.quantity import (
    EARLIEST_TS,
    CalendarTime,
    Finite,
    Identifier,
    Range,
    Rate,
    Register,
    Timestamp,
    Total,
    Whole,
    refuse,
)
from schemas.time import DAY_MS
from schemas.words import refusals


class Kind(StrEnum):
    """Kinds of reading; the third level of the MQTT topic."""

    ELECTRICITY = "electricity"
    WATER = "water"
    STEAM = "steam"
    HEAT = "heat"
    GAS = "gas"
    PRODUCTION = "production"
    GANGUE_UNIT = "gangue_unit"
    LAB = "lab"
    BATTERY = "battery"
    SITE_POWER = "site_power"


class DeviceQuality(StrEnum):
    """What the device itself says of a reading."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    BAD = "bad"

    @classmethod
    def _missing_(cls, value: object) -> DeviceQuality | None:
        """Read it as others write it: `Good`, `BAD`, `Bad_NoCommunication`."""
        word = value.lower() if isinstance(value, str) else ""
        return next((quality for quality in cls if word.startswith(quality.value)), None)


class Reading(BaseModel):
    """What every reading has. Identity is in the topic; given in the payload too, it must be the same."""

    model_config = ConfigDict(extra="forbid", strict=True)
    KIND: ClassVar[frozenset[Kind]] = frozenset()

    ts: Timestamp
    seq: Annotated[int, Whole(0, 2**63 - 1)] | None = None
    quality: Annotated[DeviceQuality, Field(strict=False)] | None = None
    site_id: Identifier | None = None
    device_id: Identifier | None = None
    kind: Annotated[Kind, Field(strict=False)] | None = None


Phases = Annotated[list[Annotated[Finite, Range(0, 500_000)]], Field(min_length=3, max_length=3)]
Currents = Annotated[list[Annotated[Finite, Range(-100_000, 100_000)]], Field(min_length=3, max_length=3)]
StatusWord = Annotated[int, Whole(-(2**31), 2**32 - 1)]
"""Bits of 32, whether their sender takes them for signed or not."""
AlarmWord = Annotated[int, Whole(-(2**63), 2**64 - 1)]
"""Bits of up to 64, whether their sender takes them for signed or not."""
Text = Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f]*$")]


class ElectricityReading(Reading):
    """An energy meter (电能表). Usual period 15–60 s. `power_kw` is held to ±1.2 × the registered rating."""

    KIND = frozenset({Kind.ELECTRICITY})

    energy_import_kwh: Total | None = None
    energy_export_kwh: Total | None = None
    reactive_kvarh: Total | None = None
    power_kw: Rate | None = None
    voltage_v: Phases | None = None
    current_a: Currents | None = None
    power_factor: Annotated[Finite, Range(-1, 1)] | None = None
    frequency_hz: Annotated[Finite, Range(45, 55)] | None = None


class FlowReading(Reading):
    """A flow meter for water, steam, heat or gas. Usual period 60 s to 15 min.

    Flow is held to −0.1…1.2 × the registered maximum, pressure to 40 MPa for steam and 4 MPa otherwise. A heat meter
    counts `heat_gj`, whether steam or hot water brings the heat.
    """

    KIND = frozenset({Kind.WATER, Kind.STEAM, Kind.HEAT, Kind.GAS})

    volume_m3: Total | None = None
    mass_t: Total | None = None
    heat_gj: Total | None = None
    flow_m3_h: Rate | None = None
    flow_t_h: Rate | None = None
    pressure_mpa: Annotated[Finite, Range(0, 40)] | None = None
    temperature_c: Annotated[Finite, Range(-20, 600)] | None = None
    status: StatusWord | None = None


class ProductionReading(Reading):
    """Product made, from the MES or a weighbridge. Usual period 60 s."""

    KIND = frozenset({Kind.PRODUCTION})

    mass_t: Total | None = None
    state: Text | None = None
    grade: Text | None = None


class GangueUnitReading(Reading):
    """A coal-gangue power unit's control system (煤矸石机组 DCS). Usual period 10–60 s."""

    KIND = frozenset({Kind.GANGUE_UNIT})

    power_mw: Annotated[Finite, Range(0, 1100)] | None = None
    generated_mwh: Total | None = None
    auxiliary_mwh: Total | None = None
    gangue_t: Total | None = None
    slime_t: Total | None = None
    coal_t: Total | None = None
    limestone_t: Total | None = None
    fly_ash_t: Total | None = None
    bed_ash_t: Total | None = None
    gypsum_t: Total | None = None
    heat_export_gj: Total | None = None
    bed_temperature_c: Annotated[Finite, Range(0, 1050)] | None = None
    steam_flow_t_h: Annotated[Finite, Range(0, 4000)] | None = None
    steam_pressure_mpa: Annotated[Finite, Range(0, 40)] | None = None
    steam_temperature_c: Annotated[Finite, Range(-20, 650)] | None = None


LONGEST_SAMPLE_MS = 366 * DAY_MS
"""Of the longest composite that anybody analyses. (unsourced)"""


class LabReading(Reading):
    """A laboratory's analysis of one batch of fuel; arrives hours late. `ts` is when it was released."""

    KIND = frozenset({Kind.LAB})

    sample_from: CalendarTime
    sample_to: CalendarTime
    fuel: Text
    lhv_mj_kg: Annotated[Finite, Range(4, 25)] | None = None
    ash_pct: Annotated[Finite, Range(0, 80)] | None = None
    sulphur_pct: Annotated[Finite, Range(0, 6)] | None = None
    moisture_pct: Annotated[Finite, Range(0, 30)] | None = None

    @model_validator(mode="after")
    def _sampled_before_released(self) -> Self:
        if not self.sample_from <= self.sample_to <= self.ts:
            times = {"sample_from": self.sample_from, "sample_to": self.sample_to, "ts": self.ts}
            refuse(refusals.SAMPLE_ORDER(**times))
        if self.sample_from < EARLIEST_TS:
            refuse(refusals.SAMPLE_BEFORE_2000(ts=self.sample_from))
        if self.sample_to - self.sample_from > LONGEST_SAMPLE_MS:
            refuse(refusals.SAMPLE_TOO_LONG())
        return self


CELL_V = Range(0, 5)
"""A cell that is shorted or overcharged shows this too; that it should not is for the detectors to say."""
BATTERY_C = Range(-40, 300)
"""A cell that burns shows this; above it are the numbers that stand for no sensor (327.67, 655.35, 6553.5)."""
BUS_V = Range(0, 75)
"""A dead bus is at 0 V."""

Cells = Annotated[list[Annotated[Finite, CELL_V] | None], Field(min_length=1, max_length=16)]
Temperatures = Annotated[list[Annotated[Finite, BATTERY_C] | None], Field(min_length=1, max_length=4)]


class BatteryReading(Reading):
    """A battery set's BMS through the site's FSU. 60 s; 1–10 s for five minutes after a mains change.

    `current_a` is positive while charging. A cell at exactly 0.000 V is an absent channel and becomes None.
    """

    KIND = frozenset({Kind.BATTERY})

    pack_voltage_v: Annotated[Finite, BUS_V] | None = None
    current_a: Annotated[Finite, Range(-200, 200)] | None = None
    soc_pct: Annotated[Finite, Range(0, 100)] | None = None
    soh_bms_pct: Annotated[Finite, Range(0, 100)] | None = None
    cell_voltage_v: Cells | None = None
    temperature_c: Temperatures | None = None
    ambient_c: Annotated[Finite, BATTERY_C] | None = None
    remaining_ah: Annotated[Finite, Range(0, 10_000)] | None = None
    full_ah: Annotated[Finite, Range(0, 10_000)] | None = None
    cycles: Annotated[int, Whole(0, 2**31 - 1), Range(0, 20_000)] | None = None
    alarm_words: Annotated[list[AlarmWord], Field(max_length=16)] | None = None
    mode: Text | None = None

    @field_validator("cell_voltage_v", mode="after")
    @classmethod
    def _absent_channels(cls, cells: list[float | None] | None) -> list[float | None] | None:
        if cells is not None and 0.0 in cells:
            return [None if volts == 0.0 else volts for volts in cells]
        return cells


class SitePowerReading(Reading):
    """A base station's power system, from the FSU (动环监控). 60 s; at once on a mains change."""

    KIND = frozenset({Kind.SITE_POWER})

    mains_voltage_v: Annotated[list[Annotated[Finite, Range(0, 500)]], Field(min_length=1, max_length=3)] | None = None
    mains_failed: bool | None = None
    dc_voltage_v: Annotated[Finite, BUS_V] | None = None
    dc_load_current_a: Annotated[Finite, Range(0, 500)] | None = None
    smoke: bool | None = None
    water: bool | None = None
    door: bool | None = None


MODELS: dict[Kind, type[Reading]] = {
    kind: model
    for model in (
        ElectricityReading,
        FlowReading,
        ProductionReading,
        GangueUnitReading,
        LabReading,
        BatteryReading,
        SitePowerReading,
    )
    for kind in model.KIND
}
"""The one model of each kind of reading."""

ADAPTERS: dict[Kind, TypeAdapter[Reading]] = {kind: TypeAdapter(model) for kind, model in MODELS.items()}


def _metadata(annotation: object) -> list[object]:
    """All `Annotated` metadata anywhere inside an annotation, outermost first."""
    found: list[object] = []
    if get_origin(annotation) is Annotated:
        inner, *extra = get_args(annotation)
        return [*extra, *_metadata(inner)]
    for argument in get_args(annotation):
        found += _metadata(argument)
    return found


@cache
def registers_of(kind: Kind) -> tuple[str, ...]:
    """Names of a kind's register fields, in the model's order."""
    return tuple(
        name
        for name, field in MODELS[kind].model_fields.items()
        if any(isinstance(item, Register) for item in [*field.metadata, *_metadata(field.annotation)])
    )


@cache
def ranges_of(kind: Kind) -> dict[str, Range]:
    """Declared valid range by field name; for a list field, the range of each element."""
    ranges: dict[str, Range] = {}
    for name, field in MODELS[kind].model_fields.items():
        for item in [*field.metadata, *_metadata(field.annotation)]:
            if isinstance(item, Range):
                ranges[name] = item
                break
    return ranges


@cache
def elements_apart(kind: Kind) -> frozenset[str]:
    """Name the list fields of which one element may be unknown while the others are used."""
    return frozenset(
        name
        for name, field in MODELS[kind].model_fields.items()
        if any(
            get_origin(part) is list and type(None) in get_args(get_args(part)[0]) for part in _parts(field.annotation)
        )
    )


def _parts(annotation: object) -> list[object]:
    """An annotation without `Annotated`, and the members of a union."""
    if get_origin(annotation) is Annotated:
        return _parts(get_args(annotation)[0])
    if get_origin(annotation) is list:
        return [annotation]
    return [found for member in get_args(annotation) for found in _parts(member)]
