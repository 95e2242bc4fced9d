"""Battery sets 电池组: which sets count, how their figures are distributed, and which are the worst."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit import fields, panels, sql, thresholds
from dashboards.kit.dashboard import Variable
from dashboards.kit.fields import Field, Link
from dashboards.kit.panels import About, Panel
from dashboards.words import labels
from schemas.words import Language, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

REST_C = 0.02
"""Below this many C of current a set neither charges nor discharges.

Source: docs/battery-health.md, "Numbers and their sources".
"""

WORST = 20

TO_SET = Link("battery-set", Text("看单组", "Battery set"), {"set": "device_id"})

DISCHARGES = f"b.current_a < -{REST_C} * (d.detail -> 'battery' ->> 'nominal_ah')::float8"

SETS = f"""FROM device d
JOIN site s USING (site_id)
LEFT JOIN battery_latest b USING (device_id)
WHERE d.kind = 'battery' AND {sql.IN_CITY}"""
"""Every registered set with its newest view, if it has one."""

FRESH_SETS = f"""FROM device d
JOIN site s USING (site_id)
JOIN battery_latest b USING (device_id)
WHERE d.kind = 'battery' AND {sql.IN_CITY} AND {sql.fresh("b")}"""
"""Sets that report: an old view is not the present."""

FRESH_ONLY = Text("只统计在线上报的电池组。", "Only sets that report are counted. ")

REASON = (
    "(CASE WHEN n.remaining_reason = 'no_discharge' AND sets.discharging > 0 THEN 'just_begun'"
    " ELSE n.remaining_reason END)"
)
"""What is left is told from the first reading of each minute on; the current shows a discharge with its first."""


def _cities(language: Language) -> str:
    return f"""
SELECT DISTINCT s.city AS __value, {sql.city(language)} AS __text
FROM site s
WHERE s.sector = 'base_station'
ORDER BY 2, 1
"""  # noqa: S608 - fragments of ours


CITY = Variable(name="city", label=labels.CITY_COLUMN, query=_cities, with_all=True)
"""Cities that have base stations."""


def _sets(language: Language) -> str:
    return f"""
SELECT device_id AS __value, {sql.name_and_identifier(language, "d", "device_id")} AS __text
FROM device d
WHERE kind = 'battery' AND {sql.searched("d.device_id", "d.name", "d.name_zh")}
ORDER BY {sql.typed_first("d.device_id")}, 2, 1
LIMIT 500
"""  # noqa: S608 - fragments of ours


ONE_SET = Variable(name="set", label=labels.SET, query=_sets)
"""A set, found by a part of its name."""


def spread_field(name: str = "cell_spread_mv", label: Text = labels.SPREAD) -> Field:
    """Cell spread with its thresholds."""
    return Field(name=name, label=label, unit="mV", decimals=0, width=90, thresholds=fields.SPREAD_STEPS)


def temperature_field(name: str = "temperature_max_c") -> Field:
    """Highest temperature with its thresholds."""
    return Field(
        name=name, label=labels.TEMPERATURE_MAX, unit="°C", decimals=1, width=70, thresholds=fields.TEMPERATURE_STEPS
    )


def _distribution(about: About, column: str, field: Field, bucket: int) -> Panel:
    query = f"SELECT b.{column}::float8 AS {field.name}\n{FRESH_SETS} AND b.{column} IS NOT NULL"
    return panels.histogram(about, query, field, bucket=bucket)


def spread_distribution(language: Language) -> Panel:
    """Histogram of cell spread."""
    about = About(
        language=language,
        title=Text("单体压差分布 mV", "Cell spread, mV"),
        description=Text(
            FRESH_ONLY.zh + f"压差 = 单体最高 − 最低电压；浮充下 > {thresholds.SPREAD_RETIRE_MV} mV 建议退役。"
            "来源：battery_latest.cell_spread_mv。",
            FRESH_ONLY.en + "Spread = highest less lowest cell; "
            f"above {thresholds.SPREAD_RETIRE_MV} mV at float retirement is advised. "
            "Source: battery_latest.cell_spread_mv.",
        ),
        width=8,
        height=7,
        empty=labels.NO_SET_REPORTS,
    )
    field = Field(name="spread", label=labels.SETS, unit="mV", decimals=0, color=fields.PRIMARY)
    return _distribution(about, "cell_spread_mv", field, bucket=5)


def temperature_distribution(language: Language) -> Panel:
    """Histogram of the highest temperature."""
    about = About(
        language=language,
        title=Text("最高温度分布 °C", "Highest temperature, °C"),
        description=Text(
            FRESH_ONLY.zh + f"每组各测点中的最高温度；{thresholds.TEMPERATURE_MAX_C} °C 为安全上限。"
            "来源：battery_latest.temperature_max_c。",
            FRESH_ONLY.en + f"Highest of each set's sensors; {thresholds.TEMPERATURE_MAX_C} °C is the safety limit. "
            "Source: battery_latest.temperature_max_c.",
        ),
        width=8,
        height=7,
        empty=labels.NO_SET_REPORTS,
    )
    field = Field(name="temperature", label=labels.SETS, unit="°C", decimals=0, color=fields.SECONDARY)
    return _distribution(about, "temperature_max_c", field, bucket=2)


def claimed_distribution(language: Language) -> Panel:
    """Histogram of the SoH that the BMS claims."""
    about = About(
        language=language,
        title=Text("SoH 分布 %（BMS 声称）", "SoH, % (as the BMS says)"),
        description=Text(
            FRESH_ONLY.zh + "BMS 自报的 SoH，未经核实；堆在 99 % 的一根柱子多半是常数，不是健康。"
            "来源：battery_latest.soh_bms_pct。",
            FRESH_ONLY.en + "SoH as the BMS claims it, not verified: a pile at 99 % is most likely a constant. "
            "Source: battery_latest.soh_bms_pct.",
        ),
        width=16,
        height=6,
        empty=labels.NO_SET_REPORTS,
    )
    field = Field(name="soh", label=labels.SETS, unit="%", decimals=0, color=fields.ESTIMATED)
    return _distribution(about, "soh_bms_pct", field, bucket=2)


def _worst(language: Language, order: str, columns: Sequence[Field]) -> str:
    """Sets by a column of their newest view, with what the columns show: of any other Grafana shows the SQL's name."""
    own = {
        "device_id": "d.device_id",
        "battery_set": sql.name(language, "d", "device_id"),
        "city": sql.city(language),
    }
    selected = ",\n       ".join(f"{own.get(each.name, f'b.{each.name}::float8')} AS {each.name}" for each in columns)
    return f"""
SELECT {selected}
{FRESH_SETS} AND b.{order} IS NOT NULL
ORDER BY b.{order} DESC, d.device_id
LIMIT {WORST}
"""


