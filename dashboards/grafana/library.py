"""The panels that every dashboard ends with, as Grafana's library panels: in its library for dashboards of others too.

Only what is published over HTTP refers to them. Files cannot bring a library panel to Grafana, and a reference to one
that is not there is drawn as an error: the built files have each panel whole (decision 200).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards.words import labels
from schemas.words import Language

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Json = dict[str, Any]

SHARED = {"books": labels.BOOKS, "quarantine": labels.QUARANTINE_BY_REASON}
"""Slug and title of the panels in the library."""
PANEL_KIND = 1
"""Grafana's number for a library element that is a panel."""
OF_THE_PLACE = frozenset({"id", "gridPos"})
"""What a panel has from the dashboard it stands on."""

_UIDS = {title(language): f"fenhe-{slug}-{language}" for slug, title in SHARED.items() for language in Language}


def elements(dashboards: Sequence[Json]) -> dict[str, Json]:
    """Return the library panels that these dashboards need, as `/api/library-elements` takes them, by UID."""
    found: dict[str, Json] = {}
    for panel in (panel for dashboard in dashboards for panel in dashboard["panels"]):
        if uid := _UIDS.get(panel["title"]):
            model = {key: value for key, value in panel.items() if key not in OF_THE_PLACE}
            name = f"fenhe {panel['title']}"
            found[uid] = {"uid": uid, "name": name, "kind": PANEL_KIND, "model": model}
    return found


def referring(dashboard: Json, held: Mapping[str, str]) -> Json:
    """Return the dashboard with its shared panels tied to those library panels that Grafana holds (UID and name).

    A tied panel keeps its own query and looks: a Grafana that cannot read its library still has them in the JSON.
    """
    return {**dashboard, "panels": [_tied(panel, held) for panel in dashboard["panels"]]}


def _tied(panel: Json, held: Mapping[str, str]) -> Json:
    uid = _UIDS.get(panel["title"], "")
    return {**panel, "libraryPanel": {"uid": uid, "name": held[uid]}} if uid in held else panel
