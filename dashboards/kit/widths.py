"""How wide a table's columns are: wide enough for what stands in them, and no wider than a row can be read across."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dashboards.kit import sizes
from dashboards.kit.fields import FREE_TEXTS, NAMES
from dashboards.kit.sql import words_said

if TYPE_CHECKING:
    from dashboards.kit.fields import Field
    from schemas.words import Language

LEAST_PX = 100
"""What a column without a width has at least."""


def wide_enough(field: Field, sql: str, language: Language) -> Field:
    """A column that cuts neither its name nor its words; one without a width takes what room there is."""
    said = [*words_said(sql, field.name), *(word.text(language) for word in field.words.values())]
    name = field.label(language) if field.label else field.name
    said.append(field.unknown(language))
    said += [text(language) for column, text in NAMES.items() if column == field.name]
    needed = max(sizes.header_px(name), 0 if field.wraps else sizes.words_px(said))
    wraps = field.wraps or field.name in FREE_TEXTS or sizes.one_line_px(said) > max(field.width or 0, needed)
    if field.width is not None:
        return replace(field, width=max(field.width, needed), wraps=wraps)
    least = LEAST_PX if field.least_px is None else field.least_px
    return replace(field, custom={**field.custom, "minWidth": max(least, needed)}, wraps=wraps)


def names_beside_figures(fields: tuple[Field, ...], width: int) -> tuple[Field, ...]:
    """Give a column that would part its row by all the room there is a width, of what room a laptop has.

    The last one has nothing behind it.
    """
    shown = [field for field in fields if not field.hidden]
    free = [field for field in shown if field.width is None]
    taken = sum(field.width for field in shown if field.width is not None)
    if not free or (sizes.table_px(width) - taken) / len(free) <= sizes.WIDEST_NAME_PX:
        return fields
    parting = [field.name for field in free if field is not shown[-1]]
    on_laptop = int((sizes.table_px(width, sizes.LAPTOP_PX) - taken) / len(free))
    return tuple(
        replace(field, width=max(_least(field), min(on_laptop, sizes.WIDEST_NAME_PX)))
        if field.name in parting
        else field
        for field in fields
    )


def _least(field: Field) -> int:
    """Least width of a column without one (`wide_enough`)."""
    return int(str(field.custom["minWidth"]))


def shared_out(fields: tuple[Field, ...], width: int) -> tuple[Field, ...]:
    """Give columns that need more than their share of the room a width.

    Grafana gives each column without one the larger of its share and what it needs: one that needs more makes the
    table wider than its panel, though all would have room.
    """
    for screen_px in (sizes.SCREEN_PX, sizes.LAPTOP_PX):
        while wanting := _wanting(fields, sizes.table_px(width, screen_px)):
            fields = tuple(replace(field, width=_least(field)) if field.name in wanting else field for field in fields)
    return fields


def _wanting(fields: tuple[Field, ...], room: float) -> set[str]:
    """Columns without a width that need more than their share, where all together have room."""
    shown = [field for field in fields if not field.hidden]
    free = {field.name: _least(field) for field in shown if field.width is None}
    left = room - sum(field.width for field in shown if field.width is not None)
    if sum(free.values()) > left:
        return set()
    return {name for name, least in free.items() if least > left / len(free)}
