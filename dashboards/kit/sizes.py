"""How much room things take on Grafana's grid, in pixels of a screen on which its menu is open."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SCREEN_PX = 1920 - 300
"""What a control room's screen leaves for the dashboard beside Grafana's menu, which is open on wide screens."""
LAPTOP_PX = 1280 - 300
"""The same of a laptop's."""
ROW_PX = 38
"""Height of a row of the grid with its gap."""
_EDGES_PX = 32
_GAP_PX = 8
_COLUMNS = 24
_SPACING_PX = 0.15
"""What Grafana puts between two signs."""
_CELL_PX = 13
"""Margins and border of a table's cell, and of its header."""
_MEDIUM = 1.07
"""How much wider a header's weight is drawn than a cell's."""
_TABLE_PX = 16
"""Margins of a table in its panel."""
WIDEST_NAME_PX = 360
"""Beyond this the figures of a row are too far from its name to be read with it. (unsourced)"""
LONGEST_WORD_PX = 230
"""What a column is widened to for the words that it may show; what is longer is read on pointing at it."""


def panel_px(width: int, screen_px: int = SCREEN_PX) -> float:
    """Width of a panel that is so many columns of the grid wide."""
    column = (screen_px - _EDGES_PX - (_COLUMNS - 1) * _GAP_PX) / _COLUMNS
    return width * column + (width - 1) * _GAP_PX


def table_px(width: int) -> float:
    """Room for the columns of a table whose panel is so many columns of the grid wide."""
    return panel_px(width) - _TABLE_PX


def text_px(text: str, size: int = 14) -> float:
    """Width of a text, about as a browser draws it."""
    return sum(size * _share(sign) + _SPACING_PX for sign in text)


def _share(sign: str) -> float:
    """Width of a sign by its height, as Grafana's letters are; measured on a running one."""
    if unicodedata.east_asian_width(sign) in "WF" or unicodedata.category(sign) == "So":  # marks: ●, ◇, ✕
        return 1
    if sign in "mwMW":
        return 0.8
    return 0.62 if sign.isupper() or sign.isdigit() else 0.5


def header_px(text: str) -> int:
    """Width of a column in which its name is not cut."""
    return round(_MEDIUM * text_px(text) + _CELL_PX + 0.5)


def words_px(words: Iterable[str]) -> int:
    """Width of a column in which none of its words is cut, as far as a column is widened for one."""
    return min(LONGEST_WORD_PX, round(max(map(text_px, words), default=0) + _CELL_PX + 0.5))
