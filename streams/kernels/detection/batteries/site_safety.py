"""Smoke and water at a base station: whatever the input says, at once (docs/alarms.md, "Safety").

Judged on what was sent: an input that comes as `1` or `"on"`, or in a reading that its FSU calls bad, raises the alarm,
which then says that it may be the sensor. What an FSU calls bad clears nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from schemas.arrival import evidence
from schemas.metrics.signal import Severity, SignalKind
from schemas.readings import DeviceQuality, Kind
from schemas.time import QUARTER_DAY_MS
from streams.kernels.codec import Codec, Saved
from streams.kernels.detection.batteries.inputs import is_set
from streams.kernels.detection.judgement import (
    NEW,
    STANDING,
    Judgement,
    Signaller,
    Standing,
    Subject,
    stand,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.arrival import Arrival
    from schemas.metrics import Row
    from schemas.readings import SitePowerReading
    from schemas.registry import Device

VERSION = "1"
INPUTS = {"smoke": SignalKind.SMOKE, "water": SignalKind.WATER}


class SiteSafety(Signaller, Saved[tuple[Standing, ...]]):
    """Fold of site power readings: the smoke and the water input, each a condition of its own."""

    name = "site_safety"
    version = 3
    source = frozenset({Kind.SITE_POWER})
    kinds = frozenset(INPUTS.values())
    snapshot_ms = QUARTER_DAY_MS
    codec = Codec(tuple[Standing, ...], shapes={Standing: STANDING})

    def fold(
        self, state: tuple[Standing, ...] | None, device: Device, arrivals: Sequence[Arrival]
    ) -> tuple[tuple[Standing, ...], list[Row]]:
        """Take readings; an input that is not in a reading is not judged by it."""
        standings = list(state or (NEW,) * len(INPUTS))
        rows: list[Row] = []
        for arrival in arrivals:
            reading = cast("SitePowerReading", arrival.reading)  # by kind
            for at, (metric, kind) in enumerate(INPUTS.items()):
                sent = evidence(arrival, metric)
                is_on = sent if isinstance(sent, bool) else is_set(sent)
                is_bad = reading.quality == DeviceQuality.BAD
                if is_on is None or (is_bad and not is_on):
                    continue
                is_sure = sent is is_on and not is_bad
                standings[at], signal = stand(
                    standings[at],
                    Judgement(
                        active=is_on,
                        since_ts=reading.ts,
                        value=float(is_on),
                        evidence={} if is_sure else {"sent": str(sent)[:60], "may_be": "sensor or event"},
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
