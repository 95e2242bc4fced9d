"""What was sent and could not be used: quarantined messages, losses of the log, fields that were set aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit import fields, panels, sql
from dashboards.kit.fields import Cell, Field
from dashboards.kit.panels import About
from dashboards.words import labels
from dashboards.words import pipeline as labels_pipeline
from schemas.aside import UNKNOWN
from schemas.words import Language, Text, refused

if TYPE_CHECKING:
    from dashboards.kit.panels import Panel


def newest_quarantine(language: Language) -> Panel:
    """What was refused last."""
    about = About(
        language=language,
        title=Text("最近的隔离", "Newest in quarantine"),
        description=Text(
            "时间范围内最近 50 条无法使用的消息或读数；原始字节可用 fenhe quarantine 查看与回放。来源：quarantine。",
            "The newest 50 messages or readings of the range that could not be used; fenhe quarantine shows and "
            "replays their bytes. Source: quarantine.",
        ),
        width=24,
        height=7,
        empty=labels.NONE,
    )
    query = f"""
SELECT received_at, {sql.words_of("reason", labels.REASON, language)} AS reason,
       NULLIF(device_id, '') AS device, {refused.sql_of("detail", language)} AS detail
FROM quarantine
WHERE $__timeFilter(received_at)
ORDER BY received_at DESC
LIMIT 50
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        fields.moment("received_at", labels_pipeline.ARRIVED_AT),
        Field(name="reason", label=labels.REASON_COLUMN, width=110),
        Field(name="device", label=labels_pipeline.DEVICE, width=150),
        Field(name="detail", label=labels_pipeline.DETAIL),
    )


def losses(language: Language) -> Panel:
    """Records that Kafka dropped before they were stored."""
    about = About(
        language=language,
        title=Text("日志缺失区段", "Ranges lost from the log"),
        description=Text(
            "Kafka 在入库前已丢弃的偏移区段：从此账不平。来源：log_loss。",
            "Offsets that Kafka dropped before they were stored: the books do not close since. Source: log_loss.",
        ),
        width=24,
        height=5,
        empty=labels_pipeline.NO_LOSS,
    )
    query = f"""
SELECT detected_at, partition::float8 AS partition, from_offset::float8 AS from_offset,
       to_offset::float8 AS to_offset, {refused.sql_of("what", language)} AS what
FROM log_loss
WHERE $__timeFilter(detected_at)
ORDER BY detected_at DESC
LIMIT 50
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        fields.moment("detected_at", labels_pipeline.ARRIVED_AT),
        Field(name="partition", label=labels_pipeline.PARTITION, decimals=0, width=80),
        Field(name="from_offset", label=labels_pipeline.FROM_OFFSET, decimals=0, width=100),
        Field(name="to_offset", label=labels_pipeline.TO_OFFSET, decimals=0, width=100, cell=Cell.PLAIN),
        Field(name="what", label=labels_pipeline.WHAT),
    )


def fields_set_aside(language: Language) -> Panel:
    """Single fields that devices send and that are not used."""
    about = About(
        language=language,
        title=Text("搁置的字段", "Fields set aside"),
        description=Text(
            "读数照常使用，只有这些字段不用：按设备与字段，次数最多的 200 行；次数自始累计，原值逐条随读数保存。"
            "来源：field_set_aside。",
            "Their readings are used; these fields alone are not. By device and field, the 200 most frequent that were "
            "sent within the range; counted since the beginning. Every value is kept with its reading. "
            "Source: field_set_aside.",
        ),
        width=24,
        height=7,
        empty=labels.NONE,
    )
    query = f"""
SELECT a.last_ts AS last_at, a.device_id AS device,
       {sql.words_of("a.field", {UNKNOWN: labels_pipeline.UNKNOWN_FIELDS}, language)} AS field,
       {sql.words_of("a.reason", labels_pipeline.ASIDE_REASON, language)} AS reason,
       a.count::float8 AS times, a.last_value AS value_sent, a.first_ts AS first_at
FROM field_set_aside a
WHERE a.last_ts >= $__timeFrom()::timestamptz
ORDER BY a.count DESC, a.device_id, a.field
LIMIT 200
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        fields.moment("last_at", labels_pipeline.LAST_AT),
        Field(name="device", label=labels_pipeline.DEVICE, width=150),
        Field(name="field", label=labels_pipeline.FIELD, width=170),
        Field(name="reason", label=labels.REASON_COLUMN, width=150),
        Field(name="times", label=labels_pipeline.TIMES, decimals=0, width=90),
        Field(name="value_sent", label=labels_pipeline.VALUE_SENT),
        fields.moment("first_at", labels_pipeline.FIRST_AT),
    )
