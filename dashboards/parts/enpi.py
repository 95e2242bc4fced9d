"""Panels of plant energy against its own baseline: EnPI and CUSUM savings."""

from __future__ import annotations

from dashboards.kit import fields, panels, sql
from dashboards.kit.fields import Field, Step
from dashboards.kit.panels import TIME_ZONE, About, Panel
from dashboards.parts.plants import SITE, WHOLE_PLANT, days_back
from dashboards.words import labels, not_yet
from dashboards.words import plant as labels_plant
from schemas.words import Language, Text

ENPI_STEPS = (Step(None, fields.GOOD), Step(1, fields.PARTIAL), Step(1.05, fields.BAD))
"""1 is the baseline itself; red from 5 % above it. (unsourced)"""
NEWEST_WITHIN_D = 10
"""How old the newest known day may be of which a deviation is told. (unsourced)"""
WEEK_D = 7
WEEK_LEAST_D = 4
"""Days that must be known of seven, as `enpi_day` asks for its `enpi_7d`."""
FORMULA = Text(
    "EnPI = E / Ê，Ê = 基准截距 + 基准斜率 × 产量 + 其他变量的部分，取能耗与产量都已知的小时；每天一点。"
    "不足 12 小时或变量未知的日子为未知，迟到数据到达后自动更正。来源：enpi_day、enpi_baseline。",
    "EnPI = E / Ê with Ê = intercept + slope × production + the parts of other variables, over the hours of which "
    "energy and production are known; one point a day. A day with fewer than 12 such hours, or of which a "
    "variable is not known, is unknown; late data repairs it. Source: enpi_day, enpi_baseline.",
)


def ratio(language: Language) -> Panel:
    """Energy against the baseline, a day and seven."""
    about = About(
        language=language,
        title=Text("能源绩效 EnPI（实际/基准）", "EnPI: energy against its baseline"),
        description=FORMULA,
        width=8,
        height=7,
        empty=not_yet.BASELINE,
    )
    query = f"""
SELECT ts AS time,
       CASE WHEN quality <> 'estimated' THEN enpi END AS enpi,
       CASE WHEN quality = 'estimated' THEN enpi END AS enpi_estimated,
       enpi_7d,
       1::float8 AS baseline
FROM enpi_day
WHERE site_id = {SITE} AND {WHOLE_PLANT} AND $__timeFilter(ts)
ORDER BY ts
"""  # noqa: S608 - fragments of ours
    return panels.timeseries(
        about,
        query,
        Field(name="enpi", label=Text("EnPI 日", "EnPI, day"), decimals=3, color=fields.PRIMARY),
        fields.estimated("enpi_estimated", labels_plant.ESTIMATED, decimals=3),
        Field(name="enpi_7d", label=Text("EnPI 7 天", "EnPI, 7 days"), decimals=3, color=fields.PARTIAL),
        fields.line("baseline", Text("基准", "Baseline"), fields.GOOD, decimals=0),
    )


def savings(language: Language) -> Panel:
    """Savings since the baseline, summed up."""
    about = About(
        language=language,
        title=Text("累计节能量 CUSUM kgce", "Savings since the baseline (CUSUM), kgce"),
        description=Text(
            "基准期之后 Σ(Ê − E)：上升为节能，下降为多用。未知的日子不计入。来源：enpi_day.cusum_kgce。",
            "Σ(Ê − E) since the end of the fit: rising saves, falling spends. Unknown days add nothing. "
            "Source: enpi_day.cusum_kgce.",
        ),
        width=10,
        height=7,
        empty=not_yet.BASELINE,
    )
    query = f"""
SELECT ts AS time, cusum_kgce, 0::float8 AS baseline
FROM enpi_day
WHERE site_id = {SITE} AND {WHOLE_PLANT} AND $__timeFilter(ts)
ORDER BY ts
"""  # noqa: S608 - fragments of ours
    return panels.timeseries(
        about,
        query,
        Field(name="cusum_kgce", label=Text("累计节能量", "Savings"), decimals=0, color=fields.PRIMARY),
        fields.line("baseline", Text("基准", "Baseline"), fields.GOOD, decimals=0),
    )


def fit(language: Language) -> Panel:
    """The newest baseline and what it is worth."""
    about = About(
        language=language,
        title=Text("能源基准", "Energy baseline"),
        description=Text(
            "最新基准版本：R² 不小于 0.75、至少 12 天（ISO 50006），CV(RMSE) 为相对误差；"
            "EnPI 为近 3 天中最近能知的一天（至少 12 小时已知；当天下午起即为当天）。"
            "来源：enpi_baseline、enpi_day。",
            "The newest version: R² of at least 0.75 over at least 12 days (ISO 50006), CV(RMSE) is its relative "
            "error; EnPI of the newest day within three of which 12 hours are known (today's from the afternoon on). "
            "Source: enpi_baseline, enpi_day.",
        ),
        width=6,
        height=7,
        empty=not_yet.BASELINE,
    )
    query = f"""
SELECT b.version::float8 AS version, b.points::float8 AS points, b.r_squared, 100 * b.cv_rmse AS cv_rmse_pct,
       d.enpi, COALESCE(d.quality, 'unknown') AS quality
FROM enpi_baseline b
LEFT JOIN LATERAL (
    SELECT enpi, quality FROM enpi_day e
    WHERE e.site_id = b.site_id AND e.line_id = b.line_id AND {days_back(3, "e.ts")} AND e.enpi IS NOT NULL
    ORDER BY e.ts DESC LIMIT 1
) d ON true
WHERE b.site_id = {SITE} AND b.{WHOLE_PLANT}
ORDER BY b.version DESC
LIMIT 1
"""  # noqa: S608 - fragments of ours
    return panels.stat(
        about,
        query,
        Field(name="version", label=Text("版本", "Version"), decimals=0),
        Field(name="points", label=Text("天数", "Days"), decimals=0),
        Field(name="r_squared", label=Text("R²", "R²"), decimals=3),
        Field(name="cv_rmse_pct", label=Text("CV(RMSE)", "CV(RMSE)"), unit="%", decimals=1),
        Field(name="enpi", label=Text("EnPI", "EnPI"), decimals=3, thresholds=ENPI_STEPS),
        fields.quality(),
    )


