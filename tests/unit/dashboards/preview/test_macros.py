"""Macros, variables and addresses of the preview."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qsl, urlsplit

import pytest

from dashboards.preview.macros import Scope, TimeRange, parse_range
from dashboards.preview.theme import Theme
from dashboards.preview.view import View
from schemas.words import Language

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
RANGE = parse_range("now-6h", "now", NOW)


def test_a_variable_never_enters_the_text_of_the_sql() -> None:
    """Values go as parameters, whatever they hold."""
    evil = "x'; DROP TABLE site; --%s"
    query = Scope(RANGE, {"site": evil}).bind("SELECT 1 WHERE site_id = ${site:sqlstring} AND name LIKE 'a%'")
    assert evil not in query.sql
    assert query.sql == "SELECT 1 WHERE site_id = %(variable_site)s AND name LIKE 'a%%'"
    assert query.parameters["variable_site"] == evil


def test_time_macros_are_the_ranges_ends() -> None:
    """`$__timeFrom()`, `$__timeTo()` and `$__timeFilter()` mean the page's range."""
    query = Scope(RANGE).bind("$__timeFrom() $__timeTo() $__timeFilter(w.ts)")
    assert query.sql == "%(time_from)s %(time_to)s w.ts BETWEEN %(time_from)s AND %(time_to)s"
    assert query.parameters == {"time_from": NOW - dt.timedelta(hours=6), "time_to": NOW}


@pytest.mark.parametrize("text", ["$__timeGroup(ts, '1m')", "${site}", "$site", "$__unixEpochFrom()"])
def test_what_the_preview_does_not_know_is_refused(text: str) -> None:
    """A macro that only Grafana knows is an error in the preview, not silently wrong SQL."""
    with pytest.raises(LookupError):
        Scope(RANGE, {"site": "x"}).bind(f"SELECT {text}")


def test_an_unknown_variable_is_refused() -> None:
    """A query may only name variables of its dashboard."""
    with pytest.raises(LookupError, match="plant"):
        Scope(RANGE).bind("${plant:sqlstring}")


@pytest.mark.parametrize(("start", "interval"), [("now-15m", "60s"), ("now-6h", "60s"), ("now-24h", "300s")])
def test_the_interval_follows_the_range(start: str, interval: str) -> None:
    """Longer ranges get longer steps, none shorter than the panel's shortest."""
    scope = Scope(parse_range(start, "now", NOW))
    assert scope.bind("$__interval", shortest_interval_s=60).sql == interval


@pytest.mark.parametrize(("start", "end"), [("now", "now-1h"), ("yesterday", "now"), ("now-6x", "now"), ("", "now")])
def test_a_range_that_is_none_is_refused(start: str, end: str) -> None:
    """Reversed or unreadable ranges raise, and the page falls back to the dashboard's own."""
    with pytest.raises(ValueError, match=r"range|time"):
        parse_range(start, end, NOW)


def test_absolute_ranges_are_grafanas_milliseconds() -> None:
    """A link copied from Grafana shows the same moments."""
    assert parse_range("1772366400000", "1772370000000", NOW) == TimeRange(
        dt.datetime.fromtimestamp(1772366400, tz=dt.UTC), dt.datetime.fromtimestamp(1772370000, tz=dt.UTC)
    )


def test_a_title_names_what_its_variables_stand_for() -> None:
    """One that there is not is a dash, never its raw name."""
    scope = Scope(TimeRange(NOW - dt.timedelta(hours=6), NOW), {"product_unit": "t"})
    assert scope.title("${product_unit} ${gone}") == "t –"


def test_a_view_survives_its_own_address() -> None:
    """A page's address leads to the same page."""
    view = View("plant-energy", Language.EN, Theme.LIGHT, "now-1h", "now", "30s", {"site": "a&b=c 汾"})
    parts = urlsplit(view.address)
    assert View.parse(parts.path.removeprefix("/d/"), dict(parse_qsl(parts.query)), "") == view


def test_a_screen_on_the_wall_stays_one() -> None:
    """Kiosk is in the address, and links from there lead to pages like it."""
    view = View.parse("province", {"kiosk": ""}, "")
    assert View.parse("x", dict(parse_qsl(urlsplit(view.address).query)), "").kiosk
    led = view.follow(
        "/d/fenhe-plant-energy-zh?${__url_time_range}&var-site=${__data.fields.site_id}", {"site_id": "a"}
    )
    assert "kiosk" in led


def test_a_browsers_language_is_the_default() -> None:
    """English browsers get English, all others Chinese."""
    assert View.parse("x", {}, "en-GB,en").language is Language.EN
    assert View.parse("x", {"lang": "klingon"}, "de").language is Language.ZH
