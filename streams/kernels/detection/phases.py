"""Phase loss (缺相): one phase of an energy meter is far below the others, in voltage, or in current under load.

The meter then counts about a third too little, or a motor runs on two phases. A phase below 78 % of the highest has
lost its voltage (失压; the usual threshold of DL/T 645 meters, unverified), below 5 % of the highest its current (失流,
unsourced), but only above a tenth of the registered rating: an idle plant's phases may be uneven.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from schemas.detection import own_rule
from schemas.metrics.signal import Severity, SignalKind
from schemas.readings import ElectricityReading, Kind
from schemas.time import QUARTER_DAY_MS
from streams.kernels.detection.judgement import (
    NEW,
    Judgement,
    OneStanding,
    Standing,
    Subject,
    stand,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.arrival import Arrival
    from schemas.detection import PhaseLossRule
    from schemas.metrics import Row
    from schemas.registry import Device

PHASES = 3


class PhaseLoss(OneStanding):
    """Fold of energy meters' readings; one that names no phases is not judged."""

    name = "phase_loss"
    version = 1
    source = frozenset({Kind.ELECTRICITY})
    kinds = frozenset({SignalKind.PHASE_LOSS})
    snapshot_ms = QUARTER_DAY_MS

    def __init__(self, rule: PhaseLossRule, version: str) -> None:
        self._rule = rule
        self._version = version

    def fold(self, state: Standing | None, device: Device, arrivals: Sequence[Arrival]) -> tuple[Standing, list[Row]]:
        """Take readings."""
        standing = state or NEW
        rule = own_rule(self._rule, "phase_loss", device.detection)
        rows: list[Row] = []
        for arrival in arrivals:
            reading = cast("ElectricityReading", arrival.reading)  # by kind
            if not standing.samples and not _is_uneven(reading, rule):
                continue  # nearly always: nothing to judge, and nothing to end
            verdict = _judge(device, reading, rule)
            if verdict is None or (not verdict.active and not standing.samples):
                continue
            standing, signal = stand(
                standing,
                verdict,
                subject=Subject(device.device_id, device.site_id, "phases", "", self._version),
                kind=SignalKind.PHASE_LOSS,
                ts=reading.ts,
                seen_ts=reading.ts,
                window_s=0.0,
            )
            if signal is not None:
                rows.append(signal)
        return standing, rows


def _is_uneven(reading: ElectricityReading, rule: PhaseLossRule) -> bool:
    """Whether a phase is so far below another that it is worth judging."""
    volts, amperes = reading.voltage_v, reading.current_a
    if volts is not None and min(volts) < rule.voltage_share * max(volts):
        return True
    if amperes is None:
        return False
    one, two, three = amperes
    low, *_, high = sorted((abs(one), abs(two), abs(three)))
    return low < rule.current_share * high


def _judge(device: Device, reading: ElectricityReading, rule: PhaseLossRule) -> Judgement | None:
    """Judge whichever quantity tells; a lost voltage comes first."""
    verdict = None
    volts, amperes = reading.voltage_v, reading.current_a
    if not rule.enabled:
        return Judgement(active=False, since_ts=reading.ts, value=None, evidence={"enabled": "no"})
    if volts is not None:
        verdict = _weakest(volts, rule.voltage_share, "voltage_v", reading.ts)
        if verdict is not None and verdict.active:
            return verdict
    rated, power = device.rated_at(reading.ts), reading.power_kw
    if power and not device.is_as_it_shows:
        power *= device.terms_at("power_kw", reading.ts).factor
    loaded = rated and power and abs(power) >= rule.load_share * rated
    if amperes is not None and loaded:
        return _weakest(amperes, rule.current_share, "current_a", reading.ts) or verdict
    return verdict


def _weakest(phases: Sequence[float | None], share: float, quantity: str, ts: int) -> Judgement | None:
    """Hold the weakest of three phases against the strongest; None unless all three are known and one is alive."""
    known = [abs(each) for each in phases if each is not None]
    if len(known) != PHASES or (highest := max(known)) <= 0:
        return None
    lowest = min(known)
    return Judgement(
        active=lowest < share * highest,
        since_ts=ts,
        value=lowest,
        evidence={"quantity": quantity, "phase": known.index(lowest) + 1, "highest": highest, "share": share},
        severity=Severity.HIGH,
        baseline=highest,
        low=share * highest,
    )
