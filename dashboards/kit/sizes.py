"""How much room things take on Grafana's grid, in pixels of a screen on which its menu is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit.units import WORD_JOINER

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
_TABLE_PX = 16
"""Margins of a table in its panel."""
_LIST_ROW_PX = 36
"""Height of a table's row, and of its header."""
_AROUND_LIST_PX = 57
"""What a panel's title and margins take of a table's height."""
WIDEST_NAME_PX = 360
"""Beyond this the figures of a row are too far from its name to be read with it. (unsourced)"""
LONGEST_WORD_PX = 230
"""What a column is widened to for the words that it may show; what is longer goes on in further lines."""


def panel_px(width: int, screen_px: int = SCREEN_PX) -> float:
    """Width of a panel that is so many columns of the grid wide."""
    column = (screen_px - _EDGES_PX - (_COLUMNS - 1) * _GAP_PX) / _COLUMNS
    return width * column + (width - 1) * _GAP_PX


def table_px(width: int, screen_px: int = SCREEN_PX) -> float:
    """Room for the columns of a table whose panel is so many columns of the grid wide."""
    return panel_px(width, screen_px) - _TABLE_PX


def list_height(rows: int) -> int:
    """Rows of the grid in which a table shows that many rows."""
    return -(-(_AROUND_LIST_PX + _LIST_ROW_PX * (rows + 1)) // ROW_PX)


def text_px(text: str, size: int = 14) -> float:
    """Width of a text in the heavier of Grafana's two weights, as a browser draws it; the other is 1 % narrower."""
    return sum(size * _share(sign) + _SPACING_PX for sign in text if sign != WORD_JOINER)


_WIDTHS = {
    0.25: "ijl",
    0.27: " I",
    0.3: "!,.:·",
    0.34: "'`t",
    0.37: "()/[]|",
    0.39: "fr",
    0.41: "1",
    0.46: "{}-_°²³",
    0.5: '"–',
    0.54: "*?s",
    0.57: "7JLakvxyz",
    0.58: "c",
    0.59: "Fe",
    0.6: "Ehnou",
    0.62: "25bdgpq",
    0.63: "3689σ",
    0.65: "0#$&PRSTZ",
    0.67: "4B+<=>~±×≤≥",
    0.71: "AKVXYΔΣ",
    0.73: "CD",
    0.77: "GHNOQUΩ",
    0.83: "w",
    0.89: "m",
    0.91: "M●○◐✕",
    1.05: "◇",
}
"""Signs by their width, in heights of a letter: Grafana's Inter, measured in a browser."""
_WIDTH_OF = {sign: width for width, signs in _WIDTHS.items() for sign in signs}


def _share(sign: str) -> float:
    """Width of a sign by its height; one that is not listed is as wide as it is high."""
    return _WIDTH_OF.get(sign, 1)


def header_px(text: str) -> int:
    """Width of a column in which its name is not cut."""
    return round(text_px(text) + _CELL_PX + 0.5)


def words_px(words: Iterable[str]) -> int:
    """Width of a column in which none of its words is cut, as far as a column is widened for one."""
    return min(LONGEST_WORD_PX, one_line_px(words))


def one_line_px(words: Iterable[str]) -> int:
    """Width of a column in which each of its words is one line."""
    return round(max(map(text_px, words), default=0) + _CELL_PX + 0.5)
