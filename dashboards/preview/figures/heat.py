"""Heat map: colour over time, one row per field; what is not known stays grey."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING

from dashboards.preview.drawing import Canvas, Chart
from dashboards.preview.figures.charts import base, note
from dashboards.preview.formats import behind, number
from dashboards.words import labels
from schemas.time import DAY_MS

if TYPE_CHECKING:
    from dashboards.preview.model import Panel
    from dashboards.preview.reader import Rows


def heatmap(panel: Panel, rows: Rows, canvas: Canvas) -> Chart:
    """Draw one cell per bucket and column, named by the bucket's beginning."""
    at = rows.columns.index("time")
    names = [name for index, name in enumerate(rows.columns) if index != at]
    ends = [canvas.wall_ts(row[at]) for row in rows.rows]
    length = ends[1] - ends[0] if len(ends) > 1 else 0
    # A row's time is its bucket's end, as Grafana takes it; a bucket that ended before the range is not drawn.
    seen = [row for row, end in zip(rows.rows, ends, strict=True) if end > canvas.wall_ts(canvas.range.start)]
    moments = [canvas.wall_ts(row[at]) - length for row in seen]
    cells = [
        [place, level, round(amount, 3)]
        for place, row in enumerate(seen)
        for level, name in enumerate(names)
        if (amount := number(row[rows.columns.index(name)])) is not None
    ]
    colors = canvas.colors
    unit = json.dumps(" " + escape(behind(panel.options["cellValues"]["unit"])), ensure_ascii=False)
    said = json.dumps([escape(name) for name in names], ensure_ascii=False)
    is_daily = length >= DAY_MS
    label = "slice(5, 10)" if is_daily else "slice(5, 16).replace('T', ' ')"
    unknown = json.dumps(labels.UNKNOWN(canvas.language), ensure_ascii=False)
    values = [cell[2] for cell in cells]
    color = panel.options["color"]
    low, high = color.get("min", min(values, default=0)), color.get("max", max(values, default=1))
    axis = {"axisLine": {"show": False}, "axisTick": {"show": False}}
    text = {"color": colors.faint, "fontSize": 11, "hideOverlap": True}
    options = base(canvas) | {
        "title": note("" if cells else f"{panel.no_value}", canvas),
        "grid": {"left": 8, "right": 62, "top": 4, "bottom": 2, "containLabel": True},
        "xAxis": axis
        | {
            "type": "category",
            "data": moments,
            "axisLabel": text | {":formatter": f"t => new Date(Number(t)).toISOString().{label}"},
        },
        "yAxis": axis | {"type": "category", "data": names, "axisLabel": text},
        "visualMap": {
            "min": low,
            "max": high,
            "show": bool(values),
            "calculable": False,
            "orient": "vertical",
            "right": 0,
            "top": "middle",
            "itemWidth": 10,
            "itemHeight": 70,
            "precision": 0,
            "textStyle": {"color": colors.faint, "fontSize": 10},
            "text": [f"{high:,.0f}", f"{low:,.0f}"],
            "inRange": {"color": list(colors.heat_scale)},
        },
        "series": [
            {
                "type": "heatmap",
                "data": cells,
                "itemStyle": {"borderColor": colors.panel, "borderWidth": 1},
                "emphasis": {"disabled": True},
            }
        ],
    }
    options["tooltip"] |= {
        ":formatter": (
            "p => new Date(Number(p.name)).toISOString().slice(0, 16).replace('T', ' ') + ' · ' "
            f"+ {said}[p.value[1]] + ': <b>' + (p.value[2] == null ? {unknown} "
            f": p.value[2].toLocaleString('en-US', {{maximumFractionDigits: 0}}) + {unit}) + '</b>'"
        )
    }
    return Chart(options)
