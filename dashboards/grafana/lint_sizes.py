"""Rules for what must be read on a screen: nothing is cut, lies over another thing or is too small to be read.

Sizes are Grafana's own, seen on a running 12.3: its letters, the margins of its panels and how it chooses a size.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dashboards.grafana.columns import CELL_PX, drawn_px, fields, visible, width_px, widths_px
from dashboards.kit import units
from dashboards.kit.fields import FREE_TEXTS, NAMES
from dashboards.kit.sizes import (
    LAPTOP_PX,
    ROW_PX,
    SCREEN_PX,
    WIDEST_NAME_PX,
    header_px,
    list_height,
    one_line_px,
    panel_px,
    table_px,
    text_px,
)
from dashboards.kit.sql import words_said
from schemas.words import Language

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Json = dict[str, Any]

WHOLE = 24
"""Columns of the grid."""
TITLE_FREE_PX = 74
"""What the icon of the description and the margins take of a title's width."""
MOMENT_COLUMNS = re.compile(r"^(ts|at|.*_at)$")
MOMENT_PX = 140
"""What `2026-11-29 18:02` takes in a cell."""
LANE_PX = 24
AROUND_LANES_PX = 120
LABEL_PX = 14
"""What a name takes beside a bar or a row of a heat map."""
AROUND_ROWS_PX = 126
"""What a heat map's title, time axis and scale take of its height."""
AROUND_BARS_PX = 82
"""What a title, an axis of values and margins take of lying bars."""
LEAST_VALUE_PX = 11
"""Size below which a figure at a bar cannot be read: Grafana goes down to 8 where no size is said."""
LEAST_NAME_PX, LEAST_FIGURE_PX = 11, 12
"""Sizes below which a stat's names and figures cannot be read, on a laptop with the menu open (it takes 300 px)."""
TILES_APART_PX = 8
"""What parts the figures of a stat."""
FIGURE = "1,234"
"""A figure as long as most."""
COUNTED = {"received": "70,560,000", "stored": "70,560,000"}
"""Figures that are longer: readings of 7 000 sets, one a minute, in a week."""


