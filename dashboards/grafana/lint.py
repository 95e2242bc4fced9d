"""Rules for built dashboards that Grafana does not tell: what it draws otherwise than meant, or in silence not at all.

Each rule was learnt on a running Grafana 12.3. `python -m dashboards.grafana.lint [FOLDER]` prints what breaks them.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboards.grafana.columns import fields, visible
from dashboards.grafana.lint_sizes import SIZE_RULES
from dashboards.grafana.lint_variables import VARIABLE_RULES
from dashboards.kit.dashboard import BAND_ID
from dashboards.preview.model import DRAWN_TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Json = dict[str, Any]

GREY = "#858f9f"
GREEN = "#2f9e6e"
DASHES = frozenset("–—-")
FASTEST_S = {"fenhe-plant-energy": 30}
"""Shortest refresh of a page whose windows end on whole minutes, seconds."""


def _targets(dashboard: Json) -> Iterator[tuple[Json, str]]:
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel, target["rawSql"]


def no_row_is_grey(dashboard: Json) -> Iterator[str]:
    """Overrides match no field where there is no row: the defaults of a stat and a gauge are grey, with a word."""
    for panel in dashboard["panels"]:
        defaults = panel["fieldConfig"]["defaults"]
        if panel["type"] in {"stat", "gauge"}:
            steps = defaults.get("thresholds", {}).get("steps", [{"color": "green"}])
            if {step["color"] for step in steps} != {GREY}:
                yield f"{panel['title']}: without a row it has Grafana's green of thresholds"
            if defaults.get("color") != {"mode": "fixed", "fixedColor": GREY}:
                yield f"{panel['title']}: without a row it has no grey of its own"


def green_is_known(dashboard: Json) -> Iterator[str]:
    """A count of what is bad is green at zero: it is null, and so grey, where it is known of nothing.

    Such a count is `sql.bad_ones`, or another CASE without an ELSE, or a sum, which is null without a row.
    """
    for panel in dashboard["panels"]:
        for name, found in fields(panel):
            colors = [step["color"] for step in found.get("thresholds", {}).get("steps", ())]
            if found.get("decimals") != 0 or colors[:1] != [GREEN]:
                continue
            if not re.search(rf"(?<!ELSE 0 )(\bEND|\bsum\(\w+\))::float8\s+AS {name}\b", panel["targets"][0]["rawSql"]):
                yield f"{panel['title']}: {name} is green where nothing is known"


def no_row_is_said(dashboard: Json) -> Iterator[str]:
    """A panel without a row says so in the page's language, not Grafana's "No data".

    Its histogram says "No histogram found in response", whatever it is given: bars that the query counts are drawn.
    """
    for panel in dashboard["panels"]:
        if panel["type"] == "histogram":
            yield f"{panel['title']}: a histogram heeds no text for no data"
        if not panel["fieldConfig"]["defaults"].get("noValue"):
            yield f"{panel['title']}: has no text for no data"


def buckets_end(dashboard: Json) -> Iterator[str]:
    """Grafana takes a heat map row's time as the bucket's end, and draws nothing of a single row."""
    for panel in dashboard["panels"]:
        sql = panel["targets"][0]["rawSql"]
        if panel["type"] == "heatmap" and not (
            re.search(r"\+ interval '1 (hour|day)' AS time\b", sql) and "generate_series" in sql
        ):
            yield f"{panel['title']}: its time is not the end of a bucket, of every bucket of the range"
        if panel["type"] == "heatmap" and "num_nonnulls(" not in sql:
            yield f"{panel['title']}: without a value its scale goes from ∞ to −∞"


def follows_the_range(dashboard: Json) -> Iterator[str]:
    """`timeFrom` is ignored once somebody has zoomed: a range of a panel's own is in its query or nowhere."""
    for panel in dashboard["panels"]:
        if panel.get("timeFrom") or panel.get("timeShift"):
            yield f"{panel['title']}: timeFrom"


def charts_stay_in_the_range(dashboard: Json) -> Iterator[str]:
    """A chart over time draws the page's range only: a query bound to so many days back goes empty on a zoom."""
    for panel, sql in _targets(dashboard):
        over_time = panel["type"] in {"timeseries", "heatmap", "state-timeline"}
        if over_time and "$__timeFilter(" not in sql and "$__timeFrom()" not in sql:
            yield f"{panel['title']}: does not follow the range"


def bars_stand_on_zero(dashboard: Json) -> Iterator[str]:
    """A bar that does not begin at zero lies about its length."""
    for panel in dashboard["panels"]:
        custom = panel["fieldConfig"]["defaults"].get("custom", {})
        bars = panel["type"] == "barchart" or custom.get("drawStyle") == "bars"
        if bars and (custom.get("axisSoftMin"), custom.get("axisSoftMax")) != (0, 0):
            yield f"{panel['title']}: its bars do not stand on zero"


