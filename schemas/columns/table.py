"""Messages of one kind as columns: what the second version of a Kafka record carries of readings that are plain.

A plain reading is one that its columns say all of: its values are there or are not, and nothing was set aside. The
collector has read it anyhow, so it writes down what it has read, and no worker parses it again. Whatever is not plain
travels as the device's own bytes (`schemas.kafka.record`).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, get_type_hints

import msgspec
import numpy as np
from msgspec.structs import astuple

from schemas.columns.block import Block
from schemas.columns.layout import IDENTITY, columns_of_rows, fields_of
from schemas.kafka.quarantine import LONGEST_NAME
from schemas.quantity import CALENDAR_END_TS
from schemas.readings import MODELS, Kind
from schemas.structs import STRUCTS, is_whole, validators_of
from schemas.time import json_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    Row = tuple[Any, ...]
    """All fields of a reading, in the order of its struct's."""

TABLES_VERSION = 2

COLUMNAR = frozenset(kind for kind in Kind if not is_whole(MODELS[kind]))
"""Kinds whose readings may travel as columns; others are validated as a whole by their model."""

_Name = Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)]
_Moment = Annotated[int, msgspec.Meta(ge=0, lt=CALENDAR_END_TS)]


class Table(msgspec.Struct, forbid_unknown_fields=True, rename=json_key):
    """Messages of one kind, in the order in which they were taken in, and their readings, one after the other."""

    kind: Kind
    site_ids: list[_Name]
    """Of each message: site and device, when it was taken in, ms, and how many readings it has."""
    device_ids: list[_Name]
    received_ts: list[_Moment]
    counts: list[Annotated[int, msgspec.Meta(ge=1)]]
    ts: bytes
    """Of each reading its device time, ms: 64-bit integers, little-endian."""
    figures: dict[str, bytes]
    """Numbers by field, of lists those of a reading in a row: float64, little-endian; NaN where there is none."""
    others: dict[str, list[Any]]
    """All other values by field, None where there is none."""


def _row_bytes(kind: Kind) -> int:
    fields = fields_of(kind)
    return 8 * (1 + len(fields.numbers) + sum(fields.widths.values()))


ROW_BYTES: Mapping[str, int] = {kind.value: _row_bytes(kind) for kind in COLUMNAR}
"""How much room one reading's numbers take, at most, by kind."""


class _Plan(NamedTuple):
    """Where what is looked at stands in the values of a kind's readings, in the order of its struct's fields."""

    names: tuple[str, ...]
    ts: int
    identity: tuple[int, ...]
    lists: tuple[int, ...]
    validators: tuple[tuple[str, Callable[[Any], Any]], ...]
    """What the kind's model does to single fields."""


@cache
def _plan(kind: Kind) -> _Plan:
    names = STRUCTS[kind].__struct_fields__
    return _Plan(
        names,
        names.index("ts"),
        tuple(names.index(name) for name in IDENTITY - {"ts"}),
        tuple(map(names.index, fields_of(kind).widths)),
        tuple(validators_of(MODELS[kind]).items()),
    )


def plain_row(kind: Kind, reading: Any) -> Row | None:  # noqa: ANN401 - a struct
    """Values of a reading as it was sent, of a kind that may travel as columns; None where it is not plain.

    What its model does to single fields is done to it, in place: an absent channel becomes None. Of a list the columns
    do not tell how many absences are at its end, nor does the table.
    """
    plan = _plan(kind)
    for name, validate in plan.validators:
        if (value := getattr(reading, name)) is not None:
            setattr(reading, name, validate(value))
    row = astuple(reading)
    for at in plan.identity:
        if row[at] is not None:
            return None
    for at in plan.lists:
        if (items := row[at]) is not None and items[0] is None and items.count(None) == len(items):
            return None
    return row


def times_of(kind: Kind, rows: Sequence[Row]) -> list[int]:
    """Device time of readings, ms."""
    at = _plan(kind).ts
    return [row[at] for row in rows]


