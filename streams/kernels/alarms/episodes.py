"""Episodes of a condition: what delays, deadband and an operator's limits leave of a detector's verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics.signal import Severity
from schemas.time import FOREVER_TS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemas.metrics import Signal
    from streams.kernels.alarms.rules import Rule

SEVERITIES = tuple(Severity)


class Episode(NamedTuple):
    """One stretch of time for which a condition held."""

    raised: Signal
    """The verdict that completed the on-delay."""
    last: Signal
    """The newest verdict that it holds."""
    worst: Severity
    pending_ts: int | None = None
    """It seems to be over since, within the deadband."""
    cleared_ts: int | None = None
    """It is over since; None: it holds."""
    ended_ts: int = FOREVER_TS
    """The sample that completed the off-delay."""
    renewed: bool = False
    """A second onset on top of the one before, which ends there: a second leak while the first still runs."""


def worse(a: Severity, b: Severity) -> Severity:
    """The worse of two."""
    return max(a, b, key=SEVERITIES.index)


def episodes(signals: Iterable[Signal], rule: Rule) -> list[Episode]:
    """Find the episodes in one condition's verdicts, in order of time.

    The first verdicts may lie in the middle of an episode: a verdict that has held for longer than its on-delay
    raises at once.
    """
    found: list[Episode] = []
    now: Episode | None = None
    before: Signal | None = None
    for signal in signals:
        # Samples are counted anew without a verdict in between that it was over.
        is_renewed = before is not None and before.active and signal.active and signal.samples == 1
        before = signal
        if signal.active and _is_evidence(signal, rule):
            if now is not None and is_renewed and rule.on_delay_samples == 1:
                found.append(now._replace(cleared_ts=signal.ts, ended_ts=signal.ts, pending_ts=None))
                now = Episode(signal, signal, signal.severity, renewed=True)
            elif now is not None:
                now = now._replace(last=signal, worst=worse(now.worst, signal.severity), pending_ts=None)
            elif signal.samples >= rule.on_delay_samples:
                now = Episode(signal, signal, signal.severity)
        elif now is not None and not signal.active and signal.samples >= rule.off_delay_samples:
            if _is_clear_of_limits(signal, rule):
                found.append(now._replace(cleared_ts=signal.since_ts, ended_ts=signal.ts, pending_ts=None))
                now = None
            elif now.pending_ts is None:
                now = now._replace(pending_ts=signal.since_ts)
    if now is not None:
        found.append(now)
    return found


def _is_evidence(signal: Signal, rule: Rule) -> bool:
    """Whether a verdict stands against the limits an operator has set; without a value it stands."""
    if signal.value is None or (rule.low is None and rule.high is None):
        return True
    below = rule.low is not None and signal.value < rule.low
    above = rule.high is not None and signal.value > rule.high
    return below or above


def _is_clear_of_limits(signal: Signal, rule: Rule) -> bool:
    """Whether a value has come back by more than the deadband."""
    if signal.value is None:
        return True
    if signal.high is not None and signal.value > signal.high - rule.deadband_share * abs(signal.high):
        return False
    return signal.low is None or signal.value >= signal.low + rule.deadband_share * abs(signal.low)
