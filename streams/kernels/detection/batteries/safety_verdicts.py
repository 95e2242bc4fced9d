"""What a battery set's safety says of one reading: a standing for each kind of alarm, and the rows given out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from schemas.metrics.signal import Severity, SignalKind
from streams.kernels.detection.batteries.safety_state import KINDS, METRICS
from streams.kernels.detection.judgement import Judgement, Subject, enter, stand, status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.detection import BatteryRules
    from schemas.metrics import Row
    from schemas.readings import BatteryReading
    from schemas.registry import Device
    from streams.kernels.detection.batteries.safety_state import SafetyState

EVENT, SENSOR_OR_EVENT = "event", "sensor or event"
"""What a critical verdict may be, by what bears it out."""
WARMED_C = 3.0
"""The coolest channel bears a hot one out where it is this much above its usual. (unsourced)"""


class SetVerdicts:
    """Takes the verdicts on one set, reading by reading, with the state they are judged by."""

    def __init__(self, rules: BatteryRules, version: str, device: Device, state: SafetyState, rows: list[Row]) -> None:
        """Take a state to advance, and where to put rows."""
        self.rules, self._version, self._device, self._rows = rules, version, device, rows
        self.cell_count = device.battery.cell_count if device.battery else 0
        self.nominal_ah = device.battery.nominal_ah if device.battery else math.inf
        self.state = state
        self.standings = list(state.standings)
        """Of each of `KINDS`; they are the state's when all is taken."""
        self.ts = 0

    def is_idle(self, reading: BatteryReading) -> bool:
        """Whether nearly no current flows; an unknown one is none that is known to be small."""
        return reading.current_a is not None and abs(reading.current_a) < self.rules.idle_c_rate * self.nominal_ah

    def may_be(self, *, is_shared: bool, others: Sequence[float] = ()) -> str:
        """Whether anything bears a sensor out: its like, the coolest channel, a cell that is low as well."""
        state = self.state
        warmed = bool(others) and state.cool is not None and min(others) - state.cool > WARMED_C
        return EVENT if is_shared or warmed or state.sagging or state.low_cell or state.dead_cell else SENSOR_OR_EVENT

    def is_active(self, kind: SignalKind) -> bool:
        """Whether a kind's condition holds as of the last verdict."""
        return self.standings[KINDS.index(kind)].active

    def has_to_say(self, kind: SignalKind, *, active: bool) -> bool:
        """Whether a verdict changes anything: most readings of most sets are normal, and were before."""
        return active or self.standings[KINDS.index(kind)].samples > 0

    def say(
        self,
        kind: SignalKind,
        *,
        active: bool,
        value: float | None,
        evidence: dict[str, Any],
        severity: Severity = Severity.CRITICAL,
        baseline: float | None = None,
        low: float | None = None,
        high: float | None = None,
        z: float | None = None,
        window_s: float = 0.0,
        since_ts: int | None = None,
    ) -> None:
        """Take a verdict on the present reading, and put out a row where it is worth one."""
        if not self.has_to_say(kind, active=active):
            return
        at = KINDS.index(kind)
        verdict = Judgement(
            active=active,
            since_ts=self.ts if since_ts is None else since_ts,
            value=value,
            evidence=evidence,
            severity=severity,
            baseline=baseline,
            low=low,
            high=high,
            z=z,
        )
        self.standings[at], signal = stand(
            self.standings[at],
            verdict,
            subject=self._subject(kind),
            kind=kind,
            ts=self.ts,
            seen_ts=self.ts,
            window_s=window_s,
        )
        if signal is not None:
            self._rows.append(signal)

    def statuses(self, days: int) -> None:
        """Put out how far each kind that must learn has come; `days`: daily float currents it knows."""
        state, rules = self.state, self.rules
        learned = {
            SignalKind.SELF_HEATING: (state.rests, rules.rests_needed),
            SignalKind.CELL_SAG: (state.floats, rules.floats_needed),
            SignalKind.FLOAT_CURRENT: (days, rules.current_days_needed),
        }
        for kind, have in learned.items():
            at = KINDS.index(kind)
            self.standings[at] = enter(self.standings[at], learned=have[0] >= have[1], ts=self.ts)
            self._rows.append(
                status(
                    self.standings[at],
                    subject=self._subject(kind),
                    kind=kind,
                    ts=self.ts,
                    learned=have,
                    baseline=None,
                )
            )

    def _subject(self, kind: SignalKind) -> Subject:
        metric, unit = METRICS[kind]
        return Subject(self._device.device_id, self._device.site_id, metric, unit, self._version)
