"""Readings of one kind as columns, and back: how they travel in a record, and how a worker holds them.

A thousand readings have twenty thousand numbers. One by one in Python they cost more than all else that is done to a
reading on its way into its table.
"""

from __future__ import annotations

import math
from array import array
from functools import cache
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from msgspec import inspect

from schemas.structs import STRUCTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from schemas.readings import Kind, Reading

    Figures = dict[str, npt.NDArray[np.float64]]
    """Numbers by field, shape (readings,) or of lists (readings, width); NaN where there is none."""
    Others = dict[str, list[Any]]
    """All other values by field, None where there is none."""

IDENTITY = frozenset({"ts", "site_id", "device_id", "kind"})
"""Fields that are no column of values: whose reading it is, and when."""
_INT32_MAX = 2**31 - 1


class Fields(NamedTuple):
    """Fields of a kind's readings, by what holds their column."""

    take: Callable[[Reading], tuple[Any, ...]]
    """All values of a reading at once, in the order of `names`."""
    names: tuple[str, ...]
    numbers: frozenset[str]
    """Numbers that float64 holds, all of them."""
    whole: frozenset[str]
    """Those of them that are integers."""
    bounds: Mapping[str, tuple[int, int]]
    """Of these the least and the most that one may be."""
    widths: Mapping[str, int]
    """Lists of numbers, and how many elements they have at most."""


@cache
def fields_of(kind: Kind) -> Fields:
    """Sort a kind's fields by what they hold, as its model says."""
    struct = inspect.type_info(STRUCTS[kind])
    assert isinstance(struct, inspect.StructType)  # noqa: S101 - all of `STRUCTS` are
    types = {field.name: _present(field.type) for field in struct.fields if field.name not in IDENTITY}
    bounds = {name: found for name, each in types.items() if (found := _small(each)) is not None}
    floats = {name for name, each in types.items() if isinstance(each, inspect.FloatType)}
    widths = {
        name: each.max_length
        for name, each in types.items()
        if isinstance(each, inspect.ListType)
        and isinstance(_present(each.item_type), inspect.FloatType)
        and each.max_length is not None
    }
    numbers = frozenset(floats | bounds.keys())
    return Fields(attrgetter(*types), tuple(types), numbers, frozenset(bounds), bounds, widths)


def _present(of: inspect.Type) -> inspect.Type:
    """A type without None."""
    if isinstance(of, inspect.UnionType):
        (found,) = (each for each in of.types if not isinstance(each, inspect.NoneType))
        return found
    return of


def _small(of: inspect.Type) -> tuple[int, int] | None:
    """Bounds of an integer that 32 bits hold; None of anything else."""
    if not isinstance(of, inspect.IntType) or of.ge is None or of.le is None:
        return None
    return (of.ge, of.le) if of.ge >= -_INT32_MAX and of.le <= _INT32_MAX else None


def laid_out(kind: Kind, readings: Sequence[Reading]) -> tuple[Figures, Others]:
    """Lay readings out; of each field that no reading has, nothing is kept."""
    fields = fields_of(kind)
    return columns_of_rows(kind, fields.names, [fields.take(reading) for reading in readings])


def columns_of_rows(kind: Kind, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> tuple[Figures, Others]:
    """Lay out readings whose values, in the order of `names`, stand in rows; fields that are no values are left out."""
    fields = fields_of(kind)
    figures: Figures = {}
    others: Others = {}
    for name, values in zip(names, zip(*rows, strict=True), strict=False):
        if name in IDENTITY or (values[0] is None and values.count(None) == len(values)):
            continue
        if name in fields.widths:
            figures[name] = matrix(values, fields.widths[name])
        elif name in fields.numbers:
            figures[name] = _vector(values)
        else:
            others[name] = list(values)
    return figures, others


def readings_of(kind: Kind, ts: Sequence[int], figures: Figures, others: Others) -> list[Reading]:
    """Make readings of columns: as they were laid out, but for what says nothing, None at a list's end or in its place.

    Whose they are is not said in them.
    """
    fields = fields_of(kind)
    columns: dict[str, Sequence[Any]] = {"ts": ts, **others}
    for name, values in figures.items():
        if name in fields.widths:
            columns[name] = lists_of(values)
        else:
            found = numbers_of(values)
            columns[name] = [each if each is None else int(each) for each in found] if name in fields.whole else found
    nothing = [None] * len(ts)
    struct = STRUCTS[kind]
    rows = zip(*(columns.get(name, nothing) for name in struct.__struct_fields__), strict=True)
    return [cast("Reading", struct(*row)) for row in rows]


def numbers_of(values: npt.NDArray[np.float64]) -> list[float | None]:
    """A column of numbers as a list."""
    found: list[float] = values.tolist()
    return [None if math.isnan(each) else each for each in found] if np.isnan(values).any() else list(found)


def lists_of(values: npt.NDArray[np.float64]) -> list[list[float | None] | None]:
    """Rows of numbers as lists: without absences at the end, and of nothing but absences no list."""
    whole: npt.NDArray[np.bool_] = ~np.asarray(np.isnan(values).any(axis=1))
    rows = zip(values.tolist(), whole.tolist(), strict=True)
    return [items if is_whole else _without_end(items) for items, is_whole in rows]


def _without_end(items: list[float]) -> list[float | None] | None:
    found: list[float | None] = [None if math.isnan(item) else item for item in items]
    while found and found[-1] is None:
        found.pop()
    return found or None


def _vector(values: Sequence[float | None]) -> npt.NDArray[np.float64]:
    try:
        return np.frombuffer(array("d", values))  # type: ignore[type-var] # nearly always none is None
    except TypeError:
        return np.array(values, dtype=np.float64)  # None becomes NaN


def matrix(lists: Sequence[Sequence[float | None] | None], width: int) -> npt.NDArray[np.float64]:
    """Lists of many readings, shape (readings, width); absent elements are NaN."""
    if {len(items) if items is not None else 0 for items in lists} == {width}:
        flat = list(chain.from_iterable(lists))  # type: ignore[arg-type] # none is None
        return _vector(flat).reshape(-1, width)
    padding = [None] * width
    rows = [padding if items is None else [*items, *padding[len(items) :]] for items in lists]
    return np.array(rows, dtype=np.float64).reshape(len(rows), width)
