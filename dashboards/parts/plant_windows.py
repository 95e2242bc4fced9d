"""A plant's rolling windows: its figures now, and their charts over the page's range, beside a compared time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit import fields, panels, sql
from dashboards.kit.fields import Field
from dashboards.kit.panels import About
from dashboards.parts import compare
from dashboards.parts.plants import SITE, WHOLE
from dashboards.words import labels, not_yet
from schemas.words import Language, Text

if TYPE_CHECKING:
    from dashboards.kit.panels import Panel


UNIT_ENERGY_FORMULA = Text(
    "单位产品综合能耗 = ΣE / ΣP（先求和再相除；窗口内产量不足时为未知）。折标系数按 GB/T 2589-2020，"
    "版本记录在每一行。来源：plant_window.unit_energy_kgce。",
    "Unit-product energy = ΣE / ΣP, a ratio of sums; unknown when the window holds too little product. Conversion "
    "factors of GB/T 2589-2020, their version stored with every row. Source: plant_window.unit_energy_kgce.",
)


def _newest(window_min: int, *columns: str) -> str:
    """Query the newest window of the plant, if it is recent enough to be called "now"."""
    return f"""
SELECT {", ".join(columns)}
FROM plant_window
WHERE site_id = {SITE} AND window_min = {window_min} AND {sql.RECENT}
ORDER BY ts DESC
LIMIT 1
"""  # noqa: S608 - fragments of ours


SUMS = ("energy_kwh", "energy_kgce", "water_m3", "production")
"""Columns of `plant_window` that grow with what is known of it, where others are means and ratios."""


def _known(column: str, window: str = "w") -> str:
    """Condition on a window: its figure is one of all its time."""
    return f"{window}.{WHOLE}" if column in SUMS else "true"


def _history(columns: dict[str, tuple[str, int]]) -> str:
    """Query columns of rolling windows over the range: alias to (column, window in minutes).

    Takes the windows that end at the bins' own moments: every n-th figure as it was computed, never a mean of ratios.
    A sum of part of its window is no figure of it. `compared` is the last of them, at the time it is compared with.
    """
    selected = ",\n       ".join(
        f"max(w.{column}) FILTER (WHERE w.window_min = {window} AND {_known(column)}) AS {alias}"
        for alias, (column, window) in columns.items()
    )
    windows = ", ".join(str(window) for window in sorted({window for _, window in columns.values()}))
    column, window = list(columns.values())[-1]
    return f"""
WITH compare AS MATERIALIZED (SELECT {compare.ENERGY.back} AS back)
SELECT bins.time,
       {selected},
       max(b.{column}) AS compared
FROM {sql.bins()}
CROSS JOIN compare
LEFT JOIN plant_window w
       ON w.ts = bins.time AND w.site_id = {SITE} AND w.window_min IN ({windows}) AND $__timeFilter(w.ts)
LEFT JOIN plant_window b
       ON b.ts = bins.time - compare.back AND b.site_id = {SITE} AND b.window_min = {window} AND {_known(column, "b")}
       AND b.ts > $__timeFrom()::timestamptz - {compare.FURTHEST} AND b.ts < $__timeTo()::timestamptz
