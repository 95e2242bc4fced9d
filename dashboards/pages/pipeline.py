"""Pipeline 数据质量: does everything that was sent arrive, how late, and what could not be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit import fields, panels, sql
from dashboards.kit.dashboard import Definition
from dashboards.kit.fields import Field, Step, Word
from dashboards.kit.panels import About
from dashboards.parts import books, compare, unused
from dashboards.words import labels
from dashboards.words import pipeline as labels_pipeline
from schemas.words import Language, Text, standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.kit.panels import Panel


LAG_AMBER_S = 60
"""(unsourced)"""

LAG_RED_S = 300
"""The limit of the alert rule on workers."""

AHEAD_STEPS = (Step(None, fields.PLAIN), Step(5, fields.PARTIAL), Step(300, fields.BAD))
"""Seconds by which a device's clock is ahead of the collector's. (unsourced)"""

DISK_STEPS = (Step(None, fields.BAD), Step(7, fields.PARTIAL), Step(30, fields.GOOD))
"""Days until the database's disk is full. (unsourced: a month is time to buy one, a week to take something away)"""

STORE_STATES = {
    "growing": Word(labels_pipeline.GROWING, fields.PLAIN),
    "not_growing": Word(labels_pipeline.NOT_GROWING, fields.GOOD),
    "full": Word(labels_pipeline.DISK_FULL, fields.BAD),
    "too_young": Word(labels_pipeline.TOO_YOUNG, fields.UNKNOWN),
    "not_measured": Word(labels_pipeline.NOT_MEASURED, fields.BAD),
    "disk_unknown": Word(labels_pipeline.DISK_UNKNOWN, fields.UNKNOWN),
}


def lag(language: Language) -> Panel:
    """How long ago the workers last stored anything."""
    about = About(
        language=language,
        title=Text("入库滞后", "Lag of the workers"),
        description=Text(
            "最近一次入库距今，及入库最久远的分区：没有新数据的分区也会变旧。来源：checkpoint.updated_at。",
            "Time since the newest commit, and of the partition that was stored longest ago: one without readings "
            "grows old too. Source: checkpoint.updated_at.",
        ),
        width=8,
        height=4,
    )
    # GREATEST alone would turn the null of no partition at all into a green 0.
    since = "CASE WHEN max(updated_at) IS NOT NULL THEN GREATEST(0, extract(epoch FROM now() - {}(updated_at))) END"
    query = f"""
SELECT {sql.duration(since.format("max"), amber_s=LAG_AMBER_S, red_s=LAG_RED_S)} AS newest,
       {sql.duration(since.format("min"))} AS slowest,
       NULLIF(count(*), 0)::float8 AS partitions
FROM checkpoint
"""  # noqa: S608 - fragments of ours
    return panels.stat(
        about,
        query,
        Field(name="newest", label=labels_pipeline.NEWEST_COMMIT, marked=True, unknown=labels.NEVER),
        Field(name="slowest", label=labels_pipeline.SLOWEST_PARTITION, unknown=labels.NEVER),
        Field(name="partitions", label=labels_pipeline.PARTITIONS, decimals=0, unknown=labels.NONE),
    )


