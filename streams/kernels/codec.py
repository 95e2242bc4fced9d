"""What a kernel remembers, as text and back: one codec, made from the annotations of the records of a state.

A record (a named tuple or a dataclass) is saved as the list of its fields in their order, a choice by its value, a
tuple as a list. Only what is saved in another way needs to be said, by the record's `Shape`. What is read back is what
was written, to the last bit.

A list has no names in it, so a record that has gained, lost or moved a field reads old states wrongly. A list of
another length is refused. Of one as long, `tests/unit/streams/kernels/test_saved_states.py` compares the fields with
those that were recorded for the kernel's version, and asks for a higher version: states of the lower one are then
built again from readings.
"""

from __future__ import annotations

import base64
import dataclasses
import struct
import types
from enum import Enum
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

State = TypeVar("State")


class Way(NamedTuple):
    """How a value becomes values of JSON, and how it is read from them; None: it is what JSON holds."""

    write: Callable[[Any], Any] | None = None
    read: Callable[[Any], Any] | None = None
    in_order: bool = False
    """Of a choice: its place is saved, not its value."""


class Beside(NamedTuple):
    """The way of a field that is saved as seen from another field of its record, which stands before it."""

    field: str
    write: Callable[[Any, Any], Any]
    read: Callable[[Any, Any], Any]


