"""Failures of a site's mains, and its load hour by hour, from its power system's readings.

The bus is a witness: without mains the sets carry the load, and within minutes a bus that a rectifier held at its set
point comes down. One that stays where it was says that mains did not fail: the meter of the phases did, or its line.
One that comes down while mains is said to be on is told too, as an outage that is contradicted: what is said of mains
is old, the rectifier is off, or somebody tests the sets. That ends where the bus lies level, as it does on its sets and
at a lower setting alike: who carries it then, the sets say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from schemas.metrics.battery_sites import SiteLoadHour, SiteOutage
from schemas.metrics.common import quality_of
from schemas.readings import Kind, SitePowerReading
from schemas.time import HOUR_MS, MINUTE_MS, QUARTER_DAY_MS
from streams.kernels.battery.bus import BusNow, Seen, bus_now, limits_at, taken
from streams.kernels.codec import Codec, Saved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.arrival import Arrival
    from schemas.metrics import Row
    from schemas.registry import Device
    from streams.kernels.battery.bus import BusLimits

DEAD_PHASE_V = 50.0
"""Where no flag is sent, mains has failed if every phase is below this. (unsourced)"""
WITNESS_MS = 10 * MINUTE_MS
"""So long a bus is watched before it contradicts. (unsourced)"""
LATE_MS = 2 * HOUR_MS
"""A bus that is held for longer is not one that hardly anybody draws from. (unsourced)"""
LEVEL_MS = 15 * MINUTE_MS
"""A bus comes down to its sets within one to two of these: slower is a setting, or the weather. (unsourced)"""

EARLY_MS = 2 * MINUTE_MS
"""So much earlier than once in a quarter of an hour one comes that is read so often."""


class Fell(NamedTuple):
    """A bus that has come down while mains is said to be on."""

    ts: int
    from_v: float
    low_v: float
    level_ts: int
    """Since when it has lain where it lies now, and where that is."""
    level_v: float
    is_told: bool = False


class PowerState(NamedTuple):
    """What the next reading of a power system needs of those before it."""

    ts: int
    failed: bool | None
    power_w: float | None
    """Of the DC load; None where the bus is dead or not measured."""
    outage_ts: int | None
    outage_gap_ms: int
    outage_kwh: float
    load_wms: float
    """Of the open hour: ∫P dt over the time that the load was known."""
    load_ms: int
    load_max_w: float | None
    failed_ms: int
    covered_ms: int
    bus_v: float | None = None
    """With mains on."""
    bus_low_v: float | None = None
    """Lowest since mains failed."""
    is_flagged: bool = False
    """The power system says of itself that mains failed: its bus alone does not contradict that."""
    is_contradicted: bool = False
    """The bus is still where it was."""
    is_heard: bool = False
    """What the bus says of the failure was told."""
    level_ts: int = 0
    """Since when the highest bus with mains on is sought, and that, and the one of the stretch before."""
    level_v: float = 0.0
    level_before_v: float = 0.0
    fell: Fell | None = None
    recent: tuple[Seen, ...] = ()
    """The last readings of the bus."""


class SiteOutages(Saved[PowerState | None]):
    """Fold of site power readings: outages, and hours of load."""

    name = "site_outages"
    version = 9
    source = frozenset({Kind.SITE_POWER})
    events: tuple[type[Row], ...] = (SiteOutage,)
    snapshot_ms = QUARTER_DAY_MS
    codec = Codec(PowerState | None, Fell)

    def fold(
        self, state: PowerState | None, device: Device, arrivals: Sequence[Arrival]
    ) -> tuple[PowerState | None, list[Row]]:
        """Advance one power system."""
        rows: list[Row] = []
        limits = limits_at(device)
        for arrival in arrivals:
            reading = cast("SitePowerReading", arrival.reading)  # by kind
            state = self._advance(state, reading, device, limits, rows)
        return state, rows

    def _advance(
        self,
        before: PowerState | None,
        reading: SitePowerReading,
        device: Device,
        limits: BusLimits,
        rows: list[Row],
    ) -> PowerState:
        ts, failed, power = reading.ts, mains_failed(reading), load_w(reading)
        bus_v = reading.dc_voltage_v
        if before is None:
            known_v = None if failed else bus_v
            flagged = bool(reading.mains_failed)
            begun = ts if failed else None
            state = PowerState(ts, failed, power, begun, 0, 0.0, 0.0, 0, power, 0, 0, known_v, None, flagged)
            state = state._replace(level_ts=ts, recent=taken((), ts, bus_v))
            if failed:
                rows.append(_outage(device, state, ts, None))
            return state
        state = _pass_time(before, ts, power, device, rows)
        state = state._replace(
            failed=before.failed if failed is None else failed, recent=taken(state.recent, ts, bus_v)
        )
        passed_snapshot = ts // self.snapshot_ms != before.ts // self.snapshot_ms  # told, lest a late reading lose it
        if not state.failed:
            return _with_mains(state, bus_v, device, limits, rows, passed_snapshot=passed_snapshot)
        if reading.mains_failed:
            state = state._replace(is_flagged=True)
        if state.outage_ts is None:
            state = _begun(_known_before(state, device, limits, rows), ts)
            rows.append(_outage(device, state, ts, None))
            return state
        bus = None if bus_v is None else bus_now(state.recent, limits)
        if bus is not None and _begins_late(state, bus, limits):
            rows.append(_outage(device, state, ts, bus.since_ts))
            state = _begun(state, bus.since_ts)._replace(bus_low_v=bus.low_v)
            rows.append(_outage(device, state, ts, None))
            return state
        state, is_news = _witnessed(state, bus, limits)
        if passed_snapshot or is_news:
            rows.append(_outage(device, state, ts, None))
        return state


def _begun(state: PowerState, ts: int) -> PowerState:
    """A failure of mains that begins, at the latest reading or shortly before it."""
    return state._replace(
        outage_ts=ts, outage_gap_ms=0, outage_kwh=0.0, bus_low_v=None, is_contradicted=False, is_heard=False
    )


def _known_before(state: PowerState, device: Device, limits: BusLimits, rows: list[Row]) -> PowerState:
    """The bus as it was with mains on, of which it may have come down before anybody said so.

    What it came down from half an hour ago and more was a setting, and it is held where it lies.
    """
    fell, high_v = state.fell, max(state.level_v, state.level_before_v)
    if fell is not None:
        _end_fall(state, device, limits, rows)
        is_fresh = state.ts - fell.ts < 2 * LEVEL_MS
        return state._replace(fell=None, bus_v=fell.from_v if is_fresh else state.bus_v)
    if state.bus_v is None or high_v == 0:
        return state
    is_borne_out = -limits.held_v <= high_v - state.bus_v < limits.fell_v  # else two readings say so, and no third
    return state if is_borne_out else state._replace(bus_v=high_v)


def _with_mains(
    state: PowerState,
    bus_v: float | None,
    device: Device,
    limits: BusLimits,
    rows: list[Row],
    *,
    passed_snapshot: bool,
) -> PowerState:
    ts = state.ts
    if state.outage_ts is not None:  # told with the bus as it was before, not as it is now
        rows.append(_outage(device, state, ts, ts))
        state = state._replace(outage_ts=None, bus_low_v=None, is_flagged=False, is_contradicted=False)
        state = state._replace(level_ts=ts, level_v=0.0, level_before_v=0.0)
    if bus_v is None:
        return state
    bus = bus_now(state.recent, limits)
    if bus.middle_v != state.bus_v:
        state = state._replace(bus_v=bus.middle_v)
    if state.failed is None:  # of mains nothing is said: a bus that falls contradicts nobody
        return state
    return _watched(state, bus, device, limits, rows, passed_snapshot=passed_snapshot)


def _begins_late(state: PowerState, bus: BusNow, limits: BusLimits) -> bool:
    """Whether a bus that has contradicted a failure of mains has come down, at once or after hours: it fails now."""
    if not state.is_contradicted or state.outage_ts is None or state.bus_v is None or bus.low_v is None:
        return False
    low_v = state.bus_v if state.bus_low_v is None else state.bus_low_v
    is_late = bus.since_ts - state.outage_ts >= LATE_MS
    fallen_v = state.bus_v - bus.low_v
    return low_v - bus.low_v >= limits.at_once_v or (fallen_v > limits.held_v and is_late)


def _witnessed(state: PowerState, bus: BusNow | None, limits: BusLimits) -> tuple[PowerState, bool]:
    """Hear what the bus says of a failure of mains that goes on, and whether that is news.

    While the newest reading says otherwise than those before, nothing is concluded.
    """
    began = state.outage_ts
    assert began is not None  # noqa: S101 - it goes on
    ts, before = state.ts, state
    is_due, is_open = ts >= began + WITNESS_MS, False
    if bus is not None:
        lows = [volts for volts in (state.bus_low_v, bus.low_v) if volts is not None]
        state = state._replace(bus_low_v=min(lows, default=None))
        is_open = state.bus_low_v is None or state.bus_low_v - state.recent[-1].volts > limits.held_v
    if not is_due or is_open:
        return state, False
    was, fallen = _fallen(before), _fallen(state)
    crossed = any((was < limit) is not (fallen < limit) for limit in (limits.held_v, limits.fell_v))
    is_held = state.bus_v is not None and state.bus_low_v is not None and fallen <= limits.held_v
    contradicted = is_held and not state.is_flagged
    if contradicted and not state.is_contradicted:
        since = max(began, ts - ts % HOUR_MS)
        state = state._replace(failed_ms=max(0, state.failed_ms - (ts - since)))
    is_news = crossed or contradicted is not state.is_contradicted or not state.is_heard
    return state._replace(is_contradicted=contradicted, is_heard=True), is_news


def _watched(
    state: PowerState,
    bus: BusNow,
    device: Device,
    limits: BusLimits,
    rows: list[Row],
    *,
    passed_snapshot: bool,
) -> PowerState:
    """Watch a bus while mains is said to be on; told where it lies for ten minutes as far down as its sets take it."""
    low_v, high_v = bus.low_v, bus.high_v
    if low_v is None or high_v is None:
        return state
    fell, came_from_v = state.fell, _highest_before(state, bus.since_ts)
    state = _levelled(state, bus.since_ts, high_v)
    is_down = came_from_v - low_v >= limits.fell_v
    falls = max(state.level_v, state.level_before_v) - max(low_v, high_v) >= limits.fell_v
    if fell is not None and falls and bus.since_ts - fell.ts >= 2 * LEVEL_MS:  # it was set lower, and falls now
        _end_fall(state, device, limits, rows, bus.since_ts)
        fell = None
    if fell is None:
        if not is_down:
            return state if state.fell is None else state._replace(fell=None)
        fell = Fell(bus.since_ts, came_from_v, low_v, bus.since_ts, bus.middle_v)
    fell = fell._replace(low_v=min(fell.low_v, low_v))
    if abs(bus.middle_v - fell.level_v) > limits.level_v:
        fell = fell._replace(level_ts=bus.since_ts, level_v=bus.middle_v)
    state = state._replace(fell=fell)
    up_v = min(fell.from_v - limits.held_v, fell.low_v + limits.fell_v)
    is_near = abs(state.recent[-1].volts - fell.level_v) <= limits.level_v
    lies = is_near and state.ts - fell.level_ts >= 2 * LEVEL_MS
    if lies or high_v >= up_v:
        _end_fall(state, device, limits, rows, state.ts if lies else bus.since_ts)
        state = state._replace(fell=None)
        return state._replace(level_ts=state.ts, level_v=high_v, level_before_v=0.0) if lies else state
    if _is_fall(fell, state.ts, limits) and (passed_snapshot if fell.is_told else state.recent[-1].volts < up_v):
        rows.append(_fall(device, fell, state.ts, None))
        return state._replace(fell=fell._replace(is_told=True))
    return state


def _highest_before(state: PowerState, ts: int) -> float:
    """Highest bus of the quarter to half an hour before a moment; 0 where nothing was heard then."""
    return max(state.level_v, state.level_before_v) if ts - state.level_ts < 2 * LEVEL_MS else 0.0


def _levelled(state: PowerState, ts: int, high_v: float) -> PowerState:
    """Seek the highest bus of a quarter of an hour.

    `ts` is when the readings began that say so together: what they came down from lies before them, however far apart
    they are.
    """
    if ts - state.level_ts >= LEVEL_MS - EARLY_MS:
        is_next = ts - state.level_ts < 2 * LEVEL_MS
        return state._replace(level_ts=ts, level_before_v=state.level_v if is_next else 0.0, level_v=high_v)
    return state._replace(level_v=high_v) if high_v > state.level_v else state


def _is_fall(fell: Fell, ts: int, limits: BusLimits) -> bool:
    """Whether a bus has been down for ten minutes, as far as its sets take it."""
    return ts - fell.ts >= WITNESS_MS and fell.low_v < limits.setting_v


def _end_fall(state: PowerState, device: Device, limits: BusLimits, rows: list[Row], ended: int | None = None) -> None:
    """The bus is back or lies level, or mains is said to have failed after all."""
    ended = state.ts if ended is None else ended
    if state.fell is not None and (state.fell.is_told or _is_fall(state.fell, ended, limits)):
        rows.append(_fall(device, state.fell, state.ts, ended))


def _fall(device: Device, fell: Fell, seen_ts: int, ended: int | None) -> SiteOutage:
    hours = ((seen_ts if ended is None else ended) - fell.ts) / HOUR_MS
    bus = (fell.from_v, fell.low_v)
    return SiteOutage(
        device.device_id, fell.ts, seen_ts, device.site_id, ended, hours, 0.0, None, *bus, contradicted=True
    )


def _fallen(state: PowerState) -> float:
    """How far the bus has come down since mains was on; 0 where that is not known."""
    return 0.0 if state.bus_v is None or state.bus_low_v is None else state.bus_v - state.bus_low_v


def mains_failed(reading: SitePowerReading) -> bool | None:
    """Whether mains is out: the flag, else the phases; None where neither is sent."""
    if reading.mains_failed is not None:
        return reading.mains_failed
    phases = reading.mains_voltage_v
    return None if not phases else max(phases) < DEAD_PHASE_V


def load_w(reading: SitePowerReading) -> float | None:
    """DC load in W; None without the bus's voltage or current."""
    if reading.dc_voltage_v is None or reading.dc_load_current_a is None:
        return None
    return reading.dc_voltage_v * reading.dc_load_current_a


