"""How readings and derived rows lie in tables: the one place where a model's field meets a column."""

from __future__ import annotations

from dataclasses import dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from schemas.metrics import (
    BalanceDay,
    BatteryCapacity,
    BatteryDay,
    BatteryDischarge,
    BatteryEpisode,
    BatteryHealth,
    BatteryHour,
    BatteryIdentity,
    BatteryLatest,
    BatteryQuarter,
    BatteryResistance,
    BatteryShareHour,
    BatterySoh,
    BatteryState,
    DetectorStatus,
    FuelAssay,
    GangueSum,
    GangueWindow,
    Json,
    MeterEvent,
    MeterLatest,
    MeterLoad,
    MeterMinute,
    MeterQuarter,
    Moment,
    NightFlow,
    PlantDay,
    PlantHour,
    PlantRolling,
    PlantWindow,
    Real,
    Row,
    Signal,
    SiteDoubt,
    SiteLoadHour,
    SiteOutage,
    SitePowerLatest,
    WaterDay,
)
from schemas.readings import Kind
from storage.encoding.arrays import PgType

F8, F4, I8, I4 = PgType.FLOAT8, PgType.FLOAT4, PgType.INT8, PgType.INT4
TEXT, BOOL, TIME, JSON = PgType.TEXT, PgType.BOOL, PgType.TIMESTAMPTZ, PgType.JSON


@dataclass(frozen=True, slots=True)
class ReadingColumn:
    """A column and the attribute of a reading it holds; `index` picks one element of a list attribute."""

    column: str
    type: PgType
    attribute: str
    index: int | None = None


def _scalars(kind: PgType, *names: str) -> tuple[ReadingColumn, ...]:
    return tuple(ReadingColumn(name, kind, name) for name in names)


def _elements(kind: PgType, attribute: str, pattern: str, count: int) -> tuple[ReadingColumn, ...]:
    return tuple(ReadingColumn(pattern.format(at + 1), kind, attribute, at) for at in range(count))


_COMMON = (ReadingColumn("seq", I8, "seq"), ReadingColumn("quality", TEXT, "quality"))


@dataclass(frozen=True, slots=True)
class ReadingTable:
    """One raw table; its key is (device_id, ts), and what else tells readings of one moment apart."""

    name: str
    fields: tuple[ReadingColumn, ...]
    apart: tuple[str, ...] = ()
    """Fields that are part of the key: a laboratory releases results of several samples at once."""

    @property
    def lists(self) -> dict[str, int]:
        """Attributes that are lists of `real`, spread over several columns, and over how many."""
        return {field.attribute: field.index + 1 for field in self.fields if field.index is not None}


