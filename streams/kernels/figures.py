"""States of many entities as columns of numbers, for folds that take many quiet readings at once.

A quiet way's arithmetic is the scalar fold's, operation by operation, so that both end in the same bits: sums are added
in the same order, and where a list is gone through in Python, its rows are gone through here. None is NaN.
"""

from __future__ import annotations

from dataclasses import fields
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Array = npt.NDArray[np.float64]
"""Of one figure: shape (entities,), or (numbers, entities) where a figure is several numbers."""
Mask = npt.NDArray[np.bool_]
"""Shape (entities,)."""
Whole = npt.NDArray[np.int64]
Figures = TypeVar("Figures")
NAN = float("nan")


class Layout(Generic[Figures]):
    """Where each figure of a state stands in a row of numbers; a dataclass of arrays names them."""

    def __init__(self, kind: type[Figures], **widths: int) -> None:
        """Take how many numbers a figure is, where it is not one."""
        self._kind = kind
        self._slices: list[tuple[str, int | slice]] = []
        self.width = 0
        for each in fields(kind):  # type: ignore[arg-type] # a dataclass
            wide = widths.get(each.name)
            self._slices.append((each.name, self.width if wide is None else slice(self.width, self.width + wide)))
            self.width += wide or 1

    def columns(self, rows: Array) -> Figures:
        """Lay rows of numbers, shape (entities, width), out as columns that may be changed."""
        turned = np.ascontiguousarray(rows.T)
        return self._kind(*[turned[at] for _, at in self._slices])

    def rows(self, columns: Figures) -> Array:
        """Lay columns out as rows again."""
        first: Array = getattr(columns, self._slices[0][0])
        turned = np.empty((self.width, first.shape[-1]))
        for name, at in self._slices:
            turned[at] = getattr(columns, name)
        return turned.T

    def named(self, row: Sequence[float]) -> dict[str, Any]:
        """One row's figures by name: a number, or a list of them."""
        return {name: row[at] for name, at in self._slices}


def or_nan(value: float | None) -> float:
    """A figure that may be unknown."""
    return NAN if value is None else value


def or_none(value: float) -> float | None:
    """The same back."""
    return None if value != value else value  # noqa: PLR0124 - NaN


def listed(column: Array) -> list[float | None]:
    """A column as a list in which what is unknown is None."""
    values: list[Any] = column.tolist()
    return [or_none(value) for value in values] if np.isnan(column).any() else values


def summed(values: Iterable[float]) -> float:
    """Add numbers up one by one, as columns do: from Python 3.12 on `sum` ends in other bits."""
    return reduce(add, values, 0.0)


def higher(known: Array, new: Array) -> Array:
    """The higher one of two figures that may be unknown; the first one where they are equal, as `max` has it."""
    return np.where(np.isnan(known) | (new > known), new, known)


def lower(known: Array, new: Array) -> Array:
    """The lower one of two figures that may be unknown; the first one where they are equal, as `min` has it."""
    return np.where(np.isnan(known) | (new < known), new, known)


def smaller(first: Array, second: Array) -> Array:
    """The smaller of two known figures; the first one where they are equal, as `min` has it."""
    return np.where(second < first, second, first)


def larger(first: Array, second: Array) -> Array:
    """The larger of two known figures; the first one where they are equal, as `max` has it."""
    return np.where(second > first, second, first)


def single(values: Array) -> Array:
    """Round to 24 bits of mantissa."""
    return values.astype(np.float32).astype(np.float64)


def at_each(table: Array, places: Whole) -> Array:
    """Of each entity's column the number at a place of its own."""
    found: Array = table[places, np.arange(table.shape[1])]
    return found