GROUP BY bins.time
HAVING count(w.ts) > 0 OR bins.time < now() - {sql.ARRIVAL}
ORDER BY bins.time
"""  # noqa: S608 - fragments of ours


def power_now(language: Language) -> Panel:
    """Mean power over the last quarter of an hour."""
    about = About(
        language=language,
        title=Text("功率 · 15 min", "Power, 15 min"),
        description=Text(
            "最近 15 分钟滚动窗口内被覆盖部分的平均功率：表底增量 / 时间，进线减外送。来源：plant_window.power_kw。",
            "Mean over the covered part of the last rolling 15 minutes: register increments / time, imported less "
            "exported. Source: plant_window.power_kw.",
        ),
        width=6,
        height=4,
    )
    return panels.stat(about, _newest(15, "power_kw"), Field(name="power_kw", unit="kW", decimals=0))


def unit_energy_now(language: Language) -> Panel:
    """Unit-product energy over the last hour."""
    about = About(
        language=language,
        title=Text("能耗 kgce/${product_unit} · 1 h", "Energy kgce/${product_unit}, 1 h"),
        description=UNIT_ENERGY_FORMULA,
        width=6,
        height=4,
    )
    return panels.stat(about, _newest(60, "unit_energy_kgce"), Field(name="unit_energy_kgce", decimals=1))


def unit_water_now(language: Language) -> Panel:
    """Water intake per unit of product over the last hour."""
    about = About(
        language=language,
        title=Text("取水 m³/${product_unit} · 1 h", "Water m³/${product_unit}, 1 h"),
        description=Text(
            "单位产品取水量 = ΣV_in / ΣP，1 小时滚动。来源：plant_window.unit_water_m3。",
            "Intake per product = ΣV_in / ΣP over the rolling hour. Source: plant_window.unit_water_m3.",
        ),
        width=6,
        height=4,
    )
    return panels.stat(about, _newest(60, "unit_water_m3"), Field(name="unit_water_m3", decimals=2))


def energy_now(language: Language) -> Panel:
    """Comprehensive energy of the last hour."""
    about = About(
        language=language,
        title=Text("综合能耗 · 1 h", "Energy · 1 h"),
        description=Text(
            "综合能耗 = Σ Eᵢ·kᵢ − Σ 外送ⱼ·kⱼ，折标准煤，1 小时滚动；kgce "
            "= 千克标准煤。来源：plant_window.energy_kgce。",
            "Σ Eᵢ·kᵢ − Σ exportedⱼ·kⱼ over the rolling hour, in kg of standard coal (kgce). "
            "Source: plant_window.energy_kgce.",
        ),
        width=6,
        height=4,
    )
    return panels.stat(about, _newest(60, "energy_kgce"), Field(name="energy_kgce", unit="kgce", decimals=0))


def _per_product(language: Language) -> str:
    """SQL of whether the hour's per-product figures are known, and of what they wait for where they are not."""
    product = f"device d WHERE d.site_id = {SITE} AND (d.role = 'product' OR d.kind = 'gangue_unit')"
    cases = (
        ("h.unit_energy_kgce IS NOT NULL", not_yet.ARE_KNOWN),
        (f"NOT EXISTS (SELECT FROM {product})", not_yet.NO_PRODUCT_METER),
        ("h.coverage IS NULL", not_yet.NO_WINDOW),
        ("h.production IS NULL OR h.coverage < 1", not_yet.HALF_AN_HOUR),
    )
    found = " ".join(f"WHEN {condition} THEN {sql.quote(text(language))}" for condition, text in cases)
    return f"CASE {found} ELSE {sql.quote(not_yet.NO_PRODUCTION(language))} END"


def trust(language: Language) -> Panel:
    """How far the figures above can be trusted: coverage and quality of the last quarter, age of the newest reading."""
    about = About(
        language=language,
        title=Text("这些数字可信到什么程度", "How far these figures can be trusted"),
        description=Text(
            "最近 15 分钟窗口的覆盖率与质量：良好为覆盖率 ≥ 99 %；部分为不足；估算由表底跨越缺口插值；未知即无从得知。"
            "近一小时的单位产品指标已知与否，未知时在等什么。"
            "本企业任一表计最新读数距今，超过 60 秒为黄，超过 180 秒为红（按常见 60 秒周期）。"
            "来源：plant_window、meter_latest。",
            "Coverage and quality of the last window of 15 minutes: good is a coverage of 99 % or more, partial less, "
            "estimated interpolated over a gap between registers, unknown where nothing tells. Whether the hour's "
            "per-product figures are known, and what they wait for where they are not. Age of the newest "
            "reading of any meter of this plant: amber from 60 s, red from 180 s (for the usual period of 60 s). "
            "Source: plant_window, meter_latest.",
        ),
        width=24,
        height=panels.LINE_HEIGHT,
    )
    age = sql.duration(sql.age_s("m"), amber_s=60, red_s=180)
    query = f"""
SELECT w.coverage, w.quality, {_per_product(language)} AS per_product,
       (SELECT {age} FROM meter_latest m WHERE m.site_id = {SITE} ORDER BY m.ts DESC LIMIT 1) AS age
FROM (SELECT 1) AS one
LEFT JOIN ({_newest(15, "coverage", "quality")}) AS w ON true
LEFT JOIN ({_newest(60, "coverage", "unit_energy_kgce", "production")}) AS h ON true
"""  # noqa: S608 - fragments of ours
    return panels.line(
        about,
        query,
        fields.coverage(label=labels.COVERAGE),
        fields.quality(),
        Field(name="per_product", label=not_yet.PER_PRODUCT_COLUMN),
        Field(name="age", label=Text("最新读数距今", "Newest reading"), marked=True, unknown=labels.NEVER),
    )


def _short(name: str, unit: str = "", decimals: int = 0) -> Field:
    """Fields of the 15-minute window: a thin line."""
    return Field(
        name=name,
        label=labels.ROLLING_15_MIN,
        unit=unit,
        decimals=decimals,
        color=fields.SECONDARY,
        custom={"lineWidth": 1, "fillOpacity": 0},
    )


def _hour(name: str, unit: str = "", decimals: int = 0, color: str = fields.PRIMARY) -> Field:
    """Fields of the one-hour window: a thick line."""
    return Field(
        name=name, label=labels.ROLLING_1_H, unit=unit, decimals=decimals, color=color, custom={"lineWidth": 2.5}
    )


