"""Panels over grafana-foundation-sdk: each takes a title, an explanation, its SQL and its fields."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from grafana_foundation_sdk.builders import barchart as build_barchart
from grafana_foundation_sdk.builders import common as build_common
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import gauge as build_gauge
from grafana_foundation_sdk.builders import heatmap as build_heatmap
from grafana_foundation_sdk.builders import stat as build_stat
from grafana_foundation_sdk.builders import statetimeline as build_statetimeline
from grafana_foundation_sdk.builders import table as build_table
from grafana_foundation_sdk.builders import timeseries as build_timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import heatmap as heatmap_model

from dashboards.kit import sizes, units, widths
from dashboards.kit.fields import FREE_TEXTS, Cell
from dashboards.kit.query import DATA_SOURCE, SHORTEST_INTERVAL, Format, SqlQuery
from dashboards.words import labels
from schemas.words import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grafana_foundation_sdk.cog.variants import Dataquery

    from dashboards.kit.fields import Field
    from schemas.words import Language

LONGEST_BUCKET = 12
"""Signs of a bucket's name: where none is said Grafana cuts a name of an upright bar to "..."."""

Panel = Builder[model.Panel]

PLUGIN_VERSION = "12.4.0"
"""The Grafana that the panels' options are written for: it migrates those of an older one."""

UNKNOWN_FILL = "#858f9f"
"""What is not known is grey."""

LANE_PX = 30
LANES_A_PAGE = 12
AROUND_LANES_PX = 124
"""What a panel's title, its time axis, its margins and the arrows to other pages take of its height.

Grafana 12 draws the arrows of a single page, too.
"""


LEAST_WORD_PX = 60
LEAST_TILE_PX = 100
"""Width below which a figure and its name, side by side with others, cannot be read."""
TEXT_PX, FIGURE_PX, SENTENCE_PX = 12, 16, 20
"""Sizes that are said where Grafana's own choice would go down to 8: of values at bars, of figures below each other."""

TIME_ZONE = "Asia/Shanghai"
"""Plants and base stations live on Beijing time, wherever the browser is."""


class Bucket(StrEnum):
    """Length of a heat map's cells."""

    HOUR = "hour"
    DAY = "day"


class _Common(Protocol):
    """What every panel builder of the SDK can do."""

    def title(self, title: str, /) -> Self: ...
    def description(self, description: str, /) -> Self: ...
    def datasource(self, datasource: model.DataSourceRef, /) -> Self: ...
    def no_value(self, no_value: str, /) -> Self: ...
    def with_target(self, target: Builder[Dataquery], /) -> Self: ...
    def height(self, h: int, /) -> Self: ...
    def span(self, w: int, /) -> Self: ...
    def override_by_name(self, name: str, properties: list[model.DynamicConfigValue], /) -> Self: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a panel says of itself, and its size on Grafana's grid of 24 columns."""

    language: Language
    title: Text
    description: Text
    """Formula and source."""
    width: int
    height: int
    empty: Text = labels.UNKNOWN
    """Shown when the query returns no row at all."""


_Panel = TypeVar("_Panel", bound=_Common)


class _Colours(Protocol):
    """A builder whose fields have default colours."""

    def thresholds(self, thresholds: Builder[model.ThresholdsConfig], /) -> Self: ...
    def color_scheme(self, color: Builder[model.FieldColor], /) -> Self: ...


_Coloured = TypeVar("_Coloured", bound=_Colours)


def _common(panel: _Panel, about: About, query: SqlQuery, fields: Sequence[Field]) -> _Panel:
    panel = (
        panel.title(about.title(about.language))
        .description(about.description(about.language))
        .datasource(DATA_SOURCE)
        .no_value(about.empty(about.language))
        .height(about.height)
        .span(about.width)
        .with_target(query)
    )
    for field in fields:
        panel = panel.override_by_name(field.name, field.properties(about.language))
    return panel


def _last() -> build_common.ReduceDataOptions:
    """Take the newest value as it is: `lastNotNull` would show an old figure where the newest is unknown."""
    return build_common.ReduceDataOptions().calcs(["last"]).fields("/.*/")


