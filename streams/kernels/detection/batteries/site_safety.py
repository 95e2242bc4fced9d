"""Smoke and water at a base station: whatever the input says, at once (metric specification, section 4, "Safety")."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from schemas.metrics.signal import Severity, SignalKind
from schemas.readings import Kind, SitePowerReading
from schemas.time import QUARTER_DAY_MS
from streams.kernels.detection.judgement import (
    NEW,
    Judgement,
    Signaller,
    Standing,
    Subject,
    stand,
    standing_from_json,
    standing_to_json,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.arrival import Arrival
    from schemas.metrics import Row
    from schemas.registry import Device

VERSION = "1"
INPUTS = {"smoke": SignalKind.SMOKE, "water": SignalKind.WATER}


class SiteSafety(Signaller):
    """Fold of site power readings: the smoke and the water input, each a condition of its own."""

    name = "site_safety"
    version = 1
    source = frozenset({Kind.SITE_POWER})
    kinds = frozenset(INPUTS.values())
    snapshot_ms = QUARTER_DAY_MS

    def fold(
        self, state: tuple[Standing, ...] | None, device: Device, arrivals: Sequence[Arrival]
    ) -> tuple[tuple[Standing, ...], list[Row]]:
        """Take readings; an input that is not in a reading is not judged by it."""
        standings = list(state or (NEW,) * len(INPUTS))
        rows: list[Row] = []
        for arrival in arrivals:
            reading = arrival.reading
            assert isinstance(reading, SitePowerReading)  # noqa: S101 - by kind
            for at, (metric, kind) in enumerate(INPUTS.items()):
                is_set: bool | None = getattr(reading, metric)
                if is_set is None:
                    continue
                standings[at], signal = stand(
                    standings[at],
                    Judgement(
                        active=is_set,
                        since_ms=reading.ts,
                        value=float(is_set),
                        evidence={},
                        severity=Severity.CRITICAL,
                        high=0.0,
                    ),
                    subject=Subject(device.device_id, device.site_id, metric, "", VERSION),
                    kind=kind,
                    ts=reading.ts,
                    seen_ts=reading.ts,
                    window_s=0.0,
                )
                if signal is not None:
                    rows.append(signal)
        return tuple(standings), rows

    def dump(self, state: tuple[Standing, ...]) -> str:
        """Write a state as JSON."""
        return orjson.dumps([standing_to_json(standing) for standing in state]).decode()

    def load(self, text: str) -> tuple[Standing, ...]:
        """Read a state back."""
        return tuple(standing_from_json(fields) for fields in orjson.loads(text))
