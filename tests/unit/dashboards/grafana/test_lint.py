"""Our own rules for built dashboards: every one passes on what is built, and fails on what it was made against."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from dashboards.grafana import lint, lint_sizes, lint_variables
from dashboards.grafana.build import GENERATED, all_dashboards

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Json = dict[str, Any]
BUILT = {dashboard["uid"]: dashboard for dashboard in all_dashboards()}


def _panels(dashboard: Json, *types: str) -> list[Json]:
    return [panel for panel in dashboard["panels"] if panel["type"] in types]


def _set(panel: Json, column: int, **properties: object) -> None:
    """Change properties of a panel's column; a dot is written as two underscores."""
    found = panel["fieldConfig"]["overrides"][column]["properties"]
    for key, value in properties.items():
        name = key.replace("__", ".")
        found[:] = [each for each in found if each["id"] != name]
        found.append({"id": name, "value": value})


def _green(dashboard: Json) -> None:
    for panel in _panels(dashboard, "stat", "gauge"):
        del panel["fieldConfig"]["defaults"]["thresholds"], panel["fieldConfig"]["defaults"]["color"]


def _sure(dashboard: Json) -> None:
    for panel in _panels(dashboard, "stat"):
        target = panel["targets"][0]
        target["rawSql"] = target["rawSql"].replace("END::float8 AS lost", "::float8 AS lost")


def _mute(dashboard: Json) -> None:
    del dashboard["panels"][1]["fieldConfig"]["defaults"]["noValue"]


def _begins(dashboard: Json) -> None:
    target = _panels(dashboard, "heatmap")[0]["targets"][0]
    target["rawSql"] = target["rawSql"].replace(" + interval '1 day' AS time", " AS time")


def _flat(dashboard: Json) -> None:
    _panels(dashboard, "heatmap")[0]["gridPos"]["h"] = 11


def _own_range(dashboard: Json) -> None:
    dashboard["panels"][1]["timeFrom"] = "14d"


def _days_back(dashboard: Json) -> None:
    target = _panels(dashboard, "timeseries")[0]["targets"][0]
    target["rawSql"] = "SELECT ts AS time FROM t WHERE ts > $__timeTo()::timestamptz - interval '14 days'"


def _floating(dashboard: Json) -> None:
    del _panels(dashboard, "barchart")[0]["fieldConfig"]["defaults"]["custom"]["axisSoftMin"]


def _hiding(dashboard: Json) -> None:
    panel = _panels(dashboard, "timeseries")[0]
    panel["fieldConfig"]["defaults"]["custom"]["drawStyle"] = "bars"
    for column in (0, 1):
        _set(panel, column, custom__drawStyle="bars")


def _cut(dashboard: Json) -> None:
    (bars, *_) = _panels(dashboard, "barchart")
    bars["options"] |= {"orientation": "vertical", "xTickLabelMaxLength": 0, "xTickLabelSpacing": 60}


def _crowded(dashboard: Json) -> None:
    _panels(dashboard, "table")[0]["gridPos"]["w"] = 2


def _narrow(dashboard: Json) -> None:
    _set(_panels(dashboard, "table")[0], 1, custom__width=20, displayName="Unit-product energy")


def _wordy(dashboard: Json) -> None:
    table = next(each for each in _panels(dashboard, "table") if "END AS event" in each["targets"][0]["rawSql"])
    for override in table["fieldConfig"]["overrides"]:
        if override["matcher"]["options"] == "event":
            override["properties"].append({"id": "custom.width", "value": 50})


def _one_line(dashboard: Json) -> None:
    for table in _panels(dashboard, "table"):
        for override in table["fieldConfig"]["overrides"]:
            if override["matcher"]["options"] == "rule":
                override["properties"] = [each for each in override["properties"] if each["id"] != "custom.wrapText"]


def _parted(dashboard: Json) -> None:
    table = next(each for each in _panels(dashboard, "table") if "AS plant" in each["targets"][0]["rawSql"])
    last = len(table["fieldConfig"]["overrides"]) - 1
    for column in range(2, last):
        _set(table, column, custom__hideFrom__viz=True)
    name = next(each for each in table["fieldConfig"]["overrides"] if each["matcher"]["options"] == "plant")
    name["properties"] = [each for each in name["properties"] if each["id"] != "custom.width"]