def names_do_not_overlap(dashboard: Json) -> Iterator[str]:
    """A heat map's row names have room: Grafana leaves every second one out only below ten pixels each."""
    for panel in dashboard["panels"]:
        if panel["type"] != "heatmap":
            continue
        names, height = len(panel["fieldConfig"]["overrides"]), panel["gridPos"]["h"] * ROW_PX - AROUND_ROWS_PX
        while names > 3 and (height - 15) / names < 10:  # noqa: PLR2004 - as Grafana counts
            names = -(-names // 2)
        if height / names < LABEL_PX:
            yield f"{panel['title']}: {height / names:.0f} px for a row's name"


def columns_fit(dashboard: Json) -> Iterator[str]:
    """A table's last columns are seen without scrolling sideways on a wide screen.

    On a laptop only a table as wide as the page scrolls, and the name of its rows stays where it is.
    """
    for panel in dashboard["panels"]:
        if panel["type"] != "table":
            continue
        width, least = panel["gridPos"]["w"], sum(widths_px(panel))
        for screen_px in (SCREEN_PX, LAPTOP_PX):
            room = table_px(width, screen_px)
            needed = drawn_px(panel, room)
            may_scroll = screen_px == LAPTOP_PX and width == WHOLE and least > room
            if needed > room + 0.5 and not may_scroll:
                yield f"{panel['title']}: columns of {needed:.0f} px in {room:.0f}"
        if least > table_px(width, LAPTOP_PX) and not panel["options"].get("frozenColumns", {}).get("left"):
            yield f"{panel['title']}: scrolls its rows' names away on a laptop"


def headers_fit(dashboard: Json) -> Iterator[str]:
    """A column is as wide as its name."""
    for panel in dashboard["panels"]:
        for name, found in visible(panel) if panel["type"] == "table" else ():
            width, label = found.get("custom.width"), found.get("displayName") or name
            if width and header_px(label) > width:
                yield f"{panel['title']}: {label} needs {header_px(label)} px and has {width}"


def words_fit(dashboard: Json) -> Iterator[str]:
    """A column is as wide as the longest of its words, or parts it into lines.

    Words are those of its mapping, of its query, for null, and its names.
    """
    language = Language(dashboard["uid"].rsplit("-", 1)[1])
    for panel in dashboard["panels"]:
        for name, found in visible(panel) if panel["type"] == "table" else ():
            mapped = [each["options"] for each in found.get("mappings", ()) if each["type"] == "value"]
            words = [result["text"] for options in mapped for result in options.values()]
            words += [each["options"]["result"]["text"] for each in found["mappings"] if each["type"] == "special"]
            words += words_said(panel["targets"][0]["rawSql"], name)
            words += [text(language) for column, text in NAMES.items() if column == name]
            if one_line_px(words) > width_px(found) and not found.get("custom.wrapText"):
                yield f"{panel['title']}: {name} has {width_px(found)} px for {max(words, key=text_px)}"


def free_texts_wrap(dashboard: Json) -> Iterator[str]:
    """A text of any length, or a list of words, goes on in further lines of its cell: half a reason is none."""
    for panel in dashboard["panels"]:
        listed = re.findall(r"string_agg\([^\n]*\) AS (\w+)\b", panel["targets"][0]["rawSql"])
        for name, found in visible(panel) if panel["type"] == "table" else ():
            rewritten = any(
                each["type"] == "regex" and "text" in each["options"]["result"] for each in found["mappings"]
            )
            if (name in {*FREE_TEXTS, *listed} or rewritten) and not found.get("custom.wrapText"):
                yield f"{panel['title']}: {name} is cut where it is long"


def names_are_beside_their_figures(dashboard: Json) -> Iterator[str]:
    """A column that takes all the room there is does not part a name from its figures; a text at the end may."""
    for panel in dashboard["panels"]:
        columns = [found for _, found in visible(panel)] if panel["type"] == "table" else []
        free = [found for found in columns if not found.get("custom.width")]
        left = table_px(panel["gridPos"]["w"]) - sum(found.get("custom.width", 0) for found in columns)
        for found in free:
            if left / len(free) > WIDEST_NAME_PX and found is not columns[-1]:
                yield f"{panel['title']}: {found.get('displayName')} takes {left / len(free):.0f} px"


def moments_fit(dashboard: Json) -> Iterator[str]:
    """A moment is written to the minute, in a column that does not cut it."""
    for panel in dashboard["panels"]:
        for name, found in visible(panel) if panel["type"] == "table" else ():
            if not MOMENT_COLUMNS.match(name):
                continue
            if not str(found.get("unit", "")).startswith("time:"):
                yield f"{panel['title']}: {name} is written to the second"
            if (found.get("custom.width") or CELL_PX) < MOMENT_PX:
                yield f"{panel['title']}: {name} is cut"


def lanes_are_seen(dashboard: Json) -> Iterator[str]:
    """A state timeline is as high as its lanes, and parts them into pages where they are many."""
    for panel in dashboard["panels"]:
        if panel["type"] == "state-timeline":
            page = panel["options"].get("perPage")
            if not page:
                yield f"{panel['title']}: has no pages"
            if panel["options"]["legend"].get("showLegend"):
                yield f"{panel['title']}: a legend takes its lanes' room"
            lanes = min(len(panel["fieldConfig"]["overrides"]), page or 20)
            if panel["gridPos"]["h"] * ROW_PX - AROUND_LANES_PX < lanes * LANE_PX:
                yield f"{panel['title']}: {lanes} lanes in {panel['gridPos']['h']} rows"


def titles_fit(dashboard: Json) -> Iterator[str]:
    """A panel's title is not cut, on a laptop neither."""
    for panel in dashboard["panels"]:
        title = re.sub(r"\$\{\w+\}", "MWh", panel["title"])
        room = panel_px(panel["gridPos"]["w"], LAPTOP_PX) - TITLE_FREE_PX
        if text_px(title) > room:
            yield f"{panel['title']}: {text_px(title):.0f} px in {room:.0f}"


def bars_have_room(dashboard: Json) -> Iterator[str]:
    """Names and figures of lying bars are read: so many as there may be have room, in a size that is said.

    How many there may be, the query tells: by its LIMIT, or by a list of its own.
    """
    for panel in dashboard["panels"]:
        if panel["type"] != "barchart" or panel["options"]["orientation"] != "horizontal":
            continue
        if panel["options"].get("text", {}).get("valueSize", 0) < LEAST_VALUE_PX:
            yield f"{panel['title']}: its figures have no size that can be read"
        for name, found in fields(panel):
            if found.get("decimals") is not None and units.shown(str(found.get("unit", ""))):
                yield f"{panel['title']}: {name} has a unit behind the longest bar, where it is cut"
        sql = panel["targets"][0]["rawSql"]
        limit = re.search(r"LIMIT (\d+)\s*$", sql)
        room = (panel["gridPos"]["h"] * ROW_PX - AROUND_BARS_PX) // LABEL_PX
        if limit is None and "VALUES" not in sql:
            yield f"{panel['title']}: any number of bars"
        if limit is not None and int(limit[1]) > room:
            yield f"{panel['title']}: {limit[1]} bars where {room} have room"


def lists_are_whole(dashboard: Json) -> Iterator[str]:
    """A table whose rows are a list of the query's own, always the same, shows all of them without scrolling."""
    for panel in dashboard["panels"]:
        listed = re.search(r"\(VALUES\n(.*?)\n\) AS", panel["targets"][0]["rawSql"], re.DOTALL)
        if panel["type"] == "table" and listed:
            rows, height = listed[1].count(",\n") + 1, panel["gridPos"]["h"]
            if height < list_height(rows):
                yield f"{panel['title']}: {rows} rows in a height of {height}"


def figures_are_read(dashboard: Json) -> Iterator[str]:
    """A stat's names and figures are large enough on a laptop: the longest decides for all of them, as in Grafana."""
    for panel in dashboard["panels"]:
        if panel["type"] == "gauge" and panel["options"].get("text", {}).get("titleSize", 0) < LEAST_NAME_PX:
            yield f"{panel['title']}: names of its gauges have no size that can be read"
        if panel["type"] != "stat":
            continue
        columns = dict(fields(panel))
        sql = panel["targets"][0]["rawSql"]
        for name in columns:
            if re.search(rf"string_agg\([^\n]*\) AS {name}\b", sql):
                yield f"{panel['title']}: {name} is a list of words, which makes all figures small"
        name_px, figure_px = _stat_px(panel, columns)
        if figure_px < LEAST_FIGURE_PX or (len(columns) > 1 and name_px < LEAST_NAME_PX):
            yield f"{panel['title']}: names of {name_px:.0f} px, figures of {figure_px:.0f} px"


def _stat_px(panel: Json, columns: dict[str, Json]) -> tuple[float, float]:
    """Sizes of a stat's names and of its figures (Grafana's `BigValueLayout`)."""
    results = [
        result
        for found in columns.values()
        for each in found.get("mappings", ())
        for result in (each["options"].values() if each["type"] == "value" else [each["options"].get("result", {})])
    ]
    words = [*(result["text"] for result in results if "text" in result)]
    words += [COUNTED[name] for name in columns if name in COUNTED]
    words += [word for name in columns for word in words_said(panel["targets"][0]["rawSql"], name)]
    suffix = max((units.shown(str(found.get("unit", ""))) for found in columns.values()), key=len)
    names = [found.get("displayName", "") for found in columns.values()]
    rows, wide = panel["options"]["orientation"] == "horizontal", panel["options"].get("wideLayout", True)
    width, height = panel_px(panel["gridPos"]["w"], LAPTOP_PX) - 16, panel["gridPos"]["h"] * ROW_PX - 52
    gaps = (len(columns) - 1) * TILES_APART_PX
    width, height = (width, (height - gaps) / len(columns)) if rows else ((width - gaps) / len(columns), height)
    edge = 24 if height > 100 else 16  # noqa: PLR2004 - as Grafana does
    beside = wide and width / height > 2.5 and len(columns) > 1  # noqa: PLR2004 - as Grafana does
    said = panel["options"].get("text", {})
    if "valueSize" in said:
        return said["titleSize"], said["valueSize"]
    figure = min((width - edge) * (0.3 if beside else 1) / _em([FIGURE + suffix, *words]), (height - edge) / 1.2)
    if "titleSize" in said:
        return (said["titleSize"] if said["titleSize"] * _em(names) <= width - edge else 0), figure
    name = min((width - edge) * (0.6 if beside else 1) / _em(names), (height if beside else 0.15 * height) / 1.2, 30)
    return min(name, 0.7 * figure), figure


def _em(texts: list[str]) -> float:
    """Width of the longest text, by its height."""
    return max(1, *map(text_px, texts)) / 14


SIZE_RULES: tuple[Callable[[Json], Iterator[str]], ...] = (
    names_do_not_overlap,
    columns_fit,
    headers_fit,
    words_fit,
    free_texts_wrap,
    names_are_beside_their_figures,
    moments_fit,
    lanes_are_seen,
    titles_fit,
    bars_have_room,
    lists_are_whole,
    figures_are_read,
)