def bars_do_not_hide_bars(dashboard: Json) -> Iterator[str]:
    """Grafana draws the bars of one moment at the same place: they are stacked, or at most two, aside of it."""
    for panel in dashboard["panels"]:
        custom = panel["fieldConfig"]["defaults"].get("custom", {})
        if custom.get("drawStyle") != "bars" or custom.get("stacking"):
            continue
        bars = [found for _, found in fields(panel) if found.get("custom.drawStyle", "bars") == "bars"]
        if len(bars) > 1 and sorted(found.get("custom.barAlignment", 0) for found in bars) != [-1, 1]:
            yield f"{panel['title']}: {len(bars)} bars at one place"


def buckets_are_named(dashboard: Json) -> Iterator[str]:
    """Below upright bars Grafana cuts names to a length, of which 0 is "...": they stand upright, where all have room.

    With a spacing, those left out would be called by the word for null.
    """
    for panel in dashboard["panels"]:
        options = panel["options"]
        if panel["type"] == "barchart" and options["orientation"] == "vertical":
            if not options.get("xTickLabelMaxLength") or options.get("xTickLabelSpacing"):
                yield f"{panel['title']}: its buckets have no names"
            if not options.get("xTickLabelRotation"):
                yield f"{panel['title']}: its buckets' names lie over each other"


def column_names_are_unique(dashboard: Json) -> Iterator[str]:
    """No two columns of a panel have one name."""
    for panel in dashboard["panels"]:
        names = [found.get("displayName") for _, found in visible(panel) if found.get("displayName")]
        for name in {name for name in names if names.count(name) > 1}:
            yield f"{panel['title']}: {name} twice"


def unknown_is_a_word(dashboard: Json) -> Iterator[str]:
    """What is not known is a word, never a dash beside it."""
    for panel in dashboard["panels"]:
        for name, found in fields(panel):
            words = [m["options"]["result"]["text"] for m in found.get("mappings", ()) if m["type"] == "special"]
            if not words or set(words[0]) <= DASHES:
                yield f"{panel['title']}: {name} is {words[0] if words else 'empty'} when it is not known"


def thousands_are_separated(dashboard: Json) -> Iterator[str]:
    """Grafana's `suffix:` and plain numbers run thousands together."""
    for panel in dashboard["panels"]:
        units = [(name, str(found.get("unit", "")), found.get("decimals")) for name, found in fields(panel)]
        units += [("cells", str(each.get("unit", "")), None) for each in [panel["options"].get("cellValues", {})]]
        for name, unit, decimals in units:
            if unit.startswith("suffix:") or (not unit and decimals is not None):
                yield f"{panel['title']}: {name} has no thousands separator"


def durations_are_said(dashboard: Json) -> Iterator[str]:
    """Grafana's seconds say "1 hours", in English on every page."""
    for panel in dashboard["panels"]:
        for name, found in fields(panel):
            if found.get("unit") in {"s", "m", "h", "d", "ms"}:
                yield f"{panel['title']}: {name} is in Grafana's unit {found['unit']}"


def links_are_one_menu(dashboard: Json) -> Iterator[str]:
    """The way to the other dashboards is one menu, not a row of buttons."""
    for link in dashboard["links"]:
        if link["type"] == "dashboards" and not link.get("asDropdown"):
            yield f"link {link['title']}: a row of buttons"


def lives_on_its_own_clock(dashboard: Json) -> Iterator[str]:
    """Weeks begin on Monday and clocks are the province's, wherever the browser is."""
    if dashboard.get("weekStart") != "monday":
        yield "the week does not begin on Monday"
    if dashboard.get("timezone") != "Asia/Shanghai":
        yield "the time zone is not the province's"


def refreshes_no_faster_than_it_changes(dashboard: Json) -> Iterator[str]:
    """A page of minute windows does not ask every five seconds."""
    least = next((s for uid, s in FASTEST_S.items() if dashboard["uid"].startswith(uid)), 0)
    found = re.fullmatch(r"(\d+)s", dashboard["refresh"])
    if found and int(found[1]) < least:
        yield f"refreshes every {dashboard['refresh']}"


def plugins_are_dated(dashboard: Json) -> Iterator[str]:
    """Without a plug-in's version Grafana migrates the options of a panel as of a very old one."""
    for panel in dashboard["panels"]:
        if not panel.get("pluginVersion"):
            yield f"{panel['title']}: has no pluginVersion"


