"""Scenes that several tests look at; made once, they are never advanced twice."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from simulators.fleet.outages import RegionalOutage
from simulators.scenes.scene import Scene

if TYPE_CHECKING:
    from simulators.wire.message import DeviceMessage

START_TS = 1_772_323_200_000
"""2026-03-01T00:00:00Z: still the heating season."""
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
OUTAGE = RegionalOutage(START_TS + HOUR_MS, duration_ms=5 * HOUR_MS, share=1.0)


@cache
def scene_and_messages() -> tuple[Scene, list[DeviceMessage]]:
    """Nine hours of forty sets and a plant of each sector, with an outage long enough to empty some of the sets."""
    scene = Scene(seed=11, sets=40, start_ts=START_TS, regional=[OUTAGE])
    return scene, list(scene.advance(START_TS + 9 * HOUR_MS))
