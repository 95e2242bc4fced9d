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
from streams.kernels.battery.direction import APART_MS
from streams.kernels.codec import Codec, Saved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.arrival import Arrival
    from schemas.metrics import Row
    from schemas.registry import Device

DEAD_PHASE_V = 50.0
"""Where no flag is sent, mains has failed if every phase is below this. (unsourced)"""
HELD_V = 0.3
"""A bus that has come down by no more is still held by its rectifier: LFP sets at 0.05 C fall by 0.4 V in ten minutes,
at usual loads by a volt at once. (unsourced)"""
WITNESS_MS = 10 * MINUTE_MS
"""So long a bus is watched before it contradicts. (unsourced)"""
LATE_MS = 2 * HOUR_MS
"""A bus that is held for longer is not one that hardly anybody draws from. (unsourced)"""
AT_ONCE_V = 0.5
"""A bus that was held, and comes down by so much from one reading to the next, was taken over then. (unsourced)"""
BORNE_OUT = 3
"""So many readings in a row have to show that, or two that lie ten minutes apart: one may be an outlier. (unsourced)"""
FELL_V = 1.0
"""A bus that has come down by this is on its sets, whatever one of them says. (unsourced)"""
LEVEL_MS = 15 * MINUTE_MS
"""A bus comes down to its sets within one to two of these: slower is a setting, or the weather. (unsourced)"""
LEVEL_V = 0.2
"""A bus that moves by no more for two of these lies level. (unsourced)"""
SETTING_CELL_V = 3.33
"""An LFP cell at which a bus lies is held by a rectifier: under load hardly a full one shows as much. (unsourced)"""
SETTING_V = 16 * SETTING_CELL_V
"""A fall that ends above is the end of a boost, or a setting: 16 LFP cells, or 24 of lead, float there."""


class Fell(NamedTuple):
    """A bus that has come down while mains is said to be on."""

    ts: int
    from_v: float
    low_v: float
    level_ts: int
    """Since when it has lain where it lies now, and where that is."""
    level_v: float


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
    """Last known, with mains on."""
    bus_low_v: float | None = None
    """Lowest since mains failed."""
    is_flagged: bool = False
    """The power system says of itself that mains failed: its bus alone does not contradict that."""
    is_contradicted: bool = False
    """The bus is still where it was."""
    level_ts: int = 0
    """Since when the highest bus with mains on is sought, and that, and the one of the stretch before."""
    level_v: float = 0.0
    level_before_v: float = 0.0
    fell: Fell | None = None
    down_ts: int = 0
    """Since when a bus that contradicts a failure has been down after all, and in how many readings in a row."""
    down: int = 0


class SiteOutages(Saved[PowerState | None]):
    """Fold of site power readings: outages, and hours of load."""

    name = "site_outages"
    version = 7
    source = frozenset({Kind.SITE_POWER})
    events: tuple[type[Row], ...] = (SiteOutage,)
    snapshot_ms = QUARTER_DAY_MS
    codec = Codec(PowerState | None, Fell)

    def fold(
        self, state: PowerState | None, device: Device, arrivals: Sequence[Arrival]
    ) -> tuple[PowerState | None, list[Row]]:
        """Advance one power system."""
        rows: list[Row] = []
        for arrival in arrivals:
            reading = cast("SitePowerReading", arrival.reading)  # by kind
            state = self._advance(state, reading, device, rows)
        return state, rows

    def _advance(
        self, before: PowerState | None, reading: SitePowerReading, device: Device, rows: list[Row]
    ) -> PowerState:
        ts, failed, power = reading.ts, mains_failed(reading), load_w(reading)
        bus_v = reading.dc_voltage_v
        if before is None:
            low_v = bus_v if failed else None
            known_v = None if failed else bus_v
            flagged = bool(reading.mains_failed)
            begun = ts if failed else None
            state = PowerState(ts, failed, power, begun, 0, 0.0, 0.0, 0, power, 0, 0, known_v, low_v, flagged)
            state = state._replace(level_ts=ts, level_v=known_v or 0.0)
            if failed:
                rows.append(_outage(device, state, ts, None))
            return state
        state = _pass_time(before, ts, power, device, rows)
        state = state._replace(failed=before.failed if failed is None else failed)
        if not state.failed:
            return self._with_mains(state, before.ts, bus_v, device, rows)
        if reading.mains_failed:
            state = state._replace(is_flagged=True)
        if state.fell is not None:  # on its sets before anybody said so
            _end_fall(state, device, rows)
            is_fresh = ts - state.fell.ts < 2 * LEVEL_MS  # else it may have been a setting, and is held where it lies
            state = state._replace(fell=None, bus_v=state.fell.from_v if is_fresh else state.bus_v)
        if bus_v is not None:
            is_down = _begins_late(state, bus_v)
            down_ts = state.down_ts if is_down and state.down else ts
            state = state._replace(down_ts=down_ts, down=state.down + 1 if is_down else 0)
        is_late = bus_v is not None and (state.down >= BORNE_OUT or (state.down > 1 and ts - state.down_ts >= APART_MS))
        if state.outage_ts is None or is_late:
            began = state.down_ts if is_late else ts
            if state.outage_ts is not None:
                rows.append(_outage(device, state, began, began))
            state = state._replace(
                outage_ts=began, outage_gap_ms=0, outage_kwh=0.0, bus_low_v=bus_v, is_contradicted=False, down=0
            )
            rows.append(_outage(device, state, ts, None))
            return state
        # That none is lost when readings come late.
        passed_snapshot = ts // self.snapshot_ms != before.ts // self.snapshot_ms
        state, is_news = _witnessed(state, before.ts, ts, None if state.down else bus_v)
        if passed_snapshot or is_news:
            rows.append(_outage(device, state, ts, None))
        return state

    def _with_mains(
        self, state: PowerState, before_ts: int, bus_v: float | None, device: Device, rows: list[Row]
    ) -> PowerState:
        ts = state.ts
        if state.outage_ts is not None:  # told with the bus as it was before, not as it is now
            rows.append(_outage(device, state, ts, ts))
            state = state._replace(outage_ts=None, bus_low_v=None, is_flagged=False, is_contradicted=False, down=0)
            state = state._replace(level_ts=ts, level_v=0.0, level_before_v=0.0)
        if bus_v is None or state.failed is None:  # of mains nothing is said: a bus that falls contradicts nobody
            return state if bus_v is None else state._replace(bus_v=bus_v)
        passed_snapshot = ts // self.snapshot_ms != before_ts // self.snapshot_ms
        return _watched(state._replace(bus_v=bus_v), before_ts, device, rows, passed_snapshot=passed_snapshot)


