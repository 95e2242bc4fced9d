"""Battery set 单组: one set, its cells, charge, health with evidence, resistance, and what it went through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit import fields, panels, sql
from dashboards.kit.dashboard import Definition, Related
from dashboards.kit.fields import Field
from dashboards.kit.panels import About
from dashboards.parts import alarm_lists, books, set_figures, set_history
from dashboards.parts.battery_sets import DISCHARGES, ONE_SET
from dashboards.parts.fleet_health import ADVICE_WORDS, SOH_STEPS
from dashboards.parts.plants import days_back
from dashboards.parts.set_history import HOUR_SHOWN, SET
from dashboards.words import battery as labels_battery
from dashboards.words import labels, not_yet
from dashboards.words.passport import PASSPORT
from schemas.words import Language, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.kit.panels import Panel


CELLS = 16


def health(language: Language) -> Panel:
    """SoH with interval, evidence and advice."""
    about = About(
        language=language,
        title=Text("健康（汾河估计）", "Health (fenhe's estimate)"),
        description=Text(
            "备电时长（p10）对合同；SoH = C(25 °C)/C_额定（指定截止电压），各次放电按逆方差融合，附 90 % 区间与"
            "证据距今。没有证据即未知。来源：battery_health_latest。",
            "Backup time (p10) against the contract; SoH = C(25 °C)/C_nominal at the named cut-off, discharges fused "
            "by inverse variance, with its 90 % interval and the age of its evidence. Without evidence unknown. "
            "Source: battery_health_latest.",
        ),
        width=24,
        height=4,
        empty=labels_battery.NOT_ASSESSED,
    )
    query = f"""
SELECT {sql.not_lifted("h.backup_p10_h", "h.contract_h", 2)} AS backup_p10_h, h.contract_h::float8 AS contract_h,
       h.soh_pct::float8 AS soh_pct,
       round(h.soh_low_pct::numeric) || '–' || round(h.soh_high_pct::numeric) || ' %' AS interval,
       {sql.duration("h.soh_age_days * 86400")} AS age, h.advice
FROM battery_health_latest h
WHERE h.device_id = {SET}
"""  # noqa: S608 - fragments of ours
    return panels.stat(
        about,
        query,
        Field(name="backup_p10_h", label=labels_battery.BACKUP_P10, unit="h", decimals=2),
        Field(name="contract_h", label=labels_battery.CONTRACT_H, unit="h", decimals=1),
        Field(name="soh_pct", label=labels_battery.SOH, unit="%", decimals=0, thresholds=SOH_STEPS),
        Field(name="interval", label=labels_battery.SOH_INTERVAL, unknown=labels.NONE),
        Field(name="age", label=Text("证据距今", "age of evidence"), unknown=labels.NONE),
        Field(name="advice", label=labels_battery.ADVICE_COLUMN, words=ADVICE_WORDS),
    )


def grounds(language: Language) -> Panel:
    """Why the advice is what it is, and how the SoH is known: words, which no stat can show in a size of figures."""
    about = About(
        language=language,
        title=Text("建议与估计的理由", "Reasons for the advice and the estimate"),
        description=Text(
            "建议的原因；SoH 的方法，未知时说明原因；至少：单次放电放出最多的一次；BMS 声称值仅供对照。"
            "来源：battery_health_latest。",
            "Why this advice; the method behind the SoH, or why it is unknown; at least: the most that one discharge "
            "drew; the BMS's claim stands beside it. "
            "Source: battery_health_latest.",
        ),
        width=24,
        height=panels.LINE_HEIGHT,
        empty=labels_battery.NOT_ASSESSED,
    )
    query = f"""
SELECT {sql.list_words_of("h.advice_reasons", labels_battery.ADVICE_REASON, language)} AS advice_reasons,
       {sql.words_of("h.soh_method", labels_battery.METHOD, language)} AS method,
       {sql.words_of("h.soh_reason", labels_battery.REASON, language)} AS reason,
       h.soh_at_least_pct::float8 AS at_least_pct, h.soh_bms_pct::float8 AS bms