def power_history(language: Language) -> Panel:
    """Power over time."""
    about = About(
        language=language,
        title=Text("功率 kW", "Power, kW"),
        description=Text(
            "15 分钟（细线）与 1 小时（粗线）滚动平均功率。断线表示未知，不是零。来源：plant_window.power_kw。",
            "Rolling mean over 15 minutes (thin) and 1 hour (thick). A break in the line is unknown, not zero. "
            "Source: plant_window.power_kw.",
        ),
        width=12,
        height=5,
    )
    query = _history({"power_15_min": ("power_kw", 15), "power_1_h": ("power_kw", 60)})
    return panels.timeseries(about, query, _short("power_15_min", "kW"), _hour("power_1_h", "kW"), compare.field("kW"))


def unit_energy_history(language: Language) -> Panel:
    """Unit-product energy over time."""
    about = About(
        language=language,
        title=Text("单位产品综合能耗 kgce/${product_unit}", "Unit-product energy, kgce/${product_unit}"),
        description=UNIT_ENERGY_FORMULA,
        width=12,
        height=5,
    )
    query = _history({"unit_15_min": ("unit_energy_kgce", 15), "unit_1_h": ("unit_energy_kgce", 60)})
    shown = _short("unit_15_min", decimals=1), _hour("unit_1_h", decimals=1), compare.field(decimals=1)
    return panels.timeseries(about, query, *shown)


def energy_history(language: Language) -> Panel:
    """Comprehensive energy over time."""
    about = About(
        language=language,
        title=Text("综合能耗 kgce", "Comprehensive energy, kgce"),
        description=Text(
            "1 小时滚动综合能耗，折标准煤。该小时数据不全时不画。来源：plant_window.energy_kgce。",
            "Comprehensive energy over the rolling hour, kg of standard coal. No line: the hour is not known in full. "
            "Source: plant_window.energy_kgce.",
        ),
        width=8,
        height=5,
    )
    query = _history({"energy_1_h": ("energy_kgce", 60)})
    return panels.timeseries(about, query, _hour("energy_1_h", "kgce"), compare.field("kgce"))


def water_history(language: Language) -> Panel:
    """Water over time."""
    about = About(
        language=language,
        title=Text("取水 m³", "Water intake, m³"),
        description=Text(
            "1 小时滚动取水量（边界进水表之和）。该小时数据不全时不画。来源：plant_window.water_m3。",
            "Intake over the rolling hour, the sum of the meters at the boundary. No line: the hour is "
            "not known in full. Source: plant_window.water_m3.",
        ),
        width=8,
        height=5,
    )
    field = _hour("water_1_h", "m³", 0, fields.SECONDARY)
    return panels.timeseries(about, _history({"water_1_h": ("water_m3", 60)}), field, compare.field("m³"))


def production_history(language: Language) -> Panel:
    """Production over time."""
    about = About(
        language=language,
        title=Text("产量 ${product_unit}", "Production, ${product_unit}"),
        description=Text(
            "1 小时滚动产量，单位为本企业的产品单位。该小时数据不全时不画。来源：plant_window.production。",
            "Product made in the rolling hour, in the plant's product unit. No line: the hour is not known in full. "
            "Source: plant_window.production.",
        ),
        width=8,
        height=5,
    )
    field = _hour("production_1_h", "", 1, fields.TERTIARY)
    query = _history({"production_1_h": ("production", 60)})
    return panels.timeseries(about, query, field, compare.field(decimals=1))


def quality_history(language: Language) -> Panel:
    """State timeline of both windows' quality."""
    about = About(
        language=language,
        title=Text("数据质量", "Data quality"),
        description=Text(
            "15 分钟与 1 小时窗口的质量随时间的变化；没有算出窗口的时段为未知。来源：plant_window.quality。",
            "Quality of the 15-minute and 1-hour windows over time; a moment without a window is unknown. "
            "Source: plant_window.quality.",
        ),
        width=24,
        height=4,
    )
    query = f"""
SELECT bins.time,
       COALESCE(max(w.quality) FILTER (WHERE w.window_min = 15), 'unknown') AS quality_15_min,
       COALESCE(max(w.quality) FILTER (WHERE w.window_min = 60), 'unknown') AS quality_1_h
FROM {sql.bins()}
LEFT JOIN plant_window w
       ON w.ts = bins.time AND w.site_id = {SITE} AND w.window_min IN (15, 60) AND $__timeFilter(w.ts)
GROUP BY bins.time
HAVING count(w.ts) > 0 OR bins.time < now() - {sql.ARRIVAL}
ORDER BY bins.time
"""  # noqa: S608 - fragments of ours
    return panels.state_timeline(
        about,
        query,
        fields.quality("quality_15_min", label=labels.QUALITY_15_MIN),
        fields.quality("quality_1_h", label=labels.QUALITY_1_H),
    )