def _unlimited(dashboard: Json) -> None:
    target = _panels(dashboard, "barchart")[-1]["targets"][0]
    target["rawSql"] = target["rawSql"].replace("LIMIT 7", "")


def _listed(dashboard: Json) -> None:
    rows = ",\n    ".join(f"('item {number}', {number})" for number in range(20))
    sql = f"SELECT * FROM (VALUES\n    {rows}\n) AS k (item, said)"  # noqa: S608 - a test's own
    _panels(dashboard, "table")[0]["targets"][0]["rawSql"] = sql


def _tiny(dashboard: Json) -> None:
    for panel in _panels(dashboard, "stat"):
        panel["options"] = {**panel["options"], "orientation": "vertical", "wideLayout": True, "text": {}}


def _seconds_shown(dashboard: Json) -> None:
    table = _panels(dashboard, "table")[0]
    table["fieldConfig"]["overrides"][1]["matcher"]["options"] = "until_at"
    _set(table, 1, unit="", custom__width=125, custom__hideFrom__viz=False)


def _thin(dashboard: Json) -> None:
    (lanes,) = _panels(dashboard, "state-timeline")
    lanes["gridPos"]["h"] = 3
    del lanes["options"]["perPage"]


def _twins(dashboard: Json) -> None:
    for column in (1, 2):
        _set(_panels(dashboard, "table")[0], column, displayName="状态", custom__hideFrom__viz=False)


def _dash(dashboard: Json) -> None:
    result = {"type": "special", "options": {"match": "null+nan", "result": {"text": "–"}}}
    _set(_panels(dashboard, "stat")[0], 0, mappings=[result])


def _run_together(dashboard: Json) -> None:
    _set(_panels(dashboard, "stat")[0], 0, unit="suffix: kW")


def _hours(dashboard: Json) -> None:
    _set(_panels(dashboard, "stat")[0], 0, unit="s")


def _long(dashboard: Json) -> None:
    dashboard["panels"][1]["title"] = "单位产品综合能耗" * 12


def _buttons(dashboard: Json) -> None:
    dashboard["links"][0]["asDropdown"] = False


def _sunday(dashboard: Json) -> None:
    dashboard["weekStart"] = ""


def _asking(dashboard: Json) -> None:
    dashboard["templating"]["list"][0]["refresh"] = 2


def _unsearched(dashboard: Json) -> None:
    variable = dashboard["templating"]["list"][0]
    variable["query"] += " AND d.name ILIKE '%' || '$__searchFilter'"


def _by_name_alone(dashboard: Json) -> None:
    variable = dashboard["templating"]["list"][0]
    variable["query"] = "SELECT d.device_id AS __value, d.name AS __text FROM device d WHERE d.device_id ILIKE '%x%'"


def _all(dashboard: Json) -> None:
    dashboard["templating"]["list"][0]["includeAll"] = True


def _hasty(dashboard: Json) -> None:
    dashboard["refresh"] = "5s"


def _undated(dashboard: Json) -> None:
    del dashboard["panels"][1]["pluginVersion"]


def _editable(dashboard: Json) -> None:
    dashboard["editable"] = True


def _silent(dashboard: Json) -> None:
    dashboard["panels"][1]["description"] = ""


def _foreign(dashboard: Json) -> None:
    _panels(dashboard, "table")[0]["options"]["footer"] = {"show": False}


def _invisible(dashboard: Json) -> None:
    _panels(dashboard, "timeseries")[0]["fieldConfig"]["defaults"]["custom"]["showPoints"] = "never"


def _nameless(dashboard: Json) -> None:
    (flows,) = (each for each in _panels(dashboard, "table") if "flow_from" in each["targets"][0]["rawSql"])
    _set(flows, 0, displayName="")


def _unmarked(dashboard: Json) -> None:
    dashboard["annotations"]["list"] = []


def _ageless(dashboard: Json) -> None:
    dashboard["panels"] = [panel for panel in dashboard["panels"] if panel["title"]]


