"""The rules of sizes on what they were made against: a laptop with Grafana's menu open, and long names."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from dashboards.grafana import lint_sizes
from dashboards.grafana.build import all_dashboards
from dashboards.grafana.columns import widths_px
from dashboards.kit.sizes import LAPTOP_PX, ROW_PX, table_px, text_px

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
BUILT = {dashboard["uid"]: dashboard for dashboard in all_dashboards()}


def _named(uid: str, title: str) -> tuple[Json, Json]:
    """A copy of a page, and its panel of that title."""
    page = copy.deepcopy(BUILT[uid])
    (panel,) = [each for each in page["panels"] if each["title"] == title]
    return page, panel


def _halved(panel: Json) -> None:
    panel["gridPos"]["w"] = 12


def _thawed(panel: Json) -> None:
    del panel["options"]["frozenColumns"]


def _as_before(panel: Json) -> None:
    panel["gridPos"]["w"] = 4


def _small(panel: Json) -> None:
    del panel["options"]["text"]
    panel["gridPos"]["w"] = 15


def _short(panel: Json) -> None:
    for override in panel["fieldConfig"]["overrides"]:
        if override["matcher"]["options"] in {"battery_set", "city"}:
            override["properties"] = [each for each in override["properties"] if each["id"] != "custom.width"]
            override["properties"].append({"id": "custom.width", "value": 70})


def _narrow(panel: Json) -> None:
    for override in panel["fieldConfig"]["overrides"]:
        if override["matcher"]["options"] == "soh_pct":
            override["properties"] = [each for each in override["properties"] if each["id"] != "custom.width"]
            override["properties"].append({"id": "custom.width", "value": 60})


def _with_a_unit(panel: Json) -> None:
    panel["options"] |= {"orientation": "horizontal", "text": {"valueSize": 12}}
    panel["targets"][0]["rawSql"] += "LIMIT 2"
    panel["fieldConfig"]["overrides"][1]["properties"].append({"id": "unit", "value": "currency:financial: kWh:suffix"})


@pytest.mark.parametrize(
    ("title", "rule", "breaks", "said"),
    [
        ("Worst 20 sets", lint_sizes.words_fit, _narrow, "soh_pct has 60 px for unknown"),
        ("As the BMS says (median)", lint_sizes.figures_are_read, lambda panel: panel["options"].pop("text"), "gauges"),
        ("Freshness", lint_sizes.bars_have_room, _with_a_unit, "has a unit behind the longest bar"),
        ("By city", lint_sizes.columns_fit, _halved, "px in 454"),
        ("Worst 20 sets", lint_sizes.columns_fit, _thawed, "scrolls its rows' names away on a laptop"),
        ("Cell spread, mV", lint_sizes.titles_fit, _as_before, "px in 77"),
        ("Books: received = stored + duplicate + quarantined", lint_sizes.figures_are_read, _small, "names of 9 px"),
        ("Worst 20 sets", lint_sizes.words_fit, _short, "70 px for Base station 2470 set 2"),
        ("Worst 20 sets", lint_sizes.words_fit, _short, "city has 70 px"),
    ],
)
def test_a_laptop_and_long_names_are_thought_of(
    title: str, rule: Callable[[Json], Any], breaks: Callable[[Json], None], said: str
) -> None:
    """The fleet's page as it was until 30 November 2026 breaks each."""
    page, panel = _named("fenhe-battery-fleet-en", title)
    assert list(rule(page)) == []
    breaks(panel)
    assert said in " ".join(rule(page))


def test_a_column_that_needs_more_than_its_share_does_not_push_the_others_out() -> None:
    """Grafana 12.3 drew these columns 968 px wide in 930, though all would have room."""
    page, panel = _named("fenhe-pipeline-en", "Disk of the database")
    assert list(lint_sizes.columns_fit(page)) == []
    for override in panel["fieldConfig"]["overrides"]:
        for each in override["properties"]:
            if each["id"] == "custom.width":
                each["id"] = "custom.minWidth"
    assert "columns of 970 px in 932" in " ".join(lint_sizes.columns_fit(page))


def test_what_stands_instead_of_a_figure_is_a_word_of_its_column_too() -> None:
    """Of a set at rest "not discharging" stood in 86 px: the rule saw only words that a figure is replaced by."""
    page, panel = _named("fenhe-battery-set-en", "Now")
    for override in panel["fieldConfig"]["overrides"]:
        if override["matcher"]["options"] == "remaining_p10_h":
            override["properties"].append({"id": "custom.width", "value": 86})
    assert "remaining_p10_h has 86 px for not discharging" in " ".join(lint_sizes.words_fit(page))


def test_a_sentence_of_one_line_has_room_for_two() -> None:
    """A list of doubts goes on in a second line, in a table that is no lower than that."""
    _, panel = _named("fenhe-battery-set-en", "What the capacity rests on")
    assert panel["gridPos"]["h"] * ROW_PX >= 37 + 36 + 58


def test_a_set_to_be_tested_stays_in_sight() -> None:
    """Of a plan that scrolls the day, the rank and the set stay: the day alone names nothing."""
    _, panel = _named("fenhe-fleet-plans-en", "Capacity tests of the next 30 days")
    assert panel["options"]["frozenColumns"] == {"left": 3}


@pytest.mark.parametrize("uid", BUILT)
def test_what_scrolls_keeps_the_name_of_its_rows(uid: str) -> None:
    """Columns that stay take at most half of a laptop: beside them the others are still seen."""
    for panel in BUILT[uid]["panels"]:
        kept = panel["options"].get("frozenColumns", {}).get("left", 0)
        assert sum(widths_px(panel)[:kept]) <= table_px(24, LAPTOP_PX) / 2


@pytest.mark.parametrize(
    ("text", "px"),
    [
        ("Spread median", 103),
        ("Never measured", 113),
        ("Mean temperature", 126),
        ("等级（30 天）", 93),
        ("● unacknowledged", 133),
        ("Base station 247 set 1", 147),
        ("equivalent hours, this month", 192),
        ("国家溯源编码（GB/T 34014）", 194),
        ("Residual and its tolerance, m³ per day", 258),
    ],
)
def test_letters_are_as_wide_as_a_running_grafana_drew_them(text: str, px: int) -> None:
    """Measured in the page of a Grafana 12.3; a guess by kinds of letters was off by up to a fifth."""
    assert px <= text_px(text) + 1
    assert text_px(text) <= 1.02 * px
