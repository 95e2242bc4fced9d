"""Records read by msgspec: nearly all. What it does not take is left to the models of `schemas.kafka.record`."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import msgspec
from pydantic import TypeAdapter

from schemas.aside import SetAside
from schemas.kafka.quarantine import Quarantined
from schemas.kafka.record import Envelope, MicroBatch
from schemas.readings import MODELS
from schemas.structs import NOT_TAKEN, STRUCTS, is_whole, struct_of, validators_of
from streams.intake.batch import Batch, Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from schemas.readings import Kind, Reading

DEEPEST = 100
"""Brackets in what was set aside of a message; a model counts its levels from the record on, and here from it on."""

_QUARANTINED: TypeAdapter[list[Quarantined]] = TypeAdapter(list[Quarantined])
_SET_ASIDE: TypeAdapter[dict[int, dict[str, SetAside]] | None] = TypeAdapter(dict[int, dict[str, SetAside]] | None)


class _Layout(NamedTuple):
    """What becomes of an envelope's struct."""

    kind: Kind
    validators: tuple[tuple[str, Callable[[Any], Any]], ...]
    """Of single fields of its readings."""


def _layouts() -> Iterator[tuple[type[msgspec.Struct], _Layout]]:
    """An envelope's struct for each kind of reading but those that are validated as a whole."""
    for envelope in get_args(get_args(Envelope)[0]):
        for kind in get_args(envelope.model_fields["kind"].annotation):
            if not is_whole(MODELS[kind]):
                own: dict[str, Any] = {"readings": list.__class_getitem__(STRUCTS[kind]), "set_aside": msgspec.Raw}
                struct = struct_of(envelope, own, tag=("kind", kind.value))
                yield struct, _Layout(kind, tuple(validators_of(MODELS[kind]).items()))


_LAYOUTS = dict(_layouts())
_MESSAGES = list.__class_getitem__(reduce(or_, _LAYOUTS))
_read = msgspec.json.Decoder(struct_of(MicroBatch, {"messages": _MESSAGES, "quarantined": msgspec.Raw})).decode


def read(value: bytes) -> Batch | None:
    """Read a record as `MicroBatch.model_validate_json` does; None where only that can tell what it is.

    Raises pydantic's ValidationError where what is quarantined or set aside in it cannot be read.
    """
    try:
        found: Any = _read(value)
    except NOT_TAKEN:
        return None
    messages = []
    for each in found.messages:
        kind, validators = _LAYOUTS[type(each)]
        apart = each.set_aside
        if apart is not None:
            raw = bytes(apart)
            if raw.count(b"{") + raw.count(b"[") > DEEPEST:
                return None
            apart = _SET_ASIDE.validate_json(raw)
        readings = each.readings
        for name, validate in validators:
            _validate(readings, name, validate)
        messages.append(Message(each.site_id, kind, each.device_id, each.received_ts, readings, apart))
    return Batch(found.collector, found.received, messages, _QUARANTINED.validate_json(bytes(found.quarantined)))


def _validate(readings: list[Reading], name: str, validate: Callable[[Any], Any]) -> None:
    for reading in readings:
        value = getattr(reading, name)
        if value is not None:
            setattr(reading, name, validate(value))