BROKEN: dict[Callable[[Json], Iterator[str]], Callable[[Json], None]] = {
    lint.no_row_is_grey: _green,
    lint.green_is_known: _sure,
    lint.no_row_is_said: _mute,
    lint.buckets_end: _begins,
    lint_sizes.names_do_not_overlap: _flat,
    lint.follows_the_range: _own_range,
    lint.charts_stay_in_the_range: _days_back,
    lint.bars_stand_on_zero: _floating,
    lint.bars_do_not_hide_bars: _hiding,
    lint.buckets_are_named: _cut,
    lint_sizes.columns_fit: _crowded,
    lint_sizes.headers_fit: _narrow,
    lint_sizes.words_fit: _wordy,
    lint_sizes.free_texts_wrap: _one_line,
    lint_sizes.names_are_beside_their_figures: _parted,
    lint_sizes.bars_have_room: _unlimited,
    lint_sizes.lists_are_whole: _listed,
    lint_sizes.figures_are_read: _tiny,
    lint_sizes.moments_fit: _seconds_shown,
    lint_sizes.lanes_are_seen: _thin,
    lint.column_names_are_unique: _twins,
    lint.unknown_is_a_word: _dash,
    lint.thousands_are_separated: _run_together,
    lint.durations_are_said: _hours,
    lint_sizes.titles_fit: _long,
    lint.links_are_one_menu: _buttons,
    lint.lives_on_its_own_clock: _sunday,
    lint_variables.variables_are_quiet: _asking,
    lint_variables.lists_are_full_before_anybody_types: _unsearched,
    lint_variables.what_is_typed_is_shown: _by_name_alone,
    lint_variables.everything_is_a_word_of_the_page: _all,
    lint.refreshes_no_faster_than_it_changes: _hasty,
    lint.plugins_are_dated: _undated,
    lint.is_not_edited_in_place: _editable,
    lint.explains_itself: _silent,
    lint.is_of_the_schema: _foreign,
    lint.lines_of_one_point_are_seen: _invisible,
    lint.age_is_said_first: _ageless,
    lint.moments_are_marked: _unmarked,
    lint.what_is_drawn_elsewhere_is_read_here: _nameless,
}
"""Each rule with what it was made against: what was built until November 2026."""


@pytest.mark.parametrize("uid", BUILT)
def test_what_is_built_breaks_no_rule(uid: str) -> None:
    """Every rule holds for every page in both languages."""
    assert [line for rule in lint.RULES for line in rule(BUILT[uid])] == []


def test_every_rule_has_its_counter_example() -> None:
    """A rule that nothing breaks protects nothing."""
    assert set(BROKEN) == set(lint.RULES)


@pytest.mark.parametrize("rule", BROKEN, ids=lambda rule: rule.__name__)
def test_a_rule_fails_on_what_it_was_made_against(rule: Callable[[Json], Iterator[str]]) -> None:
    """The page of plant energy has every kind of panel: broken in one thing, it breaks that rule."""
    page = copy.deepcopy(BUILT["fenhe-plant-energy-zh"])
    assert list(rule(page)) == []
    if not _panels(page, "barchart", "heatmap", "state-timeline"):
        pytest.fail("the page no longer has every kind of panel: take another")
    BROKEN[rule](page)
    assert list(rule(page))


def test_no_panel_is_a_histogram_of_grafana_s() -> None:
    """It heeds no text for no data: on a Chinese page it would speak the browser's language."""
    page = copy.deepcopy(next(iter(BUILT.values())))
    page["panels"][1]["type"] = "histogram"
    assert [line for line in lint.no_row_is_said(page) if "histogram" in line]


def test_the_set_s_list_is_searched_in_the_database() -> None:
    """Seven thousand sets are not loaded into a box."""
    page = copy.deepcopy(BUILT["fenhe-battery-set-zh"])
    variable = page["templating"]["list"][0]
    variable["query"] = variable["query"].replace("LIMIT 500", "")
    assert list(lint_variables.variables_are_quiet(page)) == ["variable set: loads every set"]


def test_the_command_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m dashboards.grafana.lint FOLDER` says what is broken, by rule."""
    assert lint.main(GENERATED) == 0
    page = GENERATED / "water.en.json"
    (tmp_path / page.name).write_text(page.read_text(encoding="utf-8").replace('"monday"', '""'), encoding="utf-8")
    assert lint.main(tmp_path) == 1
    assert "lives_on_its_own_clock: 1" in capsys.readouterr().out
