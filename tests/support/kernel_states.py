"""The form of what kernels save, and saved states to hold the code against; `python -m tests.support.kernel_states`.

A saved state outlives the code that wrote it. One whose form has changed is built again from readings, but only where
the kernel's version says so; read under the version it was written with, it would be taken for something else. So the
form of every kernel's state is recorded beside its version, and with it states as they were saved.

The form is read from the states themselves: of every class that one is made of, its fields in order with their
annotations, and of every enum its members. Members are saved by their value (`= value`), so one may be added; of those
in `BY_PLACE` and `PLACES` the place in their order is saved, so nothing may be put before another. A dataclass's field
with `compare=False` follows from the others and is not saved.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, get_args

import orjson

from fenhe.local import Postgres, Services, find_postgres_binaries, scratch_directory
from fenhe.local.postgres import OWNER
from schemas.metrics.signal import Phase, Severity
from storage.pool import connect
from streams.installed import installed
from streams.kernels.battery.tracking import flags
from streams.kernels.detection.batteries import safety_state, site_safety
from streams.kernels.detection.series import series
from tests.support.databases import own_database
from tests.support.pipeline import close_engines, open_engine, prepare, readings, record, save_memories

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.kernels.contract import Fold

RECORDED = Path(__file__).parents[1] / "data" / "kernel_states.json"
MINUTES = 400
"""Of the small world that states are recorded from where no database is named."""
LARGEST = 6_000
"""Characters of a recorded state, at most."""
OURS = {"streams", "schemas"}
"""Packages whose classes a state may be made of."""
BY_PLACE = (Severity, Phase)
"""Enums of which states hold the place of a member, not its value."""
PLACES: dict[str, Sequence[str]] = {
    "meter_detectors": series.KINDS,
    "set_safety": safety_state.KINDS,
    "site_safety": tuple(site_safety.INPUTS),
    "set_health": flags.BITS,
}
"""By kernel: what the elements of a list, or the bits of a number, stand for in a state."""
KEPT = 2
"""States of a kernel that are recorded: the longest."""


class Recorded(NamedTuple):
    """What is known of one kernel's saved states."""

    version: int
    form: dict[str, list[str]]
    """By class that states are made of: its fields, `name: annotation`, or an enum's members in order."""
    states: list[str]


def form_of(*values: object) -> dict[str, list[str]]:
    """The classes that values are made of, and those that their annotations name, with their fields in order."""
    form: dict[str, list[str]] = {}
    for value in values:
        _walk(value, form)
    return dict(sorted(form.items()))


def _walk(value: object, form: dict[str, list[str]]) -> None:
    _note(type(value), form)
    if isinstance(value, dict):
        for key, each in value.items():
            _walk(key, form)
            _walk(each, form)
    elif isinstance(value, tuple | list | set | frozenset):
        for each in value:
            _walk(each, form)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            _walk(getattr(value, field.name), form)


def _note(cls: type, form: dict[str, list[str]]) -> None:
    """Write down a class of ours, and every one that its annotations name."""
    if cls.__name__ in form or cls.__module__.split(".")[0] not in OURS:
        return
    if issubclass(cls, Enum):
        values = [str(member.value) for member in cls]
        form[cls.__name__] = values if cls in BY_PLACE else sorted(f"= {value}" for value in values)
        return
    if dataclasses.is_dataclass(cls):
        fields = {field.name: str(field.type) for field in dataclasses.fields(cls) if field.compare}
    elif hasattr(cls, "_fields"):
        fields = {name: _text(cls.__annotations__[name]) for name in cls._fields}
    else:
        msg = f"{cls.__module__}.{cls.__name__} is part of a saved state, but no tuple, dataclass or enum"
        raise TypeError(msg)
    form[cls.__name__] = [f"{name}: {annotation}" for name, annotation in fields.items()]
    for annotation in fields.values():
        _note_named(annotation, cls.__module__, form)


def _note_named(annotation: str, module: str, form: dict[str, list[str]]) -> None:
    """Write down every class that an annotation of a module names."""
    known = vars(sys.modules[module])
    for name in re.findall(r"\w+", annotation):
        named = known.get(name)
        for each in (named, *get_args(named)):
            if isinstance(each, type) and (issubclass(each, Enum | tuple) or dataclasses.is_dataclass(each)):
                _note(each, form)


