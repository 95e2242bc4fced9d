"""Alert rules on fenhe itself, and whom they tell.

What a stream raises it raises by itself; but a stream that has stopped raises nothing. So Grafana watches the watcher:
books that do not close, a log with holes, workers that write nothing, and too much in the quarantine. No rule's text
holds a `$`: file provisioning would take it for an environment variable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from dashboards.kit.query import DATA_SOURCE_UID

FOLDER_UID = "fenhe"
FOLDER_TITLE = "fenhe"
FILE_FOLDER_TITLE = "fenhe 自监控 · self-watch"
"""Folder of the rules that come from files. A rule file names its folder by title alone, alerting is provisioned before
the dashboards, and a folder of a title that is not there gets a UID of its own: under the dashboards' title there would
be two folders of one name."""
GROUP = "fenhe"
GROUP_INTERVAL_S = 60
RECEIVER = "fenhe"
CONTACT_POINT_UID = "fenhe-webhook"
WEBHOOK_VARIABLE = "FENHE_ALERT_WEBHOOK"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class WatchRule:
    """An alert when a query's one number is above a limit."""

    slug: str
    title: str
    """Chinese and English: who is woken reads one of them."""
    summary: str
    sql: str
    above: float
    holds: str
    """For how long the number must stay above, as Grafana writes it: `5m`."""
    severity: str
    page: str = "pipeline"
    """Slug of the dashboard that shows what is wrong; the alert links to it."""

    @property
    def uid(self) -> str:
        """Grafana's identifier of the rule."""
        return f"fenhe-{self.slug}"

    def _common(self) -> Json:
        expression = {"type": "__expr__", "uid": "__expr__"}
        query = {"refId": "A", "format": "table", "editorMode": "code", "rawQuery": True, "rawSql": self.sql}
        threshold = {
            "refId": "B",
            "type": "threshold",
            "datasource": expression,
            "expression": "A",
            "conditions": [{"evaluator": {"type": "gt", "params": [self.above]}}],
        }
        return {
            "uid": self.uid,
            "title": self.title,
            "condition": "B",
            "data": [
                {
                    "refId": "A",
                    "datasourceUid": DATA_SOURCE_UID,
                    "relativeTimeRange": {"from": 600, "to": 0},
                    "model": query,
                },
                {
                    "refId": "B",
                    "datasourceUid": "__expr__",
                    "relativeTimeRange": {"from": 600, "to": 0},
                    "model": threshold,
                },
            ],
            # A database that does not answer is itself what this watch is for.
            "noDataState": "NoData",
            "execErrState": "Error",
            "for": self.holds,
            "annotations": {
                "summary": self.summary,
                # Grafana makes of both together a link to the dashboard, and marks the alert on that panel.
                "__dashboardUid__": f"fenhe-{self.page}-zh",
                "__panelId__": "1",
            },
            "labels": {"service": "fenhe", "severity": self.severity},
            "isPaused": False,
            "notification_settings": {"receiver": RECEIVER},
        }

    def over_http(self) -> Json:
        """Return the rule as `/api/v1/provisioning/alert-rules` takes it."""
        return {**self._common(), "folderUID": FOLDER_UID, "ruleGroup": GROUP}

    def in_file(self) -> Json:
        """Return the rule as a provisioning file holds it."""
        return self._common()


