"""A battery set as its BMS shows it: newest view, cell spread, temperature rise, energy in and out.

Nothing here is an estimate of health: charge and energy are sums over time of what was measured, and only over
time that was measured. A gap adds nothing and is missing from the coverage; nor does a record of zeros. A current
whose sign the voltage has shown to be the wrong way round is turned; one that stands for longer than it ever did, or
against the voltage, makes its quarters of an hour estimates, those too that were told before that was known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from schemas.metrics import BatteryLatest, BatteryQuarter, Quality, Row, quality_of
from schemas.metrics.battery_health import BatteryFlag
from schemas.readings import BatteryReading, Kind
from schemas.time import FOREVER_TS, HOUR_MS, MINUTE_MS, QUARTER_DAY_MS, QUARTER_MS
from streams.kernels.battery.blank import is_blank
from streams.kernels.battery.current_sensor import CurrentSensor, SensorSeen, unsettled_from, unwatched, watch
from streams.kernels.battery.direction import Direction, learned, sign_of
from streams.kernels.battery.limits import LimitsOf
from streams.kernels.battery.standing import CurrentShown
from streams.kernels.battery.temperature_line import RATE_SPAN_MS, temperature_rate
from streams.kernels.battery.unsettled import doubted, kept
from streams.kernels.codec import Codec, Saved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.arrival import Arrival
    from schemas.battery_reference import BatteryHealthReference
    from schemas.registry import Device
    from streams.kernels.battery.limits import Limits


class PackState(NamedTuple):
    """What the next reading needs of those before it."""

    ts: int
    voltage_v: float | None
    current_a: float | None
    """As the sensor says."""
    quarter: int
    """Start of the open quarter of an hour, ms."""
    energy_in_kwh: float
    energy_out_kwh: float
    charge_ah: float
    discharge_ah: float
    covered_ms: float
    spread_max_mv: float | None
    temperature_max_c: float | None
    rise_max_c: float | None
    rate_max_c_min: float | None
    temperatures: tuple[tuple[int, float], ...]
    """Last (ts, T_max) of each of the newest minutes, oldest first: what dT/dt looks back to."""
    votes: int = 0
    doubted_v: float = 0.0
    idle_v: float = 0.0
    awaited: int = 0
    """What is known of the current's sign (`Direction`)."""
    sensor: CurrentSensor = CurrentSensor()
    lowest_v: float | None = None
    """Lowest cell, where any shows a voltage."""
    is_doubtful: bool = False
    """Whether the current stood for longer than it should, or against the voltage, within the open quarter."""
    unsettled: tuple[BatteryQuarter, ...] = ()
    """Quarters that are over, and counted a current that may yet turn out to be none."""


class _View(NamedTuple):
    """What one reading shows by itself."""

    cell_min_v: float | None
    cell_max_v: float | None
    spread_mv: float | None
    worst_cell: int | None
    temperature_max_c: float | None
    rise_c: float | None


class PackMonitor(Saved[PackState | None]):
    """Fold of battery readings: quarters of an hour, and the newest view of the set."""

    name = "pack_monitor"
    version = 11
    source = frozenset({Kind.BATTERY})
    events = ()
    snapshot_ms = QUARTER_DAY_MS
    codec = Codec(PackState | None)

    def __init__(self, reference: BatteryHealthReference) -> None:
        self._limits = LimitsOf(reference)

    def fold(
        self, state: PackState | None, device: Device, arrivals: Sequence[Arrival]
    ) -> tuple[PackState | None, list[Row]]:
        """Advance one set; a quarter is given out once it is over."""
        rows: list[Row] = []
        rate = view = None
        limits = self._limits.of(device)
        for arrival in arrivals:
            reading = cast("BatteryReading", arrival.reading)  # by kind
            if not reading.current_a and is_blank(reading):
                view = None
                continue
            view = view_of(reading)
            if state is not None and state.unsettled and reading.ts // self.snapshot_ms != state.ts // self.snapshot_ms:
                rows += state.unsettled  # whoever sets out from there finds them as they stood, whatever was told since
            state, rate = _advance(state, reading, view, limits, rows)
        if view is not None and state is not None:
            rows.append(_latest(device, arrivals[-1], view, rate, sign_of(state.votes)))
        elif arrivals:
            rows.append(_nothing_latest(device, arrivals[-1]))
        return state, rows

    def is_final(self, state: PackState | None, row: Row) -> bool:
        """Whether no later reading can tell a quarter again."""
        unsettled = () if state is None else state.unsettled
        return not isinstance(row, BatteryQuarter) or all(row.ts != each.ts for each in unsettled)

    def revisable_from(self, state: PackState | None) -> int:
        """Oldest quarter that a later reading can tell again."""
        return FOREVER_TS if state is None else min([row.ts for row in state.unsettled], default=FOREVER_TS)