def _text(annotation: object) -> str:
    """An annotation as it stands in the source."""
    return getattr(annotation, "__forward_arg__", None) or str(annotation)


def recorded() -> dict[str, Recorded]:
    """All that is recorded, by the kernel's name."""
    return {name: Recorded(**fields) for name, fields in orjson.loads(RECORDED.read_bytes()).items()}


def saved_states(url: str) -> dict[str, list[str]]:
    """The longest states of each kernel's present version in a database, of those that are not too long."""
    with connect(url, name="test") as connection:
        rows = connection.execute(
            "SELECT kernel, version, state::text FROM entity_state WHERE length(state::text) <= %s"
            " ORDER BY kernel, length(state::text) DESC, state::text",
            (LARGEST,),
        ).fetchall()
    states: dict[str, list[str]] = {fold.name: [] for fold in installed().folds}
    versions = {fold.name: fold.version for fold in installed().folds}
    for name, version, text in rows:
        if versions.get(name) == version and len(states[name]) < KEPT:
            states[name].append(text)
    return states


def contradictions(old: Recorded, new: Recorded) -> list[str]:
    """Name what a state saved as `old` is made of that is gone or has another form, though the version is the same."""
    if old.version != new.version:
        return []
    return [name for name, parts in old.form.items() if not _still(parts, new.form.get(name))]


def _still(parts: list[str], today: list[str] | None) -> bool:
    """Whether what was saved as these parts is read as the same today."""
    if today is None:
        return False
    return set(parts) <= set(today) if all(part.startswith("= ") for part in parts) else parts == today


def record_states(states: dict[str, list[str]], *, same_meaning: bool = False) -> list[str]:
    """Record the kernels whose version or form is not recorded yet; returns their names.

    A kernel of which the database holds no state is recorded by its form alone. Raises ValueError where the form
    changed under one version.
    """
    known = recorded() if RECORDED.exists() else {}
    changed: list[str] = []
    for fold in installed().folds:
        old = known.get(fold.name)
        new = now(fold, old.states if old is not None and old.version == fold.version else states[fold.name])
        if old is not None and old.version == new.version and not contradictions(old, new):
            continue
        if old is not None and not same_meaning and (differ := contradictions(old, new)):
            msg = f"{fold.name}: {', '.join(differ)} changed; raise the kernel's version, or say --same-meaning"
            raise ValueError(msg)
        known[fold.name] = new
        changed.append(fold.name)
    kept = {name: known[name]._asdict() for name in sorted(fold.name for fold in installed().folds)}
    RECORDED.write_bytes(orjson.dumps(kept, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return changed


def now(fold: Fold, states: list[str]) -> Recorded:
    """What the code of today makes of saved states; of a kernel that saves none, what its signature says."""
    form = form_of(*map(fold.load, states))
    method = type(fold).fold
    for name in ("state", "_state"):
        _note_named(method.__annotations__.get(name, ""), method.__module__, form)
    if fold.name in PLACES:
        form["places"] = [str(place) for place in PLACES[fold.name]]
    return Recorded(fold.version, dict(sorted(form.items())), states)


def _of_the_small_world() -> dict[str, list[str]]:
    """States that the pipeline tests' world leaves."""
    with (
        scratch_directory("states") as path,
        Postgres(path, binaries=find_postgres_binaries(Services.AUTO)) as server,
        own_database(server) as name,
    ):
        url = server.url(OWNER, name)
        prepare(url)
        engine = open_engine(url)
        partition = engine.open(0)
        engine.apply(partition, [record(0, readings(MINUTES))])
        save_memories(engine)
        close_engines()
        return saved_states(url)


def main() -> None:
    """Record what is new."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("database", nargs="?", help="URL of a database with saved states; else a small world is played")
    parser.add_argument("--same-meaning", action="store_true", help="a name changed, and nothing of what is saved")
    chosen = parser.parse_args()
    states = saved_states(chosen.database) if chosen.database else _of_the_small_world()
    print("recorded:", ", ".join(record_states(states, same_meaning=chosen.same_meaning)) or "nothing new")  # noqa: T201


if __name__ == "__main__":
    main()
