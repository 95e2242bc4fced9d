"""How readings and derived rows lie in tables: the one place where a model's field meets a column."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import orjson

from schemas.metrics import (
    BatteryLatest,
    BatteryQuarter,
    MeterLatest,
    MeterMinute,
    PlantWindow,
    Row,
    SitePowerLatest,
)
from schemas.readings import Kind, Reading
from storage.arrays import Column, PgType

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

F8, F4, I8, I4 = PgType.FLOAT8, PgType.FLOAT4, PgType.INT8, PgType.INT4
TEXT, BOOL, TIME, JSON = PgType.TEXT, PgType.BOOL, PgType.TIMESTAMPTZ, PgType.JSON


@dataclass(frozen=True, slots=True)
class Field:
    """A column and the attribute of a reading it holds; `index` picks one element of a list attribute."""

    column: str
    type: PgType
    attribute: str
    index: int | None = None


def _scalars(kind: PgType, *names: str) -> tuple[Field, ...]:
    return tuple(Field(name, kind, name) for name in names)


def _elements(kind: PgType, attribute: str, pattern: str, count: int) -> tuple[Field, ...]:
    return tuple(Field(pattern.format(at + 1), kind, attribute, at) for at in range(count))


_COMMON = (Field("seq", I8, "seq"), Field("quality", TEXT, "quality"))


@dataclass(frozen=True, slots=True)
class ReadingTable:
    """One raw table; its key is (device_id, ts)."""

    name: str
    fields: tuple[Field, ...]

    def columns(self, readings: Sequence[Reading]) -> list[Column]:
        """Lay readings out as this table's columns, and give them, in place, exactly the values those will hold.

        `real` columns keep 24 bits of mantissa. A kernel that saw more than the table holds would come to other
        figures live than from a recompute; so it never does.
        """
        matrices = {attribute: _rounded_lists(attribute, width, readings) for attribute, width in self.lists.items()}
        return [
            Column(field.type, _scalars_of(field, readings))
            if field.index is None
            else Column(field.type, matrices[field.attribute][:, field.index])
            for field in self.fields
        ]

    @property
    def lists(self) -> dict[str, int]:
        """Attributes that are lists of `real`, spread over several columns, and over how many."""
        return {field.attribute: field.index + 1 for field in self.fields if field.index is not None}


def _scalars_of(field: Field, readings: Sequence[Reading]) -> Sequence[object] | npt.NDArray[np.float32]:
    attribute = field.attribute
    raw = [getattr(reading, attribute) for reading in readings]
    if field.type is F4:
        rounded = np.array(raw, dtype=np.float32)  # None becomes NaN
        for reading, before, after in zip(readings, raw, rounded.tolist(), strict=True):
            if before is not None:
                reading.__dict__[attribute] = after
        return rounded
    if field.type is JSON:
        return [None if value is None else orjson.dumps(value).decode() for value in raw]
    return raw


def _rounded_lists(attribute: str, width: int, readings: Sequence[Reading]) -> npt.NDArray[np.float32]:
    """A list attribute of many readings as `real`, shape (readings, width); absent elements are NaN."""
    padding = [None] * width
    rows = []
    for reading in readings:
        items = getattr(reading, attribute)
        if items is None:
            rows.append(padding)
        else:
            rows.append(items if len(items) == width else [*items, *padding[len(items) :]])
    matrix = np.array(rows, dtype=np.float32).reshape(len(rows), width)
    absent = np.logical_or.reduce(np.isnan(matrix), axis=1).tolist()
    for reading, items, incomplete in zip(readings, matrix.tolist(), absent, strict=True):
        reading.__dict__[attribute] = _present(items) if incomplete else items
    return matrix


def _present(items: list[float]) -> list[float | None] | None:
    """A stored list without its trailing absences; a list of nothing but absences is no list."""
    found: list[float | None] = [None if math.isnan(item) else item for item in items]
    while found and found[-1] is None:
        found.pop()
    return found or None


_FLOW = ReadingTable(
    "reading_flow",
    (
        *_COMMON,
        *_scalars(F8, "volume_m3", "mass_t", "flow_m3_h", "flow_t_h"),
        *_scalars(F4, "pressure_mpa", "temperature_c"),
        *_scalars(I4, "status"),
    ),
)

READING_TABLES: dict[Kind, ReadingTable] = {
    Kind.ELECTRICITY: ReadingTable(
        "reading_electricity",
        (
            *_COMMON,
            *_scalars(F8, "energy_import_kwh", "energy_export_kwh", "reactive_kvarh", "power_kw"),
            *_elements(F4, "voltage_v", "voltage_{}_v", 3),
            *_elements(F4, "current_a", "current_{}_a", 3),
            *_scalars(F4, "power_factor", "frequency_hz"),
        ),
    ),
    Kind.WATER: _FLOW,
    Kind.STEAM: _FLOW,
    Kind.GAS: _FLOW,
    Kind.PRODUCTION: ReadingTable(
        "reading_production", (*_COMMON, *_scalars(F8, "mass_t"), *_scalars(TEXT, "state", "grade"))
    ),
    Kind.GANGUE_UNIT: ReadingTable(
        "reading_gangue_unit",
        (
            *_COMMON,
            *_scalars(F8, "power_mw", "generated_mwh", "auxiliary_mwh", "gangue_t", "slime_t", "coal_t"),
            *_scalars(F8, "limestone_t", "fly_ash_t", "bed_ash_t", "gypsum_t", "heat_export_gj"),
            *_scalars(F4, "bed_temperature_c", "steam_flow_t_h", "steam_pressure_mpa", "steam_temperature_c"),
        ),
    ),
    Kind.LAB: ReadingTable(
        "reading_lab",
        (
            *_COMMON,
            *_scalars(TIME, "sample_from", "sample_to"),
            *_scalars(TEXT, "fuel"),
            *_scalars(F8, "lhv_mj_kg", "ash_pct", "sulphur_pct", "moisture_pct"),
        ),
    ),
    Kind.BATTERY: ReadingTable(
        "reading_battery",
        (
            *_COMMON,
            *_scalars(F8, "pack_voltage_v", "current_a"),
            *_scalars(F4, "soc_pct", "soh_bms_pct"),
            *_elements(F4, "cell_voltage_v", "cell_{:02d}_v", 16),
            *_elements(F4, "temperature_c", "temperature_{}_c", 4),
            *_scalars(F4, "ambient_c", "remaining_ah", "full_ah"),
            *_scalars(I4, "cycles"),
            *_scalars(JSON, "alarm_words"),
            *_scalars(TEXT, "mode"),
        ),
    ),
    Kind.SITE_POWER: ReadingTable(
        "reading_site_power",
        (
            *_COMMON,
            *_elements(F4, "mains_voltage_v", "mains_voltage_{}_v", 3),
            *_scalars(BOOL, "mains_failed"),
            *_scalars(F4, "dc_voltage_v", "dc_load_current_a"),
            *_scalars(BOOL, "smoke", "water", "door"),
        ),
    ),
}
"""The raw table of each kind of reading."""


@dataclass(frozen=True, slots=True)
class DerivedTable:
    """One derived table: columns in the order of its row's fields."""

    name: str
    key: tuple[str, ...]
    types: tuple[PgType, ...]
    newest_wins: bool = False
    """Latest tables: an older row never replaces a newer one."""