def _legend(*, shown: bool) -> build_common.VizLegendOptions:
    return (
        build_common.VizLegendOptions()
        .show_legend(shown)
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .calcs([])
    )


def _grey_without_a_row(panel: _Coloured) -> _Coloured:
    """Colours of overrides match no field where the query returned no row: the defaults are what is seen then."""
    grey = build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE)
    return panel.thresholds(grey.steps([model.Threshold(value=None, color=UNKNOWN_FILL)])).color_scheme(
        build.FieldColor().mode(model.FieldColorModeId.FIXED).fixed_color(UNKNOWN_FILL)
    )


def stat(about: About, sql: str, *fields: Field) -> Panel:
    """One figure, or several with their names above them: side by side, or one below the other where that is too tight.

    Names have a size that is said: Grafana's own choice goes down to 8 on a laptop, and the figures' does not.

    Grafana's wide layout, a name beside its figure, leaves a figure 30 % of the width and draws a long one tiny: it is
    for figures below each other, each of which has the panel's whole width.
    """
    text = common.BigValueTextMode.VALUE if len(fields) == 1 else common.BigValueTextMode.VALUE_AND_NAME
    panel = (
        build_stat.Panel()
        .reduce_options(_last())
        .graph_mode(common.BigValueGraphMode.NONE)
        .color_mode(common.BigValueColorMode.VALUE)
        .justify_mode(common.BigValueJustifyMode.CENTER)
        .text_mode(text)
    )
    if len(fields) > 1 and sizes.panel_px(about.width) / len(fields) < LEAST_TILE_PX:
        sizes_said = build_common.VizTextDisplayOptions().title_size(TEXT_PX).value_size(FIGURE_PX)
        panel = panel.orientation(common.VizOrientation.HORIZONTAL).wide_layout(wide_layout=True).text(sizes_said)
    else:
        panel = panel.orientation(common.VizOrientation.VERTICAL).wide_layout(wide_layout=False)
        if len(fields) > 1:
            panel = panel.text(build_common.VizTextDisplayOptions().title_size(TEXT_PX))
            fields = tuple(map(_words_counted_as_wide, fields))
    return _common(_grey_without_a_row(panel), about, SqlQuery(sql, Format.TABLE), fields)


def _words_counted_as_wide(field: Field) -> Field:
    words = {value: word._replace(text=_counted_as_wide(word.text)) for value, word in field.words.items()}
    return replace(field, unknown=_counted_as_wide(field.unknown), words=words)


def _counted_as_wide(word: Text) -> Text:
    """Lengthen a word by characters without a width.

    Grafana makes several figures as large as the text of most characters allows: 未知 has two, as 10 has, and is twice
    as wide; so it was broken in two, and the English word ran into the next one.
    """
    wide = sum("一" <= sign <= "鿿" for sign in word.zh)
    return Text(word.zh + units.WORD_JOINER * wide * 2, word.en + units.WORD_JOINER * 2)


def sentence(about: About, sql: str, field: Field) -> Panel:
    """One text across the page, without a frame: what is said before any figure."""
    panel = (
        build_stat.Panel()
        .reduce_options(_last())
        .graph_mode(common.BigValueGraphMode.NONE)
        .color_mode(common.BigValueColorMode.VALUE)
        .justify_mode(common.BigValueJustifyMode.AUTO)
        .text_mode(common.BigValueTextMode.VALUE)
        .text(build_common.VizTextDisplayOptions().title_size(TEXT_PX).value_size(SENTENCE_PX))
        .transparent(transparent=True)
    )
    return _common(_grey_without_a_row(panel), about, SqlQuery(sql, Format.TABLE), [field])


def gauge(about: About, sql: str, *fields: Field) -> Panel:
    """Figures on their scales; each field needs a minimum and a maximum."""
    panel = build_gauge.Panel().reduce_options(_last()).show_threshold_markers(show_threshold_markers=True)
    panel = panel.text(build_common.VizTextDisplayOptions().title_size(TEXT_PX))
    return _common(_grey_without_a_row(panel), about, SqlQuery(sql, Format.TABLE), fields)


