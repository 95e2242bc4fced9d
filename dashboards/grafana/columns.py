"""Columns of a built panel, as its overrides tell of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

CELL_PX = 150
"""Least width of a table's column that says none."""

ROW_NAMES = frozenset({"battery_set", "site", "plant", "unit", "kind", "device"})
"""Columns that say what a row is about."""


def fields(panel: Json) -> Iterator[tuple[str, Json]]:
    """Every column with its properties."""
    for override in panel["fieldConfig"]["overrides"]:
        yield override["matcher"]["options"], {each["id"]: each.get("value") for each in override["properties"]}


def visible(panel: Json) -> list[tuple[str, Json]]:
    """Columns that are seen."""
    return [
        (name, found)
        for name, found in fields(panel)
        if not (found.get("custom.hideFrom.viz") or found.get("custom.hidden"))
    ]


def width_px(column: Json) -> int:
    """What a table's column takes at least."""
    width: int = column.get("custom.width") or column.get("custom.minWidth") or CELL_PX
    return width


def widths_px(table: Json) -> list[int]:
    """The same of all that are seen."""
    return [width_px(found) for _, found in visible(table)]


def drawn_px(table: Json, room: float) -> float:
    """What a table's columns take in so much room: one without a width takes its share, or what it needs if more."""
    columns = [found for _, found in visible(table)]
    fixed = sum(found.get("custom.width", 0) for found in columns)
    free = [found.get("custom.minWidth") or CELL_PX for found in columns if not found.get("custom.width")]
    total: float = fixed + sum(max(least, (room - fixed) / len(free)) for least in free)
    return total


def name_columns(table: Json, most_px: float) -> int:
    """How many columns there are up to the one that names a row, or the first where none does within that room."""
    taken = 0
    for number, ((name, _), width) in enumerate(zip(visible(table), widths_px(table), strict=True), start=1):
        taken += width
        if taken <= most_px and name in ROW_NAMES:
            return number
    return 1
