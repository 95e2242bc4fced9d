"""The same hours of another time, drawn behind what is shown: yesterday's, last week's, the best day's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboards.kit import fields, sql
from dashboards.kit.dashboard import Variable
from dashboards.kit.fields import Field
from dashboards.kit.panels import TIME_ZONE
from dashboards.parts.plants import SITE, WHOLE, WHOLE_PLANT
from schemas.words import Language, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def _best_day(figure: str) -> str:
    """Query the beginning of the day on which a figure of the plant was least: a whole one before the range's last day.

    Today and yesterday are not looked at.
    """
    return f"""SELECT ts FROM plant_day
WHERE site_id = {SITE} AND {WHOLE_PLANT} AND {WHOLE} AND {figure} IS NOT NULL
  AND ts <= now() - interval '2 days' AND ts < date_trunc('day', $__timeTo()::timestamptz, '{TIME_ZONE}')
  AND ts > $__timeTo()::timestamptz - interval '{BEST_OF_DAYS} days'
ORDER BY {figure} LIMIT 1"""  # noqa: S608 - fragments of ours


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a page's charts may be compared with: the day before, the week before, the best day if there is one."""

    best_day: str = ""
    """Query of when that day begins; empty where no day is best."""

    @property
    def variable(self) -> Variable:
        """The page's choice; nothing at first."""
        return Variable(
            name="compare",
            label=Text("对比", "Compare with"),
            query=self._options,
            falls_back_to=("none", NOTHING),
        )

    def _options(self, language: Language) -> str:
        best = f"""
    UNION ALL
    SELECT 3, 'best', {sql.quote(BEST_DAY(language))} || to_char(ts AT TIME ZONE '{TIME_ZONE}', ' MM-DD')
    FROM ({self.best_day}) AS best"""  # noqa: S608 - fragments of ours
        return f"""
SELECT __value, __text FROM (
    VALUES (0, 'none', {sql.quote(NOTHING(language))}), (1, 'day', {sql.quote(YESTERDAY(language))}),
           (2, 'week', {sql.quote(LAST_WEEK(language))}){best if self.best_day else ""}
) AS options (place, __value, __text)
ORDER BY place
"""  # noqa: S608 - fragments of ours

    @property
    def back(self) -> str:
        """How far back the compared time lies; null for nothing. Whole days: the same hours stand above each other."""
        last_day = f"date_trunc('day', $__timeTo()::timestamptz, '{TIME_ZONE}')"
        best = f"WHEN 'best' THEN {last_day} - ({self.best_day})" if self.best_day else ""
        return f"(SELECT CASE {COMPARE} WHEN 'day' THEN interval '1 day' WHEN 'week' THEN interval '7 days' {best} END)"

    def beside(self, query: str, columns: Sequence[str], compared: str) -> str:
        """Return a chart's query with a column more: the expression `compared` at the compared time; null for nothing.

        The query has `time` and `columns`, and bounds its time by macros alone. Its moments stand whole parts of a day
        apart, so that those of two days meet.
        """
        back = "(SELECT back FROM compare)"
        before = _OF_A_COLUMN.sub(r"\1 BETWEEN $__timeFrom() AND $__timeTo()", query)
        before = _END_OF_RANGE.sub(rf"(\g<0>::timestamptz - {back})", before)
        before = _BEGIN_OF_SHIFTED.sub(rf"{_WITHIN} \g<0>", before)
        return f"""
WITH compare AS MATERIALIZED (SELECT {self.back} AS back), shown AS ({query}), before AS (
    SELECT earlier.time + {back} AS time, {compared} AS compared FROM ({before}) AS earlier
)
SELECT time, {", ".join(f"shown.{column}" for column in columns)}, before.compared
FROM shown FULL JOIN before USING (time)
ORDER BY time
"""  # noqa: S608 - fragments of ours


_OF_A_COLUMN = re.compile(r"\$__timeFilter\(([\w.]+)\)")
_BEGIN_OF_SHIFTED = re.compile(r"([\w.]+) BETWEEN (?=\(\$__timeFrom\(\)::timestamptz - )")
_WITHIN = rf"\1 > $__timeFrom()::timestamptz - interval '{BEST_OF_DAYS} days' AND \1 <= $__timeTo()::timestamptz AND"
"""How far back a compared time may lie at all, said in what is known before the query runs.

How far it does lie is known when it runs. A year of minutes are 730 chunks, and planning looked at each: 1 439 ms."""
_END_OF_RANGE = re.compile(r"\$__time(?:From|To)\(\)")

ENERGY = Comparison(_best_day("unit_energy_kgce"))
"""Of a plant: its best day is the one on which a unit of product took least energy."""
WATER = Comparison(_best_day("unit_water_m3"))
"""Of a plant's water: its best day is the one on which a unit of product took least."""
TIMES = Comparison()
"""Of what has no best day."""


def field(unit: str = "", decimals: int = 0) -> Field:
    """Return the column `compared` as a thin grey line behind the others."""
    custom = {
        "drawStyle": "line", "lineWidth": 1.5, "fillOpacity": 0, "lineStyle": {"fill": "dash", "dash": [2, 3]},
        "stacking": {"mode": "none"},
    }  # fmt: skip
    return Field(name="compared", label=COMPARED, unit=unit, decimals=decimals, color=fields.UNKNOWN, custom=custom)
