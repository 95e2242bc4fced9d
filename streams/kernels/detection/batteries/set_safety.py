"""A battery set's safety, judged on each reading, and its cells, judged once a day (metric specification, section 4).

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

import dataclasses
import math
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from schemas.detection import own_rule
from schemas.metrics.signal import Severity, SignalKind
from schemas.readings import BatteryReading, DeviceQuality, Kind
from schemas.time import HOUR_MS, MINUTE_MS, QUARTER_DAY_MS, local_day
from streams.kernels.detection.batteries import channels, dead_cells
from streams.kernels.detection.batteries.channels import Channels, Seen
from streams.kernels.detection.batteries.stuck_currents import StuckCurrents
from streams.kernels.detection.batteries.stuck_sensors import Watch, look, watch_from_json, watch_to_json
from streams.kernels.detection.judgement import (
    NEW,
    Judgement,
    Signaller,
    Standing,
    Subject,
    enter,
    stand,
    standing_from_json,
    standing_to_json,
    status,
)
from streams.kernels.detection.packed import Floats, packed, packed_bytes, pushed, single, unpacked, unpacked_bytes
from streams.kernels.detection.robust import SD_PER_MAD, median, robust_sd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.arrival import Arrival
    from schemas.detection import BatteryRules
    from schemas.metrics import Row
    from schemas.registry import Device
    from streams.kernels.detection.batteries.channels import Fault
    from streams.kernels.detection.batteries.dead_cells import Dead

CELLS = 16
RATE_SPAN_MS = 5 * MINUTE_MS
RATE_MIN_SPAN_MS = 4 * MINUTE_MS
RATE_POINTS = 4
GAP_MS = 10 * MINUTE_MS
"""After so long without a reading float begins anew. (unsourced)"""
WEEK = 7
DAY_S = 86_400.0
STEP_MV = 1.0
"""Daily places of cells are remembered to the millivolt."""

EVENT, SENSOR_OR_EVENT = "event", "sensor or event"
"""What a critical verdict may be, by what bears it out."""
SHARED_C = 10.0
"""Another channel as near as this to the limit, or to the hottest, bears it out. (unsourced)"""
WARMED_C = 3.0
"""So does the coolest channel, where it is this much above its usual. (unsourced)"""
OWN_SHARE = 0.5
"""Of the height above ambient that is unusual, what T_max itself must have risen: an ambient that falls heats nothing.
(unsourced)"""

METRICS = {
    SignalKind.OVER_TEMPERATURE: ("temperature_max_c", "°C"),
    SignalKind.SELF_HEATING: ("temperature_rise_c", "°C"),
    SignalKind.CELL_SAG: ("cell_voltage_mv", "mV"),
    SignalKind.FLOAT_CURRENT: ("float_current_a", "A"),
    SignalKind.CELL_SPREAD: ("float_spread_mv", "mV"),
    SignalKind.WEAK_CELL: ("cell_voltage_mv", "mV"),
    SignalKind.STUCK_SENSOR: ("sensors", ""),
    SignalKind.SENSOR_FAULT: ("sensors", ""),
}
KINDS = tuple(METRICS)


@dataclass(slots=True)
class SetState:
    """What the next reading of a set needs of those before it; a fold advances a copy."""

    ts: int
    float_since: int = 0
    """Since when it floats; 0 while it does not."""
    temperatures: tuple[tuple[int, float], ...] = ()
    """(ts, T_max) of the last five minutes."""
    places: Floats = ()
    """Usual distance of each cell from the pack's median in float, mV."""
    noise: float = 0.0
    """Variance of a cell around its place, mV²."""
    floats: int = 0
    """Readings in float that were learned from."""
    low_cell: int = 0
    """Cell (1-based) that the last reading showed far too low."""
    sagging: int = 0
    """Cell that is in alarm."""
    rise: float = 0.0
    rise_variance: float = 0.0
    rests: int = 0
    """T_max − T_ambient at rest: mean, variance, readings."""
    scatter: float = 0.0
    """Usual variance of T_max around the straight line of five minutes, °C²."""
    warm: int = 0
    """Readings in a row far above it."""
    day: int = 0
    day_sums: Floats = ()
    """Of the open day, per cell: sum of distances in float, mV."""
    day_current_a: float = 0.0
    day_readings: int = 0
    days: tuple[tuple[int, ...], ...] = ()
    """Daily mean place of each cell in float, mV, of the last week."""
    currents: Floats = ()
    """Daily mean float current, A."""
    standings: tuple[Standing, ...] = (NEW,) * len(KINDS)
    sensors: Watch = field(default_factory=Watch)
    channels: Channels = field(default_factory=Channels)
    hot: float | None = None
    """Usual T_max at rest, °C."""
    cool: float | None = None
    """Usual temperature of the coolest channel at rest, °C."""
    seen_cells: int = 0
    """Cells that ever showed a voltage, as bits."""
    dead_cell: int = 0
    """Cell that the last reading showed dead, or that is in alarm for it."""


