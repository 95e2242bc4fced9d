"""Gangue unit 煤矸石机组: coal rate, load, fuel and residues, and which figures still wait for the laboratory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit import fields, panels, sql, thresholds, units
from dashboards.kit.dashboard import Definition, Variable
from dashboards.kit.fields import Field, Step
from dashboards.kit.panels import TIME_ZONE, About
from dashboards.parts import alarm_lists, books, compare, gangue_now
from dashboards.parts.gangue_now import UNIT
from dashboards.parts.plants import SITE, days_back, sites, whole_days
from dashboards.words import labels, not_yet
from dashboards.words import plant as labels_plant
from schemas.words import Language, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.kit.panels import Panel

HISTORY_DAYS = 14
CF_STEPS = (Step(None, fields.PARTIAL), Step(thresholds.CAPACITY_FACTOR_PCT, fields.GOOD))
BASELINE = """(SELECT value FROM reference_setting JOIN reference_current USING (version)
        WHERE key = 'capacity_factor_baseline')"""
MONTH_BEGIN = sql.month_begin("($__timeTo()::timestamptz - interval '1 millisecond')")
"""SQL: begin of the month that is looked at. A range that ends with a month tells of that month, not of the next."""
MONTH_NAME = f"to_char({MONTH_BEGIN} AT TIME ZONE '{TIME_ZONE}', 'YYYY-MM')"
"""SQL: its name. In a title Grafana would write the one of the browser's time zone."""


def _units(language: Language) -> str:
    return f"""
SELECT device_id AS __value, {sql.name(language, "d", "device_id")} AS __text
FROM device d
WHERE kind = 'gangue_unit' AND site_id = ${{site:sqlstring}}
ORDER BY 2, 1
"""  # noqa: S608 - fragments of ours


def load(language: Language) -> Panel:
    """Capacity factor of the last 24 hours and of the month, which is named."""
    about = About(
        language=language,
        title=Text("出力系数：24 h 与当月", "Capacity factor: 24 h and month"),
        description=Text(
            f"出力系数 = W_gen/(P_额定·T)；全省基准 {thresholds.CAPACITY_FACTOR_PCT} %"
            "（参考数据 capacity_factor_baseline）。来源：gangue_window。",
            f"Capacity factor = W_gen/(P_rated·T); the province counts with {thresholds.CAPACITY_FACTOR_PCT} % "
            "(reference data, capacity_factor_baseline). Source: gangue_window.",
        ),
        width=8,
        height=7,
        empty=not_yet.WHOLE_DAY,
    )
    query = f"""
SELECT (SELECT capacity_factor_pct FROM gangue_window WHERE device_id = {UNIT} AND span = 'day'
        AND {days_back(2)} ORDER BY ts DESC LIMIT 1) AS day,
       (SELECT capacity_factor_pct FROM gangue_window WHERE device_id = {UNIT} AND span = 'month'
        AND ts = {MONTH_BEGIN}) AS month,
       {MONTH_NAME} AS month_name
"""  # noqa: S608 - fragments of ours
    return panels.stat(
        about,
        query,
        Field(name="day", label=Text("24 h", "24 h"), unit="%", decimals=0, thresholds=CF_STEPS),
        Field(name="month", label=Text("当月", "month"), unit="%", decimals=0, thresholds=CF_STEPS),
        Field(name="month_name", label=Text("月份", "of month")),
    )


def coal_rate_history(language: Language) -> Panel:
    """Net coal rate over time."""
    about = About(
        language=language,
        title=Text("供电标准煤耗 gce/kWh", "Net coal rate, gce/kWh"),
        description=Text(
            "24 小时滚动供电标准煤耗，每小时一点；化验未全到的为估算，另列。来源：gangue_window。",
            "Net coal rate over rolling 24 hours, one point an hour; those that the laboratory does not cover "
            "yet are estimated and stand apart. Source: gangue_window.",
        ),
        width=8,
        height=7,
        empty=not_yet.DAY_OF_READINGS,
    )
    query = f"""
SELECT ts AS time,
       CASE WHEN quality <> 'estimated' THEN net_coal_rate_gce_kwh END AS measured,
       CASE WHEN quality = 'estimated' THEN net_coal_rate_gce_kwh END  AS estimated
FROM gangue_window
WHERE device_id = {UNIT} AND span = 'day' AND $__timeFilter(ts)
ORDER BY ts
"""  # noqa: S608 - fragments of ours
    measured = Field(
        name="measured", label=labels_plant.MEASURED, unit="gce/kWh", decimals=1, color=fields.PRIMARY,
        custom={"lineWidth": 2},
    )  # fmt: skip
    estimated = fields.estimated("estimated", labels_plant.ESTIMATED, unit="gce/kWh", decimals=1)
    query = compare.ENERGY.beside(query, ("measured", "estimated"), "coalesce(measured, estimated)")
    return panels.timeseries(about, query, measured, estimated, compare.field("gce/kWh", decimals=1))