_FLOW = ReadingTable(
    "reading_flow",
    (
        *_COMMON,
        *_scalars(F8, "volume_m3", "mass_t", "heat_gj", "flow_m3_h", "flow_t_h"),
        *_scalars(F4, "pressure_mpa", "temperature_c"),
        ReadingColumn("status_word", I8, "status"),
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
    Kind.HEAT: _FLOW,
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
        apart=("fuel", "sample_from", "sample_to"),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedTable:
    """One derived table: columns in the order of its row's fields, of the types of their annotations."""

    name: str
    key: tuple[str, ...]
    """Begins with the entity's id."""
    newest_wins: bool = False
    """Latest tables: an older row never replaces a newer one."""
    retractable: bool = False
    """Its rows can be disproved by late readings; `seen_ts` says which item gave a row out."""


DERIVED_TABLES: dict[type[Row], DerivedTable] = {
    MeterMinute: DerivedTable(name="meter_minute", key=("device_id", "quantity", "ts")),
    MeterLatest: DerivedTable(name="meter_latest", key=("device_id",), newest_wins=True),
    MeterQuarter: DerivedTable(name="meter_quarter", key=("device_id", "ts", "quantity")),
    MeterLoad: DerivedTable(name="meter_load", key=("device_id", "ts", "quantity")),
    MeterEvent: DerivedTable(name="meter_event", key=("device_id", "quantity", "ts", "kind"), retractable=True),
    PlantWindow: DerivedTable(name="plant_window", key=("site_id", "window_min", "ts")),
    PlantHour: DerivedTable(name="plant_hour", key=("site_id", "ts", "line_id")),
    PlantDay: DerivedTable(name="plant_day", key=("site_id", "ts", "line_id")),
    PlantRolling: DerivedTable(name="plant_rolling", key=("site_id", "ts", "line_id", "window_h")),
    WaterDay: DerivedTable(name="water_day", key=("site_id", "ts")),
    BalanceDay: DerivedTable(name="balance_day", key=("site_id", "ts", "medium")),
    NightFlow: DerivedTable(name="night_flow", key=("site_id", "ts", "meter_id")),
    FuelAssay: DerivedTable(name="fuel_assay", key=("device_id", "ts", "fuel", "released_ts", "until_ts")),
    GangueSum: DerivedTable(name="gangue_sum", key=("device_id", "ts", "span")),
    GangueWindow: DerivedTable(name="gangue_window", key=("device_id", "ts", "span")),
    BatteryQuarter: DerivedTable(name="battery_quarter", key=("device_id", "ts")),
    BatteryLatest: DerivedTable(name="battery_latest", key=("device_id",), newest_wins=True),
    SitePowerLatest: DerivedTable(name="site_power_latest", key=("device_id",), newest_wins=True),
    BatteryEpisode: DerivedTable(name="battery_episode", key=("device_id", "ts", "kind"), retractable=True),
    BatteryCapacity: DerivedTable(name="battery_capacity", key=("device_id", "ts"), retractable=True),
    BatteryResistance: DerivedTable(name="battery_resistance", key=("device_id", "ts"), retractable=True),
    BatteryIdentity: DerivedTable(name="battery_identity", key=("device_id", "ts", "sign"), retractable=True),
    BatteryHour: DerivedTable(name="battery_hour", key=("device_id", "ts")),
    BatterySoh: DerivedTable(name="battery_soh", key=("device_id", "ts")),
    BatteryDay: DerivedTable(name="battery_day", key=("device_id", "ts")),
    BatteryDischarge: DerivedTable(name="battery_discharge", key=("device_id", "ts")),
    BatteryHealth: DerivedTable(name="battery_health_latest", key=("device_id",), newest_wins=True),
    SiteOutage: DerivedTable(name="site_outage", key=("device_id", "ts"), retractable=True),
    BatteryShareHour: DerivedTable(name="battery_share_hour", key=("device_id", "ts")),
    SiteDoubt: DerivedTable(name="site_doubt", key=("device_id", "ts", "kind")),
    SiteLoadHour: DerivedTable(name="site_load_hour", key=("device_id", "ts")),
    BatteryState: DerivedTable(name="battery_state", key=("device_id",), newest_wins=True),
    DetectorStatus: DerivedTable(name="detector_status", key=("device_id", "metric", "kind"), newest_wins=True),
    Signal: DerivedTable(name="signal", key=("device_id", "metric", "kind", "ts"), retractable=True),
}
"""The table of each derived row."""

_COLUMN_OF = {Moment: TIME, Real: F4, Json: JSON, float: F8, int: I4, bool: BOOL}


def column_types(row_type: type[Row]) -> tuple[PgType, ...]:
    """Column types of a derived row, from the annotations of its fields, in order.

    Raises TypeError where a field is annotated with something that no column holds.
    """
    return tuple(_column_type(row_type, field, annotation) for field, annotation in _hints(row_type).items())


def column_names(row_type: type[Row]) -> tuple[str, ...]:
    """Column names of a derived row: moments are `…_ts` in Python and `…_at` in the database (`seen_ts` in both)."""
    return tuple(
        f"{field.removesuffix('_ts')}_at" if kind is TIME and field.endswith("_ts") and field != "seen_ts" else field
        for field, kind in zip(_hints(row_type), column_types(row_type), strict=True)
    )


def _hints(row_type: type[Row]) -> dict[str, Any]:
    return get_type_hints(row_type, include_extras=True)


def _column_type(row_type: type[Row], field: str, annotation: Any) -> PgType:  # noqa: ANN401 - any type
    present = annotation
    if get_origin(annotation) in {Union, UnionType}:
        present = next(part for part in get_args(annotation) if part is not type(None))
    if present in _COLUMN_OF:
        return _COLUMN_OF[present]
    if isinstance(present, type) and issubclass(present, str):
        return TEXT
    msg = f"{row_type.__name__}.{field}: no column holds {annotation}"
    raise TypeError(msg)