def deviation(language: Language) -> Panel:
    """What each line spent beyond its baseline, in coal and in money, the line that explains most of it on top."""
    about = About(
        language=language,
        title=Text("偏差代价：较基准多用（负为节约）", "Cost of the deviation from the baseline (below zero saves)"),
        description=Text(
            "偏差 = E − Ê，取最近能知的一天（至少 12 小时已知；当天下午起即为当天）的已知小时，"
            "及至该日的 7 天（至少 4 天已知，不足 7 天为 ◇）。"
            "✕ 多用 5 % 以上，◇ 依估算得出，○ Ê 不大于 0。折合元 = 偏差 × 登记的吨标煤价格。"
            "全厂在前，其次为多用最多的产线；没有基准的产线未知。来源：enpi_day、site。",
            "Deviation: E − Ê over the known hours of the newest day of which 12 are known (today's from the afternoon "
            "on), and over the 7 days up to it (of which 4 are known; ◇ where not all are). ✕ is 5 % more or beyond, "
            "◇ rests on an estimate, ○ has no Ê above 0. Yuan: the deviation times the registered price of a tonne of "
            "coal equivalent. The whole plant first, then the line that spent most; one without a baseline is "
            "unknown. Source: enpi_day, site.",
        ),
        width=24,
        height=5,
        empty=labels.NONE,
    )
    estimated = fields.MARK_OF[fields.ESTIMATED]
    mark = (
        f"CASE WHEN n.enpi IS NULL THEN '{fields.MARK_OF[fields.UNKNOWN]}' "
        f"WHEN n.quality = 'estimated' THEN '{estimated}' "
        + " ".join(
            f"WHEN n.enpi >= {step.value} THEN '{fields.MARK_OF[step.color]}'" for step in reversed(ENPI_STEPS[1:])
        )
        + f" ELSE '{fields.MARK_OF[ENPI_STEPS[0].color]}' END"
    )
    no_baseline = (
        "CASE WHEN NOT EXISTS (SELECT FROM enpi_baseline b WHERE b.site_id = l.site_id AND b.line_id = l.line_id) "
        f"THEN {sql.quote(labels_plant.NO_BASELINE(language))} END"
    )
    query = f"""
WITH days AS MATERIALIZED (
    SELECT line_id, ts, actual_kgce, expected_kgce, enpi, coverage, quality
    FROM enpi_day
    WHERE site_id = {SITE} AND {days_back(NEWEST_WITHIN_D + WEEK_D)}
      AND actual_kgce IS NOT NULL AND expected_kgce IS NOT NULL
), newest AS (
    SELECT DISTINCT ON (line_id) * FROM days WHERE {days_back(NEWEST_WITHIN_D)} ORDER BY line_id, ts DESC
), week AS (
    SELECT d.line_id,
           CASE WHEN count(*) < {WEEK_D} OR bool_or(d.quality = 'estimated') THEN '{estimated} ' ELSE '' END
           || {sql.signed("sum(d.actual_kgce - d.expected_kgce)", 0)} AS kgce
    FROM days d JOIN newest n USING (line_id)
    WHERE d.ts > n.ts - interval '{WEEK_D} days'
    GROUP BY d.line_id
    HAVING count(*) >= {WEEK_LEAST_D}
)
SELECT {sql.name(language, "l", "line_id")} AS line,
       coalesce(to_char(n.ts AT TIME ZONE '{TIME_ZONE}', 'MM-DD'), {no_baseline}) AS day, n.coverage,
       n.actual_kgce, n.expected_kgce,
       {mark} || ' ' || {sql.signed("n.actual_kgce - n.expected_kgce", 0)} AS deviation_kgce,
       {sql.signed_pct("100 * (n.enpi - 1)")} AS deviation_pct,
       w.kgce AS week_kgce,
       CASE WHEN s.coal_yuan_t IS NULL THEN {sql.quote(labels_plant.NO_PRICE(language))}
            ELSE {sql.signed("(n.actual_kgce - n.expected_kgce) / 1000 * s.coal_yuan_t", 0)} END AS yuan
FROM product_line l
JOIN site s USING (site_id)
LEFT JOIN newest n USING (line_id)
LEFT JOIN week w USING (line_id)
WHERE l.site_id = {SITE}
ORDER BY l.line_id <> 'plant', n.actual_kgce - n.expected_kgce DESC NULLS LAST, l.line_id
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="line", label=labels_plant.LINE),
        Field(name="day", label=labels_plant.DAY, width=70),
        fields.coverage(width=70),
        Field(name="actual_kgce", label=labels_plant.SPENT, decimals=0, width=90),
        Field(name="expected_kgce", label=labels_plant.EXPECTED, decimals=0, width=90),
        Field(name="deviation_kgce", label=labels_plant.DEVIATION, marked=True, width=110),
        Field(name="deviation_pct", label=labels_plant.DEVIATION_PCT, width=80),
        Field(name="week_kgce", label=labels_plant.WEEK_DEVIATION, marked=True, width=110),
        Field(name="yuan", label=labels_plant.DEVIATION_YUAN, width=90),
    )


def row(language: Language) -> list[Panel]:
    """All three, side by side."""
    return [fit(language), ratio(language), savings(language)]
