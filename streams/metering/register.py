"""Register metering: a running total becomes consumption per minute.

The register is the truth: a minute's increment is the register at its end less the register at its start, linear
between readings, so a duplicate, a late or a replayed reading cannot count twice (metric specification, rule 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, assert_never

import orjson

from schemas.metrics import GOOD_COVERAGE, MINUTE_MS, MeterLatest, MeterMinute, Quality, Row, quality_of
from schemas.readings import Kind, registers_of
from streams.kernel import QUARTER_DAY_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.readings import Reading
    from schemas.registry import Device
    from storage.readings import Arrival

GAP_PERIODS = 3
"""No reading for more than this many of the device's periods is a gap: known in sum, not in time."""

LONG_SILENCE_MS = 7 * 86_400_000
"""Silence longer than this is not spread over its minutes: its sum stands in the last minute before it. (unsourced)"""

ROLLOVER_FROM = 0.9
ROLLOVER_TO = 0.1
"""A register falls from above 90 % of its range to below 10 %: it has rolled over. (unsourced)"""


class RegisterState(NamedTuple):
    """One register: its newest reading and the minute that is being filled."""

    ts: int
    value: float
    minute: int
    """Start of the open minute, ms."""
    increment: float
    covered_ms: float
    """Of the open minute, backed by readings close enough to each other."""
    bridged_ms: float
    """Of the open minute, interpolated over a gap."""


class RegisterMetering:
    """Fold of every kind of meter: minutes per register and the meter's newest reading."""

    name = "register_metering"
    version = 1
    source = frozenset({Kind.ELECTRICITY, Kind.WATER, Kind.STEAM, Kind.GAS, Kind.PRODUCTION, Kind.GANGUE_UNIT})
    events = ()
    snapshot_ms = QUARTER_DAY_MS

    def __init__(self) -> None:
        self._registers = {kind: registers_of(kind) for kind in self.source}

    def fold(
        self, state: dict[str, RegisterState] | None, device: Device, arrivals: Sequence[Arrival]
    ) -> tuple[dict[str, RegisterState], list[Row]]:
        """Advance every register of a meter; minutes are given out once they are over."""
        registers = dict(state or {})
        rows: list[Row] = []
        for arrival in arrivals:
            reading = arrival.reading
            for quantity in self._registers[device.kind]:
                value = getattr(reading, quantity)
                if value is None:
                    continue
                before = registers.get(quantity)
                if before is None:
                    registers[quantity] = RegisterState(reading.ts, value, _minute(reading.ts), 0.0, 0.0, 0.0)
                else:
                    registers[quantity] = _advance(
                        before, reading.ts, value, device=device, quantity=quantity, rows=rows
                    )
        if arrivals:
            rows.append(_latest(device, arrivals[-1]))
        return registers, rows

    def dump(self, state: dict[str, RegisterState]) -> str:
        """Write a state as JSON."""
        return orjson.dumps(state, default=tuple).decode()

    def load(self, text: str) -> dict[str, RegisterState]:
        """Read a state back."""
        return {quantity: RegisterState(*fields) for quantity, fields in orjson.loads(text).items()}


def _minute(ts: int) -> int:
    return ts - ts % MINUTE_MS


def _advance(
    before: RegisterState, ts: int, value: float, *, device: Device, quantity: str, rows: list[Row]
) -> RegisterState:
    """Spread what the register counted since its last reading over the minutes between."""
    counted = _counted(before.value, value, device.rollover.get(quantity))
    span = ts - before.ts
    is_gap = span > GAP_PERIODS * device.period_s * 1000
    if span > LONG_SILENCE_MS:
        total, bridged = before.increment + (counted or 0.0), before.bridged_ms + (counted is not None)
        rows.append(
            _row(device, quantity, before.minute, increment=total, covered_ms=before.covered_ms, bridged_ms=bridged)
        )
        return RegisterState(ts, value, _minute(ts), 0.0, 0.0, 0.0)
    _, _, minute, increment, covered, bridged = before
    start, done = before.ts, 0.0
    while True:
        end = minute + MINUTE_MS
        stop = min(end, ts)
        if counted is not None:
            until = counted if stop == ts else counted * ((stop - before.ts) / span)
            increment += until - done
            done = until
            if is_gap:
                bridged += stop - start
            else:
                covered += stop - start
        if ts < end:
            return RegisterState(ts, value, minute, increment, covered, bridged)
        rows.append(_row(device, quantity, minute, increment=increment, covered_ms=covered, bridged_ms=bridged))
        minute, start, increment, covered, bridged = end, end, 0.0, 0.0, 0.0
        if ts == end:
            return RegisterState(ts, value, minute, 0.0, 0.0, 0.0)


def _counted(before: float, now: float, rollover: float | None) -> float | None:
    """What a register counted between two readings; None where a fall cannot be explained."""
    if now >= before:
        return now - before
    if rollover is not None and before > ROLLOVER_FROM * rollover and now < ROLLOVER_TO * rollover:
        return now + rollover - before
    return None


def _row(
    device: Device, quantity: str, minute: int, *, increment: float, covered_ms: float, bridged_ms: float
) -> MeterMinute:
    coverage = covered_ms / MINUTE_MS
    known = (covered_ms + bridged_ms) / MINUTE_MS
    quality = quality_of(coverage, estimated=bridged_ms > 0)
    if quality is Quality.PARTIAL and known >= GOOD_COVERAGE:
        quality = Quality.ESTIMATED  # whole, but partly interpolated over a gap
    return MeterMinute(
        device.device_id, quantity, minute, device.site_id, increment if known else None, coverage, quality
    )


def _latest(device: Device, arrival: Arrival) -> MeterLatest:
    reading = arrival.reading
    total, rate = _headline(device.kind, reading)
    return MeterLatest(
        device.device_id, reading.ts, device.site_id, device.kind.value, arrival.received_ms, total, rate
    )


def _headline(kind: Kind, reading: Reading) -> tuple[float | None, float | None]:
    """Main register and instantaneous rate of a reading."""
    totals: tuple[str, ...]
    rates: tuple[str, ...]
    match kind:
        case Kind.ELECTRICITY:
            totals, rates = ("energy_import_kwh",), ("power_kw",)
        case Kind.WATER | Kind.STEAM | Kind.GAS:
            totals, rates = ("volume_m3", "mass_t"), ("flow_m3_h", "flow_t_h")
        case Kind.PRODUCTION:
            totals, rates = ("mass_t",), ()
        case Kind.GANGUE_UNIT:
            totals, rates = ("generated_mwh",), ("power_mw",)
        case Kind.LAB | Kind.BATTERY | Kind.SITE_POWER:
            totals, rates = (), ()
        case _:
            assert_never(kind)
    return _first(reading, totals), _first(reading, rates)


def _first(reading: Reading, names: Sequence[str]) -> float | None:
    return next((value for name in names if (value := getattr(reading, name)) is not None), None)