def capacity_history(language: Language) -> Panel:
    """Capacity factor over time beside the baseline."""
    about = About(
        language=language,
        title=Text("出力系数 %", "Capacity factor, %"),
        description=Text(
            "24 小时滚动出力系数；虚线为参考数据中的全省基准。来源：gangue_window、reference_setting。",
            "Capacity factor over rolling 24 hours; the dashed line is the province's baseline in "
            "the reference "
            "data. Source: gangue_window, reference_setting.",
        ),
        width=8,
        height=7,
    )
    query = f"""
SELECT ts AS time, capacity_factor_pct,
       {BASELINE} AS baseline
FROM gangue_window
WHERE device_id = {UNIT} AND span = 'day' AND $__timeFilter(ts)
ORDER BY ts
"""  # noqa: S608 - fragments of ours
    factor = Field(
        name="capacity_factor_pct", label=labels_plant.CAPACITY_FACTOR, unit="%", decimals=1, color=fields.PRIMARY
    )
    baseline = fields.line("baseline", labels_plant.CF_BASELINE, fields.GOOD, unit="%")
    query = compare.ENERGY.beside(query, ("capacity_factor_pct", "baseline"), "capacity_factor_pct")
    return panels.timeseries(about, query, factor, baseline, compare.field("%", decimals=1))


def fuel(language: Language) -> Panel:
    """Fuel burnt per day."""
    about = About(
        language=language,
        title=Text("入炉燃料 t/日", "Fuel burnt, t per day"),
        description=Text(
            "每个自然日入炉的煤矸石、煤泥与原煤。无柱：当日未结束，或数据不全。来源：gangue_sum（日）。",
            "Gangue, slime and coal burnt on each local day. No bar: the day is under way, or not known in full. "
            "Source: gangue_sum, days.",
        ),
        width=12,
        height=7,
        empty=not_yet.WHOLE_DAY,
    )
    query = f"""
SELECT ts AS time, {whole_days("gangue_t", "slime_t", "coal_t")}
FROM gangue_sum
WHERE device_id = {UNIT} AND span = 'day' AND $__timeFilter(ts)
ORDER BY ts
"""  # noqa: S608 - fragments of ours
    return panels.timeseries(
        about,
        query,
        Field(name="gangue_t", label=labels_plant.GANGUE_T, unit="t", decimals=0, color=fields.PRIMARY),
        Field(name="slime_t", label=labels_plant.SLIME_T, unit="t", decimals=0, color=fields.SECONDARY),
        Field(name="coal_t", label=labels_plant.COAL_T, unit="t", decimals=0, color=fields.TERTIARY),
        bars=True,
        stacked=True,
    )


def residues(language: Language) -> Panel:
    """Ash and gypsum per day."""
    about = About(
        language=language,
        title=Text("灰渣与石膏 t/日", "Ash and gypsum, t per day"),
        description=Text(
            "灰 = ΣBₖ·A_ar，按份额分飞灰与炉渣；石膏 = ΣBₖ·S_ar·η_S·5.375/纯度；化验未到时按缺省值估算。"
            "无柱：当日未结束，或数据不全。来源：gangue_sum（日）。",
            "Ash = ΣBₖ·A_ar, parted into fly and bed ash; gypsum = ΣBₖ·S_ar·η_S·5.375/purity; by defaults while the "
            "laboratory owes values. No bar: the day is under way, or not known in full. Source: gangue_sum, days.",
        ),
        width=12,
        height=7,
        empty=not_yet.WHOLE_DAY,
    )
    query = f"""
SELECT ts AS time, {whole_days("fly_ash_t", "bed_ash_t", "gypsum_t")}
FROM gangue_sum
WHERE device_id = {UNIT} AND span = 'day' AND $__timeFilter(ts)
ORDER BY ts
"""  # noqa: S608 - fragments of ours
    return panels.timeseries(
        about,
        query,
        Field(name="fly_ash_t", label=labels_plant.FLY_ASH_T, unit="t", decimals=0, color=fields.UNKNOWN),
        Field(name="bed_ash_t", label=labels_plant.BED_ASH_T, unit="t", decimals=0, color=fields.TERTIARY),
        Field(name="gypsum_t", label=labels_plant.GYPSUM_T, unit="t", decimals=1, color=fields.SECONDARY),
        bars=True,
        stacked=True,
    )


