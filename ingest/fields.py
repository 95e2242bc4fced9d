"""A reading without its odd fields: what its model refuses is set aside field by field, and the rest is used.

The model alone is the judge, so nothing of it is said twice: it is asked, what it names is taken out, and it is asked
again. Only identity, time and what a reading must have refuse the reading, and that nothing of it is left.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import to_json

from schemas.aside import UNKNOWN, AsideReason, SetAside, as_kept, is_senseless
from schemas.readings import ADAPTERS, MODELS, Kind, Reading, elements_apart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.aside import Aside

IDENTITY = frozenset({"site_id", "kind", "device_id"})


class Mended(NamedTuple):
    """A reading that can be used."""

    reading: Reading
    readings: bytes
    """Its JSON: the device's own values, without what was set aside."""
    aside: Aside


def mend(kind: Kind, element: Any) -> Mended | ValidationError:  # noqa: ANN401 - any JSON
    """Set aside what keeps an element from being a reading of a kind; the first error where it is none whatever."""
    aside: dict[str, SetAside] = {}
    values = _without_unknown(kind, element, aside)
    try:
        reading = ADAPTERS[kind].validate_python(values)
    except ValidationError as error:
        first = error
    else:
        if is_senseless(kind, reading, aside):
            return _refused(kind, element)
        return Mended(reading, to_json(values), aside)
    if not isinstance(element, dict):
        return first
    values = dict(values)
    essential = _essential(kind)
    refused = first
    while True:
        for found in refused.errors(include_url=False, include_context=False, include_input=False):
            if not found["loc"] or found["loc"][0] in essential:
                return first
            _set_aside(kind, values, found["loc"], aside)
        try:
            reading = ADAPTERS[kind].validate_python(values)
        except ValidationError as error:
            refused = error
            continue
        return first if is_senseless(kind, reading, aside) else Mended(reading, to_json(values), aside)


def _without_unknown(kind: Kind, element: Any, aside: dict[str, SetAside]) -> Any:  # noqa: ANN401 - any JSON
    """Set aside at once what is no field of the kind: the model would name thousands of names one by one."""
    if not isinstance(element, dict) or element.keys() <= _fields(kind):
        return element
    known = {name: value for name, value in element.items() if name in _fields(kind)}
    unknown = {name: value for name, value in element.items() if name not in known}
    aside[UNKNOWN] = SetAside(AsideReason.UNKNOWN_FIELD, as_kept(unknown))
    return known


def _refused(kind: Kind, element: Any) -> ValidationError:  # noqa: ANN401 - any JSON
    """What the model says of an element with fields that it does not know."""
    try:
        ADAPTERS[kind].validate_python(element)
    except ValidationError as error:
        return error
    msg = "an unknown field was set aside, and the model knows it"
    raise AssertionError(msg)


@cache
def _fields(kind: Kind) -> frozenset[str]:
    return frozenset(MODELS[kind].model_fields)


@cache
def required_fields(kind: Kind) -> frozenset[str]:
    """Fields without which nothing is a reading of a kind."""
    return frozenset(name for name, field in MODELS[kind].model_fields.items() if field.is_required())


@cache
def _essential(kind: Kind) -> frozenset[int | str]:
    return IDENTITY | required_fields(kind)


def _set_aside(kind: Kind, values: dict[str, Any], where: Sequence[int | str], aside: dict[str, SetAside]) -> None:
    """Take one field, or one element of it, out of the values."""
    field = str(where[0])
    value = values[field]
    if value == []:
        values[field] = None  # nothing known, and said so
        return
    aside.setdefault(field, SetAside(AsideReason.WRONG_TYPE, as_kept(value)))
    if len(where) > 1 and isinstance(value, list) and type(where[1]) is int and field in elements_apart(kind):
        apart = list(value)
        apart[where[1]] = None
        values[field] = apart
    else:
        values[field] = None
