"""Meter 表计: one meter, what it counted, how well that is known, and what befell its register."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit import fields, panels, sql
from dashboards.kit.dashboard import Definition, Variable
from dashboards.kit.fields import Field
from dashboards.kit.panels import About
from dashboards.parts import alarm_lists, books, compare, plant_limits
from dashboards.parts.plants import rate, register, sites
from dashboards.words import labels, not_yet
from dashboards.words import plant as labels_plant
from schemas.words import Language, Text
from schemas.words.meter_rules import METER_RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.kit.panels import Panel

METER = "${meter:sqlstring}"

RULE_PX = 240
"""Width of why an event was told: in less a row has a word to a line on a laptop."""


def _meters(language: Language) -> str:
    return f"""
SELECT device_id AS __value, {sql.name(language, "d", "device_id")} AS __text
FROM device d
WHERE site_id = ${{site:sqlstring}} AND kind NOT IN ('battery', 'site_power', 'lab')
UNION ALL
SELECT meter_id, {sql.name(language, "v", "meter_id")}
FROM virtual_meter v
WHERE site_id = ${{site:sqlstring}}
ORDER BY 2, 1
"""  # noqa: S608 - fragments of ours


def now(language: Language) -> Panel:
    """The meter's newest reading."""
    about = About(
        language=language,
        title=Text("最近读数", "Newest reading"),
        description=Text(
            "中断的表瞬时值为未知，绝不为 0（不上报瞬时值的表写明“未上报”）；表底保留最后所见值。来源：meter_latest。",
            "The rate of a silent meter is unknown, never 0 (one that sends none says so); its register stays as last "
            "seen. Source: meter_latest.",
        ),
        width=24,
        height=4,
    )
    query = f"""
SELECT CASE WHEN m.ts IS NULL THEN 'never' WHEN {sql.fresh("m")} THEN 'live' ELSE 'stale' END AS state,
       {sql.duration(sql.age_s("m"))} AS age,
       {rate(sql.fresh("m"), "m.rate", "d.kind", "m.rate_unit", language)} AS rate,
       {register("m.total", "d.kind", "m.total_unit")} AS total,
       extract(epoch FROM m.received_at - m.ts)::float8 AS delay_s
FROM device d
LEFT JOIN meter_latest m USING (device_id)
WHERE d.device_id = {METER}
"""  # noqa: S608 - fragments of ours
    return panels.stat(
        about,
        query,
        fields.state(),
        fields.age(),
        Field(name="rate", label=labels.RATE),
        Field(name="total", label=labels.TOTAL),
        Field(name="delay_s", label=Text("到达时差", "arrival − device time"), unit="s", decimals=1),
    )


def increments(language: Language) -> Panel:
    """What the register counted, and how it is known."""
    about = About(
        language=language,
        title=Text("每 15 分钟增量（表底自身单位）", "Increment per 15 minutes, in the register's unit"),
        description=Text(
            "15 分钟内表底增量；跨缺口插值的为估算，另列；无柱为未知，或未满 15 分钟。来源：meter_minute。",
            "Increment of the register in 15 minutes; interpolated over a gap it is estimated and stands "
            "apart; no bar is "
            "unknown, or not yet whole. Source: meter_minute.",
        ),
        width=24,
        height=7,
        empty=not_yet.READINGS,
    )
    # A sum of fewer minutes, as of the quarter under way, would look like a fall.
    whole = "count(increment) = 15"
    query = f"""
SELECT date_bin('15 minutes', ts, {sql.ORIGIN}) AS time,
       CASE WHEN {whole} AND NOT bool_or(quality = 'estimated') THEN sum(increment) END AS measured,
       CASE WHEN {whole} AND bool_or(quality = 'estimated') THEN sum(increment) END AS estimated
FROM meter_minute
WHERE device_id = {METER} AND $__timeFilter(ts)
  AND quantity = (SELECT quantity FROM meter_minute WHERE device_id = {METER} AND $__timeFilter(ts)
                  ORDER BY quantity <> 'energy_import_kwh', quantity LIMIT 1)
GROUP BY 1
ORDER BY 1
"""  # noqa: S608 - fragments of ours
    return panels.timeseries(
        about,
        compare.ENERGY.beside(query, ("measured", "estimated"), "coalesce(measured, estimated)"),
        Field(name="measured", label=labels_plant.INCREMENT, decimals=1, color=fields.PRIMARY),
        Field(
            name="estimated", label=labels_plant.ESTIMATED, decimals=1, color=fields.ESTIMATED, custom=fields.HATCHED
        ),
        compare.field(decimals=1),
        bars=True,
        stacked=True,
    )


