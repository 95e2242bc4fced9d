"""The built dashboards: fresh, complete in both languages, and only of what Grafana and the preview both know."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana.build import DEFINITIONS, GENERATED, build, dashboard_json, file_name, render
from dashboards.kit.dashboard import BAND_ID
from dashboards.kit.query import DATA_SOURCE_UID
from dashboards.kit.units import WORD_JOINER
from dashboards.preview.model import load
from dashboards.preview.render import RENDERERS
from dashboards.words.labels import CITY, KIND, QUALITY, REASON, ROLE, SECTOR
from schemas.kafka.quarantine import Reason
from schemas.metrics import Quality
from schemas.readings import Kind
from schemas.registry import Role, Sector
from schemas.words import Language

if TYPE_CHECKING:
    from enum import StrEnum
    from pathlib import Path

    from dashboards.kit.dashboard import Definition

CASES = [pytest.param(d, language, id=f"{d.slug}-{language}") for d in DEFINITIONS for language in Language]
CHINESE = re.compile(r"[一-鿿]")


def stale(folder: Path = GENERATED) -> list[str]:
    """Names of built files that are missing, left over, or differ from what the definitions say."""
    expected = {file_name(d, language): render(d, language) for d in DEFINITIONS for language in Language}
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))


def test_committed_json_is_fresh() -> None:
    """What is committed is what the definitions build."""
    assert stale() == [], "run `.venv/bin/fenhe dashboards build` and commit what it writes"


def test_building_twice_gives_the_same_files(tmp_path: Path) -> None:
    """Built JSON depends on nothing but the definitions, and left-over files go."""
    (tmp_path / "gone.json").write_text("{}")
    first = {path.name: path.read_text(encoding="utf-8") for path in build(tmp_path)}
    assert {path.name: path.read_text(encoding="utf-8") for path in build(tmp_path)} == first
    assert {path.name for path in tmp_path.iterdir()} == set(first)
    assert stale(tmp_path) == []


def test_an_edited_file_is_stale(tmp_path: Path) -> None:
    """A file that was edited by hand is noticed."""
    build(tmp_path)
    name = file_name(DEFINITIONS[0], Language.ZH)
    (tmp_path / name).write_text("{}")
    assert stale(tmp_path) == [name]


@pytest.mark.parametrize(("definition", "language"), CASES)
def test_the_sdk_reads_back_what_it_built(definition: Definition, language: Language) -> None:
    """The JSON has the structure of the SDK's dashboard model."""
    built = dashboard_json(definition, language)
    rebuilt = json.loads(json.dumps(Dashboard.from_json(built).to_json(), default=lambda item: item.to_json()))
    assert rebuilt["uid"] == built["uid"] == f"fenhe-{definition.slug}-{language}"
    assert [panel["title"] for panel in rebuilt["panels"]] == [panel["title"] for panel in built["panels"]]


@pytest.mark.parametrize(("definition", "language"), CASES)
def test_panels_fill_the_grid_without_overlap(definition: Definition, language: Language) -> None:
    """No two panels share a cell, none leaves the 24 columns, every id is its own."""
    panels = load(dashboard_json(definition, language)).panels
    cells = [(x, y) for p in panels for x in range(p.x, p.x + p.w) for y in range(p.y, p.y + p.h)]
    assert len(cells) == len(set(cells))
    beyond = [panel.title for panel in panels if panel.x + panel.w > 24]
    assert not beyond, "panels stand side by side in their order: the widths of a row must add up to 24"
    assert len({panel.id for panel in panels}) == len(panels)


@pytest.mark.parametrize(("definition", "language"), CASES)
def test_every_panel_explains_itself_and_can_be_drawn(definition: Definition, language: Language) -> None:
    """A panel has a title, a description with its source, the reader's data source and a renderer in the preview."""
    built = dashboard_json(definition, language)
    drawn = [raw for raw in built["panels"] if raw["id"] != BAND_ID]  # the preview has a bar for it
    for panel, raw in zip(load(built).panels, drawn, strict=True):
        assert panel.title
        assert ("来源" if language is Language.ZH else "Source") in panel.description
        assert raw["datasource"]["uid"] == raw["targets"][0]["datasource"]["uid"] == DATA_SOURCE_UID
        assert panel.type in RENDERERS
        assert panel.fields