class Together:
    """Fields that are numbers of single precision, saved as one text; `*name` is a tuple of them."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def write(self, record: Any) -> str:  # noqa: ANN401 - whose fields they are
        """Write them one behind the other."""
        numbers: list[float] = []
        for name in self.names:
            if name.startswith("*"):
                numbers += getattr(record, name[1:])
            else:
                numbers.append(getattr(record, name))
        return packed(numbers)

    def read(self, text: str) -> dict[str, Any]:
        """Read them back, by name; what is left over belongs to the one that is a tuple."""
        numbers = unpacked(text)
        left, at = len(numbers) - sum(not name.startswith("*") for name in self.names), 0
        found: dict[str, Any] = {}
        for name in self.names:
            if name.startswith("*"):
                found[name[1:]] = numbers[at : at + left]
                at += left
            else:
                found[name] = numbers[at]
                at += 1
        return found


class Shape(NamedTuple):
    """How a record is saved where that is not the list of its fields."""

    cells: tuple[str | Together, ...] = ()
    """The values of the list: fields by their names, or several together. Empty: the fields in their order."""
    ways: Mapping[str, Way | Beside] = {}
    """Of fields that are not saved as their annotation says."""
    blank: Any = None
    """The record that is saved as an empty list."""
    left_off: int = 0
    """So many values at the end are not written where all of them are what they are by default."""
    later: int = 0
    """So many values at the end are missing in states that were saved before they existed: what they are by default."""


def packed(values: Sequence[float]) -> str:
    """Write single-precision numbers as base85, five characters each."""
    return base64.b85encode(struct.pack(f"<{len(values)}f", *values)).decode()


def unpacked(text: str) -> tuple[float, ...]:
    """Read back what `packed` wrote."""
    data = base64.b85decode(text)
    return struct.unpack(f"<{len(data) // 4}f", data)


def packed_bytes(values: Sequence[int]) -> str:
    """Write whole numbers from −128 to 127 as base85."""
    return base64.b85encode(struct.pack(f"<{len(values)}b", *values)).decode()


def unpacked_bytes(text: str) -> tuple[int, ...]:
    """Read back what `packed_bytes` wrote."""
    data = base64.b85decode(text)
    return struct.unpack(f"<{len(data)}b", data)


AS_IT_IS = Way()
BIT = Way(int, bool)
"""A truth as 0 or 1."""
PACKED = Way(packed, unpacked)
PACKED_BYTES = Way(packed_bytes, unpacked_bytes)


def each(way: Way) -> Way:
    """A tuple of values, each saved in one way."""
    return _items(way, tuple)


def by_place(choice: type[Enum]) -> Way:
    """A choice as its place in their order: fewer characters than its value, and none may be put before another."""
    members = tuple(choice)
    return Way(members.index, members.__getitem__, in_order=True)


class Codec(Generic[State]):
    """Writes states of one kind as text, and reads them back, exactly.

    `kind` is the state's annotation. Annotations within are looked up in their module, and among `records`: those that
    the module imports for type checking only.
    """

    def __init__(
        self,
        kind: Any,  # noqa: ANN401 - a type, a union of types, or None
        *records: type,
        shapes: Mapping[type, Shape | Way] | None = None,
    ) -> None:
        self._names = {record.__name__: record for record in records}
        self._shapes = shapes or {}
        self.form: dict[str, list[str]] = {}
        """By record or choice that states are made of: its fields in order, `name: annotation`, or its values.

        Values in order of their names where the value is saved, `= value`, and in their own where the place is."""
        self._write, self._read, _ = self._way(kind)

    def dump(self, state: State) -> str:
        """Write a state as JSON."""
        return orjson.dumps(self.plain(state), default=tuple).decode()

    def load(self, text: str) -> State:
        """Read a state back. Raises ValueError or TypeError where it is of another form."""
        return self.of(orjson.loads(text))

    def plain(self, state: State) -> Any:  # noqa: ANN401 - any JSON
        """Write a state as values that `orjson` writes."""
        return state if self._write is None else self._write(state)

    def of(self, values: Any) -> State:  # noqa: ANN401 - any JSON
        """Read a state back from values of JSON."""
        return cast("State", values if self._read is None else self._read(values))

    def _way(self, kind: Any) -> Way:  # noqa: ANN401 - what an annotation names
        origin, of = get_origin(kind), get_args(kind)
        if kind in (None, type(None), bool, int, float, str, Any):
            return AS_IT_IS
        if origin is not None:
            return self._of_several(kind, origin, of)
        if isinstance(kind, type) and issubclass(kind, Enum):
            self.form.setdefault(kind.__name__, sorted(f"= {member.value}" for member in kind))
            return Way(None, kind)
        if dataclasses.is_dataclass(kind) or hasattr(kind, "_fields"):
            return self._record(kind)
        raise _unknown(kind)

    def _of_several(self, kind: Any, origin: Any, of: tuple[Any, ...]) -> Way:  # noqa: ANN401
        if origin in (Union, types.UnionType):
            known = [each for each in of if each is not type(None)]
            if len(known) == 1:
                return _or_none(self._way(known[0]))
        if origin is tuple:
            return self._tuple(of)
        if origin is list:
            return _items(self._way(of[0]), list)
        if origin is dict and of[0] is str:
            return _values(self._way(of[1]))
        raise _unknown(kind)

    def _tuple(self, of: tuple[Any, ...]) -> Way:
        if not of:
            return Way(None, tuple)
        if of[-1] is ...:
            return _items(self._way(of[0]), tuple)
        ways = [self._way(each) for each in of]
        return _cells(tuple(ways), tuple, tuple)

    def _record(self, kind: Any) -> Way:  # noqa: ANN401 - a class of named tuples or a dataclass
        shape = self._shapes.get(kind, _PLAIN)
        hints, names = get_type_hints(kind, localns=self._names), _saved_fields(kind)
        form = [f"{name}: {_text(kind.__annotations__[name])}" for name in names]
        if self.form.setdefault(kind.__name__, form) != form:
            msg = f"a state is made of two records called {kind.__name__}: which is which in its form?"
            raise TypeError(msg)
        usual = {name: self._way(hints[name]) for name in names}
        if isinstance(shape, Way):
            return shape
        for name, way in shape.ways.items():
            if isinstance(way, Way) and way.in_order:
                self.form[hints[name].__name__] = [str(member.value) for member in hints[name]]
        ways = {**usual, **shape.ways}
        if shape.cells or shape.left_off or shape.later or any(isinstance(way, Beside) for way in ways.values()):
            shaped = _Shaped(kind, shape, ways)
            return _blank(Way(shaped.write, shaped.read), shape.blank)
        return _blank(_cells(cast("tuple[Way, ...]", tuple(ways.values())), _lister(kind), _maker(kind)), shape.blank)


_PLAIN = Shape()


def _unknown(kind: Any) -> TypeError:  # noqa: ANN401
    return TypeError(f"{kind} is part of a saved state, and there is no way to save it")


class Saved(Generic[State]):
    """A fold whose states are saved by its `codec`."""

    codec: Codec[State]

    def dump(self, state: State) -> str:
        """Write a state as JSON."""
        return self.codec.dump(state)

    def load(self, text: str) -> State:
        """Read a state back, exactly."""
        return self.codec.load(text)


def _text(annotation: object) -> str:
    """An annotation as it stands in the source."""
    return getattr(annotation, "__forward_arg__", None) or str(annotation)


def _saved_fields(kind: Any) -> tuple[str, ...]:  # noqa: ANN401 - a class of named tuples or a dataclass
    """Its fields in order; a dataclass's with `compare=False` follows from the others, and is not saved."""
    if dataclasses.is_dataclass(kind):
        return tuple(field.name for field in dataclasses.fields(kind) if field.compare)
    return cast("tuple[str, ...]", kind._fields)


def _lister(kind: Any) -> Callable[[Any], Any]:  # noqa: ANN401
    return attrgetter(*_saved_fields(kind)) if dataclasses.is_dataclass(kind) else list


