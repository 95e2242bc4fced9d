"""Search: what was found leads where it is shown, whatever its name holds."""

from __future__ import annotations

from dashboards.preview.reader import Rows
from dashboards.preview.search import as_html, entries, query
from dashboards.preview.theme import Theme
from dashboards.preview.view import View
from schemas.words import Language

COLUMNS = ["kind", "id", "site_id", "name", "name_zh", "city", "first_set"]
VIEW = View("water", Language.ZH, Theme.LIGHT, "now-1h", variables={"site": "ELSE"})


def _found(*row: str, view: View = VIEW) -> tuple[str, str, str]:
    (entry,) = entries(Rows(COLUMNS, [row]), view)
    return entry


def test_each_kind_leads_to_its_own_page() -> None:
    """A plant to its energy, a meter and a set to theirs, a base station to its first set or its city."""
    assert "/d/plant-energy?" in _found("plant", "P", "P", "Plant", "厂", "太原", "")[2]
    assert _found("water", "P-W1", "P", "Meter", "表", "太原", "")[2].endswith("var-site=P&var-meter=P-W1")
    assert "/d/battery-set?" in _found("battery", "B1", "S", "Set", "组", "晋中", "B1")[2]
    assert _found("base_station", "S", "S", "Station", "站", "晋中", "B1")[2].endswith("var-set=B1")
    assert "/d/battery-fleet?" in _found("base_station", "S", "S", "Station", "站", "晋中", "")[2]


def test_a_search_keeps_language_and_theme_and_no_other_choice() -> None:
    """Range, refresh and plant of the page that was searched from are not the found thing's."""
    address = _found("battery", "B1", "S", "Set", "组", "晋中", "B1")[2]
    assert "theme=light" in address
    assert "from=" not in address
    assert "ELSE" not in address


def test_names_are_in_the_pages_language() -> None:
    """Name and city; a thing with one name only has that one in both."""
    english = View("water", Language.EN)
    assert _found("plant", "P", "P", "Plant", "厂", "太原", "")[:2] == ("厂", "企业 · 太原 · P")
    assert _found("plant", "P", "P", "Plant", "厂", "太原", "", view=english)[:2] == ("Plant", "Plant · Taiyuan · P")
    assert _found("plant", "P", "P", "Plant", "", "太原", "")[0] == "Plant"
    assert _found("plant", "P", "P", "", "", "太原", "")[0] == "P"


def test_a_name_is_never_markup() -> None:
    """What somebody registered is shown, not run."""
    found = entries(Rows(COLUMNS, [("plant", "P", "P", "<script>", "<script>", "太原", "")]), VIEW)
    assert "<script>" not in as_html(found, Language.ZH)


def test_percent_and_underscore_are_themselves() -> None:
    """`%` finds what has a percent sign in its name, not everything."""
    assert query(" 5%_ ").parameters["part"] == r"%5\%\_%"


def test_nothing_found_is_said() -> None:
    """An empty list would look like a page that hangs."""
    assert "没有找到" in as_html([], Language.ZH)
