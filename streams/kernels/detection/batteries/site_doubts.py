"""Devices of a base station that are not believed, as alarms: what is doubted, and since when, tells the row itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics.battery_sites import DoubtKind, SiteDoubt
from schemas.metrics.signal import Severity, SignalKind
from schemas.time import QUARTER_DAY_MS
from streams.kernels.detection.judgement import NEW, Judgement, Stateless, Subject, stand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.metrics import Row
    from schemas.registry import Device


class _Alarm(NamedTuple):
    kind: SignalKind
    severity: Severity


ALARMS = {
    DoubtKind.MAINS: _Alarm(SignalKind.CONTRADICTION, Severity.MEDIUM),
    DoubtKind.SUPPLY: _Alarm(SignalKind.CONTRADICTION, Severity.MEDIUM),
    DoubtKind.BUS: _Alarm(SignalKind.CONTRADICTION, Severity.MEDIUM),
    DoubtKind.SET: _Alarm(SignalKind.CONTRADICTION, Severity.HIGH),
    DoubtKind.BLANK: _Alarm(SignalKind.BLANK, Severity.MEDIUM),
}
"""A set that hides how full it is in an outage is worse than a meter that makes one up."""


class DoubtAlarms(Stateless):
    """Fold of doubts; it remembers nothing, for each tells its beginning and its end."""

    name = "doubt_alarms"
    version = 3
    source = SiteDoubt
    kinds = frozenset({SignalKind.CONTRADICTION, SignalKind.BLANK})
    snapshot_ms = QUARTER_DAY_MS

    def __init__(self, version: str) -> None:
        self._version = version

    def fold(
        self, _state: tuple[()] | None, device: Device, doubts: Sequence[SiteDoubt]
    ) -> tuple[tuple[()], list[Row]]:
        """Take doubts."""
        rows: list[Row] = []
        for doubt in doubts:
            alarm = ALARMS[doubt.kind]
            begun = Judgement(
                active=True,
                since_ts=doubt.ts,
                value=doubt.pack_v,
                evidence={
                    "since_ms": doubt.since_ts,
                    "pack_v": doubt.pack_v,
                    "bus_before_v": doubt.bus_before_v,
                    "bus_low_v": doubt.bus_low_v,
                },
                severity=alarm.severity,
            )
            verdicts = [(doubt.told_ts, begun)]
            if doubt.ended_ts is not None:
                verdicts.append((max(doubt.ended_ts, doubt.told_ts + 1), begun._replace(active=False)))
            subject = Subject(device.device_id, device.site_id, doubt.kind.value, "", self._version)
            standing = NEW
            for ts, verdict in verdicts:
                standing, signal = stand(
                    standing, verdict, subject=subject, kind=alarm.kind, ts=ts, seen_ts=doubt.ts, window_s=0.0
                )
                if signal is not None:
                    rows.append(signal)
        return (), rows
