"""How much room things take on Grafana's grid, in pixels of a screen on which its menu is open."""

from __future__ import annotations

import unicodedata

SCREEN_PX = 1920 - 300
"""What a control room's screen leaves for the dashboard beside Grafana's menu, which is open on wide screens."""
ROW_PX = 38
"""Height of a row of the grid with its gap."""
_EDGES_PX = 32
_GAP_PX = 8
_COLUMNS = 24
_HEADER_PX = 14
"""Margins of a table's header."""


def panel_px(width: int) -> float:
    """Width of a panel that is so many columns of the grid wide."""
    column = (SCREEN_PX - _EDGES_PX - (_COLUMNS - 1) * _GAP_PX) / _COLUMNS
    return width * column + (width - 1) * _GAP_PX


def text_px(text: str, size: int = 14) -> float:
    """Width of a text, about as a browser draws it."""
    return sum(size if unicodedata.east_asian_width(sign) in "WF" else 0.54 * size for sign in text)


def header_px(text: str) -> int:
    """Width of a column in which its name is not cut."""
    return round(text_px(text, 13) + _HEADER_PX + 0.5)
