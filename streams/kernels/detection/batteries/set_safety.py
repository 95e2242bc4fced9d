"""A battery set's safety, judged on each reading, and its cells, judged once a day.

Source of the numbers: docs/battery-health.md, "Numbers and their sources".

* over-temperature: T_max > 55 °C;
* self-heating, with |I| < 0.05 C: dT/dt > 1 °C/min as the slope of a straight line through five minutes, steeper than
  six of its own standard errors; or T_max − T_ambient far above what this set shows at rest;
* cell sag, in float: one cell suddenly below its own usual place in the pack, or at z < −6 (median and MAD of the
  pack's daily means) and fallen over seven days;
* float current: its daily mean above 28 days of it;
* spread and weak cell: daily means in float above 50 mV, or at z < −6 without falling;
* stuck sensors, which would see none of this (`stuck_sensors`).

What is sudden is measured against the set itself: retired cells differ by more than a sick one moves in its first hour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from schemas.detection import own_rule
from schemas.metrics.signal import Severity, SignalKind
from schemas.readings import BatteryReading, DeviceQuality, Kind
from schemas.time import QUARTER_DAY_MS, local_day
from streams.kernels.battery.temperature_line import TemperatureLine
from streams.kernels.codec import Codec, Saved
from streams.kernels.detection.batteries import cell_days, cell_sag, channels, dead_cells, heating
from streams.kernels.detection.batteries.safety_state import KINDS, SHAPES, SafetyState, copied
from streams.kernels.detection.batteries.safety_verdicts import SetVerdicts
from streams.kernels.detection.batteries.stuck_currents import StuckCurrents
from streams.kernels.detection.batteries.stuck_sensors import look
from streams.kernels.detection.judgement import Signaller

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.arrival import Arrival
    from schemas.detection import BatteryRules
    from schemas.metrics import Row
    from schemas.registry import Device
    from streams.kernels.detection.batteries.channels import ChannelFault


class SetSafety(Signaller, Saved[SafetyState]):
    """Fold of battery readings: the safety set and the state of the cells in float."""

    name = "set_safety"
    version = 5
    source = frozenset({Kind.BATTERY})
    kinds = frozenset(KINDS)
    left_alone = StuckCurrents.metrics
    snapshot_ms = QUARTER_DAY_MS
    codec = Codec(SafetyState, TemperatureLine, shapes=SHAPES)

    def __init__(self, rules: BatteryRules, version: str) -> None:
        self._rules = rules
        self._version = version

    def fold(
        self, state: SafetyState | None, device: Device, arrivals: Sequence[Arrival]
    ) -> tuple[SafetyState, list[Row]]:
        """Take readings; what a reading lacks is not judged by it."""
        rows: list[Row] = []
        rules = own_rule(self._rules, "battery", device.detection)
        after = SafetyState(arrivals[0].reading.ts) if state is None else copied(state)
        verdicts = SetVerdicts(rules, self._version, device, after, rows)
        for arrival in arrivals:
            _take(verdicts, arrival)
        after.standings = tuple(verdicts.standings)
        return after, rows


def _take(verdicts: SetVerdicts, arrival: Arrival) -> None:
    """Advance the set by one reading."""
    reading, state = cast("BatteryReading", arrival.reading), verdicts.state  # by kind
    verdicts.ts = reading.ts
    memory, seen = channels.look_at(state.channels, arrival, verdicts.rules.temperature_max_c)
    if reading.quality == DeviceQuality.BAD:  # no measurement: what it shows of a danger is all that counts
        heating.over_temperature(verdicts, seen, only_rising=True)
        return
    state.channels = memory
    state.seen_cells, dead, faults = dead_cells.look_at(state.seen_cells, arrival, verdicts.cell_count, state.dead_cell)
    heating.judge(verdicts, reading, seen)
    day = local_day(reading.ts)
    if day != state.day:
        cell_days.judge(verdicts)
        state.day = day
    if not cell_sag.is_dead(verdicts, dead):
        cell_sag.judge(verdicts, reading)
    _sensors(verdicts, reading)
    _faults(verdicts, [*seen.faults, *faults])
    state.ts = reading.ts


def _sensors(verdicts: SetVerdicts, reading: BatteryReading) -> None:
    verdicts.state.sensors, stuck = look(verdicts.state.sensors, reading, verdicts.rules)
    if stuck is None:
        return
    verdicts.say(
        SignalKind.STUCK_SENSOR,
        active=bool(stuck),
        value=float(len(stuck)),
        evidence={
            "channels": ", ".join(f"{each.field} {each.number}" for each in stuck),
            "shown": ", ".join(f"{each.value:g}" for each in stuck),
            "others_moved": ", ".join(f"{each.moved:.3g}" for each in stuck),
        },
        severity=Severity.MEDIUM,
        since_ts=min((each.since_ts for each in stuck), default=None),
    )


def _faults(verdicts: SetVerdicts, faults: Sequence[ChannelFault]) -> None:
    if verdicts.has_to_say(SignalKind.SENSOR_FAULT, active=bool(faults)):
        verdicts.say(
            SignalKind.SENSOR_FAULT,
            active=bool(faults),
            value=float(len(faults)),
            evidence={
                "channels": ", ".join(f"{each.field} {each.number}" for each in faults),
                "shown": ", ".join(f"{each.value:g}" for each in faults),
                "why": ", ".join(each.why for each in faults),
            },
            severity=Severity.MEDIUM,
        )
