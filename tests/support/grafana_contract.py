"""A server that answers as Grafana 12.3 does, for every endpoint the publisher uses, refusals included.

What differs from Grafana's documentation was seen on a running 12.3 and read in its source; those answers stand in
`RECORDED`, status and body. It keeps what it is given the way Grafana does: numbers its dashboards, adds defaults,
hides secrets, says where a thing came from.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOKEN = "glsa_contract"  # noqa: S105 - of this server only
Json = dict[str, Any]

RIGHTS = frozenset({
    "folders:read", "folders:create", "folders:write", "datasources:read", "datasources:create", "datasources:write",
    "library.panels:read", "library.panels:create", "library.panels:write",
    "dashboards:read", "dashboards:write", "alert.provisioning:read", "alert.provisioning:write",
})  # fmt: skip
EDITOR = frozenset(right for right in RIGHTS if not right.startswith("datasources"))
VIEWER = frozenset({"folders:read", "dashboards:read", "library.panels:read", "alert.provisioning:read"})


class Answer(NamedTuple):
    """Status and body: JSON, or a text as it is."""

    status: int
    body: object


class Plain(str):
    """A body that is no JSON."""

    __slots__ = ()


RECORDED = {
    "missing rule": Answer(404, Plain("")),
    "missing folder, not an Admin's token": Answer(
        403,
        {
            "title": "Access denied",
            "message": "You'll need additional permissions to perform this action. Permissions needed: folders:read",
            "accessErrorId": "ACE0517322718",
        },
    ),
    "folder that is there": Answer(
        412, {"status": "version-mismatch", "message": "the folder has been changed by someone else"}
    ),
    "provisioned from file": Answer(500, {"message": "cannot change provenance from 'file' to ''"}),
    "provisioned from file, later patches": Answer(
        403,
        {
            "statusCode": 403,
            "messageId": "alerting.provenance.mismatch",
            "message": "Resource with provenance status 'file' cannot be managed via API that handles resources with "
            "provenance status ''",
        },
    ),
    "dashboard provisioned from file": Answer(400, {"message": "Cannot save provisioned dashboard"}),
    "dashboard of schema v2": Answer(
        406,
        {
            "message": "dashboard api version not supported, use /apis/dashboard.grafana.app/v2beta1/namespaces/"
            "default/dashboards/fenhe-province-zh instead"
        },
    ),
    "http on an https port": Answer(400, Plain("Client sent an HTTP request to an HTTPS server.\n")),
}
"""Answers of Grafana 12.3 (the last but one: of later patches) that its documentation does not tell."""


def _missing(what: str) -> Answer:
    return Answer(404, {"message": what, "status": "not-found"})


@dataclass
class ContractGrafana:
    """What the server holds and how it is minded today."""

    version: str = "12.4.1"
    rights: frozenset[str] = RIGHTS
    admin: bool = True
    """Of a folder that is missing only an Admin's token hears that it is missing."""
    tells_rights: bool = True
    html: bool = False
    """Answers with a sign-in page, as a proxy does."""
    slow_s: float = 0.0
    busy: int = 0
    """So many requests are first answered with 503."""
    folders: dict[str, Json] = field(default_factory=dict)
    sources: dict[str, Json] = field(default_factory=dict)
    library: dict[str, Json] = field(default_factory=dict)
    """Library panels."""
    dashboards: dict[str, Json] = field(default_factory=dict)
    provisioned: frozenset[str] = frozenset()
    """UIDs of dashboards that came from files."""
    second_schema: frozenset[str] = frozenset()
    """UIDs of dashboards that were saved in the editor with the schema v2."""
    points: dict[str, Json] = field(default_factory=dict)
    rules: dict[str, Json] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    """Requests that changed something."""
    refuse: dict[str, Answer] = field(default_factory=dict)
    """Answers to `METHOD /path` in place of the usual ones."""
    headers: dict[str, str] = field(default_factory=dict)
    """Sent with every answer."""
    address: str = ""

    def answer(self, method: str, path: str, headers: dict[str, str], body: Json) -> Answer:
        """Answer one request."""
        if self.busy or path == "/api/health":
            starting, self.busy = self.busy > 0, max(0, self.busy - 1)
            health = {"commit": "x", "database": "ok", "version": self.version}
            return Answer(503, {"message": "starting"}) if starting else Answer(200, health)
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer(401, {"message": "Invalid API key", "messageId": "api-key.invalid", "statusCode": 401})
        if refusal := self.refuse.get(f"{method} {path}"):
            return refusal
        if path == "/api/access-control/user/actions" and self.tells_rights:
            return Answer(200, dict.fromkeys(sorted(self.rights), True))
        for prefix, resource, handle in (
            ("/api/folders", "folders", self._folder),
            ("/api/datasources", "datasources", self._source),
            ("/api/library-elements", "library.panels", self._library_panel),
            ("/api/dashboards", "dashboards", self._dashboard),
            ("/api/v1/provisioning/contact-points", "alert.provisioning", self._point),
            ("/api/v1/provisioning/alert-rules", "alert.provisioning", self._rule),
        ):
            if path.startswith(prefix):
                return self._allowed(resource, handle, method, path.removeprefix(prefix).strip("/"), headers, body)
        return Answer(404, {"message": "Not found"})

    def _allowed(  # noqa: PLR0917 - a request's parts
        self, resource: str, handle: Callable[..., Answer], method: str, rest: str, headers: dict[str, str], body: Json
    ) -> Answer:
        creates = method == "POST" and resource in {"folders", "datasources", "library.panels"}
        right = f"{resource}:{'read' if method == 'GET' else 'create' if creates else 'write'}"
        if right not in self.rights:
            said = f"You'll need additional permissions to perform this action. Permissions needed: {right}"
            return Answer(403, {"accessErrorId": "ACE1", "message": said, "title": "Access denied"})
        if resource == "alert.provisioning" and method != "GET":
            body = body if headers.get("x-disable-provenance") else {**body, "provenance": "api"}
        found: Answer = handle(method, rest, body)
        if method != "GET" and found.status < 300:
            self.writes.append(f"{method} {rest or body.get('uid') or body['dashboard']['uid']}")
        return found

    def _folder(self, method: str, uid: str, body: Json) -> Answer:
        if method == "POST":
            if body["uid"] in self.folders:
                return RECORDED["folder that is there"]
            self.folders[body["uid"]] = {"id": 7, "version": 1, "url": f"/dashboards/f/{body['uid']}", **body}
            return Answer(200, self.folders[body["uid"]])
        if uid not in self.folders:
            return _missing("folder not found") if self.admin else RECORDED["missing folder, not an Admin's token"]
        if method == "PUT":
            if not body.get("overwrite"):
                return Answer(412, {"message": "the folder has been changed by someone else"})
            self.folders[uid] |= {"title": body["title"], "version": self.folders[uid]["version"] + 1}
        return Answer(200, self.folders[uid])

    def _source(self, method: str, rest: str, body: Json) -> Answer:
        uid = rest.removeprefix("uid/")
        if method == "GET":
            return Answer(200, self.sources[uid]) if uid in self.sources else _missing("Data source not found")
        if method == "POST" and any(body["name"] == other["name"] for other in self.sources.values()):
            return Answer(409, {"message": "data source with the same name already exists"})
        if method == "PUT" and self.sources[uid]["readOnly"]:
            return Answer(403, {"message": "Cannot update read-only data source"})
        kept = {"id": 3, "orgId": 1, "readOnly": False, "version": 1, "basicAuth": False, "withCredentials": False}
        shown = {key: value for key, value in body.items() if key != "secureJsonData"}
        secrets = {"secureJsonFields": dict.fromkeys(body.get("secureJsonData", {}), True)}
        self.sources[body["uid"]] = kept | shown | secrets
        return Answer(200, {"datasource": self.sources[body["uid"]], "id": 3, "message": "Datasource added"})

    def _library_panel(self, method: str, uid: str, body: Json) -> Answer:
        if method == "GET":
            if uid not in self.library:
                return Answer(404, {"message": "library element could not be found"})
            return Answer(200, {"result": self.library[uid]})
        if body["folderUid"] not in self.folders:
            return Answer(400, {"message": "folder not found", "status": "not-found"})
        before = self.library.get(body["uid"])
        if method == "POST" and before:
            return Answer(400, {"message": "library element with that name or UID already exists"})
        if before and body["version"] != before["version"]:
            return Answer(412, {"message": "the library element has been changed by someone else"})
        model = {**body["model"], "libraryPanel": {"uid": body["uid"]}}
        version, meta = (before["version"] + 1 if before else 1), {"folderUid": body["folderUid"]}
        self.library[body["uid"]] = {**body, "id": 1, "version": version, "model": model, "meta": meta}
        return Answer(200, {"result": self.library[body["uid"]]})

    def _dashboard(self, method: str, rest: str, body: Json) -> Answer:
        if method == "GET":
            uid = rest.removeprefix("uid/")
            if uid in self.second_schema:
                return RECORDED["dashboard of schema v2"]
            return Answer(200, self.dashboards[uid]) if uid in self.dashboards else _missing("Dashboard not found")
        dashboard = body["dashboard"]
        uid = dashboard["uid"]
        if body["folderUid"] not in self.folders:
            return Answer(400, {"message": "folder not found", "status": "not-found"})
        if uid in self.provisioned:
            return RECORDED["dashboard provisioned from file"]
        self.second_schema -= {uid}  # a save in the old schema is taken, and readable again
        before = self.dashboards.get(uid, {"dashboard": {"id": len(self.dashboards) + 1, "version": 0}})["dashboard"]
        if uid in self.dashboards and not body.get("overwrite"):
            said = "The dashboard has been changed by someone else"
            return Answer(412, {"message": said, "status": "version-mismatch"})
        kept = {**dashboard, "id": before["id"], "version": before["version"] + 1}
        self.dashboards[uid] = {"dashboard": kept, "meta": {"folderUid": body["folderUid"], "version": kept["version"]}}
        return Answer(200, {"id": kept["id"], "uid": uid, "url": f"/d/{uid}/x", "status": "success", "version": 1})

    def _point(self, method: str, uid: str, body: Json) -> Answer:
        if method == "GET":
            return Answer(200, [{"uid": "", "name": "email receiver", "type": "email"}, *self.points.values()])
        if method == "PUT" and uid not in self.points:
            return _missing("contact point not found")
        if owned := _owned(self.points.get(uid), body):
            return owned
        self.points[body["uid"]] = body
        return Answer(202, body if method == "POST" else {"message": "contactpoint updated"})

    def _rule(self, method: str, uid: str, body: Json) -> Answer:
        if method == "GET":
            return Answer(200, self.rules[uid]) if uid in self.rules else RECORDED["missing rule"]
        if body["folderUID"] not in self.folders:
            return Answer(400, {"message": "folder does not exist"})
        if body["notification_settings"]["receiver"] not in {point["name"] for point in self.points.values()}:
            return Answer(400, {"message": "invalid alert rule: receiver does not exist"})
        if method == "POST" and body["uid"] in self.rules:
            return Answer(409, {"message": "alert rule with this UID exists"})
        if method == "PUT" and (uid not in self.rules or _owned(self.rules[uid], body)):
            return _owned(self.rules.get(uid), body) or RECORDED["missing rule"]
        defaults = {"intervalMs": 1000, "maxDataPoints": 43200}
        data = [{**query, "queryType": "", "model": defaults | query["model"]} for query in body["data"]]
        kept = {**body, "data": data, "id": 5, "updated": "2026-03-01T00:00:00Z"}
        self.rules[body["uid"]] = kept
        return Answer(201 if method == "POST" else 200, kept)


