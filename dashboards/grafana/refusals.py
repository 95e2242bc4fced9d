"""Every way in which a Grafana does not do what it is asked, in words that say what to do.

Statuses and bodies are those of Grafana 12.3 (read in its source, and seen on a running one), and of the proxies that
stand before it. `tests/support/grafana_contract.py` answers with each of them.
"""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import requests

BUSY = (429, 502, 503, 504)
"""A proxy or a starting Grafana: worth another try."""

WRONG_TOKEN = 401
FORBIDDEN = 403


class GrafanaError(Exception):
    """Grafana cannot be reached or refuses; the message says what to do."""


class RefusedError(GrafanaError):
    """Grafana answers and refuses this one thing: others may still be taken."""


class UnreadableError(RefusedError):
    """403: the token may not read this, or it is not there: of a missing folder Grafana says the same."""


class SecondSchemaError(RefusedError):
    """406: the dashboard was saved in Grafana's editor with the new schema, which the API by UID does not read."""


class ProvisionedError(RefusedError):
    """The thing came from a file that Grafana reads: the file decides, and publishing leaves it alone."""


FROM_FILES = (
    "provisioned from file: change it in that file (compose takes the webhook from FENHE_ALERT_WEBHOOK in "
    ".env), or take it out of it and delete it from this Grafana, then publish again"
)
ANOTHER_WAY = (
    "another tool wrote it through the provisioning API and owns it: change it there, or delete it, then publish again"
)


def is_grafanas_own(body: object) -> bool:
    """Whether a refusal's body is one that Grafana writes: JSON, or nothing at all (as of a missing alert rule)."""
    return isinstance(body, dict) or (isinstance(body, str) and not body.strip())


def explain(url: str, status: int, body: object, request: str) -> GrafanaError:
    """Return the error of an answer of 400 or more. `body` is its JSON, or its text if it is none."""
    text = body if isinstance(body, str) else ""
    if status == requests.codes.bad_request and "HTTPS" in text:
        return GrafanaError(f"{url} speaks only https: write https:// in the address")
    if not is_grafanas_own(body) and status not in BUSY:
        return not_grafana(url)
    said = str(body.get("message", "")) if isinstance(body, dict) else ""
    answered = f"{request} → {status}: {said or 'no reason given'}"
    if _came_from_file(said):
        return ProvisionedError(f"{FROM_FILES} ({answered})")
    msg = f"{answered}. {_advice(status, said)}."
    if status == requests.codes.not_acceptable:
        return SecondSchemaError(msg)
    if status == FORBIDDEN and request.startswith("GET "):
        return UnreadableError(msg)
    return GrafanaError(msg) if status == WRONG_TOKEN or status in BUSY else RefusedError(msg)


def _came_from_file(said: str) -> bool:
    """Of alerting Grafana answers 500 up to 12.3, 403 or 409 in later patches; of dashboards 400, of sources 403."""
    return ("provenance" in said and "'file'" in said) or any(
        words in said for words in ("provisioned dashboard", "read-only data source")
    )


def _advice(status: int, said: str) -> str:
    if "provenance" in said:
        return ANOTHER_WAY[0].upper() + ANOTHER_WAY[1:]
    return {
        400: "Grafana does not accept this",
        401: "the token is wrong, expired or revoked: make a new one for the service account",
        403: "the token's service account may not do this: data sources need the role Admin, "
        "dashboards and alerting the role Editor",
        404: "not found: check the address, and that this Grafana has unified alerting",
        406: "it was saved in Grafana's editor with the new schema (v2), which this publisher does not read",
        409: "Grafana holds another thing of this name, or one provisioned another way: rename or remove that one",
        412: "Grafana holds a newer or other thing of this name: look at it and try again",
    }.get(status, "Grafana is busy or broken: try again, then see its log")


def unreachable(url: str, error: requests.RequestException, request: str, *, timeout_s: float) -> GrafanaError:
    """Return the error of a request that got no answer, or none that can be read."""
    if isinstance(error, requests.Timeout):
        return GrafanaError(f"{url} did not answer within {timeout_s:g} s ({request}): raise --timeout")
    if isinstance(error, requests.exceptions.SSLError):
        return GrafanaError(_about_tls(url, error))
    if isinstance(error, (ValueError, requests.exceptions.ContentDecodingError)):
        return not_grafana(url)
    return GrafanaError(f"{url} cannot be reached: {_innermost(error)}")


def _about_tls(url: str, error: BaseException) -> str:
    reason = _innermost(error)
    if _cause(error, ssl.SSLCertVerificationError) or "certificate" in reason.lower():
        return f"the certificate of {url} is not trusted ({reason}): set REQUESTS_CA_BUNDLE to your authority's file"
    plain = urlsplit(url)._replace(scheme="http").geturl()
    return f"{url} does not speak https ({reason}): this port may be plain http, then write {plain}"


def _cause(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether an error of this kind is among the layers of another."""
    inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
    return isinstance(error, kind) or (isinstance(inner, BaseException) and _cause(inner, kind))


def redirected(url: str, location: str) -> GrafanaError:
    """Return the error of an answer that points elsewhere: a proxy's, to https or to a sign-in page."""
    return GrafanaError(f"{url} sends on to {location}: give the address of Grafana itself, as it is after that")


def not_grafana(url: str) -> GrafanaError:
    """Return the error of an answer that no Grafana gives."""
    return GrafanaError(
        f"{url} answers with a page instead of JSON: another server, a sign-in page before Grafana, "
        "or a path that is missing from the address"
    )


def _innermost(error: BaseException) -> str:
    """The reason of a failed connection without the layers around it."""
    reason = getattr(error.args[0], "reason", error) if error.args else error
    return str(reason).rsplit(": ", maxsplit=1)[-1]
