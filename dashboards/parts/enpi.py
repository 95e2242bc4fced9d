"""Panels of plant energy against its own baseline: EnPI and CUSUM savings."""

from __future__ import annotations

from dashboards.kit import fields, panels
from dashboards.kit.fields import Field, Step
from dashboards.kit.panels import About, Panel
from dashboards.parts.plants import SITE, WHOLE_PLANT, days_back
from dashboards.words import plant as labels_plant
from schemas.words import Language, Text

NO_BASELINE = Text("没有基准：先运行 fenhe enpi fit", "no baseline: run fenhe enpi fit")
ENPI_STEPS = (Step(None, fields.GOOD), Step(1, fields.PARTIAL), Step(1.05, fields.BAD))
"""1 is the baseline itself; red from 5 % above it. (unsourced)"""
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
            "EnPI 为最近已知的一天（当天未结束，尚不可知）。"
            "来源：enpi_baseline、enpi_day。",
            "The newest version: R² of at least 0.75 over at least 12 days (ISO 50006), CV(RMSE) is its relative "
            "error; EnPI of the newest day that is known: never the day under way. "
            "Source: enpi_baseline, enpi_day.",
        ),
        width=6,
        height=7,
        empty=NO_BASELINE,
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


def row(language: Language) -> list[Panel]:
    """All three, side by side."""
    return [fit(language), ratio(language), savings(language)]