def latencies(language: Language) -> Panel:
    """How long readings take from stage to stage."""
    about = About(
        language=language,
        title=Text("各环节时延（在线设备最近读数）", "Latency by stage (newest readings of live devices)"),
        description=Text(
            "测量→采集 = 采集器收到时刻 − 设备时间，含网络与时钟偏差；采集→入库 = 事务提交时刻 − 收到时刻，"
            "数据库须开启 track_commit_timestamp，否则为未知。来源：arrival 视图（各 *_latest 表）。",
            "Measured → received is the collector's time less the device's: network and clock together. Received → "
            "stored ends with the commit, which PostgreSQL only knows with track_commit_timestamp on. "
            "Source: view arrival (the *_latest tables).",
        ),
        width=16,
        height=4,
    )
    measured = "extract(epoch FROM a.received_at - a.ts)"
    stored = "extract(epoch FROM a.stored_at - a.received_at)"
    query = f"""
SELECT percentile_cont(0.5)  WITHIN GROUP (ORDER BY {measured})::float8 AS measured_p50,
       percentile_cont(0.99) WITHIN GROUP (ORDER BY {measured})::float8 AS measured_p99,
       percentile_cont(0.5)  WITHIN GROUP (ORDER BY {stored})::float8   AS stored_p50,
       percentile_cont(0.99) WITHIN GROUP (ORDER BY {stored})::float8   AS stored_p99
FROM arrival a
JOIN device d USING (device_id)
WHERE {sql.fresh("a")}
"""  # noqa: S608 - fragments of ours
    stages = {"measured": labels_pipeline.MEASURED_TO_RECEIVED, "stored": labels_pipeline.RECEIVED_TO_STORED}
    shares = {"p50": labels_pipeline.P50, "p99": labels_pipeline.P99}
    return panels.stat(
        about,
        query,
        *(
            Field(
                name=f"{stage}_{share}",
                label=Text(f"{name.zh} {part.zh}", f"{name.en}, {part.en}"),
                unit="s",
                decimals=1,
            )
            for stage, name in stages.items()
            for share, part in shares.items()
        ),
    )


def disk(language: Language) -> Panel:
    """How long the database's disk lasts."""
    about = About(
        language=language,
        title=Text("数据库磁盘", "Disk of the database"),
        description=Text(
            "按最近 30 天每日库容的直线趋势推算磁盘写满还需多少天；至少测满一周才推算，两天未测量则未知。"
            "磁盘大小须用 fenhe retention disk 登记，未登记则未知。不含 WAL 日志。来源：store_forecast 视图。",
            "Days until the disk is full, by a straight line through the last 30 days of sizes, once there is a week "
            "of them; unknown where none was measured for two days. The disk's size has to be said by `fenhe retention "
            "disk`, otherwise it is unknown. PostgreSQL's log (WAL) is not counted. Source: view store_forecast.",
        ),
        width=24,
        height=panels.LINE_HEIGHT,
    )
    query = """
SELECT days, state, bytes / 2^30 AS size_gib, bytes_a_day / 2^30 AS growth_gib, disk_bytes / 2^30 AS disk_gib
FROM store_forecast
"""
    return panels.line(
        about,
        query,
        Field(
            name="days",
            label=labels_pipeline.DAYS_LEFT,
            unit=labels_pipeline.DAY(language),
            decimals=0,
            thresholds=DISK_STEPS,
        ),
        Field(name="state", label=labels_pipeline.WHY_SO, words=STORE_STATES),
        Field(name="size_gib", label=labels_pipeline.STORE_SIZE, unit="GiB", decimals=2),
        Field(name="growth_gib", label=labels_pipeline.GROWTH_A_DAY, unit="GiB", decimals=3),
        Field(name="disk_gib", label=labels_pipeline.DISK_SIZE, unit="GiB", decimals=0),
    )


def books_per_hour(language: Language) -> Panel:
    """The ledger, hour by hour."""
    about = About(
        language=language,
        title=Text("数据账（每小时）", "Books per hour"),
        description=Text(
            "按到达小时：柱为入库、重复、隔离，线为采集器计数的收到；线应与三柱之和相等。进行中的一小时不画。来源：ledger_total。",
            "By hour of arrival: bars are stored, duplicate and quarantined; the line is what the collectors counted "
            "and equals their sum. The hour under way is not drawn. Source: ledger_total.",
        ),
        width=24,
        height=6,
    )
    query = """
SELECT hour AS time,
       sum(stored)::float8      AS stored,
       sum(duplicate)::float8   AS duplicate,
       sum(quarantined)::float8 AS quarantined,
       sum(received)::float8    AS received
FROM ledger_total
WHERE hour BETWEEN date_trunc('hour', $__timeFrom()::timestamptz)
               AND LEAST($__timeTo()::timestamptz, now() - interval '1 hour')
GROUP BY hour
ORDER BY hour
"""
    line = {"drawStyle": "line", "fillOpacity": 0, "lineStyle": {"fill": "dash"}, "stacking": {"mode": "none"}}
    return panels.timeseries(
        about,
        compare.TIMES.beside(query, ("stored", "duplicate", "quarantined", "received"), "received"),
        Field(name="stored", label=labels.STORED, decimals=0, color=fields.PRIMARY),
        Field(name="duplicate", label=labels.DUPLICATE, decimals=0, color=fields.UNKNOWN),
        Field(name="quarantined", label=labels.QUARANTINED, decimals=0, color=fields.PARTIAL),
        Field(name="received", label=labels.RECEIVED, decimals=0, custom=line),
        compare.field(),
        bars=True,
        stacked=True,
    )