class SetSafety(Signaller):
    """Fold of battery readings: the safety set and the state of the cells in float."""

    name = "set_safety"
    version = 1
    source = frozenset({Kind.BATTERY})
    kinds = frozenset(KINDS)
    left_alone = StuckCurrents.metrics
    snapshot_ms = QUARTER_DAY_MS

    def __init__(self, rules: BatteryRules, version: str) -> None:
        self._rules = rules
        self._version = version

    def fold(self, state: SetState | None, device: Device, arrivals: Sequence[Arrival]) -> tuple[SetState, list[Row]]:
        """Take readings; what a reading lacks is not judged by it."""
        rows: list[Row] = []
        rules = own_rule(self._rules, "battery", device.detection)
        after = SetState(arrivals[0].reading.ts) if state is None else SetState(*_fields_of(state))
        judge = _Judge(rules, self._version, device, after, rows)
        for arrival in arrivals:
            judge.take(arrival)
        after.standings = tuple(judge.standings)
        return after, rows

    def dump(self, state: SetState) -> str:
        """Write a state as JSON."""
        return orjson.dumps(_to_json(state)).decode()

    def load(self, text: str) -> SetState:
        """Read a state back."""
        return _from_json(orjson.loads(text))


_NAMES = tuple(field.name for field in dataclasses.fields(SetState))
_fields_of = attrgetter(*_NAMES)


def _to_json(state: SetState) -> list[Any]:
    fields: dict[str, Any] = dict(zip(_NAMES, _fields_of(state), strict=True))
    fields["temperatures"] = [list(sample) for sample in state.temperatures]
    for name in ("places", "day_sums", "currents"):
        fields[name] = packed(fields[name])
    fields["days"] = [packed_bytes(day) for day in state.days]
    fields["standings"] = [standing_to_json(standing) for standing in state.standings]
    fields["sensors"] = watch_to_json(state.sensors)
    fields["channels"] = channels.to_json(state.channels)
    return list(fields.values())


def _from_json(values: list[Any]) -> SetState:
    """Read a state, also one from before sensors were watched: 7 000 sets are not folded again for that."""
    fields = dict(zip(_NAMES, values, strict=False))
    fields["temperatures"] = tuple((ts, celsius) for ts, celsius in fields["temperatures"])
    for name in ("places", "day_sums", "currents"):
        fields[name] = unpacked(fields[name])
    fields["days"] = tuple(unpacked_bytes(day) for day in fields["days"])
    standings = [standing_from_json(standing) for standing in fields["standings"]]
    fields["standings"] = (*standings, *[NEW] * (len(KINDS) - len(standings)))
    fields["sensors"] = watch_from_json(fields["sensors"]) if "sensors" in fields else Watch()
    if "channels" in fields:
        fields["channels"] = channels.from_json(fields["channels"])
    return SetState(**fields)


