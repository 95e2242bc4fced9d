"""The two figures of a battery set's health, its weakest cell beside the others, and why a figure is not good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit import fields, panels, sql
from dashboards.kit.fields import Field
from dashboards.kit.panels import About
from dashboards.parts.plants import days_back
from dashboards.words import battery as labels_battery
from dashboards.words import battery_soh as words
from dashboards.words import labels
from schemas.words import Text

if TYPE_CHECKING:
    from dashboards.kit.panels import Panel
    from schemas.words import Language

YEARS = 5
"""No figure older than this says anything of a set. (unsourced)"""
CHANGE_DAYS = 90
"""How long before the moment looked at a change is still shown. (unsourced)"""


def _newest(chosen: str) -> str:
    """The newest word on a set's capacity, as what follows a SELECT's columns."""
    return f"""FROM battery_soh s
WHERE s.device_id = {chosen} AND {days_back(YEARS * 365, "s.ts")}
ORDER BY s.ts DESC
LIMIT 1"""


def figures(chosen: str, language: Language) -> Panel:
    """Both capacities and cells; `chosen` is the set as SQL."""
    about = About(
        language=language,
        title=Text("两个容量（占额定 %）", "Two capacities, % of nominal"),
        description=Text(
            "五年内最近一次放电后：电芯所有的总容量（25 °C）；现场可用的容量，即按那次电流与温度放到截止电压。"
            "总容量取决于最弱单体，旁列组内中位单体至少有多少。来源：battery_soh。",
            "After the newest discharge of five years: all that the cells have, at 25 °C; and what the site gets, down "
            "to the cut-off at that discharge's current and temperature. The weakest cell decides; beside it what the "
            "median cell has at least. Source: battery_soh.",
        ),
        width=24,
        height=4,
        empty=labels_battery.NO_DISCHARGE_YET,
    )
    query = f"""
SELECT s.soh_pct::float8 AS total_pct, s.usable_pct::float8 AS usable_pct,
       CASE WHEN s.soh_pct IS NOT NULL THEN '#' || s.weakest_cell END AS weakest_cell,
       s.others_pct::float8 AS others_pct,
       s.quality
{_newest(chosen)}
"""
    return panels.stat(
        about,
        query,
        Field(name="total_pct", label=Text("总容量（25 °C）", "all it has, 25 °C"), unit="%", decimals=0),
        Field(name="usable_pct", label=Text("到截止电压可用", "to the cut-off"), unit="%", decimals=0),
        Field(name="weakest_cell", label=Text("最弱单体", "weakest cell")),
        Field(name="others_pct", label=Text("中位单体至少", "median cell at least"), unit="%", decimals=0),
        fields.quality(),
    )


def grounds(chosen: str, language: Language) -> Panel:
    """What the newest word on a set's capacity rests on, and what it changed; `chosen` is the set as SQL."""
    about = About(
        language=language,
        title=Text("容量的依据", "What the capacity rests on"),
        description=Text(
            "非「良好」时的原因，电流以外的旁证；近 90 天内 SoH 最近一次变动：时间、原因、变动前后数值。"
            "「重新测定」指电池未变：旁证更可靠，改按新的电流误差换算。"
            "从一开始就偏差一成以内的电流，只有站点负载能准确看出。来源：battery_soh。",
            "Why it is not good, and what bears it out beside its own current; the newest change of the SoH within 90 "
            "days: when, how, the SoH before and after. Measured anew: the cells are the same, what bears them out is "
            "surer, and another error of the current is taken out. A current that was off by up to a tenth from the "
            "beginning is told well by the site's load alone. Source: battery_soh.",
        ),
        width=24,
        height=panels.LINE_HEIGHT,
        empty=labels_battery.NO_DISCHARGE_YET,
    )
    unchanged = f"CASE WHEN c.change IS NULL THEN {sql.quote(words.NO_CHANGE(language))} END"
    query = f"""
SELECT s.doubts, s.witnesses, {sql.words_of("c.change", words.CHANGE, language)} AS change,
       {sql.figure_or("c.believed_pct", 1, "%", unchanged)} AS believed_pct,
       {sql.figure_or("c.soh_pct", 1, "%", unchanged)} AS after_pct,
       c.ts AS changed_at
FROM (
    SELECT s.device_id, s.ts,
           CASE WHEN s.soh_pct IS NULL THEN {sql.words_of("s.reason", labels_battery.REASON, language)}
           ELSE {sql.list_words_of("s.doubts", words.DOUBT, language)} END AS doubts,
           {sql.list_words_of("s.witnesses", words.WITNESS, language)} AS witnesses
    {_newest(chosen)}
) s
LEFT JOIN LATERAL (
    SELECT o.ts, o.change, o.believed_pct, o.soh_pct
    FROM battery_soh o
    WHERE o.device_id = s.device_id AND o.change IS NOT NULL
      AND o.ts BETWEEN $__timeTo()::timestamptz - interval '{CHANGE_DAYS} days' AND s.ts
    ORDER BY o.ts DESC
    LIMIT 1
) c ON true
"""  # noqa: S608 - fragments of ours
    return panels.line(
        about,
        query,
        Field(name="doubts", label=Text("为何不是良好", "why not good"), unknown=labels.NONE),
        Field(name="witnesses", label=Text("旁证", "borne out by"), unknown=labels.NONE),
        Field(name="change", label=Text("最近变动", "last change"), unknown=labels.NONE),
        fields.moment("changed_at", Text("变动时间", "changed at"), unknown=labels.NONE),
        Field(name="believed_pct", label=Text("变动前", "before it")),
        Field(name="after_pct", label=Text("变动后", "after it")),
    )
