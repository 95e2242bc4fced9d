"""Models as msgspec structs, made from the models themselves: JSON is read and validated at a fifth of pydantic's cost.

The models stay the definition of a reading, its JSON Schema, and the explanation of every refusal. A struct takes no
more than its model does and comes to the same values; what it does not take is given to the model, which may (a time
as text, `1.0` for a whole number) or says what is wrong. `tests/unit/streams/intake/test_quick.py` holds both together.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType, NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec.structs import asdict
from pydantic import Strict
from pydantic.fields import FieldInfo

from schemas.quantity import TO_MS, Range, Register, Whole
from schemas.readings import MODELS, Kind, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pydantic import BaseModel

NOT_TAKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What is raised for JSON that a struct does not take."""

_INT64 = range(-(2**63), 2**63)
"""Bounds of whole numbers that msgspec knows; what lies beyond is the model's to judge."""
_PLAIN = (int, float, bool, str, NoneType)
_SAME = ("ge", "lt", "min_length", "max_length")
"""Bounds that have one name here and there."""


def is_whole(model: type[BaseModel]) -> bool:
    """Whether a model is validated as a whole: its struct holds such readings, and only the model reads them."""
    return bool(model.__pydantic_decorators__.model_validators)


def struct_of(
    model: type[BaseModel], given: Mapping[str, Any] = MappingProxyType({}), *, tag: tuple[str, str] | None = None
) -> type[msgspec.Struct]:
    """Make a model's struct: the same fields, and none besides.

    `given`: types of some fields, in place of those the model says. `tag`: a field, and the one value that it may have.
    Raises TypeError where a field's type or validation is one that is not known here.
    """
    hints = get_type_hints(model, include_extras=True)
    fields: list[Any] = []
    for name, field in model.model_fields.items():
        if tag is None or name != tag[0]:
            kind = given[name] if name in given else _type_of(hints[name], f"{model.__name__}.{name}")
            fields.append((name, kind) if field.is_required() else (name, kind, field.default))
    tag_field, value = tag or (None, None)
    fields.sort(key=len)  # what must be given stands first
    keys = {name: field.alias or name for name, field in model.model_fields.items()}
    return msgspec.defstruct(
        f"{model.__name__}Struct",
        fields,
        gc=False,
        forbid_unknown_fields=True,
        rename=keys,
        tag_field=tag_field,
        tag=value,
    )


def _type_of(hint: Any, where: str) -> Any:  # noqa: ANN401 - types
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        bounds: dict[str, Any] = {}
        for item in _flat(hint.__metadata__):
            bounds |= _bounds(item, where)
        inner = _type_of(arguments[0], where)
        return Annotated[inner, msgspec.Meta(**bounds)] if bounds else inner
    if origin is list:
        return list[_type_of(arguments[0], where)]  # type: ignore[misc] # made at run time
    if origin in {Union, UnionType}:
        return Union[tuple(_type_of(each, where) for each in arguments)]  # noqa: UP007 - made at run time
    if origin is dict:
        return dict[arguments[0], _type_of(arguments[1], where)]  # type: ignore[misc, valid-type] # as above
    if origin is Literal or hint in _PLAIN or (isinstance(hint, type) and issubclass(hint, StrEnum)):
        return hint
    msg = f"{where}: no struct has {hint}"
    raise TypeError(msg)


def _flat(metadata: Iterable[Any]) -> Iterable[Any]:
    for item in metadata:
        yield from item.metadata if isinstance(item, FieldInfo) else (item,)


def _bounds(item: Any, where: str) -> dict[str, Any]:  # noqa: ANN401 - metadata
    """What one piece of metadata asks, in msgspec's words.

    Strictness asks nothing more of JSON: a struct is always strict, and takes no infinity. `TO_MS` leaves whole
    numbers as they are, ranges are held where the registry is.
    """
    if isinstance(item, Range | Register | Strict) or item is TO_MS or hasattr(item, "allow_inf_nan"):
        return {}
    if isinstance(item, Whole):
        return {"ge": max(item.low, _INT64.start), "le": min(item.high, _INT64.stop - 1)}
    found = {name: getattr(item, name) for name in _SAME if hasattr(item, name)}
    if isinstance(pattern := getattr(item, "pattern", None), str):
        # Python's `$` is also before a last line feed, which pydantic's is not.
        found["pattern"] = f"{pattern[:-1]}\\Z" if pattern.endswith("$") else pattern
    if not found:
        msg = f"{where}: no struct knows {item!r}"
        raise TypeError(msg)
    return found


def validators_of(model: type[BaseModel]) -> dict[str, Callable[[Any], Any]]:
    """What a model does to single fields after their type is known to be right, by field.

    Raises TypeError where it does more than that.
    """
    found: dict[str, Callable[[Any], Any]] = {}
    for decorator in model.__pydantic_decorators__.field_validators.values():
        for name in decorator.info.fields:
            if decorator.info.mode != "after" or name in found:
                msg = f"{model.__name__}.{name} is validated in a way that is not known here"
                raise TypeError(msg)
            found[name] = decorator.func
    return found


def _structs() -> Iterator[tuple[Kind, type[msgspec.Struct]]]:
    made = {model: struct_of(model) for model in MODELS.values()}
    return ((kind, made[model]) for kind, model in MODELS.items())


STRUCTS: dict[Kind, type[msgspec.Struct]] = dict(_structs())
"""The struct of each kind of reading: mutable, with its fields in the model's order but for those without a default."""


def as_struct(kind: Kind, reading: Reading) -> Reading:
    """A reading that its model has read, as the worker has them."""
    return cast("Reading", STRUCTS[kind](**vars(reading)))


def values_of(reading: Reading) -> dict[str, Any]:
    """All fields of a reading, be it a struct or a model."""
    return asdict(reading) if isinstance(reading, msgspec.Struct) else dict(vars(reading))