FROM battery_health_latest h
WHERE h.device_id = {SET}
"""  # noqa: S608 - fragments of ours
    return panels.line(
        about,
        query,
        Field(name="advice_reasons", label=labels_battery.ADVICE_REASON_COLUMN, unknown=labels.NONE),
        Field(name="method", label=labels_battery.METHOD_COLUMN, unknown=labels.NONE),
        Field(name="reason", label=labels_battery.REASON_COLUMN, unknown=labels.NONE),
        Field(name="at_least_pct", label=Text("SoH 至少", "SoH at least"), unit="%", decimals=0),
        Field(name="bms", label=labels.SOH_BMS, unit="%", decimals=0, color=fields.ESTIMATED, unknown=labels.NOT_SENT),
    )


def now(language: Language) -> Panel:
    """What the set does now."""
    about = About(
        language=language,
        title=Text("当前", "Now"),
        description=Text(
            "最近读数；中断后电压、电流为未知，不为 0。剩余时长只在放电中给出；全站剩余 = 各组合计，"
            "任一组未知即未知，并说明原因。来源：battery_latest、battery_state_latest、battery_site。",
            "Newest reading; of a silent set voltage and current are unknown, not 0. Time left only in a discharge; "
            "the site's is that of all its sets; where one's is unknown, why. "
            "Source: battery_latest, battery_state_latest, battery_site.",
        ),
        width=24,
        height=panels.LINE_HEIGHT,
    )
    fresh = sql.fresh("b")
    idle = f"{fresh} AND n.kind IN ('float', 'charge', 'rest')"
    not_discharging = f"CASE WHEN {idle} THEN {sql.quote(labels_battery.NOT_DISCHARGING(language))} END"
    just_begun = f"t.remaining_reason = 'no_discharge' AND {DISCHARGES}"
    site_reason = f"(CASE WHEN {just_begun} THEN 'just_begun' ELSE t.remaining_reason END)"
    of_site = sql.words_of(site_reason, labels_battery.SITE_REASON, language)
    query = f"""
SELECT CASE WHEN b.ts IS NULL THEN 'never' WHEN {fresh} THEN 'live' ELSE 'stale' END AS state,
       {sql.duration(sql.age_s("b"))} AS age,
       {sql.words_of("n.kind", labels_battery.EPISODE, language)} AS kind,
       CASE WHEN {fresh} THEN b.pack_voltage_v END AS pack_voltage_v,
       CASE WHEN {fresh} THEN b.current_a END AS current_a,
       CASE WHEN {fresh} THEN b.cell_spread_mv END::float8 AS cell_spread_mv,
       CASE WHEN {fresh} THEN b.temperature_max_c END::float8 AS temperature_max_c,
       n.soc_pct::float8 AS soc_pct,
       {sql.figure_or("n.remaining_p10_h", 1, "h", not_discharging)} AS remaining_p10_h,
       {sql.figure_or("t.remaining_p10_h", 1, "h", of_site)} AS site_p10_h