def _set_fields() -> list[Field]:
    return [
        Field(name="device_id", hidden=True),
        Field(name="battery_set", label=labels.SET, link=TO_SET),
        Field(name="city", label=labels.CITY_COLUMN, width=60),
        spread_field(),
        Field(name="worst_cell", label=labels.WORST_CELL, decimals=0, width=80),
        Field(name="pack_voltage_v", label=labels.PACK_VOLTAGE, unit="V", decimals=1, width=70),
        Field(name="current_a", label=labels.CURRENT, unit="A", decimals=1, width=70),
    ]


def worst_spread(language: Language) -> Panel:
    """Sets with the widest cell spread."""
    about = About(
        language=language,
        title=Text(f"压差最大的 {WORST} 组", f"Widest cell spread, worst {WORST}"),
        description=Text(
            FRESH_ONLY.zh + "按当前单体压差排序；最差单体 = 离组内中位数最远的单体编号。来源：battery_latest。",
            FRESH_ONLY.en + "By cell spread now; worst cell is the one farthest from its pack's median. "
            "Source: battery_latest.",
        ),
        width=16,
        height=7,
        empty=labels.NO_SET_REPORTS,
    )
    chosen = [*(field for field in _set_fields() if field.name != "current_a"), temperature_field()]
    return panels.table(about, _worst(language, "cell_spread_mv", chosen), *chosen)


def worst_rise(language: Language) -> Panel:
    """Sets that are the most above ambient."""
    about = About(
        language=language,
        title=Text(f"温升最大的 {WORST} 组", f"Highest temperature rise, worst {WORST}"),
        description=Text(
            FRESH_ONLY.zh
            + "温升 = 最高温度 − 环境温度；升温速率按 5 分钟，静置时 > 1 °C/min 为安全告警。来源：battery_latest。",
            FRESH_ONLY.en + "Rise = highest temperature less ambient; dT/dt over 5 min, above 1 °C/min at rest is a "
            "safety alarm. Source: battery_latest.",
        ),
        width=16,
        height=7,
        empty=labels.NO_SET_REPORTS,
    )
    of_both = {"device_id", "battery_set", "city", "current_a"}
    chosen = [
        *(field for field in _set_fields() if field.name in of_both),
        Field(name="temperature_rise_c", label=labels.RISE, unit="°C", decimals=1, width=80),
        temperature_field(),
        Field(
            name="temperature_rate_c_min",
            label=labels.RATE_C_MIN,
            unit="°C/min",
            decimals=2,
            width=100,
            thresholds=fields.TEMPERATURE_RATE_STEPS,
        ),
    ]
    return panels.table(about, _worst(language, "temperature_rise_c", chosen), *chosen)
