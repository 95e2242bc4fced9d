"""Columns as binary PostgreSQL arrays, built by NumPy: a thousand readings travel as one parameter a column.

psycopg dumps a Python list element by element (about 0.5 µs each in 3.3); at 40 columns that is most of a worker.
The wire format (`array_recv`): int32 dimensions, flags, element type, length, lower bound, then per element an
int32 length (−1 for null) and its big-endian bytes.
"""

from __future__ import annotations

import struct
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from psycopg import adapt, pq

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from psycopg import Connection
    from psycopg.abc import Buffer

EPOCH_2000_TS = 946_684_800_000
INT4_MAX = 2**31 - 1
SHORT = 64
"""Texts of at most so many characters are names, mostly, which travel again and again."""
_NULL = b"\xff\xff\xff\xff"


class _Spec(NamedTuple):
    sql: str
    oid: int
    array_oid: int
    dtype: str


class PgType(Enum):
    """Column types fenhe's tables are made of."""

    FLOAT8 = _Spec("double precision", 701, 1022, ">f8")
    FLOAT4 = _Spec("real", 700, 1021, ">f4")
    INT8 = _Spec("bigint", 20, 1016, ">i8")
    INT4 = _Spec("int", 23, 1007, ">i4")
    BOOL = _Spec("boolean", 16, 1000, "?")
    TIMESTAMPTZ = _Spec("timestamptz", 1184, 1185, ">i8")
    TEXT = _Spec("text", 25, 1009, "")
    JSON = _Spec("json", 114, 199, "")


class Column(NamedTuple):
    """One column's values of many rows, None for null; timestamps are milliseconds since the epoch."""

    type: PgType
    values: Sequence[object] | npt.NDArray[Any]


class _ColumnDumper(adapt.Dumper):
    """Dump a `Column` as a binary array of its type."""

    format = pq.Format.BINARY

    def get_key(self, obj: Column, _format: object) -> tuple[type, PgType]:  # type: ignore[override]
        return (Column, obj.type)

    def upgrade(self, obj: Column, _format: object) -> adapt.Dumper:
        return _DUMPERS[obj.type](Column, None)

    def dump(self, obj: Column) -> Buffer:
        return encode_array(obj)


def _dumper_for(kind: PgType) -> type[_ColumnDumper]:
    return type(f"{kind.name.title()}ArrayDumper", (_ColumnDumper,), {"oid": kind.value.array_oid})


_DUMPERS = {kind: _dumper_for(kind) for kind in PgType}


def encode_array(column: Column) -> bytes:
    """Encode one column in PostgreSQL's binary array format.

    Raises OverflowError where an integer does not fit its type.
    """
    spec = column.type.value
    if not spec.dtype:
        return _encode_text_array(spec.oid, column.values)
    data, nulls = numbers(column)
    any_null = nulls is not None and bool(nulls.any())
    elements = np.empty(len(data), dtype=[("length", ">i4"), ("value", spec.dtype)])
    width = np.dtype(spec.dtype).itemsize
    elements["length"] = width
    elements["value"] = data
    header = struct.pack(">iIIii", 1, any_null, spec.oid, len(data), 1)
    if not any_null:
        return header + elements.tobytes()
    elements["length"][nulls] = -1
    raw = elements.view(np.uint8).reshape(len(data), 4 + width)
    keep = np.ones(raw.shape, dtype=bool)
    keep[nulls, 4:] = False
    return header + raw[keep].tobytes()


def numbers(column: Column) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]:
    """Values as they travel, and where they are null; what stands in a null's place means nothing."""
    if column.type in {PgType.FLOAT8, PgType.FLOAT4}:
        floats = np.asarray(column.values, dtype=np.float64)  # None becomes NaN, which no reading may be
        return floats, np.isnan(floats)
    nulls = None
    filled = column.values
    if isinstance(filled, np.ndarray):
        if filled.dtype.kind == "f":
            nulls = np.isnan(filled)
            filled = np.where(nulls, 0.0, filled)
    elif None in filled:
        nulls = np.array([value is None for value in filled])
        filled = [0 if value is None else value for value in filled]
    if column.type is PgType.BOOL:
        return np.array(filled, dtype=np.bool_), nulls
    whole = np.array(filled, dtype=np.int64)
    if column.type is PgType.TIMESTAMPTZ:
        return (whole - EPOCH_2000_TS) * 1000, nulls
    if column.type is PgType.INT4 and whole.size and (whole.max() > INT4_MAX or whole.min() < -INT4_MAX - 1):
        msg = f"integer out of range for {column.type.value.sql}"
        raise OverflowError(msg)
    return whole, nulls


def _encode_text_array(oid: int, values: Sequence[Any] | npt.NDArray[Any]) -> bytes:
    header = struct.pack(">iIIii", 1, None in values, oid, len(values), 1)
    words = [
        _NULL if value is None else _short_word(value) if len(value) <= SHORT else _word(value) for value in values
    ]
    return b"".join((header, *words))


def _word(value: str) -> bytes:
    text = value.encode()
    return len(text).to_bytes(4, "big") + text


_short_word = lru_cache(maxsize=65_536)(_word)


class _MillisecondLoader(adapt.Loader):
    """Load timestamptz as integer milliseconds since the epoch."""

    format = pq.Format.BINARY

    def load(self, data: Buffer) -> int:
        micros: int = _UNPACK_I8(data)[0]
        return micros // 1000 + EPOCH_2000_TS


_UNPACK_I8 = struct.Struct(">q").unpack


def register(context: Connection) -> None:
    """Teach a connection to send `Column` and to read binary timestamps as milliseconds."""
    adapters = context.adapters
    adapters.register_dumper(Column, _ColumnDumper)
    adapters.register_loader("timestamptz", _MillisecondLoader)