def partitions(language: Language) -> Panel:
    """How far each partition is stored."""
    about = About(
        language=language,
        title=Text("分区进度", "Partitions"),
        description=Text(
            "每个 Kafka 分区下一个待入库的偏移，与最近一次入库距今；停在某条记录超过 5 分钟的分区"
            "列出时长与原因，排在最前。来源：checkpoint、stuck_partition。",
            "Next offset to be stored of every Kafka partition, and the time since its newest commit; oldest first. "
            "One that has stood at a record for 5 minutes says for how long and why, and comes first. "
            "Source: checkpoint, stuck_partition.",
        ),
        width=24,
        height=6,
        empty=labels.NONE,
    )
    since = "GREATEST(0, extract(epoch FROM now() - c.updated_at))"
    query = f"""
SELECT c.topic, c.partition::float8 AS partition, c.next_offset::float8 AS next_offset,
       {sql.duration(since, amber_s=LAG_AMBER_S, red_s=LAG_RED_S)} AS age,
       {sql.duration("extract(epoch FROM now() - s.since)", red_s=0)} AS stands,
       {standing.sql_of("s.error", language)} AS error
FROM checkpoint c
LEFT JOIN stuck_partition s USING (topic, partition)
ORDER BY s.since, c.updated_at, c.partition
LIMIT 100
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="topic", label=Text("主题", "Topic")),
        Field(name="partition", label=labels_pipeline.PARTITION, decimals=0, width=80),
        Field(name="next_offset", label=labels_pipeline.OFFSET, decimals=0, width=120),
        Field(name="age", label=labels_pipeline.NEWEST_COMMIT, width=120, marked=True, unknown=labels.NEVER),
        Field(name="stands", label=labels_pipeline.STANDS_FOR, width=90, marked=True, unknown=labels.NO),
        Field(name="error", label=labels_pipeline.WHY_IT_STANDS, unknown=labels.NONE),
    )


def sites(language: Language) -> Panel:
    """Freshness and clocks, worst sites first."""
    about = About(
        language=language,
        title=Text("各站点新鲜度与时钟（最差 50 个）", "Freshness and clocks by site, worst 50"),
        description=Text(
            "中断设备最多者在前，其次为时钟超前最多者。到达时差 = 采集器时刻 − 设备时间（仅在线设备）："
            "为负即设备时钟超前，恒大即时钟落后或网络缓慢。来源：device、arrival 视图。",
            "Most silent devices first, then the clock farthest ahead. Arrival less device time, of live devices: "
            "negative means a clock ahead, always large a slow clock or network. Source: device, view arrival.",
        ),
        width=24,
        height=8,
        empty=labels.NONE,
    )
    skew = "extract(epoch FROM a.received_at - a.ts)"
    query = f"""
SELECT found.site_id, {sql.name(language, "s", "site_id")} AS site, {sql.city(language)} AS city,
       found.devices, found.silent, {sql.duration("found.newest_s")} AS newest,
       {sql.duration("found.oldest_s")} AS oldest, found.skew_s, found.ahead_s
