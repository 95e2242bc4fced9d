"""The simulated world that a demo's directory belongs to, kept from one run to the next."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from schemas.time import json_key

if TYPE_CHECKING:
    from pathlib import Path

WORLD_FILE = "world.json"


class DemoWorld(NamedTuple):
    """The simulated world a demo directory belongs to."""

    scenario: str
    sets: int
    seed: int
    start_ts: int
    """Where its history begins."""
    live_ts: int
    """When it went live first: what is planned happens relative to this."""
    last_ts: int
    """Device time up to which readings were published."""
    waiting: int
    """Readings that were published and not yet stored when the last run ended."""


def earlier_world(directory: Path) -> DemoWorld | None:
    """The world of an earlier run on this directory."""
    path = directory / WORLD_FILE
    if not path.exists():
        return None
    kept = {"scenario": "", "live_ms": 0, "waiting": 0} | json.loads(path.read_text())
    return DemoWorld(**{name: kept[json_key(name)] for name in DemoWorld._fields})


def remember(directory: Path, world: DemoWorld) -> None:
    """Keep a world for the next run on this directory."""
    (directory / WORLD_FILE).write_text(json.dumps({json_key(name): value for name, value in world._asdict().items()}))