FROM device d
LEFT JOIN battery_latest b USING (device_id)
LEFT JOIN battery_state_latest n USING (device_id)
LEFT JOIN battery_site t ON t.site_id = d.site_id AND t.ts > now() - interval '10 minutes'
WHERE d.device_id = {SET}
"""  # noqa: S608 - fragments of ours
    return panels.line(
        about,
        query,
        fields.state(),
        fields.age(),
        Field(name="kind", label=labels_battery.KIND),
        Field(name="pack_voltage_v", label=labels.PACK_VOLTAGE, unit="V", decimals=2),
        Field(name="current_a", label=labels.CURRENT, unit="A", decimals=1),
        Field(name="cell_spread_mv", label=labels.SPREAD, unit="mV", decimals=0, thresholds=fields.SPREAD_STEPS),
        Field(
            name="temperature_max_c",
            label=labels.TEMPERATURE_MAX,
            unit="°C",
            decimals=1,
            thresholds=fields.TEMPERATURE_STEPS,
        ),
        Field(name="soc_pct", label=labels_battery.SOC, unit="%", decimals=0),
        Field(name="remaining_p10_h", label=labels_battery.REMAINING),
        Field(name="site_p10_h", label=labels_battery.SITE_REMAINING, wraps=True),
    )


def cells(language: Language) -> Panel:
    """Every cell of the newest reading, against the pack's median."""
    about = About(
        language=language,
        title=Text("单体电压与中位数之差 mV", "Cells against the median, mV"),
        description=Text(
            "最近一条读数（范围末端前 24 小时内）各单体电压减组内中位数；缺失的单体（0 V）不出现。来源："
            "reading_battery。",
            "Each cell of the newest reading (within 24 hours of the range's end) less the pack's median; an "
            "absent cell "
            "(0 V) is left out. Source: reading_battery.",
        ),
        width=8,
        height=9,
        empty=not_yet.READINGS,
    )
    values = ", ".join(f"({number}, r.cell_{number:02}_v)" for number in range(1, CELLS + 1))
    query = f"""
WITH cells AS MATERIALIZED (
    SELECT c.number, c.volts::float8 AS volts
    FROM (SELECT * FROM reading_battery
          WHERE device_id = {SET} AND {days_back(1)}
          ORDER BY ts DESC LIMIT 1) r
    CROSS JOIN LATERAL (VALUES {values}) AS c (number, volts)
    WHERE c.volts > 0
)
SELECT '#' || lpad(number::text, 2, '0') AS cell,
       1000 * (volts - (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY volts) FROM cells)) AS difference_mv
FROM cells
ORDER BY number
"""  # noqa: S608 - fragments of ours
    return panels.bar_chart(
        about,
        query,
        "cell",
        Field(name="cell", label=labels_battery.CELL),
        Field(name="difference_mv", label=labels_battery.VOLTAGE, decimals=1, color=fields.PRIMARY),
    )


def charge(language: Language) -> Panel:
    """Counted SoC with its band, and the BMS's beside it."""
    about = About(
        language=language,
        title=Text("SoC 与 ±2σ %", "SoC and ±2σ, %"),
        description=Text(
            "库仑计数，浮充 ≥ 1 h 复位为 100 %；不确定度随时间线性增长。BMS 声称值为虚线。来源：battery_hour。",
            "Counted charge, reset to 100 % after an hour on float; its doubt grows with time. The BMS's "
            "claim is dashed. "
            "Source: battery_hour.",
        ),
        width=16,
        height=9,
        empty=not_yet.CHARGE,
    )
    bounded = "soc_pct + soc_sigma_pct IS NOT NULL"  # LEAST and GREATEST alone turn the unknown into 100 and 0
    query = f"""
SELECT DISTINCT ON ({HOUR_SHOWN}) ts + interval '1 hour' AS time,
       CASE WHEN {bounded} THEN LEAST(100, soc_pct + 2 * soc_sigma_pct) END::float8  AS soc_high,
       soc_pct::float8                                                               AS soc,
       CASE WHEN {bounded} THEN GREATEST(0, soc_pct - 2 * soc_sigma_pct) END::float8 AS soc_low,
       soc_bms_pct::float8                              AS soc_bms
FROM battery_hour
WHERE device_id = {SET} AND $__timeFilter(ts)
ORDER BY {HOUR_SHOWN}, ts DESC
"""  # noqa: S608 - fragments of ours
    return panels.timeseries(
        about,
        query,
        fields.line("soc_high", labels_battery.SOC_HIGH, fields.UNKNOWN, unit="%"),
        Field(
            name="soc", label=labels_battery.SOC, unit="%", decimals=0, color=fields.PRIMARY, custom={"lineWidth": 2}
        ),
        fields.line("soc_low", labels_battery.SOC_LOW, fields.UNKNOWN, unit="%"),
        fields.line("soc_bms", labels_battery.SOC_BMS, fields.ESTIMATED, unit="%"),
    )


