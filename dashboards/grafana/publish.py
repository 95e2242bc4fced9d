"""Bring a Grafana to what the definitions say: folder, data source, library panels, dashboards, alerting, by UID.

Reads before it writes, and writes only what differs: a second run changes nothing. A dry run only reads, and asks
which rights the token has, so that it also says what would be refused. One thing that is refused does not stop the
others; what came from a file is left to that file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from dashboards.grafana import library, watch
from dashboards.grafana.difference import SERVERS_OWN, differences
from dashboards.grafana.refusals import (
    ANOTHER_WAY,
    FROM_FILES,
    GrafanaError,
    ProvisionedError,
    RefusedError,
    SecondSchemaError,
    UnreadableError,
)
from dashboards.kit.query import DATA_SOURCE, DATA_SOURCE_UID, SHORTEST_INTERVAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dashboards.grafana.api import Grafana

Json = dict[str, Any]

READER = "fenhe_reader"
MESSAGE = "fenhe dashboards publish"
SECOND_SCHEMA = "it was saved in Grafana's editor with the new schema (v2): written over"


class PublishOutcome(StrEnum):
    """What became of a thing, or would."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    LEFT_ALONE = "left alone"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class PublishedThing:
    """One thing of Grafana's: what became of it, and in what it differed."""

    what: str
    outcome: PublishOutcome
    lines: list[str] = field(default_factory=list)
    """Of a change the differences; of what was left alone or refused, why."""


class IncompleteError(GrafanaError):
    """Some things were refused, or would be; all others are as they should be. The message has a line for each."""


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
            "timeInterval": SHORTEST_INTERVAL,
            "maxOpenConns": 8,
            "maxIdleConns": 4,
            "maxIdleConnsAuto": False,
            "connMaxLifetime": 3600,
        },
    }
    if parts.password:
        source["secureJsonData"] = {"password": unquote(parts.password)}
    return source


_ANY_ALERTING = ("alert.provisioning:write",)
_SAYS_WHENCE = "alert.provisioning.provenance:write"
"""To say where a thing of alerting came from; of use only together with the right to write that thing."""
_POINTS = (
    _ANY_ALERTING,
    ("alert.notifications.provisioning:write",),
    ("alert.notifications:write", _SAYS_WHENCE),
)
_RULES = (_ANY_ALERTING, ("alert.rules.provisioning:write",))
RIGHTS = {
    "create_folder": (("folders:create",),),
    "update_folder": (("folders:write",),),
    "create_data_source": (("datasources:create",),),
    "update_data_source": (("datasources:write",),),
    "create_library_panel": (("library.panels:create",),),
    "update_library_panel": (("library.panels:write",),),
    "save_dashboard": (("dashboards:create",), ("dashboards:write",)),
    "create_contact_point": _POINTS,
    "update_contact_point": _POINTS,
    "create_alert_rule": (*_RULES, ("alert.rules:create", _SAYS_WHENCE)),
    "update_alert_rule": (*_RULES, ("alert.rules:write", _SAYS_WHENCE)),
}
"""For each write the sets of rights of which Grafana asks one, whole: a dry run looks for them.

Source: `pkg/services/ngalert/api/authorization.go` and `pkg/api/api.go` of 12.3.
"""


@dataclass(frozen=True, slots=True)
class _Pen:
    """Writes, or in a dry run looks whether it would be allowed to."""

    grafana: Grafana
    dry_run: bool
    rights: frozenset[str] | None
    """The token's, in a dry run of a Grafana that tells them."""

    def write(self, name: str, wanted: Json, **more: str | int) -> None:
        """Call a method of Grafana's that writes. Raises RefusedError when it is, or would be, not allowed."""
        if not self.dry_run:
            getattr(self.grafana, name)(wanted, **more)
        elif self.rights is not None and not any(self.rights.issuperset(each) for each in RIGHTS[name]):
            role = "Admin" if "data_source" in name else "Editor"
            lacking = " or ".join(" with ".join(each) for each in RIGHTS[name])
            msg = f"the token lacks the right {lacking}, which the role {role} has"
            raise RefusedError(msg)


