"""Rows by binary COPY: a little more than half the cost of an INSERT that must look whether they are there already.

The format (PostgreSQL's manual, "Binary Format" of COPY): a signature, then per row how many fields it has, then per
field its length (−1 for null) and its bytes; at the end −1 in place of a row.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from storage.encoding.arrays import Column, numbers
from storage.statements import trusted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    from psycopg import Connection

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_END = struct.pack(">h", -1)
WIDEST_LAYOUT = 8 << 20
"""Bytes of rows that are laid out at once, each as wide as the widest of them; it takes about four times as many."""


class _Field(NamedTuple):
    """One column as it travels: of each row so many bytes, −1 for null, of a value that is as wide as the longest."""

    dtype: str
    values: npt.NDArray[Any] | list[bytes] | bytes
    lengths: npt.NDArray[np.int32] | int

    def cut(self, start: int, stop: int) -> _Field:
        """What some of the rows have: no wider than the longest of these."""
        lengths = self.lengths[start:stop] if isinstance(self.lengths, np.ndarray) else self.lengths
        if isinstance(self.values, bytes):
            return _Field(self.dtype, self.values, lengths)
        values = self.values[start:stop]
        return _Field(_wide(values) if isinstance(values, list) else self.dtype, values, lengths)


def copy(connection: Connection, table: str, columns: Mapping[str, Column]) -> None:
    """Insert rows of which none stands; a column without any value is left out.

    Raises UniqueViolation where one stands, OverflowError where an integer does not fit its column.
    """
    names, body = in_rows(columns)
    statement = trusted(f"COPY {table} ({', '.join(names)}) FROM STDIN (FORMAT BINARY)")
    whole = b"".join((_SIGNATURE, body, _END))  # laid out before: PostgreSQL waits for rows as long as it takes
    with connection.cursor().copy(statement) as into:
        into.write(whole)


def in_rows(columns: Mapping[str, Column]) -> tuple[list[str], bytes]:
    """Name the columns that have any value, and give the rows of these as they travel."""
    count = len(next(iter(columns.values())).values)
    fields = {name: field for name, column in columns.items() if (field := _field(column)) is not None}
    return list(fields), _rows(count, list(fields.values()))


def _field(column: Column) -> _Field | None:
    """A column's field; None where it has no value at all."""
    dtype = column.type.value.dtype
    if not dtype:
        return _text(column.values)
    values = column.values
    if isinstance(values, list) and values and values[0] is None and values.count(None) == len(values):
        return None
    found, nulls = numbers(column)
    width = np.dtype(dtype).itemsize
    if nulls is None or not nulls.any():
        return _Field(dtype, found, width)
    return None if nulls.all() else _Field(dtype, found, np.where(nulls, -1, width))


def _text(values: Sequence[Any] | npt.NDArray[Any]) -> _Field | None:
    """Texts; of a column that says the same throughout it is written once."""
    known = set(values)
    if len(known) == 1:
        (value,) = known
        word = b"" if value is None else value.encode()
        return None if value is None else _Field(f"S{max(1, len(word))}", word, len(word))
    words = [b"" if value is None else value.encode() for value in values]
    lengths = list(map(len, words))
    widest = f"S{max(1, *lengths)}"
    if None in known:
        lengths = [-1 if value is None else length for value, length in zip(values, lengths, strict=True)]
    same = min(lengths) == max(lengths) > 0
    return _Field(widest, words, lengths[0] if same else np.array(lengths))


def _wide(words: Sequence[bytes]) -> str:
    """Type of a column that holds the longest of some words."""
    return f"S{max(1, *map(len, words))}"


def _rows(count: int, fields: Sequence[_Field]) -> bytes:
    """All rows, one after the other: laid out as wide as the widest, what is not of a shorter one is cut out."""
    layout = [part for at, field in enumerate(fields) for part in ((f"n{at}", ">i4"), (f"v{at}", field.dtype))]
    dtype = np.dtype([("fields", ">i2"), *layout])
    if count > 1 and count * dtype.itemsize > WIDEST_LAYOUT:  # one long text would make every row as long
        cuts = ((0, count // 2), (count // 2, count))
        return b"".join(_rows(stop - start, [field.cut(start, stop) for field in fields]) for start, stop in cuts)
    rows = np.empty(count, dtype=dtype)
    rows["fields"] = len(fields)
    short: list[tuple[int, int, npt.NDArray[np.int32]]] = []
    for at, field in enumerate(fields):
        rows[f"n{at}"], rows[f"v{at}"] = field.lengths, field.values
        if isinstance(field.lengths, np.ndarray) or field.lengths == 0:
            kind, start = dtype.fields[f"v{at}"][:2]  # type: ignore[index] # it has fields
            short.append((start, kind.itemsize, np.broadcast_to(field.lengths, count)))
    if not short:
        return rows.tobytes()
    size = rows.dtype.itemsize
    keep = np.ones((count, size), dtype=np.bool_)
    for start, width, lengths in short:
        keep[:, start : start + width] = np.arange(width) < lengths[:, np.newaxis]
    return rows.view(np.uint8).reshape(count, size)[keep].tobytes()