def view_of(reading: BatteryReading) -> _View:
    """Cell spread in mV, worst cell and temperature rise of one reading; None where a channel is missing."""
    cells = sorted([volts for volts in reading.cell_voltage_v or () if volts is not None])
    low, high = (cells[0], cells[-1]) if cells else (None, None)
    spread = worst = None
    if low is not None and high is not None and len(cells) > 1:
        spread = (high - low) * 1000
        middle = (cells[(len(cells) - 1) // 2] + cells[len(cells) // 2]) / 2
        farthest = low if middle - low >= high - middle else high
        worst = (reading.cell_voltage_v or []).index(farthest) + 1
    sensors = [celsius for celsius in reading.temperature_c or () if celsius is not None]
    hottest = max(sensors, default=None)
    rise = None if hottest is None or reading.ambient_c is None else hottest - reading.ambient_c
    return _View(low, high, spread, worst, hottest, rise)


def _higher(a: float | None, b: float | None) -> float | None:
    if a is None or b is None:
        return b if a is None else a
    return max(a, b)


def _quarter(ts: int) -> int:
    return ts - ts % QUARTER_MS


class _Sums(NamedTuple):
    """What flowed within the open quarter."""

    energy_in_kwh: float = 0.0
    energy_out_kwh: float = 0.0
    charge_ah: float = 0.0
    discharge_ah: float = 0.0
    covered_ms: float = 0.0

    def turned(self) -> _Sums:
        """What flowed if the sensor's sign is the other one."""
        return _Sums(self.energy_out_kwh, self.energy_in_kwh, self.discharge_ah, self.charge_ah, self.covered_ms)


class _Peaks(NamedTuple):
    """Highest values within the open quarter."""

    spread_mv: float | None = None
    temperature_c: float | None = None
    rise_c: float | None = None
    rate_c_min: float | None = None


def _advance(
    before: PackState | None, reading: BatteryReading, view: _View, limits: Limits, rows: list[Row]
) -> tuple[PackState, float | None]:
    """Take one reading: the time since the last one, the quarters that are over, and its own highest values."""
    ts, device = reading.ts, limits.device
    direction, sign = Direction(), 1.0
    seen, doubtful = unwatched(CurrentSensor(), (reading.pack_voltage_v or 0.0) / limits.cell_count), False
    unsettled: Sequence[BatteryQuarter] = ()
    if before is None:
        quarter, sums, peaks = _quarter(ts), _Sums(), _Peaks()
        known_temperatures: tuple[tuple[int, float], ...] = ()
    else:
        quarter = before.quarter
        sums, peaks = _Sums._make(before[4:9]), _Peaks._make(before[9:13])
        known_temperatures = before.temperatures
        known = _is_known(before, reading, device)
        is_gap = ts - before.ts > device.gap_ms
        direction = Direction(before.votes, before.doubted_v, 0.0 if is_gap else before.idle_v, before.awaited)
        if known and _may_tell(before, reading, limits):
            direction = _direction(before, reading, direction, limits)
            if direction.sign != sign_of(before.votes):
                sums = sums.turned()
        sign = direction.sign
        now = CurrentShown(
            ts, reading.current_a or 0.0, (reading.pack_voltage_v or 0.0) / limits.cell_count, view.cell_min_v or 0.0
        )
        seen = _sensor_seen(before, reading, now, limits, sign, is_gap=is_gap)
        start, doubtful, unsettled = before.ts, before.is_doubtful or seen.is_doubtful, before.unsettled
        if seen.doubted_from is not None:
            rows += doubted(unsettled, seen.doubted_from)
            unsettled = ()
        while ts >= quarter + QUARTER_MS:
            end = quarter + QUARTER_MS
            if known:
                sums = _integrate(sums, before, reading, sign, (start, end))
            rows.append(closed := _row(device, quarter, sums, peaks, sign, doubtful=doubtful))
            own = () if doubtful else (closed,)
            from_ts = unsettled_from(seen.sensor, now, limits)
            unsettled = () if from_ts is None else kept(unsettled, own, from_ts)
            doubtful = seen.is_doubtful
            quarter, start, sums, peaks = (end if known else _quarter(ts)), end, _Sums(), _Peaks()
        if known and ts > start:
            sums = _integrate(sums, before, reading, sign, (start, ts))
    temperatures, rate = _temperature_rate(known_temperatures, ts, view.temperature_max_c)
    state = PackState(
        ts,
        reading.pack_voltage_v,
        reading.current_a,
        quarter,
        *sums,
        _higher(peaks.spread_mv, view.spread_mv),
        _higher(peaks.temperature_c, view.temperature_max_c),
        _higher(peaks.rise_c, view.rise_c),
        _higher(peaks.rate_c_min, rate),
        temperatures,
        *direction,
        seen.sensor,
        view.cell_min_v,
        doubtful,
        tuple(unsettled),
    )
    return state, rate


def _sensor_seen(
    before: PackState, reading: BatteryReading, now: CurrentShown, limits: Limits, sign: float, *, is_gap: bool
) -> SensorSeen:
    """What is known of the current sensor one reading later."""
    if is_gap or before.current_a is None or reading.current_a is None:
        return unwatched(before.sensor, now.mean_v)
    has_volts = before.voltage_v is not None and reading.pack_voltage_v is not None
    before_v = (before.voltage_v or 0.0) / limits.cell_count
    earlier = CurrentShown(before.ts, before.current_a, before_v, before.lowest_v or 0.0)
    return watch(before.sensor, earlier, now, limits, sign, has_volts=has_volts)


def _may_tell(before: PackState, reading: BatteryReading, limits: Limits) -> bool:
    """Whether two readings, both with a current, may tell the sign of it: hardly any do."""
    assert before.current_a is not None and reading.current_a is not None  # noqa: S101, PT018 - known
    step_a = reading.current_a - before.current_a
    return step_a >= limits.step_a or step_a <= -limits.step_a or before.doubted_v != 0.0 or before.idle_v != 0.0


def _direction(before: PackState, reading: BatteryReading, known: Direction, limits: Limits) -> Direction:
    """Learn from one more step; both readings have voltage and current."""
    from_v, to_v, from_a, to_a = before.voltage_v, reading.pack_voltage_v, before.current_a, reading.current_a
    assert from_v is not None and to_v is not None and from_a is not None and to_a is not None  # noqa: S101, PT018
    coarse_v = before.sensor.standing.coarse_v * limits.cell_count
    elapsed = reading.ts - before.ts
    return learned(known, limits, (from_a, from_v), (to_a, to_v), elapsed=elapsed, coarse_v=coarse_v)


def _is_known(before: PackState, reading: BatteryReading, device: Device) -> bool:
    """Whether the time between two readings was measured: close enough, with voltage and current at both ends."""
    return (
        reading.ts - before.ts <= device.gap_ms
        and reading.pack_voltage_v is not None
        and reading.current_a is not None
        and before.voltage_v is not None
        and before.current_a is not None
    )


def _integrate(sums: _Sums, before: PackState, reading: BatteryReading, sign: float, part: tuple[int, int]) -> _Sums:
    """Add a part, from start to stop, of the straight line between two readings that have all values."""
    start, stop = part
    from_v, to_v, from_a, to_a = before.voltage_v, reading.pack_voltage_v, before.current_a, reading.current_a
    assert from_v is not None and to_v is not None and from_a is not None and to_a is not None  # noqa: S101, PT018
    span = reading.ts - before.ts
    a, b = (start - before.ts) / span, (stop - before.ts) / span
    volts_a, volts_b = from_v + (to_v - from_v) * a, from_v + (to_v - from_v) * b
    amps_a, amps_b = sign * (from_a + (to_a - from_a) * a), sign * (from_a + (to_a - from_a) * b)
    hours = (stop - start) / HOUR_MS
    charge, discharge = split_trapezoid(amps_a, amps_b, hours)
    energy_in, energy_out = split_trapezoid(amps_a * volts_a / 1000, amps_b * volts_b / 1000, hours)
    return _Sums(
        sums.energy_in_kwh + energy_in,
        sums.energy_out_kwh + energy_out,
        sums.charge_ah + charge,
        sums.discharge_ah + discharge,
        sums.covered_ms + stop - start,
    )


def split_trapezoid(a: float, b: float, hours: float) -> tuple[float, float]:
    """Areas above and below zero of a straight line from a to b: what went in and what came out, both ≥ 0."""
    if a >= 0 and b >= 0:
        return (a + b) / 2 * hours, 0.0
    if a <= 0 and b <= 0:
        return 0.0, -(a + b) / 2 * hours
    crossing = a / (a - b)
    first, second = abs(a) / 2 * crossing * hours, abs(b) / 2 * (1 - crossing) * hours
    return (first, second) if a > 0 else (second, first)


def _temperature_rate(
    temperatures: tuple[tuple[int, float], ...], ts: int, hottest: float | None
) -> tuple[tuple[tuple[int, float], ...], float | None]:
    """dT/dt of the last five minutes, °C a minute; None where too few readings tell.

    Keeps one sample of each minute of the clock, so that the answer depends on the readings alone and not on
    where the fold began.
    """
    oldest = ts - ts % MINUTE_MS - RATE_SPAN_MS - MINUTE_MS
    kept = temperatures
    if kept and kept[0][0] < oldest:
        kept = tuple([sample for sample in kept if sample[0] >= oldest])
    if hottest is None:
        return kept, None
    if kept and kept[-1][0] // MINUTE_MS == ts // MINUTE_MS:
        kept = kept[:-1]
    kept = (*kept, (ts, hottest))
    return kept, temperature_rate([sample for sample in kept if ts - sample[0] <= RATE_SPAN_MS])


_FLAGS = {
    (is_reversed, doubtful): ",".join(
        flag.value
        for flag, is_so in ((BatteryFlag.REVERSED_CURRENT, is_reversed), (BatteryFlag.STUCK_CURRENT, doubtful))
        if is_so
    )
    for is_reversed in (False, True)
    for doubtful in (False, True)
}


def _row(device: Device, quarter: int, sums: _Sums, peaks: _Peaks, sign: float, *, doubtful: bool) -> BatteryQuarter:
    coverage = sums.covered_ms / QUARTER_MS
    flows = tuple(sums[:4]) if coverage > 0 else (None,) * 4
    quality = quality_of(coverage, estimated=False)
    if (sign < 0 or doubtful) and quality is Quality.GOOD:
        quality = Quality.ESTIMATED
    flags = _FLAGS[sign < 0, doubtful]
    return BatteryQuarter._make((device.device_id, quarter, device.site_id, *flows, *peaks, coverage, quality, flags))


def _latest(device: Device, arrival: Arrival, view: _View, rate: float | None, sign: float) -> BatteryLatest:
    reading = cast("BatteryReading", arrival.reading)  # by kind
    return BatteryLatest(
        device.device_id,
        reading.ts,
        device.site_id,
        arrival.received_ts,
        reading.pack_voltage_v,
        None if reading.current_a is None else sign * reading.current_a,
        reading.soc_pct,
        reading.soh_bms_pct,
        view.cell_min_v,
        view.cell_max_v,
        view.spread_mv,
        view.worst_cell,
        view.temperature_max_c,
        view.rise_c,
        rate,
        BatteryFlag.REVERSED_CURRENT.value if sign < 0 else "",
    )


def _nothing_latest(device: Device, arrival: Arrival) -> BatteryLatest:
    """Newest view of a set of which nothing is known: its record is blank."""
    nothing = (None,) * 11
    blank = BatteryFlag.BLANK.value
    head = (device.device_id, arrival.reading.ts, device.site_id, arrival.received_ts)
    return BatteryLatest._make((*head, *nothing, blank))
