"""The one file that speaks to Grafana's HTTP API, over `grafana-api`: documented endpoints by UID, errors in words.

`grafana-api` is archived: of it only the session and its raw requests are used, so that it can be swapped here
(decision 150). What a refusal means is in `dashboards.grafana.refusals`.
"""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import quote, urlsplit

import requests
from grafana_api.grafana_api import GrafanaAPI, GrafanaException
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from dashboards.grafana import refusals
from dashboards.grafana.refusals import BUSY, GrafanaError

OLDEST = (12, 3)
"""The oldest Grafana on which the dashboards were seen; before 12.1 no unit separated thousands."""

TIMEOUT_S = 30.0
Json = dict[str, Any]


class Grafana:
    """A Grafana server, addressed by UIDs.

    Every method raises GrafanaError, and RefusedError when only this one thing is refused; reading what is not there
    gives None.
    """

    def __init__(self, url: str, token: str, *, timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(url if "//" in url else f"//{url}")
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            msg = f"Grafana's address looks like https://grafana.example.com or http://127.0.0.1:3000, not {url!r}"
            raise GrafanaError(msg)
        if not token.isascii() or not token.strip() or any(each.isspace() for each in token.strip()):
            msg = "the token is empty or has characters that no Grafana token has: copy the service account's token"
            raise GrafanaError(msg)
        self.url = url.rstrip("/")
        self._timeout_s = timeout_s
        path = parts.path.strip("/")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self._api = GrafanaAPI(
            token.strip(), host=host, port=parts.port, protocol=parts.scheme, timeout=timeout_s,
            url_path_prefix=f"{path}/" if path else "",
        )  # fmt: skip
        self._api.s.trust_env = False  # a ~/.netrc would replace the token
        self._api.s.hooks["response"].append(self._no_redirect)
        # Only what may be done twice is tried twice; a time-out is the operator's to judge.
        retry = Retry(total=2, read=False, status_forcelist=BUSY, allowed_methods={"GET", "PUT"}, backoff_factor=0.3)
        retry.raise_on_status = False
        for scheme in ("http://", "https://"):
            self._api.s.mount(scheme, HTTPAdapter(max_retries=retry))

    def version(self) -> str:
        """Return the server's version, after a check that it is a Grafana that is new enough."""
        health = self._request("GET", "/health")
        if not isinstance(health, dict) or "database" not in health:
            msg = f"{self.url} answers, but not as Grafana does: check the address, and the path if there is one"
            raise GrafanaError(msg)
        version = str(health.get("version", ""))
        numbers = version.split("-", maxsplit=1)[0].split(".")
        if not version:  # hidden from those who have not signed in, by `hide_version`
            return "?"
        if tuple(int(each) for each in numbers[:2] if each.isdecimal()) < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            msg = f"Grafana {version} is too old: the dashboards need {oldest} or later; upgrade it (back it up first)"
            raise GrafanaError(msg)
        return version

    def rights(self) -> frozenset[str] | None:
        """Return the actions the token's account may do on anything at all; None if this Grafana does not tell."""
        try:
            actions = self._request("GET", "/access-control/user/actions", absent=None)
        except refusals.RefusedError:
            return None
        return frozenset(actions) if isinstance(actions, dict) else None

    def folder(self, uid: str) -> Json | None:
        """Return a folder. Raises UnreadableError when it is not shown, and to all but Admins when it is not there."""
        return cast("Json | None", self._request("GET", f"/folders/{quote(uid)}", absent=None))

    def create_folder(self, folder: Json) -> None:
        """Create a folder."""
        self._request("POST", "/folders", folder)

    def update_folder(self, folder: Json) -> None:
        """Rename a folder, whatever its version."""
        self._request("PUT", f"/folders/{quote(folder['uid'])}", {"title": folder["title"], "overwrite": True})

    def data_source(self, uid: str) -> Json | None:
        """Return a data source; Grafana says of its secrets only which are set."""
        return cast("Json | None", self._request("GET", f"/datasources/uid/{quote(uid)}", absent=None))

    def create_data_source(self, source: Json) -> None:
        """Create a data source."""
        self._request("POST", "/datasources", source)

    def update_data_source(self, source: Json) -> None:
        """Replace a data source."""
        self._request("PUT", f"/datasources/uid/{quote(source['uid'])}", source)

    def dashboard(self, uid: str) -> Json | None:
        """Return a dashboard as `{"dashboard": …, "meta": …}`."""
        return cast("Json | None", self._request("GET", f"/dashboards/uid/{quote(uid)}", absent=None))

    def save_dashboard(self, dashboard: Json, *, folder_uid: str, message: str) -> None:
        """Create a dashboard or write it over the one with its UID."""
        body = {"dashboard": dashboard, "folderUid": folder_uid, "message": message, "overwrite": True}
        self._request("POST", "/dashboards/db", body)

    def library_panel(self, uid: str) -> Json | None:
        """Return a library panel with its model and version."""
        found = self._request("GET", f"/library-elements/{quote(uid)}", absent=None)
        return cast("dict[str, Json]", found)["result"] if found is not None else None

    def create_library_panel(self, panel: Json) -> None:
        """Create a library panel."""
        self._request("POST", "/library-elements", panel)

    def update_library_panel(self, panel: Json, *, version: int) -> None:
        """Write a library panel over the one with its UID, if that is still of this version."""
        self._request("PATCH", f"/library-elements/{quote(panel['uid'])}", {**panel, "version": version})

    def contact_point(self, uid: str) -> Json | None:
        """Return a contact point; secrets in it are redacted."""
        points = self._request("GET", "/v1/provisioning/contact-points")
        return next((point for point in cast("list[Json]", points) if point.get("uid") == uid), None)

    def create_contact_point(self, point: Json) -> None:
        """Create a contact point that people may still edit."""
        self._provision("POST", "/v1/provisioning/contact-points", point)

    def update_contact_point(self, point: Json) -> None:
        """Replace a contact point."""
        self._provision("PUT", f"/v1/provisioning/contact-points/{quote(point['uid'])}", point)

    def alert_rule(self, uid: str) -> Json | None:
        """Return an alert rule."""
        found = self._request("GET", f"/v1/provisioning/alert-rules/{quote(uid)}", absent=None)
        return cast("Json | None", found)

    def create_alert_rule(self, rule: Json) -> None:
        """Create an alert rule that people may still edit."""
        self._provision("POST", "/v1/provisioning/alert-rules", rule)

    def update_alert_rule(self, rule: Json) -> None:
        """Replace an alert rule."""
        self._provision("PUT", f"/v1/provisioning/alert-rules/{quote(rule['uid'])}", rule)

    def _provision(self, method: str, path: str, body: Json) -> None:
        """Write an alerting resource without locking it against changes in Grafana's pages."""
        self._request(method, path, body, headers={"X-Disable-Provenance": "true"})

    def _request(
        self, method: str, path: str, body: Json | None = None, *, headers: dict[str, str] | None = None, **absent: None
    ) -> object:
        """Send a request and return its JSON. With `absent` given, 404 is its value instead of an error."""
        request = f"{method} /api{path}"
        try:
            return getattr(self._api, method)(path, json=body, headers=headers)
        except GrafanaException as error:
            if error.status_code == requests.codes.not_found and absent and refusals.is_grafanas_own(error.response):
                return absent["absent"]
            raise refusals.explain(self.url, error.status_code, error.response, request) from None
        except requests.RequestException as error:
            raise refusals.unreachable(self.url, error, request, timeout_s=self._timeout_s) from error
        except (ValueError, TypeError) as error:
            raise refusals.not_grafana(self.url) from error

    def _no_redirect(self, response: requests.Response, **_: object) -> None:
        """A redirected POST arrives as a GET and is answered with 200: nothing would be written, and nobody told."""
        if response.is_redirect:
            raise refusals.redirected(self.url, response.headers["location"])