def month(language: Language) -> Panel:
    """Figures of the calendar month."""
    about = About(
        language=language,
        title=Text("月累计", "Figures of the month"),
        description=Text(
            "时间范围结束时所在日历月（北京时间）的比值与合计，当月未结束时随时间增长；范围止于月末零点即为该月。"
            "当月利用小时 = 出力系数 × 当月已知小时；折合全年 = 出力系数 × 8760。"
            "来源：gangue_window（月）、gangue_sum（日）。",
            "Ratios and sums of the calendar month, Beijing time, in which the range ends, or of this one so far. A "
            "range that ends with a month, at midnight, is of that month. "
            "Equivalent hours = capacity factor × its known hours; as a year = "
            "capacity factor × 8760. Source: gangue_window, months; gangue_sum, days.",
        ),
        width=12,
        height=11,
        empty=labels.UNKNOWN,
    )
    items = (
        ("equivalent_month_h", labels_plant.EQUIVALENT_HOURS, "h", 0),
        ("equivalent_h", labels_plant.EQUIVALENT_HOURS_A_YEAR, "h", 0),
        ("gangue_rate_kg_kwh", labels_plant.GANGUE_RATE, "kg/kWh", 2),
        ("gangue_share_pct", labels_plant.GANGUE_SHARE, "%", 0),
        ("gangue_t", labels_plant.GANGUE_T, "t", 0),
        ("fly_ash_t", labels_plant.FLY_ASH_T, "t", 0),
        ("bed_ash_t", labels_plant.BED_ASH_T, "t", 0),
        ("gypsum_t", labels_plant.GYPSUM_T, "t", 0),
    )
    rows = ",\n    ".join(
        f"({sql.quote(text(language))}, round(w.{column}::numeric, {digits})::float8, '{unit}')"
        for column, text, unit, digits in items
    )
    query = f"""
SELECT looked_at.month, figures.item, figures.value, figures.unit
FROM (SELECT {MONTH_NAME} AS month) looked_at
LEFT JOIN (SELECT *, capacity_factor_pct / 100 * 24 * (
                 SELECT sum(g.known) FROM gangue_sum g
                 WHERE g.device_id = {UNIT} AND g.span = 'day' AND g.ts >= m.ts AND g.ts < {sql.month_end("m.ts")}
             ) AS equivalent_month_h
      FROM gangue_window m WHERE device_id = {UNIT} AND span = 'month' AND ts = {MONTH_BEGIN}) w ON true
CROSS JOIN LATERAL (VALUES
    {rows}
) AS figures (item, value, unit)
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="month", label=Text("月份", "month"), width=80),
        Field(name="item", label=labels_plant.ITEM),
        Field(name="value", label=Text("数值", "value"), grafana_unit=units.PLAIN, width=100),
        Field(name="unit", label=labels.UNIT, width=70),
    )


def waiting(language: Language) -> Panel:
    """How much still waits for the laboratory."""
    about = About(
        language=language,
        title=Text("等待化验", "Waiting for the laboratory"),
        description=Text(
            "近 14 天内化验尚未完全覆盖的小时数、最早一个，以及近 24 小时燃料的化验覆盖率；化验到后自动重算。"
            "来源：gangue_sum.laboratory_share。",
            "Hours of 14 days that laboratory values do not cover yet, the earliest of them, and the share of "
            "the last 24 "
            "hours' fuel that they do; recomputed when they come. Source: gangue_sum.laboratory_share.",
        ),
        width=12,
        height=11,
    )
    query = f"""