def _maker(kind: Any) -> Callable[[Sequence[Any]], Any]:  # noqa: ANN401
    """Makes a record of the values of all its saved fields; refuses fewer or more."""
    if hasattr(kind, "_make"):
        return cast("Callable[[Sequence[Any]], Any]", kind._make)
    saved, every = _saved_fields(kind), tuple(field.name for field in dataclasses.fields(kind))
    if saved != every[: len(saved)]:
        msg = f"{kind.__name__}: what is not saved stands before what is"
        raise TypeError(msg)

    def make(values: Sequence[Any]) -> Any:  # noqa: ANN401
        if len(values) != len(saved):
            msg = f"{len(values)} values for the {len(saved)} fields of {kind.__name__}"
            raise ValueError(msg)
        return kind(*values)

    return make


def _cells(ways: Sequence[Way], lister: Callable[[Any], Any], make: Callable[[Sequence[Any]], Any]) -> Way:
    """Values of several kinds, each in its place."""
    writing = [(at, way.write) for at, way in enumerate(ways) if way.write is not None]
    reading = [(at, way.read) for at, way in enumerate(ways) if way.read is not None]

    def write(record: Any) -> list[Any]:  # noqa: ANN401
        values = list(lister(record))
        for at, one in writing:
            values[at] = one(values[at])
        return values

    def read(values: list[Any]) -> Any:  # noqa: ANN401
        for at, one in reading:
            values[at] = one(values[at])
        return make(values)

    as_it_is = not writing and lister in (list, tuple)  # `orjson` writes tuples by itself, by `default=tuple`
    return Way(None if as_it_is else write, read if reading else make)


class _Shaped:
    """A record whose list is not that of its fields."""

    def __init__(self, kind: Any, shape: Shape, ways: Mapping[str, Way | Beside]) -> None:  # noqa: ANN401
        self._kind, self._ways, self._left_off = kind, ways, shape.left_off
        self._names, self._make, self._defaults = _saved_fields(kind), _maker(kind), _defaults(kind)
        self._cells = shape.cells or self._names
        self._least = len(self._cells) - max(shape.left_off, shape.later)
        at_the_end = self._cells[len(self._cells) - shape.left_off :]
        self._usual = [self._defaults[name] for name in at_the_end if isinstance(name, str)]

    def write(self, record: Any) -> list[Any]:  # noqa: ANN401
        values = [self._written(record, cell) for cell in self._cells]
        if self._left_off and values[-self._left_off :] == self._usual:
            del values[-self._left_off :]
        return values

    def read(self, values: list[Any]) -> Any:  # noqa: ANN401
        if not self._least <= len(values) <= len(self._cells):
            msg = f"{len(values)} values for the {len(self._cells)} of {self._kind.__name__}"
            raise ValueError(msg)
        found = dict(self._defaults)
        for cell, value in zip(self._cells, values, strict=False):
            if isinstance(cell, Together):
                found |= cell.read(value)
                continue
            way = self._ways[cell]
            if isinstance(way, Beside):
                found[cell] = way.read(value, found[way.field])
            else:
                found[cell] = value if way.read is None else way.read(value)
        return self._make([found[name] for name in self._names])

    def _written(self, record: Any, cell: str | Together) -> Any:  # noqa: ANN401
        if isinstance(cell, Together):
            return cell.write(record)
        way, value = self._ways[cell], getattr(record, cell)
        if isinstance(way, Beside):
            return way.write(value, getattr(record, way.field))
        return value if way.write is None else way.write(value)


def _defaults(kind: Any) -> dict[str, Any]:  # noqa: ANN401
    if not dataclasses.is_dataclass(kind):
        return dict(kind._field_defaults)
    found: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        if field.default is not dataclasses.MISSING:
            found[field.name] = field.default
        elif field.default_factory is not dataclasses.MISSING:
            found[field.name] = field.default_factory()
    return found


def _blank(way: Way, blank: Any) -> Way:  # noqa: ANN401
    if blank is None:
        return way
    write, read = way.write or list, cast("Callable[[Any], Any]", way.read)
    return Way(
        lambda record: [] if record == blank else write(record), lambda values: read(values) if values else blank
    )


def _or_none(way: Way) -> Way:
    write, read, _ = way
    return Way(
        None if write is None else lambda value: None if value is None else write(value),
        None if read is None else lambda value: None if value is None else read(value),
    )


def _items(way: Way, made: type[list[Any] | tuple[Any, ...]]) -> Way:
    write, read, _ = way
    if read is None:
        reads: Callable[[Any], Any] | None = None if made is list else tuple
    else:
        reads = lambda values: made(map(read, values))  # noqa: E731 - beside its like
    return Way(None if write is None else lambda values: [write(value) for value in values], reads)


def _values(way: Way) -> Way:
    write, read, _ = way
    return Way(
        None if write is None else lambda values: {key: write(value) for key, value in values.items()},
        None if read is None else lambda values: {key: read(value) for key, value in values.items()},
    )