def publish(grafana: Grafana, wanted: Wanted, *, dry_run: bool) -> Iterator[PublishedThing]:
    """Yield what became of each thing, or with `dry_run` what would.

    Raises GrafanaError when nothing can go on, and IncompleteError at the end when only some things were refused.
    """
    source = data_source(wanted.database_url) if wanted.database_url else None
    grafana.version()
    pen = _Pen(grafana, dry_run, grafana.rights() if dry_run else None)
    yield _folder(pen)
    refused = []
    held: dict[str, str] = {}
    for what, bring in _things(pen, source, wanted, held):
        try:
            change = bring()
        except ProvisionedError as reason:
            change = PublishedThing(what, PublishOutcome.LEFT_ALONE, [str(reason)])
        except RefusedError as reason:
            refused.append(f"{what}: {reason}")
            change = PublishedThing(what, PublishOutcome.REFUSED, [str(reason)])
        yield change
    if refused:
        raise IncompleteError("\n".join(refused))


def _things(
    pen: _Pen, source: Json | None, wanted: Wanted, held: dict[str, str]
) -> Iterator[tuple[str, Callable[[], PublishedThing]]]:
    """Everything but the folder, each with its name. `held` gets the library panels that were not refused."""
    what = f"data source {DATA_SOURCE_UID}"
    if source is None:
        yield what, partial(PublishedThing, what, PublishOutcome.LEFT_ALONE, ["no --database given"])
    else:
        yield what, partial(_source, pen, what, source, rewrite_secrets=wanted.rewrite_secrets)
    for uid, panel in library.elements(wanted.dashboards).items():
        what = f"library panel {uid}"
        yield what, partial(_library_panel, pen, what, panel, held)
    for dashboard in wanted.dashboards:
        what = f"dashboard {dashboard['uid']}"
        yield what, partial(_dashboard, pen, what, library.referring(dashboard, held))
    point = f"contact point {watch.CONTACT_POINT_UID}"
    rules = {f"alert rule {rule.uid}": rule for rule in watch.RULES}
    if wanted.webhook is None:
        for what in (point, *rules):
            yield what, partial(PublishedThing, what, PublishOutcome.LEFT_ALONE, ["no --webhook given"])
        return
    yield point, partial(_contact_point, pen, point, watch.contact_point(wanted.webhook))
    for what, rule in rules.items():
        yield what, partial(_rule, pen, what, rule)


def _folder(pen: _Pen) -> PublishedThing:
    """The folder must be there for everything else: what is refused here ends the run."""
    folder = {"uid": watch.FOLDER_UID, "title": watch.FOLDER_TITLE}
    what = f"folder {folder['uid']}"
    try:
        found = pen.grafana.folder(folder["uid"])
    except UnreadableError as unreadable:
        return _unseen_folder(pen, what, folder, unreadable)
    return _bring(pen, what, folder, found, create="create_folder", update="update_folder")


def _unseen_folder(pen: _Pen, what: str, folder: Json, unreadable: UnreadableError) -> PublishedThing:
    """To all but Admins Grafana says 403 of a folder that is not there: whether it is, only creating it tells."""
    try:
        pen.write("create_folder", folder)
    except RefusedError as refused:
        said = str(refused).removesuffix(".")
        msg = (
            f"{what}: it is missing and the token may not create one, or it is there and the token may not read it. "
            f"{said}. Make the folder with the UID {folder['uid']!r} as an Admin, give the service account the right "
            f"Edit on it, then publish again. (First asked: {unreadable})"
        )
        raise GrafanaError(msg) from refused
    unsure = ["not visible to this token: if it is there already, the token may not read it, and publishing says so"]
    return PublishedThing(what, PublishOutcome.CREATED, unsure if pen.dry_run else [])


