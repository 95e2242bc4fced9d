"""Readings of one kind as columns: laid out once, held against ranges, rounded and written without a look at each.

A thousand readings have twenty thousand numbers. One by one in Python they cost more than all else that is done to a
reading on its way into its table.
"""

from __future__ import annotations

import math
from array import array
from functools import cache
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import orjson

from storage.arrays import Column, PgType
from storage.tables import READING_TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from schemas.readings import Kind, Reading

_FLOATS = frozenset({PgType.FLOAT8, PgType.FLOAT4, PgType.INT4})
"""Types whose values float64 holds, all of them."""


class _Plan(NamedTuple):
    """What is taken of a kind's readings."""

    take: Callable[[Reading], tuple[Any, ...]]
    """All attributes of its table at once, in the order of `attributes`."""
    attributes: tuple[str, ...]
    types: Mapping[str, PgType]
    widths: Mapping[str, int]
    """Of attributes that are lists, over how many columns they are spread."""


@cache
def _plan(kind: Kind) -> _Plan:
    table = READING_TABLES[kind]
    types = {field.attribute: field.type for field in table.fields}
    return _Plan(attrgetter(*types), tuple(types), types, table.lists)


class Block:
    """Some readings of one kind, and every column of them."""

    def __init__(self, kind: Kind, readings: Sequence[Reading]) -> None:
        """Lay them out; of each attribute that no reading has, nothing is kept."""
        self.kind = kind
        self.readings = readings
        self.figures: dict[str, npt.NDArray[np.float64]] = {}
        """Numbers by attribute, shape (readings,) or of lists (readings, width); NaN where there is none."""
        self.others: dict[str, list[Any]] = {}
        """All other values, None where there is none."""
        plan = self._plan = _plan(kind)
        for name, values in zip(plan.attributes, zip(*map(plan.take, readings), strict=True), strict=False):
            if values[0] is None and values.count(None) == len(values):
                continue
            if name in plan.widths:
                self.figures[name] = _matrix(values, plan.widths[name])
            elif plan.types[name] in _FLOATS:
                self.figures[name] = _vector(values)
            else:
                self.others[name] = list(values)

    def again(self, at: int) -> None:
        """Take over one reading that was changed."""
        for name, value in zip(self._plan.attributes, self._plan.take(self.readings[at]), strict=True):
            if name in self.others:
                self.others[name][at] = value
            elif name in self.figures:
                width = self._plan.widths.get(name)
                self.figures[name][at] = _matrix([value], width)[0] if width else math.nan if value is None else value

    def of(self, rows: Sequence[int] | npt.NDArray[np.intp]) -> Block:
        """Some of the readings, in another order."""
        found = object.__new__(Block)
        found.kind, found._plan = self.kind, self._plan
        found.readings = [self.readings[row] for row in rows]
        found.figures = {name: values[rows] for name, values in self.figures.items()}
        found.others = {name: [values[row] for row in rows] for name, values in self.others.items()}
        return found

    def round(self) -> None:
        """Give the readings, in place, exactly the values that their columns hold.

        `real` columns keep 24 bits of mantissa. A kernel that saw more than the table holds would come to other
        figures live than from a recompute; so it never does.
        """
        for name, values in self.figures.items():
            if self._plan.types[name] is not PgType.FLOAT4:
                continue
            rounded = self.figures[name] = values.astype(np.float32).astype(np.float64)
            absent = np.isnan(rounded)
            if rounded.ndim > 1:
                _put_lists(self.readings, name, rounded, absent)
            elif absent.any():
                for row in np.flatnonzero(~absent).tolist():
                    setattr(self.readings[row], name, rounded[row].item())
            else:
                for reading, value in zip(self.readings, rounded.tolist(), strict=True):
                    setattr(reading, name, value)

    def columns(self) -> dict[str, Column]:
        """Give the columns of the table by name, but those without any value."""
        found: dict[str, Column] = {}
        for field in READING_TABLES[self.kind].fields:
            if (values := self.figures.get(field.attribute)) is not None:
                found[field.column] = Column(field.type, values if field.index is None else values[:, field.index])
            elif (others := self.others.get(field.attribute)) is not None:
                if field.type is PgType.JSON:
                    others = [None if value is None else orjson.dumps(value).decode() for value in others]
                found[field.column] = Column(field.type, others)
        return found


def _vector(values: Sequence[float | None]) -> npt.NDArray[np.float64]:
    try:
        return np.frombuffer(array("d", values))  # type: ignore[type-var] # nearly always none is None
    except TypeError:
        return np.array(values, dtype=np.float64)  # None becomes NaN


def _matrix(lists: Sequence[Sequence[float | None] | None], width: int) -> npt.NDArray[np.float64]:
    """Lists of many readings, shape (readings, width); absent elements are NaN."""
    if {len(items) if items is not None else 0 for items in lists} == {width}:
        flat = list(chain.from_iterable(lists))  # type: ignore[arg-type] # none is None
        return _vector(flat).reshape(-1, width)
    padding = [None] * width
    rows = [padding if items is None else [*items, *padding[len(items) :]] for items in lists]
    return np.array(rows, dtype=np.float64).reshape(len(rows), width)


def _put_lists(
    readings: Sequence[Reading], name: str, matrix: npt.NDArray[np.float64], absent: npt.NDArray[np.bool_]
) -> None:
    whole = ~np.asarray(absent.any(axis=1))
    for reading, items, is_whole in zip(readings, matrix.tolist(), whole.tolist(), strict=True):
        setattr(reading, name, items if is_whole else _present(items))


def _present(items: list[float]) -> list[float | None] | None:
    """A stored list without its trailing absences; a list of nothing but absences is no list."""
    found: list[float | None] = [None if math.isnan(item) else item for item in items]
    while found and found[-1] is None:
        found.pop()
    return found or None
