"""Build every dashboard in every language into `dashboards/generated/`, and the alert rules' provisioning file.

`python -m dashboards.grafana.build`, or `fenhe dashboards build`.

To add a dashboard: write its module with a `DASHBOARD`, name it in `DEFINITIONS`, build, commit the JSON.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.grafana import watch
from dashboards.grafana.columns import name_columns, widths_px
from dashboards.kit.sizes import LAPTOP_PX, table_px
from dashboards.pages import (
    alarms,
    battery_cycling,
    battery_fleet,
    battery_passport,
    battery_set,
    fleet_plans,
    gangue,
    meter,
    pipeline,
    plant_energy,
    province,
    water,
)
from dashboards.parts import data_state
from schemas.words import Language

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.kit.dashboard import Definition

_PAGES = (
    province.DASHBOARD,
    plant_energy.DASHBOARD,
    gangue.DASHBOARD,
    water.DASHBOARD,
    meter.DASHBOARD,
    battery_fleet.DASHBOARD,
    fleet_plans.DASHBOARD,
    battery_set.DASHBOARD,
    battery_passport.DASHBOARD,
    battery_cycling.DASHBOARD,
    alarms.DASHBOARD,
    pipeline.DASHBOARD,
)
DEFINITIONS: Sequence[Definition] = tuple(replace(page, band=data_state.band) for page in _PAGES)
"""All dashboards, in the order of the navigation; each says first how old its data are."""

SCHEMA_VERSION = 42
"""Of the dashboard model that Grafana 12.4 and 13 read without a migration."""

GENERATED = Path(__file__).parents[1] / "generated"
ALERTING = Path(__file__).parents[2] / "deploy" / "grafana" / "alerting" / "fenhe.yaml"
"""Alert rules and contact point, where compose's Grafana reads its provisioning."""


@cache
def render(definition: Definition, language: Language) -> str:
    """Grafana's JSON of a dashboard; the same text for the same definition, always."""
    built = json.loads(json.dumps(definition.build(language), cls=JSONEncoder))
    return json.dumps(_finished(built, definition, language), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _finished(built: dict[str, Any], definition: Definition, language: Language) -> dict[str, Any]:
    """Add what the SDK has no words for, and take out what it writes and Grafana's schema does not know."""
    built["schemaVersion"] = SCHEMA_VERSION
    built["annotations"] = {"list": [each.to_json(language) for each in definition.annotations]}
    for variable in built["templating"].get("list", []):
        for foreign in ("auto", "auto_count", "auto_min"):
            variable.pop(foreign, None)
    for panel in built["panels"]:
        if panel["type"] == "table":
            panel["options"].pop("footer", None)
            room = table_px(panel["gridPos"]["w"], LAPTOP_PX)
            if sum(widths_px(panel)) > room:
                panel["options"]["frozenColumns"] = {"left": name_columns(panel, room / 2)}
            panel["fieldConfig"]["defaults"].setdefault("custom", {"align": "auto", "inspect": False})
        if panel["type"] == "heatmap":  # an empty one, which only some versions of the SDK write
            panel["fieldConfig"]["defaults"].pop("custom", None)
    for link in built["links"]:
        link.pop("placement", None)
    return built


def dashboard_json(definition: Definition, language: Language) -> dict[str, Any]:
    """Return the dashboard model as Grafana would load it."""
    loaded: dict[str, Any] = json.loads(render(definition, language))
    return loaded


def all_dashboards() -> list[dict[str, Any]]:
    """Return every dashboard in every language, as Grafana would load it."""
    return [dashboard_json(definition, language) for definition in DEFINITIONS for language in Language]


def file_name(definition: Definition, language: Language) -> str:
    """Name of a dashboard's built file."""
    return f"{definition.slug}.{language}.json"


def build(folder: Path = GENERATED) -> list[Path]:
    """Write all dashboards and remove files of dashboards that are no more; return the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for definition in DEFINITIONS:
        for language in Language:
            path = folder / file_name(definition, language)
            path.write_text(render(definition, language), encoding="utf-8")
            written.append(path)
    for path in set(folder.glob("*.json")) - set(written):
        path.unlink()
    return written


def build_alerting(path: Path = ALERTING) -> Path:
    """Write the alert rules and their contact point as a file of Grafana's provisioning; return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(watch.provisioning_file(), encoding="utf-8")
    return path


if __name__ == "__main__":
    build()
    build_alerting()
