"""Readings that are columns already, on their way into their table: rounded and written without a look at each."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import orjson

from storage.encoding.arrays import Column, PgType
from storage.tables import READING_TABLES

if TYPE_CHECKING:
    from schemas.columns.block import Block
    from schemas.readings import Kind


def round_as_stored(block: Block) -> None:
    """Give readings, in place, exactly the values that their columns hold.

    `real` columns keep 24 bits of mantissa. A kernel that saw more than the table holds would come to other figures
    live than from a recompute; so it never does.
    """
    for name in _singles(block.kind) & block.figures.keys():
        block.put(name, block.figures[name].astype(np.float32).astype(np.float64))


def columns_of(block: Block) -> dict[str, Column]:
    """Give the columns of the table by name, but those without any value."""
    found: dict[str, Column] = {}
    for field in READING_TABLES[block.kind].fields:
        if (values := block.figures.get(field.attribute)) is not None:
            found[field.column] = Column(field.type, values if field.index is None else values[:, field.index])
        elif (others := block.others.get(field.attribute)) is not None:
            if field.type is PgType.JSON:
                others = [None if value is None else orjson.dumps(value).decode() for value in others]
            found[field.column] = Column(field.type, others)
    return found


@cache
def _singles(kind: Kind) -> frozenset[str]:
    """Attributes whose columns are `real`."""
    return frozenset(field.attribute for field in READING_TABLES[kind].fields if field.type is PgType.FLOAT4)
