"""The books, on every dashboard: nothing that arrived is missing without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit import fields, panels, sql
from dashboards.kit.fields import Field
from dashboards.kit.panels import About
from dashboards.words import labels
from schemas.words import Language, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.kit.panels import Panel


REASONS = 7
"""As many as have room; the page of the pipeline has a list of all that is newest."""


def balance(language: Language) -> Panel:
    """Received against stored, duplicate and quarantined over the whole range."""
    about = About(
        language=language,
        title=labels.BOOKS,
        description=Text(
            "时间范围所涉整点小时内全部设备的合计。收到 = 采集器计数；入库、重复、隔离 = 数据库计数；两边相等为“平”。"
            "日志缺失 = Kafka 已不再保留、无法处理的区段数。来源：ledger_total、log_loss。",
            "All devices over the whole hours that the range touches. Received is the collectors' count; stored, "
            "duplicate and quarantined are the database's; closed when both sides agree. Log losses are ranges that "
            "Kafka no longer held. Source: ledger_total, log_loss.",
        ),
        width=24,
        height=4,
    )
    query = """
SELECT sum(received)::float8    AS received,
       sum(stored)::float8      AS stored,
       sum(duplicate)::float8   AS duplicate,
       sum(quarantined)::float8 AS quarantined,
       (sum(received) = sum(stored) + sum(duplicate) + sum(quarantined))::int AS closed,
       CASE WHEN count(*) > 0 THEN (SELECT count(*) FROM log_loss WHERE $__timeFilter(detected_at)) END::float8 AS lost
FROM ledger_total
WHERE hour BETWEEN date_trunc('hour', $__timeFrom()::timestamptz) AND $__timeTo()::timestamptz
"""
    return panels.stat(
        about,
        query,
        Field(name="received", label=labels.RECEIVED, decimals=0),
        Field(name="stored", label=labels.STORED, decimals=0),
        Field(name="duplicate", label=labels.DUPLICATE, decimals=0),
        Field(name="quarantined", label=labels.QUARANTINED, decimals=0, thresholds=fields.ANY_IS_WARNING),
        Field(name="closed", label=labels.CLOSED, words=fields.CLOSED_WORDS),
        Field(name="lost", label=labels.LOST, decimals=0, thresholds=fields.ANY_IS_BAD),
    )


def quarantine_by_reason(language: Language) -> Panel:
    """What could not be used, and why."""
    about = About(
        language=language,
        title=labels.QUARANTINE_BY_REASON,
        description=Text(
            f"时间范围内到达隔离区的消息数，按原因，最多的 {REASONS} 种。原始字节都保留，"
            "改正原因后可回放。来源：quarantine。",
            f"Messages that went to the quarantine within the range, by reason, the {REASONS} most frequent. Their raw "
            "bytes are kept and can be replayed once the cause is mended. Source: quarantine.",
        ),
        width=24,
        height=5,
        empty=labels.NONE,
    )
    query = f"""
SELECT {sql.words_of("reason", labels.REASON, language)} AS reason, count(*)::float8 AS messages
FROM quarantine
WHERE $__timeFilter(received_at)
GROUP BY 1
ORDER BY 2 DESC, 1
LIMIT {REASONS}
"""  # noqa: S608 - fragments of ours; values come through Grafana's macros
    return panels.bar_chart(
        about,
        query,
        "reason",
        Field(name="reason", label=labels.REASON_COLUMN),
        Field(name="messages", label=labels.MESSAGES, decimals=0, color=fields.PARTIAL),
    )


def row(language: Language) -> Sequence[Panel]:
    """Return the shared last row."""
    return [balance(language), quarantine_by_reason(language)]
