"""Flows: a table of what goes from where to where, as a Sankey diagram; what is not known is written, not drawn."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

from dashboards.preview.drawing import Canvas, Chart
from dashboards.preview.figures.charts import base, note, note_below
from dashboards.preview.formats import behind, number
from dashboards.words import labels

if TYPE_CHECKING:
    from dashboards.preview.model import Panel
    from dashboards.preview.reader import Rows

SUM = "Σ"
"""A name that begins with it is one node, whether flows begin or end there."""
SOURCE = "\u200b"
"""Before the name of where a flow begins: a meter that feeds and one that is fed may bear one name."""


def sankey(panel: Panel, rows: Rows, canvas: Canvas) -> Chart:
    """Draw each known flow as wide as it is, and name below what is not known."""
    colors = canvas.colors
    start, end, amount = (rows.columns.index(name) for name in ("flow_from", "flow_to", "flow"))
    links: list[dict[str, Any]] = []
    unknown: list[str] = []
    for row in rows.rows:
        value = number(row[amount])
        if value is None:
            unknown.append(str(row[start]))
        else:
            source, target = str(row[start]), str(row[end])
            about = escape(f"{source} → {target}")
            links.append({"source": _source(source), "target": target, "value": round(value, 3), "about": about})
    words = labels.UNKNOWN(canvas.language)
    below = f"{words}: {', '.join(unknown)}" if unknown else ""
    field = panel.field("flow")
    unit = json.dumps(escape(f" {behind(field.properties.get('unit', ''))}"), ensure_ascii=False)
    said = f"v => Number(v).toLocaleString('en-US', {{maximumFractionDigits: 0}}) + {unit}"
    names = dict.fromkeys(name for link in links for name in (link["source"], link["target"]))
    color = colors.fill(field.properties.get("color", {}).get("fixedColor", "text"))
    return Chart(
        base(canvas)
        | {
            "title": note_below(below, canvas) if links else note(below or panel.no_value, canvas),
            "series": [
                {
                    "type": "sankey",
                    "left": 8,
                    "right": 170,
                    "top": 6,
                    "bottom": 24 if below else 8,
                    "nodeGap": 7,
                    "nodeWidth": 12,
                    "draggable": False,
                    "labelLayout": {"hideOverlap": True},  # of what is too narrow for a name, pointing at it tells
                    "emphasis": {"focus": "adjacency"},
                    "data": [{"name": name, "about": escape(name), "itemStyle": {"color": color}} for name in names],
                    "links": links,
                    "lineStyle": {"color": color, "opacity": 0.3, "curveness": 0.5},
                    "label": {"color": colors.text, "fontSize": 12, "overflow": "truncate", "width": 160},
                }
            ],
            "tooltip": base(canvas)["tooltip"]
            | {":formatter": f"p => p.data.about + ' &nbsp;<b>' + ({said})(p.value) + '</b>'"},
        }
    )


def _source(name: str) -> str:
    return name if name.startswith(SUM) else SOURCE + name