def _bytes(body: object) -> bytes:
    return body.encode() if isinstance(body, Plain) else json.dumps(body).encode()


def _owned(held: Json | None, body: Json) -> Answer | None:
    """Grafana's refusal to change what came another way; what came from nowhere anybody may take."""
    owner = held.get("provenance", "") if held else ""
    if not owner or owner == body.get("provenance", ""):
        return None
    said = str(RECORDED["provisioned from file"].body["message"])  # type: ignore[index]
    return Answer(500, {"message": said.replace("'file'", f"'{owner}'")})


@contextmanager
def contract_grafana(**mood: Any) -> Iterator[ContractGrafana]:  # noqa: ANN401 - fields of ContractGrafana
    """Run the server on a port of its own."""
    grafana = ContractGrafana(**mood)
    closing = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            if grafana.slow_s:
                closing.wait(grafana.slow_s)
            headers = {key.lower(): value for key, value in self.headers.items()}
            answer = grafana.answer(self.command, self.path, headers, body)
            page = b"<!DOCTYPE html><title>message</title>" if grafana.html else _bytes(answer.body)
            self.send_response(200 if grafana.html else answer.status)
            self.send_header("Content-Type", "text/html" if grafana.html else "application/json")
            self.send_header("Content-Length", str(len(page)))
            for name, value in grafana.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(page)

        do_GET = do_POST = do_PUT = do_PATCH = _serve  # noqa: N815 - the standard library's names

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

        def handle(self) -> None:
            """A client that gave up is no error here."""
            try:
                super().handle()
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    grafana.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield grafana
    finally:
        closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
