"""The simulated world that a demo's directory belongs to, kept from one run to the next."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

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
    written = json.loads(path.read_text())
    kept = {"scenario": "", "live_ts": 0, "waiting": 0} | {
        (f"{name[:-3]}_ts" if name.endswith("_ms") else name): value  # as it was written up to November 2026
        for name, value in written.items()
    }
    return DemoWorld(**{name: kept[name] for name in DemoWorld._fields})


def remember(directory: Path, world: DemoWorld) -> None:
    """Keep a world for the next run on this directory."""
    (directory / WORLD_FILE).write_text(json.dumps(world._asdict()))