@pytest.mark.parametrize(("definition", "language"), CASES)
def test_null_is_a_word_on_every_field(definition: Definition, language: Language) -> None:
    """Unknown is an answer: every field of every panel maps null to a word."""
    for panel in load(dashboard_json(definition, language)).panels:
        for field in panel.fields.values():
            special = [m for m in field.properties["mappings"] if m["type"] == "special"]
            assert special, (panel.title, field.name)
            assert special[0]["options"]["match"] == "null+nan"
            assert special[0]["options"]["result"]["text"]


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda d: d.slug)
def test_the_english_page_has_no_chinese_left(definition: Definition) -> None:
    """Apart from the way to the Chinese page and names of cities in the SQL's translation."""
    built = dashboard_json(definition, Language.EN)
    for panel in built["panels"]:
        for target in panel["targets"]:
            target["rawSql"] = ""
    built["links"] = []
    for variable in built["templating"].get("list", []):
        variable["query"] = ""
    assert CHINESE.findall(json.dumps(built, ensure_ascii=False)) == []


@pytest.mark.parametrize(("texts", "enum"), [(KIND, Kind), (ROLE, Role), (REASON, Reason), (QUALITY, Quality)])
def test_every_value_of_an_enum_has_its_word(texts: dict[str, Any], enum: type[StrEnum]) -> None:
    """A new kind, reason or quality must be named in both languages before it can be shown."""
    assert set(texts) == set(enum)
    assert all(text.zh and text.en for text in texts.values())


def test_every_sector_and_city_has_its_word() -> None:
    """Sectors are data, and those that code knows are among them."""
    assert set(Sector) <= set(SECTOR)
    assert all(text.zh and text.en for text in SECTOR.values())
    assert all(CITY.values())


@pytest.mark.parametrize(("definition", "language"), CASES)
def test_raw_and_derived_tables_are_filtered_on_time(definition: Definition, language: Language) -> None:
    """No query reads a table of history without a bound on its time."""
    history = re.compile(r"\b(plant_window|battery_quarter|meter_minute|reading_\w+|quarantine|ledger)\b")
    for panel in load(dashboard_json(definition, language)).panels:
        if history.search(panel.sql):
            assert "$__timeFrom()" in panel.sql or "$__timeTo()" in panel.sql or "$__timeFilter(" in panel.sql, panel


def test_files_are_committed_for_every_dashboard_and_language() -> None:
    """Grafana's file provisioning finds one file per dashboard and language."""
    assert {path.name for path in GENERATED.glob("*.json")} == {
        file_name(definition, language) for definition in DEFINITIONS for language in Language
    }
    assert all(json.loads(render(d, language))["panels"] for d in DEFINITIONS for language in Language)


@pytest.mark.parametrize(("definition", "language"), CASES)
def test_a_word_is_counted_as_wide_as_it_is_beside_other_figures(definition: Definition, language: Language) -> None:
    """Grafana makes figures as large as the text of most characters allows, and a Chinese one is two wide."""
    for panel in dashboard_json(definition, language)["panels"]:
        if panel["type"] != "stat" or "valueSize" in panel["options"].get("text", {"valueSize": None}):
            continue
        for override in panel["fieldConfig"]["overrides"]:
            for each in (each for each in override["properties"] if each["id"] == "mappings"):
                texts = [one["options"]["result"]["text"] for one in each["value"] if one["type"] == "special"]
                said = [
                    word["text"] for one in each["value"] if one["type"] == "value" for word in one["options"].values()
                ]
                texts += [text for text in said if width(text) > len(text.rstrip(WORD_JOINER))]
                assert [text for text in texts if len(text) <= width(text.rstrip(WORD_JOINER))] == [], panel["title"]


def test_a_difference_has_its_sign_and_the_minus_of_print() -> None:
    """One form on all pages: `+9.6`, `−9.6`; a cost's difference and that of the coal rate stand beside each other."""
    for language in Language:
        panels = load(dashboard_json(next(each for each in DEFINITIONS if each.slug == "gangue"), language)).panels
        (sql,) = (panel.sql for panel in panels if "AS to_before," in panel.sql)
        assert sql.count("'FMSG999,999,990") == 2
        assert sql.count("'-', '−'") == 2


def width(text: str) -> int:
    """How wide a text is, in narrow characters."""
    return sum(2 if unicodedata.east_asian_width(sign) == "W" else 1 for sign in text)