def _bring(pen: _Pen, what: str, wanted: Json, found: Json | None, *, create: str, update: str) -> PublishedThing:
    if found is None:
        pen.write(create, wanted)
        return PublishedThing(what, PublishOutcome.CREATED)
    lines = differences(wanted, found)
    if not lines:
        return PublishedThing(what, PublishOutcome.UNCHANGED)
    owner = found.get("provenance")
    _leave(lines, from_file=owner == "file")
    if owner:
        msg = f"{ANOTHER_WAY} (it differs in {lines[0]})"
        raise RefusedError(msg)
    pen.write(update, wanted)
    return PublishedThing(what, PublishOutcome.CHANGED, lines)


def _leave(lines: list[str], *, from_file: bool) -> None:
    """Raise ProvisionedError if a thing that differs came from a file."""
    if from_file:
        msg = f"{FROM_FILES} (it differs in {lines[0]})"
        raise ProvisionedError(msg)


def _source(pen: _Pen, what: str, source: Json, *, rewrite_secrets: bool) -> PublishedThing:
    found = pen.grafana.data_source(DATA_SOURCE_UID)
    if found is None:
        pen.write("create_data_source", source)
        return PublishedThing(what, PublishOutcome.CREATED)
    lines = differences({key: value for key, value in source.items() if key != "secureJsonData"}, found)
    is_set = bool(found.get("secureJsonFields", {}).get("password"))
    if "secureJsonData" in source and (rewrite_secrets or not is_set):
        lines.append("password: written anew")
    if not lines:
        return PublishedThing(what, PublishOutcome.UNCHANGED)
    _leave(lines, from_file=bool(found.get("readOnly")))
    pen.write("update_data_source", source)
    return PublishedThing(what, PublishOutcome.CHANGED, lines)


def _library_panel(pen: _Pen, what: str, panel: Json, held: dict[str, str]) -> PublishedThing:
    found = pen.grafana.library_panel(panel["uid"])
    lines = []
    if found is None:
        pen.write("create_library_panel", {**panel, "folderUid": watch.FOLDER_UID})
    elif lines := differences({**panel, "meta": {"folderUid": watch.FOLDER_UID}}, found):
        pen.write("update_library_panel", {**panel, "folderUid": watch.FOLDER_UID}, version=found["version"])
    held[panel["uid"]] = panel["name"]
    return PublishedThing(
        what,
        PublishOutcome.CREATED if found is None else PublishOutcome.CHANGED if lines else PublishOutcome.UNCHANGED,
        lines,
    )


def _dashboard(pen: _Pen, what: str, dashboard: Json) -> PublishedThing:
    lines: list[str] = []
    try:
        found = pen.grafana.dashboard(dashboard["uid"])
    except SecondSchemaError:  # written over like every other change made by hand: Grafana takes the old schema then
        found, lines = None, [SECOND_SCHEMA]
    if found is not None:
        ours = {key: value for key, value in dashboard.items() if key not in SERVERS_OWN}
        lines = differences({"dashboard": ours, "meta": {"folderUid": watch.FOLDER_UID}}, found)
        if not lines:
            return PublishedThing(what, PublishOutcome.UNCHANGED)
        _leave(lines, from_file=bool(found.get("meta", {}).get("provisioned")))
    pen.write("save_dashboard", dashboard, folder_uid=watch.FOLDER_UID, message=MESSAGE)
    is_new = found is None and not lines
    return PublishedThing(what, PublishOutcome.CREATED if is_new else PublishOutcome.CHANGED, lines)


def _contact_point(pen: _Pen, what: str, wanted: Json) -> PublishedThing:
    found = pen.grafana.contact_point(wanted["uid"])
    return _bring(pen, what, wanted, found, create="create_contact_point", update="update_contact_point")


def _rule(pen: _Pen, what: str, rule: watch.WatchRule) -> PublishedThing:
    found = pen.grafana.alert_rule(rule.uid)
    return _bring(pen, what, rule.over_http(), found, create="create_alert_rule", update="update_alert_rule")