def _pass_time(before: PowerState, ts: int, power: float | None, device: Device, rows: list[Row]) -> PowerState:
    """Add the time since the last reading to its hours, and give out an hour that is over."""
    elapsed = ts - before.ts
    measured = elapsed <= device.gap_ms
    mean_w = None if before.power_w is None or power is None else (before.power_w + power) / 2
    hour = before.ts - before.ts % HOUR_MS
    end = hour + HOUR_MS
    state = before
    if ts >= end:
        if measured:
            state = _added(state, end - before.ts, mean_w)
        rows.append(_hour(device, hour, state))
        state = state._replace(load_wms=0.0, load_ms=0, load_max_w=None, failed_ms=0, covered_ms=0)
    if measured:
        state = _added(state, ts - max(before.ts, ts - ts % HOUR_MS), mean_w)
    peak = power if state.load_max_w is None or (power is not None and power > state.load_max_w) else state.load_max_w
    state = state._replace(ts=ts, power_w=power, load_max_w=peak)
    if state.outage_ts is None:
        return state
    if not measured:
        return state._replace(outage_gap_ms=max(state.outage_gap_ms, elapsed))
    drawn = 0.0 if mean_w is None else mean_w * elapsed / HOUR_MS / 1000
    return state._replace(outage_kwh=state.outage_kwh + drawn)


