"""The same hours of another time, drawn behind what is shown: yesterday's, last week's, the best day's."""

from __future__ import annotations

from dashboards.kit import fields, sql
from dashboards.kit.dashboard import Variable
from dashboards.kit.fields import Field
from dashboards.kit.panels import TIME_ZONE
from dashboards.parts.plants import SITE, WHOLE, WHOLE_PLANT
from schemas.words import Language, Text

BEST_OF_DAYS = 60
"""The best day is looked for among so many before the range's end."""

FURTHEST = f"interval '{BEST_OF_DAYS + 1} days'"
"""No compared time lies further back than this."""

COMPARE = "${compare:sqlstring}"
NOTHING = Text("不对比", "nothing")
YESTERDAY = Text("昨天同时", "the day before")
LAST_WEEK = Text("上周同时", "the week before")
BEST_DAY = Text("最佳日", "the best day")
COMPARED = Text("对比期", "compared")

_BEST = f"""
SELECT ts FROM plant_day
WHERE site_id = {SITE} AND {WHOLE_PLANT} AND {WHOLE} AND unit_energy_kgce IS NOT NULL
  AND ts <= now() - interval '2 days' AND ts < date_trunc('day', $__timeTo()::timestamptz, '{TIME_ZONE}')
  AND ts > $__timeTo()::timestamptz - interval '{BEST_OF_DAYS} days'
ORDER BY unit_energy_kgce LIMIT 1
"""  # noqa: S608 - fragments of ours
"""Beginning of the day on which a unit of product took least energy: a whole one before the day the range ends in.

Today and yesterday are not looked at.
"""


def _options(language: Language) -> str:
    return f"""
SELECT __value, __text FROM (
    VALUES (0, 'none', {sql.quote(NOTHING(language))}), (1, 'day', {sql.quote(YESTERDAY(language))}),
           (2, 'week', {sql.quote(LAST_WEEK(language))})
    UNION ALL
    SELECT 3, 'best', {sql.quote(BEST_DAY(language))} || to_char(ts AT TIME ZONE '{TIME_ZONE}', ' MM-DD')
    FROM ({_BEST.strip()}) AS best
) AS options (place, __value, __text)
ORDER BY place
"""  # noqa: S608 - fragments of ours


VARIABLE = Variable(name="compare", label=Text("对比", "Compare with"), query=_options)
"""What the charts of a plant are compared with; nothing at first."""

BACK = f"""(SELECT CASE {COMPARE}
    WHEN 'day' THEN interval '1 day'
    WHEN 'week' THEN interval '7 days'
    WHEN 'best' THEN date_trunc('day', $__timeTo()::timestamptz, '{TIME_ZONE}') - ({_BEST.strip()}) END)"""
"""How far back the compared time lies; null for nothing. Whole days: the same hours stand above each other."""


def field(unit: str = "", decimals: int = 0) -> Field:
    """Return the column `compared` as a thin grey line behind the others."""
    custom = {"lineWidth": 1.5, "fillOpacity": 0, "lineStyle": {"fill": "dash", "dash": [2, 3]}}
    return Field(name="compared", label=COMPARED, unit=unit, decimals=decimals, color=fields.UNKNOWN, custom=custom)