SELECT {sql.bad_ones("laboratory_share < 0.999", "laboratory_share IS NOT NULL")} AS waiting,
       {sql.duration("extract(epoch FROM now() - min(ts) FILTER (WHERE laboratory_share < 0.999))")} AS since,
       (SELECT laboratory_share FROM gangue_window WHERE device_id = {UNIT} AND span = 'day'
        AND {days_back(2)} ORDER BY ts DESC LIMIT 1)                                            AS share
FROM gangue_sum
WHERE device_id = {UNIT} AND span = 'hour' AND {days_back(HISTORY_DAYS)}
"""  # noqa: S608 - fragments of ours
    return panels.stat(
        about,
        query,
        Field(name="waiting", label=labels_plant.WAITING_HOURS, decimals=0, thresholds=fields.ANY_IS_WARNING),
        Field(name="since", label=labels_plant.WAITING_SINCE, unknown=labels.NONE),
        Field(
            name="share", label=labels_plant.LABORATORY, grafana_unit="percentunit", decimals=0,
            thresholds=fields.COVERAGE_STEPS,
        ),
    )  # fmt: skip


def laboratory(language: Language) -> Panel:
    """Newest laboratory values."""
    about = About(
        language=language,
        title=Text("化验值（近 30 天）", "Laboratory values (30 days)"),
        description=Text(
            "本厂各燃料的收到基化验值，新者在前；出具时刻晚于采样即为迟到值，已触发重算。"
            "同一样品再次出具时以最后出具的为准，“此前热值”为上一次的值。来源：fuel_assay。",
            "Values as received of the plant's fuels, newest first; a release after sampling has set off a recompute. "
            "Of a sample that was released again the last one stands, and “said before” shows the one before it. "
            "Source: fuel_assay.",
        ),
        width=24,
        height=7,
        empty=labels.NONE,
    )
    fuels = sql.case_of("fuel", {key: text(language) for key, text in labels_plant.FUELS.items()})
    query = f"""
SELECT {fuels} AS fuel, ts, until_at, released_at, lhv_mj_kg,
       lag(lhv_mj_kg) OVER (PARTITION BY fuel, ts, until_at ORDER BY released_at, device_id) AS before_mj_kg,
       ash_pct, sulphur_pct, moisture_pct
FROM fuel_assay
WHERE site_id = ${{site:sqlstring}} AND {days_back(30)}
ORDER BY ts DESC, fuel
LIMIT 60
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="fuel", label=labels_plant.FUEL),
        fields.moment("ts", labels_plant.SAMPLED),
        fields.moment("until_at", labels_plant.UNTIL),
        fields.moment("released_at", labels_plant.RELEASED),
        Field(name="lhv_mj_kg", label=labels_plant.LHV, unit="MJ/kg", decimals=2, width=100),
        Field(
            name="before_mj_kg", label=labels_plant.LHV_BEFORE, unit="MJ/kg", decimals=2, width=110, unknown=labels.NONE
        ),
        Field(name="ash_pct", label=labels_plant.ASH, unit="%", decimals=1, width=80, unknown=labels.NOT_MEASURED),
        Field(
            name="sulphur_pct", label=labels_plant.SULPHUR, unit="%", decimals=2, width=80, unknown=labels.NOT_MEASURED
        ),
        Field(
            name="moisture_pct",
            label=labels_plant.MOISTURE,
            unit="%",
            decimals=1,
            width=80,
            unknown=labels.NOT_MEASURED,
        ),
    )


def _panels(language: Language) -> Sequence[Panel]:
    return [
        gangue_now.running(language),
        gangue_now.rates(language),
        load(language),
        coal_rate_history(language),
        capacity_history(language),
        fuel(language),
        residues(language),
        month(language),
        waiting(language),
        laboratory(language),
        *books.row(language),
    ]


DASHBOARD = Definition(
    slug="gangue",
    title=labels_plant.GANGUE,
    description=Text(
        "一台煤矸石机组的煤耗、出力、燃料与灰渣，以及哪些数字还在等化验。",
        "Coal rate, load, fuel and residues of a gangue unit, and which figures still wait for the laboratory.",
    ),
    refresh="30s",
    range_from="now-14d",
    variables=[
        sites("s.sector = 'gangue_power'"),
        Variable(name="unit", label=labels_plant.UNIT, query=_units),
        compare.ENERGY.variable,
    ],
    panels=_panels,
    annotations=[alarm_lists.marks(f"a.site_id = {SITE} AND a.device_id IN ({UNIT}, a.site_id)")],
)