def is_not_edited_in_place(dashboard: Json) -> Iterator[str]:
    """What is published over again is not edited in Grafana (a rule of Grafana's own dashboard-linter)."""
    if dashboard.get("editable") is not False:
        yield "is editable"


def explains_itself(dashboard: Json) -> Iterator[str]:
    """Every panel has a title, a description and a data source (rules of Grafana's own dashboard-linter)."""
    for panel in dashboard["panels"]:
        named = panel.get("title") or panel["id"] == BAND_ID  # a sentence needs no title
        if not (named and panel.get("description") and panel.get("datasource", {}).get("uid")):
            yield f"{panel.get('title') or panel['id']}: lacks a title, a description or a data source"


def is_of_the_schema(dashboard: Json) -> Iterator[str]:
    """Only what Grafana's schema knows, in the version that needs no migration."""
    if dashboard["schemaVersion"] != 42:  # noqa: PLR2004 - Grafana 12.4 and 13
        yield f"schema version {dashboard['schemaVersion']}"
    for panel in dashboard["panels"]:
        if "footer" in panel["options"]:
            yield f"{panel['title']}: footer"
    for variable in dashboard["templating"].get("list", []):
        for foreign in sorted(variable.keys() & {"auto", "auto_count", "auto_min"}):
            yield f"variable {variable['name']}: {foreign}"


def lines_of_one_point_are_seen(dashboard: Json) -> Iterator[str]:
    """A line without points is nothing where there is one estimate."""
    for panel in dashboard["panels"]:
        custom = panel["fieldConfig"]["defaults"].get("custom", {})
        if panel["type"] == "timeseries" and custom.get("showPoints") == "never":
            yield f"{panel['title']}: one estimate is not seen"


def moments_are_marked(dashboard: Json) -> Iterator[str]:
    """On the charts of a plant, a meter and a set their alarms are marked, by a query within the range."""
    marked = dashboard["annotations"].get("list", [])
    of_one = any(variable["name"] in {"site", "meter", "set"} for variable in dashboard["templating"].get("list", []))
    if of_one and not marked and not dashboard["uid"].startswith("fenhe-alarms"):
        yield "no alarm is marked on its charts"
    for each in marked:
        if "$__timeFilter(" not in each["target"]["rawSql"] or each["target"]["format"] != "table":
            yield f"annotation {each['name']}: its query is not one of a table within the range"


def what_is_drawn_elsewhere_is_read_here(dashboard: Json) -> Iterator[str]:
    """What the preview draws as flows or as a map is a table in Grafana, whose columns say the same in words."""
    for panel in dashboard["panels"]:
        columns = {name for name, _ in fields(panel)}
        named = {name for name, found in visible(panel) if found.get("displayName")}
        for kind, needed in DRAWN_TABLES.items():
            read = needed if kind == "sankey" else {"city", "state"}
            if panel["type"] == "table" and needed <= columns and not read <= named:
                yield f"{panel['title']}: {', '.join(sorted(read - named))} cannot be read"


def age_is_said_first(dashboard: Json) -> Iterator[str]:
    """Before any figure a page says in a sentence how old its data are."""
    first = min(dashboard["panels"], key=lambda panel: panel["gridPos"]["y"])
    if first["id"] != BAND_ID or first["gridPos"]["w"] != 24:  # noqa: PLR2004 - the whole width
        yield f"{first['title']} stands before the age of the data"


RULES: tuple[Callable[[Json], Iterator[str]], ...] = (
    no_row_is_grey,
    green_is_known,
    no_row_is_said,
    buckets_end,
    follows_the_range,
    charts_stay_in_the_range,
    bars_stand_on_zero,
    bars_do_not_hide_bars,
    buckets_are_named,
    column_names_are_unique,
    unknown_is_a_word,
    thousands_are_separated,
    durations_are_said,
    links_are_one_menu,
    lives_on_its_own_clock,
    *SIZE_RULES,
    *VARIABLE_RULES,
    refreshes_no_faster_than_it_changes,
    plugins_are_dated,
    is_not_edited_in_place,
    explains_itself,
    is_of_the_schema,
    lines_of_one_point_are_seen,
    age_is_said_first,
    moments_are_marked,
    what_is_drawn_elsewhere_is_read_here,
)


def main(folder: Path) -> int:
    """Print what breaks the rules in a folder of built dashboards, with how often; return how much it is."""
    dashboards = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    total = 0
    for rule in RULES:
        broken = [f"{dashboard['uid']}: {line}" for dashboard in dashboards for line in rule(dashboard)]
        total += len(broken)
        if broken:
            print(f"{rule.__name__}: {len(broken)}", *broken, sep="\n    ")  # noqa: T201 - it is a command
    return total


if __name__ == "__main__":
    sys.exit(bool(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "generated")))