def _added(state: PowerState, lasted: int, mean_w: float | None) -> PowerState:
    failed = state.failed_ms + (lasted if state.failed and not state.is_contradicted else 0)
    covered = state.covered_ms + lasted
    if mean_w is None:
        return state._replace(failed_ms=failed, covered_ms=covered)
    return state._replace(
        load_wms=state.load_wms + mean_w * lasted,
        load_ms=state.load_ms + lasted,
        failed_ms=failed,
        covered_ms=covered,
    )


def _hour(device: Device, hour: int, state: PowerState) -> SiteLoadHour:
    coverage = min(1.0, state.covered_ms / HOUR_MS)
    mean = state.load_wms / state.load_ms if state.load_ms else None
    quality = quality_of(coverage, estimated=False)
    return SiteLoadHour(
        device.device_id, hour, device.site_id, mean, state.load_max_w, state.failed_ms / MINUTE_MS, coverage, quality
    )


def _outage(device: Device, state: PowerState, seen_ts: int, ended: int | None) -> SiteOutage:
    start = state.outage_ts
    assert start is not None  # noqa: S101 - there is one
    hours = ((seen_ts if ended is None else ended) - start) / HOUR_MS
    gap_s = state.outage_gap_ms / 1000
    return SiteOutage(
        device.device_id,
        start,
        seen_ts,
        device.site_id,
        ended,
        hours,
        gap_s,
        state.outage_kwh,
        state.bus_v,
        state.bus_low_v,
        state.is_contradicted,
    )