RULES = (
    WatchRule(
        slug="books-open",
        title="数据账不平 · Books do not close",
        summary="收到 ≠ 入库 + 重复 + 隔离 · received is not stored + duplicate + quarantined: run fenhe balance",
        sql="""SELECT count(*)::float8 AS open_hours
FROM (
    SELECT hour
    FROM ledger_total
    WHERE hour >= now() - interval '25 hours'
    GROUP BY hour
    HAVING sum(received) <> sum(stored) + sum(duplicate) + sum(quarantined)
) AS hours""",
        above=0,
        holds="0s",
        severity="critical",
    ),
    WatchRule(
        slug="log-loss",
        title="日志缺失 · Records lost before they were stored",
        summary="Kafka 已丢弃未处理的区段 · Kafka dropped records that no worker had read: see table log_loss",
        sql="SELECT count(*)::float8 AS losses FROM log_loss WHERE detected_at >= now() - interval '24 hours'",
        above=0,
        holds="0s",
        severity="critical",
    ),
    WatchRule(
        slug="partition-stuck",
        title="分区停滞 · A partition stands still",
        summary="某分区停在同一条记录超过 5 分钟 · a partition has not got past one record: see table stuck_partition",
        sql="SELECT count(*)::float8 AS partitions FROM stuck_partition",
        above=0,
        holds="0s",
        severity="critical",
    ),
    WatchRule(
        slug="background-work-fails",
        title="后台任务失败 · Work in the background fails",
        summary="某站点重算或某表清理失败 · see recompute_request, retention_policy for what fails and why",
        sql="""SELECT (SELECT count(*) FROM recompute_request WHERE finished_at IS NULL AND failures > 1)::float8
     + (SELECT count(*) FROM retention_policy WHERE error <> '') AS failing""",
        above=0,
        holds="5m",
        severity="warning",
    ),
    WatchRule(
        slug="workers-silent",
        title="入库停止 · Nothing is being stored",
        summary="超过 5 分钟没有任何分区入库 · no partition was stored for 5 minutes: see collectors, Kafka, workers",
        sql="SELECT extract(epoch FROM now() - max(updated_at))::float8 AS silent_s FROM checkpoint",
        above=300,
        holds="1m",
        severity="critical",
    ),
    WatchRule(
        slug="no-data-at-all",
        title="没有任何读数 · No readings at all",
        summary="超过 10 分钟没有任何读数 · no reading of any device for 10 minutes: see broker, collectors, network",
        sql="""SELECT COALESCE(extract(epoch FROM now() - max(received_at)), 0)::float8 AS silent_s
FROM (
    SELECT max(received_at) AS received_at FROM meter_latest
    UNION ALL SELECT max(received_at) FROM battery_latest
    UNION ALL SELECT max(received_at) FROM site_power_latest
) AS latest""",
        above=600,
        holds="1m",
        severity="critical",
    ),
    WatchRule(
        slug="safety-active",
        title="电池安全告警未确认 · Battery safety alarm not acknowledged",
        summary="电池安全告警超过 2 分钟无人确认 · nobody has acknowledged it for 2 minutes: fenhe alarms list",
        sql="""SELECT count(*)::float8 AS alarms
FROM alarm
WHERE safety AND state = 'active_unacknowledged' AND detected_at >= now() - interval '30 days'""",
        above=0,
        holds="2m",
        severity="critical",
        page="alarms",
    ),
    WatchRule(
        slug="notifier-behind",
        title="通知未送达 · Notifications do not get out",
        summary="告警等待通知超过 5 分钟 · alarms have waited 5 minutes for the notifier: see fenhe notify",
        sql="""SELECT COALESCE(extract(epoch FROM now() - min(created_at)), 0)::float8 AS waiting_s
FROM notification_outbox
WHERE planned_at IS NULL""",
        above=300,
        holds="1m",
        severity="critical",
        page="alarms",
    ),
    WatchRule(
        slug="quarantine-share",
        title="隔离过多 · Too much in quarantine",
        summary="近 2 小时超过 5 % 的读数无法使用 · over 5 % of 2 hours' readings are unusable: see 数据质量 Pipeline",
        sql="""SELECT COALESCE(100.0 * sum(quarantined) / NULLIF(sum(received), 0), 0)::float8 AS quarantined_pct
FROM ledger_total
WHERE hour >= now() - interval '2 hours'""",
        above=5,
        holds="10m",
        severity="warning",
    ),
)
"""300 s, 5 % and the times they must hold are unsourced."""


def contact_point(webhook: str) -> Json:
    """Return the contact point as `/api/v1/provisioning/contact-points` takes it."""
    return {
        "uid": CONTACT_POINT_UID,
        "name": RECEIVER,
        "type": "webhook",
        "settings": {"url": webhook, "httpMethod": "POST"},
        "disableResolveMessage": False,
    }


def provisioning_file() -> str:
    """Return rules and contact point as one file of Grafana's alerting provisioning; the webhook is a variable."""
    point = contact_point(f"${WEBHOOK_VARIABLE}")
    name = point.pop("name")
    document = {
        "apiVersion": 1,
        "contactPoints": [{"orgId": 1, "name": name, "receivers": [point]}],
        "groups": [
            {
                "orgId": 1,
                "name": GROUP,
                "folder": FILE_FOLDER_TITLE,
                "interval": f"{GROUP_INTERVAL_S}s",
                "rules": [rule.in_file() for rule in RULES],
            }
        ],
    }
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)
