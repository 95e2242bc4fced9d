"""The form of what kernels save, and saved states to hold the code against; `python -m tests.support.kernel_states`.

A saved state outlives the code that wrote it. One whose form has changed is built again from readings, but only where
the kernel's version says so; read under the version it was written with, it would be taken for something else. So the
form of every kernel's state is recorded beside its version, and with it states as they were saved.

The form is what a kernel's codec says of it: of every record that a state is made of, its fields in order with their
annotations, and of every choice its values. Values that are saved as they are (`= value`) may become more; where the
place in their order is saved, as of what stands in `PLACES`, nothing may be put before another.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import orjson

from fenhe.local import Postgres, Services, find_postgres_binaries, scratch_directory
from fenhe.local.postgres import OWNER
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
FIRST = 40
"""Readings that are played by themselves, of every kind: whether any is refused is seen in seconds."""
LARGEST = 6_000
"""Characters of a recorded state, at most."""
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
    """Saved states, and the form that they have to the code of today."""
    form = dict(fold.codec.form)
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
        sent = readings(MINUTES)
        engine.apply(partition, [record(0, sent[:FIRST])])
        _end_where_refused(url)
        engine.apply(partition, [record(1, sent[FIRST:])])
        save_memories(engine)
        close_engines()
        return saved_states(url)


def _end_where_refused(url: str) -> None:
    """End where a kernel has refused readings of the first minutes: each is looked for by halving, all take hours."""
    with connect(url, name="test") as connection:
        row = connection.execute(
            "SELECT kind, detail FROM quarantine WHERE reason = 'storage_rejected' ORDER BY received_at LIMIT 1"
        ).fetchone()
    if row is not None:
        msg = f"nothing is recorded: a reading of the kind {row[0]} is refused by {row[1]}"
        raise SystemExit(msg)


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