FROM (
    SELECT d.site_id,
           count(*)::float8                                                            AS devices,
           {sql.bad_ones(f"NOT COALESCE({sql.fresh('a')}, false)")} AS silent,
           min({sql.age_s("a")})                                                       AS newest_s,
           max({sql.age_s("a")})                                                       AS oldest_s,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY {skew}) FILTER (WHERE {sql.fresh("a")})::float8 AS skew_s,
           max(GREATEST(0, -{skew})) FILTER (WHERE {sql.fresh("a")})::float8           AS ahead_s
    FROM device d
    LEFT JOIN arrival a USING (device_id)
    WHERE d.kind <> 'lab'
    GROUP BY d.site_id
    ORDER BY silent DESC, ahead_s DESC NULLS LAST, d.site_id
    LIMIT 50
) found
JOIN site s USING (site_id)
ORDER BY found.silent DESC, found.ahead_s DESC NULLS LAST, found.site_id
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="site_id", hidden=True),
        Field(name="site", label=labels.SITE),
        Field(name="city", label=labels.CITY_COLUMN, width=80),
        Field(name="devices", label=labels_pipeline.DEVICES, decimals=0, width=70),
        Field(name="silent", label=labels.SILENT, decimals=0, width=70, thresholds=fields.ANY_IS_WARNING),
        Field(name="newest", label=labels_pipeline.NEWEST, width=90, unknown=labels.NEVER),
        Field(name="oldest", label=labels_pipeline.OLDEST, width=110, unknown=labels.NEVER),
        Field(name="skew_s", label=labels_pipeline.SKEW_MEDIAN, unit="s", decimals=1, width=150),
        Field(
            name="ahead_s",
            label=labels_pipeline.AHEAD_MAX,
            unit="s",
            decimals=1,
            width=120,
            thresholds=AHEAD_STEPS,
        ),
    )


def reporting_by_city(language: Language) -> Panel:
    """How much of the fleet reports, city by city, over time."""
    about = About(
        language=language,
        title=Text("电池组在线率 %（按城市，每小时）", "Battery sets reporting, % (by city, per hour)"),
        description=Text(
            "每小时：Σ 各组覆盖率 / 已登记组数。空白为未知。来源：battery_hour.coverage。",
            "Per hour: Σ of the sets' coverage / sets registered. Empty is unknown. Source: battery_hour.coverage.",
        ),
        width=24,
        height=8,
    )
    columns = ",\n       ".join(
        f"100 * sum(q.coverage) FILTER (WHERE q.city = {sql.quote(city)}) / NULLIF(max(f.sets) FILTER "
        f'(WHERE f.city = {sql.quote(city)}), 0) AS "{city if language is Language.ZH else english}"'
        for city, english in labels.CITY.items()
    )
    query = f"""
WITH fleet AS MATERIALIZED (
    SELECT s.city, count(*)::float8 AS sets
    FROM device d JOIN site s USING (site_id)
    WHERE d.kind = 'battery'
    GROUP BY s.city
), hours AS MATERIALIZED (
    SELECT h.ts, s.city, sum(h.coverage)::float8 AS coverage
    FROM battery_hour h JOIN site s USING (site_id)
    WHERE $__timeFilter(h.ts)
    GROUP BY 1, 2
)
SELECT q.ts AS time,
       {columns}
FROM hours q
JOIN fleet f USING (city)
WHERE q.ts < date_trunc('hour', $__timeTo()::timestamptz)
GROUP BY q.ts
"""  # noqa: S608 - fragments of ours
    names = [city if language is Language.ZH else english for city, english in labels.CITY.items()]
    return panels.heatmap(
        about, query, *(Field(name=name) for name in names), bucket=panels.Bucket.HOUR, unit="%", maximum=100
    )


def _panels(language: Language) -> Sequence[Panel]:
    return [
        lag(language),
        latencies(language),
        disk(language),
        books_per_hour(language),
        partitions(language),
        sites(language),
        unused.newest_quarantine(language),
        reporting_by_city(language),
        unused.losses(language),
        unused.fields_set_aside(language),
        *books.row(language),
    ]


DASHBOARD = Definition(
    slug="pipeline",
    title=labels_pipeline.PIPELINE,
    description=Text(
        "送来的是否都到了、晚了多久、哪些无法使用。",
        "Does everything that was sent arrive, how late, and what could not be used.",
    ),
    refresh="10s",
    variables=[compare.TIMES.variable],
    panels=_panels,
)