def episodes(language: Language) -> Panel:
    """What the set went through, newest first."""
    about = About(
        language=language,
        title=Text("放电、充电与静置（近一年）", "Discharges, charges and rests (one year)"),
        description=Text(
            "新者在前，浮充略去；放电附原因与当时预报。来源：battery_episode、battery_discharge。",
            "Newest first, without float; a discharge with its cause and what was forecast at its beginning. "
            "Source: battery_episode, battery_discharge.",
        ),
        width=24,
        height=8,
        empty=labels.NONE,
    )
    query = f"""
SELECT {sql.words_of("e.kind", labels_battery.EPISODE, language)} AS kind,
       {sql.words_of("x.cause", labels_battery.CAUSE, language)} AS cause,
       e.ts, {sql.duration("e.duration_h * 3600")} AS lasted, e.charge_ah,
       e.soc_start_pct::float8 AS soc_start, e.soc_end_pct::float8 AS soc_end,
       {sql.duration("x.cutoff_h * 3600")} AS cutoff, {sql.duration("x.forecast_p10_h * 3600")} AS forecast_p10,
       e.quality
FROM battery_episode e
LEFT JOIN battery_discharge x
       ON x.device_id = e.device_id AND x.ts = e.ts AND e.kind = 'discharge' AND {days_back(365, "x.ts")}
WHERE e.device_id = {SET} AND e.kind <> 'float' AND {days_back(365, "e.ts")}
ORDER BY e.ts DESC
LIMIT 60
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="kind", label=labels_battery.KIND, width=80),
        Field(name="cause", label=labels_battery.CAUSE_COLUMN, width=110, unknown=labels.NONE),
        fields.moment("ts", labels_battery.BEGIN),
        Field(name="lasted", label=labels_battery.LASTS, width=80),
        Field(name="charge_ah", label=labels_battery.CHARGE, unit="Ah", decimals=1, width=90),
        Field(name="soc_start", label=labels_battery.SOC_FROM, unit="%", decimals=0, width=90),
        Field(name="soc_end", label=labels_battery.SOC_TO, unit="%", decimals=0, width=90),
        Field(name="cutoff", label=labels_battery.TO_CUTOFF, width=90, unknown=labels.NONE),
        Field(name="forecast_p10", label=labels_battery.FORECAST, width=100, unknown=labels.NONE),
        fields.quality(width=90),
    )


def _panels(language: Language) -> Sequence[Panel]:
    own = f"a.device_id = {SET} OR a.site_id = (SELECT site_id FROM device WHERE device_id = {SET})"  # noqa: S608 - quoted by Grafana
    return [
        health(language),
        grounds(language),
        set_figures.grounds(SET, language),
        set_figures.figures(SET, language),
        now(language),
        cells(language),
        charge(language),
        set_history.soh_history(language),
        set_history.backup_history(language),
        set_history.resistance(language),
        set_history.spread_history(language),
        episodes(language),
        alarm_lists.active_list(language, own, width=24, height=5, brief=True),
        *books.row(language),
    ]


DASHBOARD = Definition(
    slug="battery-set",
    title=labels_battery.BATTERY_SET,
    description=Text(
        "一组电池的单体、荷电、健康与证据、内阻、经历与告警。",
        "Cells, charge, health with its evidence, resistance, past and alarms of one set.",
    ),
    refresh="30s",
    range_from="now-365d",
    variables=[ONE_SET],
    related=[Related("battery-passport", PASSPORT)],
    panels=_panels,
    annotations=[alarm_lists.marks(f"a.device_id = {SET}")],
)
