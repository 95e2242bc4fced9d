"""Smoke and water at a base station: whatever the input says, at once (metric specification, section 4, "Safety").

Judged on what was sent: an input that comes as `1` or `"on"`, or in a reading that its FSU calls bad, raises the alarm,
which then says that it may be the sensor. What an FSU calls bad clears nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from schemas.arrival import evidence
from schemas.metrics.signal import Severity, SignalKind
from schemas.readings import DeviceQuality, Kind
from schemas.time import QUARTER_DAY_MS
from streams.kernels.codec import Codec, Saved
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
    version = 2
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
                is_set = sent if isinstance(sent, bool) else _is_set(sent)
                is_bad = reading.quality == DeviceQuality.BAD
                if is_set is None or (is_bad and not is_set):
                    continue
                is_sure = sent is is_set and not is_bad
                standings[at], signal = stand(
                    standings[at],
                    Judgement(
                        active=is_set,
                        since_ts=reading.ts,
                        value=float(is_set),
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


def _is_set(sent: Any) -> bool | None:  # noqa: ANN401 - any JSON
    """Read an input that was not sent as true or false: `1`, `"on"`, `[true]`; None where nothing is known of it."""
    if isinstance(sent, int | float):
        return sent != 0
    if isinstance(sent, dict | list):
        parts = {_is_set(part) for part in (sent.values() if isinstance(sent, dict) else sent)}
        return True if True in parts else False if False in parts else None
    if not isinstance(sent, str):
        return None
    word = sent.strip(" .!。").lower()
    if word in _OFF or _ZERO.fullmatch(word):
        return False
    return None if word in _UNKNOWN else True


_ZERO = re.compile(r"[-+]?0+(\.0*)?|0x0+", re.ASCII)
_OFF = frozenset(
    {"false", "off", "no", "n", "f", "normal", "ok", "good", "clear", "cleared", "inactive", "no alarm", "no smoke"}
    | {
        "no water",
        "正常",
        "无",
        "否",
        "关",
        "关闭",
        "无告警",
        "未告警",
        "无报警",
        "未报警",
        "无烟",
        "无水",
        "告警恢复",
        "恢复",
    }
)
_UNKNOWN = frozenset(
    {"", "-", "--", "none", "null", "nan", "unknown", "n/a", "na", "未知", "无数据", "无效", "通信中断"}
)
