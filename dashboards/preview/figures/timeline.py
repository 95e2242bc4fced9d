"""State timeline: one row per field, one block per stretch of the same state, with its word inside where it fits."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

from dashboards.preview.drawing import Canvas, Chart
from dashboards.preview.figures.charts import base, note, time_axis
from dashboards.preview.formats import Shown, show
from dashboards.preview.theme import ink_on

if TYPE_CHECKING:
    from dashboards.preview.model import Panel
    from dashboards.preview.reader import Rows

_BLOCK = """(params, api) => {
  const words = %(words)s, fills = %(fills)s, inks = %(inks)s;
  const from = api.coord([api.value(1), api.value(0)]), to = api.coord([api.value(2), api.value(0)]);
  const area = params.coordSys, left = Math.max(from[0], area.x), right = Math.min(to[0], area.x + area.width);
  const height = api.size([0, 1])[1] * 0.72, width = Math.max(right - left, 1), state = api.value(3);
  const text = width > 62 ? words[state] : width > 14 ? [...words[state]][0] : '';
  return {type: 'rect', shape: {x: left, y: from[1] - height / 2, width, height, r: 2},
          style: {fill: fills[state]},
          textContent: {style: {text, fill: inks[state], fontSize: 12}},
          textConfig: {position: 'inside'}};
}"""


def state_timeline(panel: Panel, rows: Rows, canvas: Canvas) -> Chart:
    """Draw states over the column `time`; the last block ends where the next moment would be."""
    at = rows.columns.index("time")
    names = [index for index in range(len(rows.columns)) if index != at]
    moments = [canvas.wall_ts(row[at]) for row in rows.rows]
    step = moments[-1] - moments[-2] if len(moments) > 1 else 60_000
    states: list[Shown] = []
    blocks: list[list[int]] = []
    for place, index in enumerate(names):
        field = panel.field(rows.columns[index])
        for number, row in enumerate(rows.rows):
            shown = show(row[index], field, no_value=panel.no_value, zone=canvas.zone)
            if shown not in states:
                states.append(shown)
            state = states.index(shown)
            if number and blocks[-1][3] == state:
                blocks[-1][2] = moments[number] + step
            else:
                blocks.append([place, moments[number], moments[number] + step, state])
    return Chart(base(canvas) | _options(panel, rows, canvas, states, blocks, names))


def _options(  # noqa: PLR0917 - the pieces of one drawing
    panel: Panel, rows: Rows, canvas: Canvas, states: list[Shown], blocks: list[list[int]], names: list[int]
) -> dict[str, Any]:
    colors = canvas.colors
    words = json.dumps([state.text for state in states], ensure_ascii=False)
    fills = [colors.fill(state.color) for state in states]
    renderer = _BLOCK % {"words": words, "fills": json.dumps(fills), "inks": json.dumps([ink_on(f) for f in fills])}
    said = json.dumps([escape(state.text) for state in states], ensure_ascii=False)  # a tooltip is HTML, a block is not
    clock = "t => new Date(t).toISOString().slice(11, 16)"
    return {
        "title": note("" if rows.rows else panel.no_value, canvas),
        "grid": {"left": 8, "right": 14, "top": 2, "bottom": 2, "containLabel": True},
        "xAxis": time_axis(canvas) | {"splitLine": {"show": False}},
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": [panel.field(rows.columns[index]).label or rows.columns[index] for index in names],
            "axisLine": {"show": False},
            "axisTick": {"show": False},
            "axisLabel": {"color": colors.text, "fontSize": 12},
        },
        "tooltip": base(canvas)["tooltip"]
        | {
            ":formatter": (
                f"p => {{const c = {clock}, w = {said}; "
                "return c(p.value[1]) + ' – ' + c(p.value[2]) + ' &nbsp;<b>' + w[p.value[3]] + '</b>'}"
            )
        },
        "series": [
            {
                "type": "custom",
                ":renderItem": renderer,
                "encode": {"x": [1, 2], "y": 0},
                "data": blocks,
                "clip": True,
            }
        ],
    }
