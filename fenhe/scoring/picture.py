"""Estimate against truth as an SVG: a point for every set, its 90 % interval, and the line on which all should lie."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fenhe.scoring.health import ScoredEstimate

SIZE, MARGIN = 560, 60
COLOURS = ("#1f6f8b", "#b5651d", "#4c7a34", "#7d3c98", "#8a8a8a")
TICK = 0.05


def estimate_against_truth(estimates: Sequence[ScoredEstimate], title: str) -> str:
    """Draw SoH as estimated over SoH as it is. Sets without an estimate are counted in the caption."""
    known = [(each, each.estimated) for each in estimates if each.estimated is not None]
    values = [value for each, shown in known for value in (each.true, shown, each.low, each.high) if value is not None]
    low = min([*values, 0.7]) // TICK * TICK
    high = -(-max([*values, 1.0]) // TICK) * TICK
    methods = sorted({each.method for each, _ in known})

    def at(value: float) -> float:
        return MARGIN + (value - low) / (high - low) * (SIZE - 2 * MARGIN)

    def up(value: float) -> float:
        return SIZE - at(value)

    caption = f"{len(known)} of {len(estimates)} sets have an estimate; bars are 90 % intervals"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" font-family="sans-serif" font-size="12">',
        f'<rect width="{SIZE}" height="{SIZE}" fill="#fff"/>',
        f'<text x="{MARGIN}" y="24" font-size="15">{escape(title)}</text>',
        f'<text x="{MARGIN}" y="42" fill="#555">{caption}</text>',
        f'<line x1="{at(low)}" y1="{up(low)}" x2="{at(high)}" y2="{up(high)}" stroke="#999" stroke-dasharray="4 4"/>',
    ]
    steps = round((high - low) / TICK)
    for step in range(steps + 1):
        value = low + step * TICK
        parts += [
            f'<text x="{at(value):.1f}" y="{SIZE - MARGIN + 18}" text-anchor="middle">{100 * value:.0f}</text>',
            f'<text x="{MARGIN - 8}" y="{up(value) + 4:.1f}" text-anchor="end">{100 * value:.0f}</text>',
        ]
    for each, shown in known:
        colour = COLOURS[methods.index(each.method) % len(COLOURS)]
        x = at(each.true)
        if each.low is not None and each.high is not None:
            parts.append(
                f'<line x1="{x:.1f}" y1="{up(each.low):.1f}" x2="{x:.1f}" y2="{up(each.high):.1f}"'
                f' stroke="{colour}" stroke-opacity="0.35"/>'
            )
        parts.append(
            f'<circle cx="{x:.1f}" cy="{up(shown):.1f}" r="3" fill="{colour}"><title>{escape(each.device_id)}</title>'
            "</circle>"
        )
    for place, method in enumerate(methods):
        y = 60 + 16 * place
        colour = COLOURS[place % len(COLOURS)]
        parts.append(f'<text x="{MARGIN + 10}" y="{y}" fill="{colour}">● {escape(method or "unnamed")}</text>')
    middle = SIZE / 2
    parts += [
        f'<text x="{middle}" y="{SIZE - 16}" text-anchor="middle">true SoH, %</text>',
        f'<text x="18" y="{middle}" transform="rotate(-90 18 {middle})" text-anchor="middle">estimated SoH, %</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"