def quality(language: Language) -> Panel:
    """Quality of the register's minutes."""
    about = About(
        language=language,
        title=Text("数据质量", "Data quality"),
        description=Text(
            "每分钟增量的质量，取每段内最差者；没有行的时段为未知。来源：meter_minute.quality。",
            "Quality of each minute's increment, the worst of each step; a step without a row is unknown. "
            "Source: meter_minute.quality.",
        ),
        width=24,
        height=4,
    )
    worst = (
        "CASE WHEN bool_or(m.quality = 'unknown') THEN 'unknown' WHEN bool_or(m.quality = 'estimated') THEN 'estimated'"
    )
    query = f"""
SELECT bins.time,
       COALESCE({worst}
                     WHEN bool_or(m.quality = 'partial') THEN 'partial' WHEN count(m.ts) > 0 THEN 'good' END,
                'unknown') AS quality
FROM {sql.bins()}
LEFT JOIN (SELECT ts, quality FROM meter_minute WHERE device_id = {METER} AND $__timeFilter(ts)) m
       ON m.ts >= bins.time - '$__interval'::interval AND m.ts < bins.time
WHERE bins.time < now() - {sql.ARRIVAL}
GROUP BY bins.time
ORDER BY bins.time
"""  # noqa: S608 - fragments of ours
    return panels.state_timeline(about, query, fields.quality("quality", label=labels.QUALITY_COLUMN))


def events(language: Language) -> Panel:
    """What befell the register, with the evidence."""
    about = About(
        language=language,
        title=Text("表计事件（近一年）", "Events (one year)"),
        description=Text(
            "清零、翻转、换表、冻结、缺数等，连同前后读数与判据。来源：meter_event。",
            "Resets, rollovers, replacements, freezes, gaps and the like, with the readings around them and why. "
            "Source: meter_event.",
        ),
        width=24,
        height=8,
        empty=labels.NONE,
    )
    query = f"""
SELECT {sql.case_of("kind", {kind: text(language) for kind, text in labels_plant.EVENTS.items()})} AS event,
       quantity, ts, until_at, value_before, value_seen, value_after, increment, rule
FROM meter_event
WHERE device_id = {METER} AND ts > $__timeTo()::timestamptz - interval '365 days' AND ts <= $__timeTo()::timestamptz
ORDER BY ts DESC
LIMIT 100
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="event", label=labels_plant.EVENT, width=90),
        Field(name="quantity", label=labels_plant.QUANTITY, width=150),
        fields.moment("ts", labels_plant.FROM),
        fields.moment("until_at", labels_plant.UNTIL, unknown=labels_plant.LASTING),
        Field(name="value_before", label=labels_plant.BEFORE, decimals=1, width=110),
        Field(name="value_seen", label=labels_plant.SEEN, decimals=1, width=110),
        Field(name="value_after", label=labels_plant.AFTER, decimals=1, width=110),
        Field(name="increment", label=labels_plant.ATTRIBUTED, decimals=1, width=100),
        Field(name="rule", label=labels_plant.RULE, least_px=RULE_PX, chinese=METER_RULES),
    )


def _panels(language: Language) -> Sequence[Panel]:
    return [now(language), increments(language), quality(language), events(language), *books.row(language)]


DASHBOARD = Definition(
    slug="meter",
    title=labels_plant.METER,
    description=Text(
        "一只表计了多少、可信到什么程度、表底发生过什么。",
        "What one meter counted, how well that is known, and what befell its register.",
    ),
    refresh="10s",
    variables=[
        sites("s.sector <> 'base_station'"),
        Variable(name="meter", label=labels_plant.METER, query=_meters),
        compare.ENERGY.variable,
    ],
    panels=_panels,
    annotations=[alarm_lists.marks(f"a.device_id = {METER}"), plant_limits.event_marks(f"e.device_id = {METER}")],
)
