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
_EXTRA = "extra_forbidden"


class Mended(NamedTuple):
    """A reading that can be used."""

    reading: Reading
    readings: bytes
    """Its JSON: the device's own values, without what was set aside."""
    aside: Aside


def mend(kind: Kind, element: Any) -> Mended | ValidationError:  # noqa: ANN401 - any JSON
    """Set aside what keeps an element from being a reading of a kind; the first error where it is none whatever."""
    try:
        reading = ADAPTERS[kind].validate_python(element)
    except ValidationError as error:
        first = error
    else:
        return Mended(reading, to_json(element), {})
    if not isinstance(element, dict):
        return first
    aside: dict[str, SetAside] = {}
    values: dict[str, Any] = dict(element)
    essential = _essential(kind)
    refused = first
    while True:
        for found in refused.errors(include_url=False, include_context=False, include_input=False):
            if not found["loc"] or found["loc"][0] in essential:
                return first
            _set_aside(kind, values, found["type"], found["loc"], aside)
        try:
            reading = ADAPTERS[kind].validate_python(values)
        except ValidationError as error:
            refused = error
            continue
        return first if is_senseless(kind, reading, aside) else Mended(reading, to_json(values), aside)


@cache
def _essential(kind: Kind) -> frozenset[int | str]:
    return IDENTITY | {name for name, field in MODELS[kind].model_fields.items() if field.is_required()}


def _set_aside(
    kind: Kind, values: dict[str, Any], what: str, where: Sequence[int | str], aside: dict[str, SetAside]
) -> None:
    """Take one field, or one element of it, out of the values."""
    field = str(where[0])
    if what == _EXTRA:
        known = aside.get(UNKNOWN)
        others = known.value if known is not None and isinstance(known.value, dict) else {}
        kept = as_kept({**others, field: values.pop(field)})
        if known is None or isinstance(known.value, dict):
            aside[UNKNOWN] = SetAside(AsideReason.UNKNOWN_FIELD, kept)
        return
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