class TableBuilder:
    """One kind's table in the making."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._site_ids: list[str] = []
        self._device_ids: list[str] = []
        self._received_ts: list[int] = []
        self._counts: list[int] = []
        self._rows: list[Row] = []

    def add(self, site_id: str, device_id: str, received_ts: int, rows: Sequence[Row]) -> None:
        """Take in one message's readings, all of them plain."""
        self._site_ids.append(site_id)
        self._device_ids.append(device_id)
        self._received_ts.append(received_ts)
        self._counts.append(len(rows))
        self._rows += rows

    def table(self) -> Table:
        """Lay them out."""
        figures, others = columns_of_rows(self._kind, _plan(self._kind).names, self._rows)
        return Table(
            self._kind,
            self._site_ids,
            self._device_ids,
            self._received_ts,
            self._counts,
            np.array(times_of(self._kind, self._rows), dtype="<i8").tobytes(),
            {name: values.astype("<f8", copy=False).tobytes() for name, values in figures.items()},
            others,
        )


def block_of(table: Table) -> Block:
    """Read a table's readings.

    Raises ValueError where its columns are not what its kind's are, or not as long, or a number in them is none that a
    device can have sent: infinite, or in a column of whole numbers a fraction or one beyond their bounds.
    """
    kind, count = table.kind, sum(table.counts)
    messages = {len(table.site_ids), len(table.device_ids), len(table.received_ts), len(table.counts)}
    if kind not in COLUMNAR or len(messages) != 1 or len(table.ts) != 8 * count:
        msg = f"a table of {kind} whose columns do not fit to each other"
        raise ValueError(msg)
    fields, types = fields_of(kind), _types_of(kind)
    figures = {}
    for name, raw in table.figures.items():
        if name not in fields.numbers and name not in fields.widths:
            msg = f"no reading of {kind} has a number {name!r}"
            raise ValueError(msg)
        width = fields.widths.get(name)
        numbers = np.frombuffer(raw, dtype="<f8").astype(np.float64)
        _check_sendable(kind, name, numbers)
        figures[name] = numbers.reshape(count if width is None else (count, width))
    others = {}
    for name, values in table.others.items():
        if name not in types or name in fields.numbers or name in fields.widths or len(values) != count:
            msg = f"no reading of {kind} has a value {name!r}"
            raise ValueError(msg)
        others[name] = msgspec.convert(values, list.__class_getitem__(types[name]))
    return Block.of_columns(kind, np.frombuffer(table.ts, dtype="<i8").tolist(), figures, others)


def _check_sendable(kind: Kind, name: str, values: npt.NDArray[np.float64]) -> None:
    """Raise ValueError where a field has a number that its type has not; NaN stands for none."""
    found = np.isinf(values)
    if (bounds := fields_of(kind).bounds.get(name)) is not None:
        found |= (values < bounds[0]) | (values > bounds[1]) | (values != np.rint(values)) & ~np.isnan(values)
    if found.any():
        msg = f"no reading of {kind} has {values[found][0]} as its {name!r}"
        raise ValueError(msg)


@cache
def _types_of(kind: Kind) -> dict[str, Any]:
    """What each field of a kind's readings may hold."""
    hints = get_type_hints(STRUCTS[kind], include_extras=True)
    return {name: hint for name, hint in hints.items() if name not in IDENTITY}


class TablesRecord(msgspec.Struct):
    """One Kafka record of version 2."""

    version: Literal[2]
    collector: str
    tables: list[Table]
    rest: bytes
    """A record of version 1 with all that no table holds, whose count of what was received is its own; or nothing."""


def encode_tables(collector: str, tables: Sequence[Table], rest: bytes) -> bytes:
    """One Kafka record of version 2."""
    return msgspec.msgpack.encode(TablesRecord(2, collector, list(tables), rest))


class UnreadTables(msgspec.Struct):
    """A record of version 2 whose tables are still to be read, one by one: each may be broken by itself."""

    version: Literal[2]
    tables: list[msgspec.Raw]
    rest: Any
    collector: Any = ""


class TableCounts(msgspec.Struct):
    """What of a table says how many readings it holds."""

    device_ids: list[str]
    counts: list[Annotated[int, msgspec.Meta(ge=1)]]


# All three raise what `schemas.structs.NOT_TAKEN` names.
read_record = msgspec.msgpack.Decoder(UnreadTables).decode
read_table = msgspec.msgpack.Decoder(Table).decode
read_counts = msgspec.msgpack.Decoder(TableCounts).decode