def _begins_late(state: PowerState, bus_v: float | None) -> bool:
    """Whether a bus that has contradicted a failure of mains comes down, at once or after hours: it fails now."""
    if not state.is_contradicted or state.outage_ts is None or state.bus_v is None or bus_v is None:
        return False
    low_v = state.bus_v if state.bus_low_v is None else state.bus_low_v
    is_late = state.ts - state.outage_ts >= LATE_MS
    return low_v - bus_v >= AT_ONCE_V or (state.bus_v - bus_v > HELD_V and is_late)


def _witnessed(state: PowerState, before_ts: int, ts: int, bus_v: float | None) -> tuple[PowerState, bool]:
    """Hear what the bus says of a failure of mains that goes on, and whether that is news."""
    began = state.outage_ts
    assert began is not None  # noqa: S101 - it goes on
    due = began + WITNESS_MS
    is_due = before_ts < due <= ts
    low_v = bus_v if state.bus_low_v is None else state.bus_low_v if bus_v is None else min(state.bus_low_v, bus_v)
    fell = _fallen(state) < FELL_V
    state = state._replace(bus_low_v=low_v)
    fell = fell and _fallen(state) >= FELL_V
    is_held = state.bus_v is not None and low_v is not None and _fallen(state) <= HELD_V
    contradicted = is_held and ts >= due and not state.is_flagged
    is_news = is_due or fell or contradicted is not state.is_contradicted
    if contradicted and not state.is_contradicted:
        since = max(began, ts - ts % HOUR_MS)
        state = state._replace(failed_ms=max(0, state.failed_ms - (ts - since)))
    return state._replace(is_contradicted=contradicted), is_news


def _watched(
    state: PowerState, before_ts: int, device: Device, rows: list[Row], *, passed_snapshot: bool
) -> PowerState:
    """Watch a bus while mains is said to be on; told where it lies for ten minutes as far down as its sets take it."""
    ts, bus_v, fell = state.ts, state.bus_v, state.fell
    assert bus_v is not None  # noqa: S101 - asked by the caller
    if ts - state.level_ts >= LEVEL_MS:
        is_next = ts - state.level_ts < 2 * LEVEL_MS
        state = state._replace(level_ts=ts, level_before_v=state.level_v if is_next else 0.0, level_v=bus_v)
    high_v = max(state.level_v, state.level_before_v)
    state = state._replace(level_v=max(state.level_v, bus_v))
    if fell is None:
        return state._replace(fell=Fell(ts, high_v, bus_v, ts, bus_v)) if high_v - bus_v >= FELL_V else state
    if ts - fell.ts >= 2 * LEVEL_MS and high_v - bus_v >= FELL_V:  # it was set lower, and falls now
        _end_fall(state, device, rows)
        return state._replace(fell=Fell(ts, high_v, bus_v, ts, bus_v))
    now = fell._replace(low_v=min(fell.low_v, bus_v))
    if abs(bus_v - fell.level_v) > LEVEL_V:
        now = now._replace(level_ts=ts, level_v=bus_v)
    lies = ts - now.level_ts >= 2 * LEVEL_MS
    state = state._replace(fell=now)
    if lies or bus_v >= fell.from_v - HELD_V or bus_v >= now.low_v + FELL_V:
        _end_fall(state, device, rows)
        state = state._replace(fell=None)
        return state._replace(level_ts=ts, level_v=bus_v, level_before_v=0.0) if lies else state
    is_due = _is_fall(now, ts)
    if is_due and (passed_snapshot or not _is_fall(fell, before_ts)):
        rows.append(_fall(device, now, ts, None))
    return state


def _is_fall(fell: Fell, ts: int) -> bool:
    """Whether a bus has been down for ten minutes, as far as its sets take it."""
    return ts - fell.ts >= WITNESS_MS and fell.low_v < SETTING_V


def _end_fall(state: PowerState, device: Device, rows: list[Row]) -> None:
    """The bus is back or lies level, or mains is said to have failed after all."""
    if state.fell is not None and _is_fall(state.fell, state.ts):
        rows.append(_fall(device, state.fell, state.ts, state.ts))


def _fall(device: Device, fell: Fell, seen_ts: int, ended: int | None) -> SiteOutage:
    hours = (seen_ts - fell.ts) / HOUR_MS
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
