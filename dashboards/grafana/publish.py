"""Bring a Grafana to what the definitions say: folder, data source, dashboards, contact point, alert rules, by UID.

Reads before it writes, and writes only what differs: a second run changes nothing, a dry run only reads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from dashboards.grafana import watch
from dashboards.grafana.api import GrafanaError
from dashboards.grafana.difference import SERVERS_OWN, differences
from dashboards.kit.panels import DATA_SOURCE, DATA_SOURCE_UID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dashboards.grafana.api import Grafana

Json = dict[str, Any]

READER = "fenhe_reader"
MESSAGE = "fenhe dashboards publish"


class Outcome(StrEnum):
    """What became of a thing, or would."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    LEFT_ALONE = "left alone"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing of Grafana's: what became of it, and in what it differed."""

    what: str
    outcome: Outcome
    lines: list[str] = field(default_factory=list)
    """Of a change the differences; of what was left alone, why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to publish."""

    dashboards: Sequence[Json]
    database_url: str | None
    """The database as Grafana reaches it, as the reader role; None: the data source is left alone."""
    webhook: str | None
    """Where alerts go; None: contact point and alert rules are left alone."""
    rewrite_secrets: bool = False
    """Write the data source even if it looks the same: its password cannot be compared."""


def data_source(database_url: str) -> Json:
    """Return the data source as `/api/datasources` takes it. Raises GrafanaError unless it is the reader's address."""
    parts = urlsplit(database_url)
    user = unquote(parts.username or "")
    if parts.scheme not in {"postgresql", "postgres"} or not parts.hostname or not parts.path.strip("/"):
        msg = "the database's address looks like postgresql://fenhe_reader:password@host:5432/fenhe"
        raise GrafanaError(msg)
    if user != READER:
        msg = f"Grafana must read as {READER}, not as {user!r}: whoever edits a panel can run any SQL of that role"
        raise GrafanaError(msg)
    source: Json = {
        "uid": DATA_SOURCE_UID,
        "name": "fenhe",
        "type": DATA_SOURCE.type_val,
        "access": "proxy",
        "isDefault": True,
        "url": f"{parts.hostname}:{parts.port or 5432}",
        "user": user,
        "jsonData": {
            "database": unquote(parts.path.strip("/")),
            "sslmode": parse_qs(parts.query).get("sslmode", ["require"])[0],
            "postgresVersion": 1500,
            "timescaledb": True,
            "maxOpenConns": 8,
            "maxIdleConns": 4,
            "maxIdleConnsAuto": False,
            "connMaxLifetime": 3600,
        },
    }
    if parts.password:
        source["secureJsonData"] = {"password": unquote(parts.password)}
    return source


def publish(grafana: Grafana, wanted: Wanted, *, dry_run: bool) -> Iterator[Change]:
    """Yield what was changed, or with `dry_run` what would be. Raises GrafanaError at the first refusal."""
    source = data_source(wanted.database_url) if wanted.database_url else None
    grafana.version()
    folder = {"uid": watch.FOLDER_UID, "title": watch.FOLDER_TITLE}
    yield _bring(
        f"folder {folder['uid']}", folder, grafana.folder(folder["uid"]),
        _unless(dry_run, grafana.create_folder), _unless(dry_run, grafana.update_folder),
    )  # fmt: skip
    yield _source(grafana, source, wanted, dry_run=dry_run)
    for dashboard in wanted.dashboards:
        yield _dashboard(grafana, dashboard, dry_run=dry_run)
    yield from _alerting(grafana, wanted.webhook, dry_run=dry_run)


def _unless(dry_run: bool, write: Callable[[Json], None]) -> Callable[[Json], None]:  # noqa: FBT001 - named for what it decides
    return (lambda _: None) if dry_run else write


def _bring(
    what: str, wanted: Json, found: Json | None, create: Callable[[Json], None], update: Callable[[Json], None]
) -> Change:
    if found is None:
        create(wanted)
        return Change(what, Outcome.CREATED)
    lines = differences(wanted, found)
    if not lines:
        return Change(what, Outcome.UNCHANGED)
    update(wanted)
    return Change(what, Outcome.CHANGED, lines)


def _source(grafana: Grafana, source: Json | None, wanted: Wanted, *, dry_run: bool) -> Change:
    what = f"data source {DATA_SOURCE_UID}"
    if source is None:
        return Change(what, Outcome.LEFT_ALONE, ["no --database given"])
    found = grafana.data_source(DATA_SOURCE_UID)
    open_part = {key: value for key, value in source.items() if key != "secureJsonData"}
    if found is None:
        return _bring(what, source, None, _unless(dry_run, grafana.create_data_source), grafana.update_data_source)
    lines = differences(open_part, found)
    is_set = bool(found.get("secureJsonFields", {}).get("password"))
    if "secureJsonData" in source and (wanted.rewrite_secrets or not is_set):
        lines.append("password: written anew")
    if not lines:
        return Change(what, Outcome.UNCHANGED)
    _unless(dry_run, grafana.update_data_source)(source)
    return Change(what, Outcome.CHANGED, lines)


def _dashboard(grafana: Grafana, dashboard: Json, *, dry_run: bool) -> Change:
    def save(wanted: Json) -> None:
        grafana.save_dashboard(wanted["dashboard"], folder_uid=watch.FOLDER_UID, message=MESSAGE)

    what = f"dashboard {dashboard['uid']}"
    wanted = {"dashboard": dashboard, "meta": {"folderUid": watch.FOLDER_UID}}
    found = grafana.dashboard(dashboard["uid"])
    if found is None:
        _unless(dry_run, save)(wanted)
        return Change(what, Outcome.CREATED)
    ours = {key: value for key, value in dashboard.items() if key not in SERVERS_OWN}
    lines = differences({**wanted, "dashboard": ours}, found)
    if not lines:
        return Change(what, Outcome.UNCHANGED)
    _unless(dry_run, save)(wanted)
    return Change(what, Outcome.CHANGED, lines)


def _alerting(grafana: Grafana, webhook: str | None, *, dry_run: bool) -> Iterator[Change]:
    names = [f"contact point {watch.CONTACT_POINT_UID}", *(f"alert rule {rule.uid}" for rule in watch.RULES)]
    if webhook is None:
        for name in names:
            yield Change(name, Outcome.LEFT_ALONE, ["no --webhook given"])
        return
    yield _bring(
        names[0], watch.contact_point(webhook), grafana.contact_point(watch.CONTACT_POINT_UID),
        _unless(dry_run, grafana.create_contact_point), _unless(dry_run, grafana.update_contact_point),
    )  # fmt: skip
    for name, rule in zip(names[1:], watch.RULES, strict=True):
        yield _bring(
            name, rule.over_http(), grafana.alert_rule(rule.uid),
            _unless(dry_run, grafana.create_alert_rule), _unless(dry_run, grafana.update_alert_rule),
        )  # fmt: skip