DERIVED_TABLES: dict[type[Row], DerivedTable] = {
    MeterMinute: DerivedTable("meter_minute", ("device_id", "quantity", "ts"), (TEXT, TEXT, TIME, TEXT, F8, F4, TEXT)),
    MeterLatest: DerivedTable("meter_latest", ("device_id",), (TEXT, TIME, TEXT, TEXT, TIME, F8, F8), newest_wins=True),
    PlantWindow: DerivedTable(
        "plant_window",
        ("site_id", "window_min", "ts"),
        (TEXT, I4, TIME, F8, F8, F8, F8, F8, F8, F8, F4, TEXT, TEXT),
    ),
    BatteryQuarter: DerivedTable(
        "battery_quarter", ("device_id", "ts"), (TEXT, TIME, TEXT, F8, F8, F8, F8, F4, F4, F4, F4, F4, TEXT)
    ),
    BatteryLatest: DerivedTable(
        "battery_latest",
        ("device_id",),
        (TEXT, TIME, TEXT, TIME, F8, F8, F4, F4, F4, F4, F4, I4, F4, F4, F4),
        newest_wins=True,
    ),
    SitePowerLatest: DerivedTable(
        "site_power_latest",
        ("device_id",),
        (TEXT, TIME, TEXT, TIME, BOOL, F4, F4, F4, BOOL, BOOL, BOOL),
        newest_wins=True,
    ),
}
"""The table of each derived row."""


def column_name(field: str) -> str:
    """Column of a row's field: times are `…_ms` in Python and `…_at` in the database."""
    return f"{field.removesuffix('_ms')}_at" if field.endswith("_ms") else field
