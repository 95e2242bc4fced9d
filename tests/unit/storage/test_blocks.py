"""Readings as columns: the same values, and the same bytes, as one by one."""

from __future__ import annotations

import random
import struct
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.columns.block import Block
from schemas.structs import values_of
from storage.encoding.arrays import EPOCH_2000_TS, Column, PgType
from storage.encoding.blocks import columns_of, round_as_stored
from storage.encoding.bulk import WIDEST_LAYOUT, in_rows
from storage.tables import READING_TABLES
from tests.support.any_readings import OF_TYPE, kind_and_readings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.readings import Kind, Reading


def rounded(kind: Kind, reading: Reading) -> dict[str, Any]:
    """What a reading's row holds, value by value."""
    values = values_of(reading)
    for field in READING_TABLES[kind].fields:
        value = values[field.attribute]
        if field.type is not PgType.FLOAT4 or value is None:
            continue
        if isinstance(value, list):
            if field.index == 0:
                items = [None if item is None else float(np.float32(item)) for item in value]
                while items and items[-1] is None:
                    items.pop()
                values[field.attribute] = items or None
        else:
            values[field.attribute] = float(np.float32(value))
    return values


@given(given_=kind_and_readings(), seed=st.integers(0, 100))
def test_a_block_rounds_and_lays_out_as_one_does_it_by_hand(given_: tuple[Kind, list[Reading]], seed: int) -> None:
    """After rounding each reading has what its row holds, and every column has that, in whichever order."""
    kind, readings = given_
    expected = [rounded(kind, reading) for reading in readings]
    block = Block(kind, readings)
    round_as_stored(block)
    assert [repr(values_of(reading)) for reading in readings] == [repr(values) for values in expected]
    order = list(range(len(readings)))
    random.Random(seed).shuffle(order)
    columns = columns_of(block.of(order))
    for field in READING_TABLES[kind].fields:
        values = [expected[at][field.attribute] for at in order]
        if field.index is not None:
            values = [None if one is None or len(one) <= field.index else one[field.index] for one in values]
        found = columns.get(field.column)
        if found is None:
            assert values == [None] * len(values)
        elif isinstance(found.values, np.ndarray):
            assert [None if one != one else one for one in found.values.tolist()] == values  # noqa: PLR0124 - NaN
        elif field.type is not PgType.JSON:
            assert found.values == values


@given(given_=kind_and_readings(), data=st.data())
def test_a_reading_that_was_changed_is_laid_out_again(given_: tuple[Kind, list[Reading]], data: st.DataObject) -> None:
    """What admission takes out of a reading is out of its columns too."""
    kind, readings = given_
    block = Block(kind, readings)
    at = data.draw(st.integers(0, len(readings) - 1))
    for field in READING_TABLES[kind].fields:
        if data.draw(st.booleans()):
            setattr(readings[at], field.attribute, None)
    block.refresh(at)
    fresh = Block(kind, readings)
    for name, values in block.figures.items():
        assert np.array_equal(values, fresh.figures.get(name, np.full_like(values, np.nan)), equal_nan=True)
    for name, others in block.others.items():
        assert others == fresh.others.get(name, [None] * len(readings))


def by_hand(columns: Sequence[Column]) -> bytes:
    """Rows of PostgreSQL's binary format, field by field."""
    formats = {PgType.FLOAT8: ">d", PgType.FLOAT4: ">f", PgType.INT8: ">q", PgType.INT4: ">i", PgType.BOOL: "?"}
    found = b""
    for row in zip(*(column.values for column in columns), strict=True):
        found += struct.pack(">h", len(columns))
        for column, value in zip(columns, row, strict=True):
            if value is None:
                found += struct.pack(">i", -1)
                continue
            if column.type is PgType.TIMESTAMPTZ:
                raw = struct.pack(">q", (value - EPOCH_2000_TS) * 1000)
            else:
                raw = struct.pack(formats[column.type], value) if column.type in formats else value.encode()
            found += struct.pack(">i", len(raw)) + raw
    return found


@given(data=st.data(), count=st.integers(1, 7))
def test_rows_travel_as_one_encodes_them_by_hand(data: st.DataObject, count: int) -> None:
    """Fields of any width, nulls among them, texts of any length and the empty one."""
    columns = []
    for type_ in data.draw(st.lists(st.sampled_from(PgType), min_size=1, max_size=6)):
        one = OF_TYPE[PgType.TEXT if type_ is PgType.JSON else type_]
        same = data.draw(one)
        values = data.draw(st.lists(one | st.none() | st.just(same), min_size=count, max_size=count))
        columns.append(Column(type_, values))
    kept = [column for column in columns if set(column.values) != {None}]
    names, found = in_rows({f"c{at}": column for at, column in enumerate(columns)})
    assert len(names) == len(kept)
    assert found == (by_hand(kept) if kept else struct.pack(">h", 0) * count)


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1])
def test_an_integer_that_its_column_does_not_hold_is_refused(value: int) -> None:
    """It is never written as another one."""
    with pytest.raises(OverflowError):
        in_rows({"cycles": Column(PgType.INT4, [value])})


def test_one_long_text_does_not_make_every_row_as_long() -> None:
    """Ten thousand rows beside it travel in a few MB, and to the byte as one by one."""
    texts: list[str | None] = ["ok", None, ""] * 3_333
    texts[5_000] = "字" * 5_000
    columns = [Column(PgType.TEXT, texts), Column(PgType.INT4, list(range(len(texts))))]
    tracemalloc.start()
    _, found = in_rows({f"c{at}": column for at, column in enumerate(columns)})
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == by_hand(columns)
    assert most < 8 * WIDEST_LAYOUT, "laid out as wide as the longest it was 600 MB"
