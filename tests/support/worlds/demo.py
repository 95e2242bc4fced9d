"""A part of a scenario's world on an engine and a database of its own, played without broker and log."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from fenhe.commands.reference import load as load_reference_data
from fenhe.demo.planned import plan_tests
from fenhe.scoring.play import play
from schemas.time import HOUR_MS
from storage.migrate import migrate
from storage.pool import connect, open_pool
from storage.registry import import_registry
from streams.engine.engine import Engine
from streams.installed import installed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from fenhe.local import Postgres
    from schemas.registry import Registry
    from simulators.scenes.scene import Scene


@contextmanager
def played(
    postgres: Postgres, name: str, scene: Scene, known: Registry, *, heard: AbstractSet[str], until_ts: int
) -> Iterator[str]:
    """Play what the devices `heard` send before `until_ts` (ms) into a database of this name; its owner's URL."""
    url = postgres.create_database(name)
    migrate(url)
    load_reference_data(url)
    with connect(url, name="test") as connection:
        import_registry(connection, known)
        plan_tests(connection, scene)
    engine = Engine(open_pool(url, size=2, name="test"), installed(), "test", 1)
    sent = (message for message in scene.advance(until_ts) if message.device_id in heard)
    play(sent, engine, span_ms=4 * HOUR_MS)
    engine.close()
    yield url
    postgres.drop_database(name)
