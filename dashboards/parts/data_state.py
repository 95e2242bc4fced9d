"""How old the data are, in a sentence on top of every page in Grafana; the preview says it in its own bar."""

from __future__ import annotations

from dashboards.kit import panels, sql
from dashboards.kit.fields import Field
from dashboards.kit.panels import TIME_ZONE, About, Panel
from dashboards.words import labels
from schemas.words import Language, Text

LIVE_S = 60.0
"""Data younger than this are live; a collector says every ten seconds that it is there."""
STALE_S = 180.0
"""Older than this, figures are not to be taken for those of now."""

NEWEST = """
WITH newest AS (SELECT topic FROM partition_progress ORDER BY record_at DESC LIMIT 1)
SELECT extract(epoch FROM max(event_at))::float8 AS data_to, extract(epoch FROM min(record_at))::float8 AS stored_to
FROM partition_progress JOIN newest USING (topic)
"""
"""Device time the newest reading has, and when the last record was written that the slowest partition has stored."""

NOTHING_YET = Text("○ 还没有收到任何数据", "○ no data have come in yet")
LIVE = Text("● 实时 · 数据至 ", "● live · data to ")
DATA_TO = Text("数据至 ", "data to ")
BEHIND = Text("，落后 ", ", behind by ")
NOT_OF_NOW = Text("：以下不是现在的数字", ": the figures below are not of now")


def band(language: Language) -> Panel:
    """The sentence, in the colour of its mark; it has no title of its own."""
    about = About(
        language=language,
        title=Text("", ""),
        description=Text(
            "最慢分区已入库到何时。一分钟以内为实时，超过三分钟则以下不是现在的数字。来源：partition_progress。",
            "How far the slowest partition has stored. Up to a minute is live; beyond three the figures below are not "
            "of now. Source: partition_progress.",
        ),
        width=24,
        height=2,
        empty=NOTHING_YET,
    )
    lag = "extract(epoch FROM now()) - data_to"
    clock = (
        f"to_char(to_timestamp(data_to) AT TIME ZONE '{TIME_ZONE}', "
        f"CASE WHEN {lag} < 43200 THEN 'HH24:MI:SS' ELSE 'YYYY-MM-DD HH24:MI' END)"
    )
    behind = f"{sql.quote(DATA_TO(language))} || {clock} || {sql.quote(BEHIND(language))} || {sql.duration(lag)}"
    query = f"""
SELECT CASE WHEN data_to IS NULL THEN {sql.quote(NOTHING_YET(language))}
            WHEN {lag} <= {LIVE_S:.0f} THEN {sql.quote(LIVE(language))} || {clock}
            WHEN {lag} <= {STALE_S:.0f} THEN '◐ ' || {behind}
            ELSE '✕ ' || {behind} || {sql.quote(NOT_OF_NOW(language))} END AS state
FROM (SELECT LEAST(data_to, stored_to) AS data_to FROM ({NEWEST}) AS progress) AS progress
"""  # noqa: S608 - fragments of ours
    return panels.sentence(about, query, Field(name="state", marked=True, unknown=labels.UNKNOWN))