def timeseries(about: About, sql: str, *fields: Field, bars: bool = False, stacked: bool = False) -> Panel:
    """Lines over time, or bars for sums over fixed slots, beside each other or stacked. A null breaks the line.

    The query follows the page's range. Bars stand on zero; a line of one point is seen as a point.
    """
    panel = (
        build_timeseries.Panel()
        .interval(SHORTEST_INTERVAL)
        .draw_style(common.GraphDrawStyle.BARS if bars else common.GraphDrawStyle.LINE)
        .line_width(1.5)
        .fill_opacity(55 if bars else 8)
        .show_points(common.VisibilityMode.AUTO)
        .span_nulls(span_nulls=False)
        .legend(_legend(shown=True))
        .tooltip(build_common.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.NONE))
    )
    if bars:
        panel = panel.axis_soft_min(0).axis_soft_max(0)
    if stacked:
        panel = panel.stacking(build_common.StackingConfig().mode(common.StackingMode.NORMAL))
    return _common(panel, about, SqlQuery(sql, Format.TIME_SERIES), fields)


def lanes_height(lanes: int) -> int:
    """Rows of the grid in which that many lanes of a state timeline can be seen."""
    return -(-(AROUND_LANES_PX + lanes * LANE_PX) // sizes.ROW_PX)


def state_timeline(about: About, sql: str, *fields: Field) -> Panel:
    """States over time, one lane per field; the first column is `time`. Its height is what its lanes need.

    A legend would take a lane's room: the states' words stand in the lanes.
    """
    panel = (
        build_statetimeline.Panel()
        .interval(SHORTEST_INTERVAL)
        .merge_values(merge_values=True)
        .show_value(common.VisibilityMode.AUTO)
        .align_value(common.TimelineValueAlignment.LEFT)
        .row_height(0.8)
        .line_width(0)
        .fill_opacity(80)
        .per_page(LANES_A_PAGE)
        .legend(_legend(shown=False))
    )
    about = replace(about, height=max(about.height, lanes_height(min(len(fields), LANES_A_PAGE))))
    return _common(panel, about, SqlQuery(sql, Format.TABLE), fields)


def table(about: About, sql: str, *fields: Field) -> Panel:
    """Rows as they come: order and limit are the query's. No column cuts its name or its words."""
    fields = tuple(field if field.hidden else widths.wide_enough(field, sql, about.language) for field in fields)
    fields = widths.shared_out(widths.names_beside_figures(fields, about.width), about.width)
    panel = build_table.Panel().show_header(show_header=True).cell_height(common.TableCellHeight.SM)
    return _common(panel, about, SqlQuery(sql, Format.TABLE), fields)


LINE_HEIGHT = 3
"""Rows of the grid that one row of a table takes with its header; one more where a text of it may need two lines."""


def line(about: About, sql: str, *fields: Field) -> Panel:
    """One row of a table: figures and words of one thing, each below its name, with the same room.

    For words, and for more figures than a stat can show: there the longest text decides how small all of them are.
    """
    height = LINE_HEIGHT + any(field.wraps or field.name in FREE_TEXTS for field in fields)
    return table(replace(about, height=height), sql, *map(_colored, fields))


def _colored(field: Field) -> Field:
    colored = field.thresholds or field.words or field.marked
    least = LEAST_WORD_PX if field.least_px is None else field.least_px
    return replace(field, width=None, least_px=least, cell=Cell.COLORED if colored else field.cell)


def bar_chart(about: About, sql: str, category: str, *fields: Field) -> Panel:
    """Horizontal bars, one per row of the query."""
    panel = (
        build_barchart.Panel()
        .x_field(category)
        .orientation(common.VizOrientation.HORIZONTAL)
        .show_value(common.VisibilityMode.ALWAYS)
        .axis_soft_min(0)
        .axis_soft_max(0)
        .bar_width(0.7)
        .text(build_common.VizTextDisplayOptions().value_size(TEXT_PX))
        .fill_opacity(75)
        .legend(_legend(shown=False))
    )
    return _common(panel, about, SqlQuery(sql, Format.TABLE), fields)


def histogram(about: About, sql: str, field: Field, *, bucket: int) -> Panel:
    """Distribution of one column: upright bars, one per bucket of a fixed size; nulls are not counted.

    The query counts. Grafana's own histogram heeds no word for no data: it says "No histogram found in response", in
    the browser's language, and has every value sent to it. `field` has the name of the values' column, and label and
    colour of their count. A bucket holds its lower edge; an empty one between two others is a row too.
    """
    counted = f"""
WITH measured AS (SELECT floor({field.name} / {bucket})::int AS step FROM (
{sql.strip()}
) AS found WHERE {field.name} IS NOT NULL)
SELECT concat(edge.step * {bucket}, '–', (edge.step + 1) * {bucket}) AS {field.name},
       count(measured.step)::float8 AS counted
FROM (SELECT generate_series(min(step), max(step)) AS step FROM measured) AS edge
LEFT JOIN measured USING (step)
GROUP BY edge.step
ORDER BY edge.step
"""  # noqa: S608 - fragments of ours
    panel = (
        build_barchart.Panel()
        .x_field(field.name)
        .orientation(common.VizOrientation.VERTICAL)
        .show_value(common.VisibilityMode.NEVER)
        .x_tick_label_rotation(-90)
        .x_tick_label_max_length(LONGEST_BUCKET)
        .axis_soft_min(0)
        .axis_soft_max(0)
        .bar_width(0.94)
        .fill_opacity(75)
        .line_width(0)
        .legend(_legend(shown=False))
    )
    count = replace(field, name="counted", unit="", decimals=0)
    return _common(
        panel, about, SqlQuery(counted, Format.TABLE), [replace(field, label=None, unit="", decimals=None), count]
    )


def heatmap(about: About, sql: str, *rows: Field, bucket: Bucket, unit: str, maximum: float | None = None) -> Panel:
    """Colour over time, one row per field from the bottom up; null stays empty.

    `sql` returns `time`, the beginning of each bucket, and follows the page's range. Without a value there is no row:
    Grafana would draw a scale from ∞ to −∞. It takes a row's time as the
    bucket's end and learns its length from the first two rows: so every bucket of the range is a row, and one before.
    It writes the column's own name at a row of the heat map: let the SQL name it as it is read.
    """
    columns = ", ".join(f'cells."{row.name}"' for row in rows)
    sql = f"""
WITH cells AS MATERIALIZED (
{sql.strip()}
)
SELECT bucket.at + interval '1 {bucket}' AS time, {columns}
FROM generate_series(
    date_trunc('{bucket}', $__timeFrom()::timestamptz, '{TIME_ZONE}') - interval '1 {bucket}',
    $__timeTo()::timestamptz, interval '1 {bucket}'
) AS bucket (at)
LEFT JOIN cells ON cells.time = bucket.at
WHERE EXISTS (SELECT FROM cells WHERE num_nonnulls({columns}) > 0)
ORDER BY bucket.at
"""  # noqa: S608 - fragments of ours
    color = (
        build_heatmap.HeatmapColorOptions()
        .mode(heatmap_model.HeatmapColorMode.SCHEME)
        .scheme("Blues")
        .scale(heatmap_model.HeatmapColorScale.LINEAR)
        .steps(64)
        .fill(UNKNOWN_FILL)
    )
    if maximum is not None:
        color = color.min(0).max(maximum)
    panel = (
        build_heatmap.Panel()
        .calculate(calculate=False)
        .color(color)
        .cell_gap(1)
        .cell_values(build_heatmap.CellValues().unit(units.grafana(unit)).decimals(0))
        .unit(units.grafana(unit))
        .show_legend()
    )
    return _common(panel, about, SqlQuery(sql, Format.TIME_SERIES), rows)
