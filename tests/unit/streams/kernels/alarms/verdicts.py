"""Verdicts of a detector in shorthand."""

from __future__ import annotations

from schemas.metrics import Signal
from schemas.metrics.signal import YOUNG_SAMPLES, Severity, SignalKind
from schemas.time import MINUTE_MS

START_TS = 1_780_000_000_000


def verdict(
    minute: int,
    *,
    active: bool,
    samples: int,
    since: int | None = None,
    kind: SignalKind = SignalKind.SEASONAL,
    severity: Severity = Severity.MEDIUM,
    value: float | None = None,
    high: float | None = None,
) -> Signal:
    """One verdict at a minute after the start."""
    ts = START_TS + minute * MINUTE_MS
    return Signal(
        device_id="w-1",
        metric="flow_m3_h",
        kind=kind,
        ts=ts,
        seen_ts=ts,
        site_id="plant-1",
        active=active,
        samples=samples,
        severity=severity,
        since_ts=START_TS + (minute - samples + 1 if since is None else since) * MINUTE_MS,
        value=value,
        baseline=10.0,
        low=None,
        high=high,
        z=None,
        unit="m3/h",
        window_s=60.0,
        cost=3.0,
        cost_unit="m3",
        detector=f"{kind} 1",
        evidence='{"threshold": 3}',
    )


def verdicts(picture: str, kind: SignalKind = SignalKind.SEASONAL) -> list[Signal]:
    """A condition minute by minute, `#` where it holds, `.` where it does not, as a detector gives it out."""
    found: list[Signal] = []
    before, samples = ".", YOUNG_SAMPLES
    for minute, now in enumerate(picture):
        samples = samples + 1 if now == before else 1
        before = now
        if samples <= YOUNG_SAMPLES:
            found.append(verdict(minute, active=now == "#", samples=samples, kind=kind))
    return found
