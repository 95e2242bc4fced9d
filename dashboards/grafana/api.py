"""The one file that speaks to Grafana's HTTP API, over `grafana-api`: documented endpoints by UID, errors in words.

`grafana-api` is archived: of it only the session and its raw requests are used, so that it can be swapped here.
"""

from __future__ import annotations

from typing import Any, NoReturn, cast
from urllib.parse import quote, urlsplit

import requests
from grafana_api.grafana_api import GrafanaAPI, GrafanaException
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

OLDEST = (11, 0)
"""Oldest Grafana that takes `notification_settings` in an alert rule: before it a rule could not name its receiver."""

TIMEOUT_S = 30.0
BUSY = (429, 502, 503, 504)
"""A proxy or a starting Grafana: worth another try."""

Json = dict[str, Any]


class GrafanaError(Exception):
    """Grafana cannot be reached or refuses; the message says what to do."""


class Grafana:
    """A Grafana server, addressed by UIDs.

    Every method raises GrafanaError; reading what is not there gives None.
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
            msg = f"Grafana {version} is too old: the dashboards are made for 11.6, the oldest that can work is 11.0"
            raise GrafanaError(msg)
        return version

    def folder(self, uid: str) -> Json | None:
        """Return a folder."""
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
        try:
            return getattr(self._api, method)(path, json=body, headers=headers)
        except GrafanaException as error:
            if error.status_code == requests.codes.not_found and absent and isinstance(error.response, dict):
                return absent["absent"]
            self._explain(error.status_code, error.response, f"{method} /api{path}")
        except requests.Timeout as error:
            msg = f"{self.url} did not answer within {self._timeout_s:g} s ({method} /api{path}): raise --timeout"
            raise GrafanaError(msg) from error
        except requests.exceptions.SSLError as error:
            msg = f"the certificate of {self.url} is not trusted: set REQUESTS_CA_BUNDLE to your authority's file"
            raise GrafanaError(msg) from error
        except (ValueError, TypeError, requests.exceptions.ContentDecodingError) as error:
            self._not_grafana(error)
        except requests.RequestException as error:
            msg = f"{self.url} cannot be reached: {_innermost(error)}"
            raise GrafanaError(msg) from error

    def _not_grafana(self, error: Exception) -> NoReturn:
        msg = (
            f"{self.url} answers with a page instead of JSON: another server, a sign-in page before Grafana, "
            "or a path that is missing from the address"
        )
        raise GrafanaError(msg) from error

    def _explain(self, status: int, response: object, request: str) -> NoReturn:
        if not isinstance(response, dict) and status not in BUSY:
            self._not_grafana(ValueError(status))
        said = str(response.get("message", "")) if isinstance(response, dict) else ""
        advice = {
            400: "Grafana does not accept this"
            + (": it was provisioned from files, change it there" if "provisioned" in said else ""),
            401: "the token is wrong, expired or revoked: make a new one for the service account",
            403: "the token's service account may not do this: data sources need the role Admin, "
            "dashboards and alerting the role Editor",
            404: "not found: check the address, and that this Grafana has unified alerting",
            409: "Grafana holds another thing of this name, or one provisioned another way: rename or remove that one",
            412: "Grafana holds a newer or other thing of this name: look at it and try again",
        }.get(status, "Grafana is busy or broken: try again, then see its log")
        msg = f"{request} → {status}: {said or 'no reason given'}. {advice}."
        raise GrafanaError(msg)


def _innermost(error: BaseException) -> str:
    """The reason of a failed connection without the layers around it."""
    reason = getattr(error.args[0], "reason", error) if error.args else error
    return str(reason).rsplit(": ", maxsplit=1)[-1]