class _Judge:
    """Judges the readings of one set."""

    def __init__(self, rules: BatteryRules, version: str, device: Device, state: SetState, rows: list[Row]) -> None:
        """Take a state to advance, and where to put rows."""
        self._rules, self._version, self._device, self._rows = rules, version, device, rows
        self._nominal_ah = device.battery.nominal_ah if device.battery else math.inf
        self._state = state
        self.standings = list(state.standings)
        """Of each of `KINDS`; they are the state's when all is taken."""
        self._ts = 0
        self._drawn: Sequence[tuple[int, float]] = ()
        """Samples that the line is drawn through."""
        self._line = Line()

    def take(self, arrival: Arrival) -> None:
        """Advance the set by one reading."""
        reading, state = arrival.reading, self._state
        assert isinstance(reading, BatteryReading)  # noqa: S101 - by kind
        self._ts = reading.ts
        memory, seen = channels.look_at(state.channels, arrival, self._rules.temperature_max_c)
        if reading.quality == DeviceQuality.BAD:  # no measurement: what it shows of a danger is all that counts
            self._over_temperature(seen, only_rising=True)
            return
        state.channels = memory
        state.seen_cells, dead, faults = dead_cells.look_at(state.seen_cells, arrival)
        self._temperature(reading, seen)
        day = local_day(reading.ts)
        if day != state.day:
            self._day()
            state.day = day
        if not self._dead_cell(dead):
            self._cells(reading)
        self._sensors(reading)
        self._faults([*seen.faults, *faults])
        state.ts = reading.ts

    def _is_idle(self, reading: BatteryReading) -> bool:
        return reading.current_a is not None and abs(reading.current_a) < self._rules.idle_c_rate * self._nominal_ah

    def _over_temperature(self, seen: Seen, *, only_rising: bool = False) -> float | None:
        """Judge the hottest channel that can be believed; returns what it shows."""
        hottest = max((celsius for celsius in seen.celsius if celsius is not None), default=None)
        if hottest is None:
            return None
        rules = self._rules
        limit = rules.temperature_max_c
        if self._is_active(SignalKind.OVER_TEMPERATURE):
            limit -= rules.temperature_deadband_c
        active = hottest > limit
        if not active and (only_rising or seen.missing):
            return hottest  # the channel that was hot shows nothing now: that is no all-clear
        if self._has_to_say(SignalKind.OVER_TEMPERATURE, active=active):
            others = _others(seen, hottest)
            self._say(
                SignalKind.OVER_TEMPERATURE,
                active=active,
                value=hottest,
                high=rules.temperature_max_c,
                evidence={
                    "sensors_c": str([celsius for celsius in seen.celsius if celsius is not None]),
                    "channel": seen.celsius.index(hottest) + 1,
                    "may_be": self._may_be(is_shared=any(other > limit - SHARED_C for other in others), others=others),
                },
            )
        return hottest

    def _may_be(self, *, is_shared: bool, others: Sequence[float] = ()) -> str:
        """Whether anything bears a sensor out: its like, the coolest channel, a cell that is low as well."""
        state = self._state
        warmed = bool(others) and state.cool is not None and min(others) - state.cool > WARMED_C
        return EVENT if is_shared or warmed or state.sagging or state.low_cell or state.dead_cell else SENSOR_OR_EVENT

    def _temperature(self, reading: BatteryReading, seen: Seen) -> None:
        hottest = self._over_temperature(seen)
        if hottest is None:
            return
        line = self._line_through(reading.ts, hottest)
        if self._is_idle(reading):
            self._self_heating(reading, seen, hottest, line)
        else:
            self._state.warm = 0

    def _line_through(self, ts: int, hottest: float) -> Line:
        """Draw the line through the last five minutes; every half minute there is another sample of it."""
        kept = self._state.temperatures
        if kept and ts - kept[0][0] > RATE_SPAN_MS:
            kept = tuple(sample for sample in kept if ts - sample[0] <= RATE_SPAN_MS)
        if not kept or ts - kept[-1][0] >= MINUTE_MS // 2:
            kept = (*kept, (ts, hottest))
        if kept is not self._drawn:
            self._state.temperatures = self._drawn = kept
            self._line = slope_of(kept)
        return self._line

    def _self_heating(self, reading: BatteryReading, seen: Seen, hottest: float, line: Line) -> None:
        """Judge the slope of T_max, and its height above the ambient: of which it must have risen by half itself."""
        state, rules = self._state, self._rules
        slope, scatter = line.slope, max(line.variance, state.scatter)
        error = math.sqrt(scatter / line.squares) if line.squares else 0.0
        is_steep = slope > max(rules.rate_max_c_min, rules.rate_errors * error)
        rise = None if seen.ambient is None else hottest - seen.ambient
        if state.hot is None:
            state.hot = hottest
        warm = 0
        usual, allowed = state.rise, math.inf
        if rise is not None and state.rests >= rules.rests_needed:
            allowed = max(rules.rise_min_c, rules.rise_sd * math.sqrt(state.rise_variance))
            above = rise - usual
            warm = state.warm + 1 if above > allowed and hottest - state.hot > OWN_SHARE * above else 0
        active = is_steep or warm >= rules.rise_readings
        if self._has_to_say(SignalKind.SELF_HEATING, active=active):
            self._say(
                SignalKind.SELF_HEATING,
                active=active,
                value=hottest if rise is None else rise,
                baseline=usual if state.rests else None,
                high=None if math.isinf(allowed) else usual + allowed,
                evidence={
                    "rate_c_min": slope,
                    "rate_error_c_min": error,
                    "current_a": reading.current_a,
                    "may_be": self._may_be(is_shared=False, others=_others(seen, hottest)),
                },
            )
        if line.squares and not is_steep:
            state.scatter += (line.variance - state.scatter) / min(state.rests + 1, rules.memory_readings)
        if rise is not None and not active and not warm:
            state.rests += 1
            weight = 1 / min(state.rests, rules.memory_readings)
            coolest = min(celsius for celsius in seen.celsius if celsius is not None)
            state.hot += weight * (hottest - state.hot)
            state.cool = coolest if state.cool is None else state.cool + weight * (coolest - state.cool)
            off = rise - state.rise
            state.rise += weight * off
            state.rise_variance += weight * ((1 - weight) * off * off - state.rise_variance)
        state.warm = warm

    def _dead_cell(self, dead: Dead | None) -> bool:
        """Judge a cell that is dead, in float or not; whether that is all there is to say of the cells."""
        state = self._state
        if dead is not None:
            is_sure = dead.confirmed or state.dead_cell == dead.cell
            state.dead_cell = dead.cell
            if is_sure:
                off = (dead.volts - dead.median) * 1000
                evidence: dict[str, float | int | str | None] = {
                    "cell": dead.cell,
                    "found_by": "dead",
                    "cell_v": dead.volts,
                    "may_be": EVENT if dead.confirmed else SENSOR_OR_EVENT,
                }
                self._say(SignalKind.CELL_SAG, active=True, value=off, evidence=evidence)
                state.sagging = dead.cell
            return True
        if not state.dead_cell:
            return False
        at = KINDS.index(SignalKind.CELL_SAG)
        if self.standings[at].samples == 0:  # over, and said
            state.dead_cell = 0
            return False
        self._say(SignalKind.CELL_SAG, active=False, value=None, evidence={"cell": state.dead_cell, "found_by": "dead"})
        state.sagging = 0
        return True

    def _faults(self, faults: Sequence[Fault]) -> None:
        if self._has_to_say(SignalKind.SENSOR_FAULT, active=bool(faults)):
            self._say(
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

    def _cells(self, reading: BatteryReading) -> None:
        state, rules, ts = self._state, self._rules, reading.ts
        cells = [volts for volts in reading.cell_voltage_v or () if volts is not None]
        volts = median(cells) if cells else 0.0
        floats = self._is_idle(reading) and len(cells) >= rules.cells_needed and volts >= rules.float_cell_v
        if not floats or (state.float_since and ts - state.ts > GAP_MS):
            state.float_since, state.low_cell = ts if floats else 0, 0
            return
        if not state.float_since:
            state.float_since = ts
            return
        if ts - state.float_since < rules.float_settle_h * HOUR_MS:
            return
        present = [*(reading.cell_voltage_v or ()), *[None] * CELLS][:CELLS]
        off = [math.nan if cell is None else (cell - volts) * 1000 for cell in present]
        places = state.places or tuple(single(each) for each in off)
        noise = max(math.sqrt(state.noise), rules.cell_noise_mv)
        falls = [now - usual for now, usual in zip(off, places, strict=True)]
        lowest = min((fall for fall in falls if not math.isnan(fall)), default=math.nan)
        cell = falls.index(lowest) + 1 if not math.isnan(lowest) else 0
        learned = state.floats >= rules.floats_needed
        far = rules.sag_z * noise * (0.5 if state.sagging else 1.0)
        is_low = learned and not math.isnan(lowest) and lowest < -far
        if learned:
            active = is_low and (state.sagging > 0 or state.low_cell == cell)
            self._say(
                SignalKind.CELL_SAG,
                active=active,
                value=off[cell - 1] if cell else None,
                baseline=places[cell - 1] if cell else None,
                low=places[cell - 1] - far if cell else None,
                z=lowest / noise,
                evidence={
                    "cell": cell,
                    "found_by": "sudden",
                    "may_be": EVENT if active and self._is_active(SignalKind.SELF_HEATING) else SENSOR_OR_EVENT,
                },
            )
            state.sagging = cell if active else 0
        if not is_low:
            weight = 1 / min(state.floats + 1, rules.memory_readings)
            squares = [fall * fall for fall in falls if not math.isnan(fall)]
            square = sum(squares) / len(squares) if squares else state.noise
            state.places = tuple(
                single(now if math.isnan(usual) else usual if math.isnan(now) else usual + weight * (now - usual))
                for now, usual in zip(off, places, strict=True)
            )
            state.noise += weight * (square - state.noise)
            state.floats += 1
        sums = state.day_sums or (0.0,) * CELLS
        state.low_cell = cell if is_low else 0
        state.day_sums = tuple(single(total + now) for total, now in zip(sums, off, strict=True))
        state.day_current_a += reading.current_a or 0.0
        state.day_readings += 1

    def _sensors(self, reading: BatteryReading) -> None:
        self._state.sensors, stuck = look(self._state.sensors, reading, self._rules)
        if stuck is None:
            return
        self._say(
            SignalKind.STUCK_SENSOR,
            active=bool(stuck),
            value=float(len(stuck)),
            evidence={
                "channels": ", ".join(f"{each.field} {each.number}" for each in stuck),
                "shown": ", ".join(f"{each.value:g}" for each in stuck),
                "others_moved": ", ".join(f"{each.moved:.3g}" for each in stuck),
            },
            severity=Severity.MEDIUM,
            since_ms=min((each.since_ms for each in stuck), default=None),
        )

    def _day(self) -> None:
        """Judge a day of float that is over; a day with too little float is not judged."""
        state, rules = self._state, self._rules
        sums, current_a, count = state.day_sums, state.day_current_a, state.day_readings
        state.day_sums, state.day_current_a, state.day_readings = (), 0.0, 0
        if count < rules.day_readings_needed:
            return
        means = [total / count for total in sums]
        today = tuple(max(-127, min(127, round(mean / STEP_MV))) if not math.isnan(mean) else -128 for mean in means)
        known = [mean for mean in means if not math.isnan(mean)]
        if len(known) < rules.cells_needed:
            return
        current = current_a / count
        spread = max(known) - min(known)
        scale = max(robust_sd(known), rules.cell_noise_mv * SD_PER_MAD)
        lowest = min(known)
        cell = means.index(lowest) + 1
        z = (lowest - median(known)) / scale
        fallen = 0.0
        if len(state.days) == WEEK and state.days[0][cell - 1] != -128:  # noqa: PLR2004 - unknown
            fallen = today[cell - 1] - state.days[0][cell - 1]
        evidence: dict[str, float | int | str | None] = {"cell": cell, "fallen_7d_mv": fallen, "readings": count}
        is_weak = z < -rules.weak_z
        is_falling = fallen <= -rules.fall_mv
        if is_weak and is_falling:
            self._say(SignalKind.CELL_SAG, active=True, value=lowest, z=z, evidence=evidence, window_s=DAY_S)
        self._say(
            SignalKind.WEAK_CELL,
            active=is_weak,
            value=lowest,
            z=z,
            evidence=evidence,
            severity=Severity.MEDIUM,
            window_s=DAY_S,
        )
        self._say(
            SignalKind.CELL_SPREAD,
            active=spread > rules.spread_max_mv,
            value=spread,
            high=rules.spread_max_mv,
            evidence=evidence,
            severity=Severity.MEDIUM,
            window_s=DAY_S,
        )
        currents = state.currents
        raised = False
        if len(currents) >= rules.current_days_needed:
            usual = median(currents)
            allowed = max(rules.current_sd * robust_sd(currents), rules.current_c_rate * self._nominal_ah)
            raised = current > usual + allowed
            self._say(
                SignalKind.FLOAT_CURRENT,
                active=raised,
                value=current,
                baseline=usual,
                high=usual + allowed,
                evidence={"days": len(currents)},
                severity=Severity.HIGH,
                window_s=DAY_S,
            )
        self._statuses(len(currents))
        state.days = (*state.days, today)[-WEEK:]
        if not raised:
            state.currents = pushed(currents, current, rules.current_days)

    def _statuses(self, days: int) -> None:
        state, rules = self._state, self._rules
        learned = {
            SignalKind.SELF_HEATING: (state.rests, rules.rests_needed),
            SignalKind.CELL_SAG: (state.floats, rules.floats_needed),
            SignalKind.FLOAT_CURRENT: (days, rules.current_days_needed),
        }
        for kind, have in learned.items():
            at = KINDS.index(kind)
            self.standings[at] = enter(self.standings[at], learned=have[0] >= have[1], ts=self._ts)
            self._rows.append(
                status(
                    self.standings[at],
                    subject=self._subject(kind),
                    kind=kind,
                    ts=self._ts,
                    learned=have,
                    baseline=None,
                )
            )

    def _is_active(self, kind: SignalKind) -> bool:
        return self.standings[KINDS.index(kind)].active

    def _has_to_say(self, kind: SignalKind, *, active: bool) -> bool:
        """Whether a verdict changes anything: most readings of most sets are normal, and were before."""
        return active or self.standings[KINDS.index(kind)].samples > 0

    def _subject(self, kind: SignalKind) -> Subject:
        metric, unit = METRICS[kind]
        return Subject(self._device.device_id, self._device.site_id, metric, unit, self._version)

    def _say(
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
        since_ms: int | None = None,
    ) -> None:
        if not self._has_to_say(kind, active=active):
            return
        at = KINDS.index(kind)
        verdict = Judgement(
            active=active,
            since_ms=self._ts if since_ms is None else since_ms,
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
            ts=self._ts,
            seen_ts=self._ts,
            window_s=window_s,
        )
        if signal is not None:
            self._rows.append(signal)


def _others(seen: Seen, hottest: float) -> list[float]:
    """What the other channels show."""
    others = [celsius for celsius in seen.celsius if celsius is not None]
    others.remove(hottest)
    return others


class Line(NamedTuple):
    """A straight line through samples over time in minutes."""

    slope: float = 0.0
    variance: float = 0.0
    """Of the samples around it."""
    squares: float = 0.0
    """Σ(t − t̄)²: the slope's own variance is variance / squares; 0 where there is no line."""


def slope_of(samples: Sequence[tuple[int, float]]) -> Line:
    """Fit a straight line through (ms, °C); none where they are fewer than four or span less than four minutes."""
    if len(samples) < RATE_POINTS or samples[-1][0] - samples[0][0] < RATE_MIN_SPAN_MS:
        return Line()
    minutes = [(ts - samples[0][0]) / MINUTE_MS for ts, _ in samples]
    mean_t = sum(minutes) / len(minutes)
    mean_c = sum(celsius for _, celsius in samples) / len(samples)
    offsets = [(minute - mean_t, celsius - mean_c) for minute, (_, celsius) in zip(minutes, samples, strict=True)]
    squares = sum(time * time for time, _ in offsets)
    slope = sum(time * heat for time, heat in offsets) / squares
    residual = sum((heat - slope * time) ** 2 for time, heat in offsets)
    return Line(slope, residual / (len(samples) - 2), squares)
