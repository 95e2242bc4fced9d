"""Clocks of devices: notes what speaks against them, and says which are wrong at a look of the alarms' clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.kafka.quarantine import Reason, ahead_ms_of
from storage.alarm_tables import clocks, silence
from streams.kernels.alarms.device_clock import (
    LEAST_MS,
    MOST_MS,
    Clock,
    ClockFault,
    is_due,
    is_over,
    least_ms,
    merged,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg import Connection

    from schemas.kafka.quarantine import Quarantined
    from schemas.registry import Device
    from streams.engine.stage import Written

DETECTOR = "clock/1"
FAULTS = {
    Reason.CLOCK_AHEAD: ClockFault.AHEAD,
    Reason.CLOCK_BEHIND: ClockFault.LOST,
    Reason.CONFLICT: ClockFault.STANDS,
}


class Wrong(NamedTuple):
    """A device whose clock is wrong."""

    device: Device
    since_ts: int
    is_due: bool
    figures: dict[str, Any]


def note(written: Written) -> None:
    """Keep what refused readings say of their devices' clocks."""
    found: dict[tuple[str, str], Clock] = {}
    devices = written.directory.devices
    clock_refusals = [item for item in written.refused if item.reason in FAULTS and item.device_id in devices]
    if not clock_refusals:
        return
    sites = sorted({devices[item.device_id].site_id for item in clock_refusals})
    known = {(clock.device_id, clock.fault): clock for clock in _load(written.connection, sites)}
    for item in clock_refusals:
        device = devices[item.device_id]
        clock = _refused(device, item)
        key = (device.device_id, clock.fault)
        found[key] = merged(found.get(key, known.get(key)), clock, device.period_s * 1000)
    clocks.save(written.connection, list(found.values()))


def _refused(device: Device, item: Quarantined) -> Clock:
    offset = ahead_ms_of(item.detail) if item.reason is Reason.CLOCK_AHEAD else None
    arrived = item.received_ts
    return Clock(device.device_id, FAULTS[item.reason], device.site_id, arrived, arrived, 1, offset, offset)


def _load(connection: Connection, site_ids: Sequence[str]) -> list[Clock]:
    return [Clock._make((row[0], ClockFault(row[1]), *row[2:])) for row in clocks.of_sites(connection, site_ids)]


def look(
    connection: Connection,
    devices: Mapping[str, Device],
    site_ids: Sequence[str],
    newest_ts: Mapping[str, int],
    now: int,
) -> dict[str, Wrong]:
    """Which devices' clocks are wrong now, by device; `now` is when the newest record was written, ms."""
    own = set(site_ids)
    known = {
        (clock.device_id, clock.fault): clock
        for clock in _load(connection, site_ids)
        if clock.device_id not in devices or devices[clock.device_id].site_id in own  # else it has moved: not ours
    }
    changed: dict[tuple[str, str], Clock] = {}
    gone: set[tuple[str, str]] = set()
    late = [
        name
        for name, ts in newest_ts.items()
        if now - ts > LEAST_MS and name in devices and devices[name].site_id in own
    ]
    period = {name: devices[name].period_s * 1000 for name in {*late, *(clock.device_id for clock in known.values())}
              if name in devices}  # fmt: skip
    arrived = silence.arrivals(connection, late) if late else {}
    for name, at in arrived.items():
        key, offset = (name, ClockFault.BEHIND), newest_ts[name] - at
        if not least_ms(period[name]) < -offset <= MOST_MS:
            continue
        clock, before = Clock(name, ClockFault.BEHIND, devices[name].site_id, at, at, 1, offset, offset), known.get(key)
        if before is None or at > before.last_ts:
            known[key] = changed[key] = merged(before, clock, period[name])
    for key, clock in list(known.items()):
        name = clock.device_id
        right = (
            clock.fault is ClockFault.BEHIND
            and name in newest_ts
            and now - newest_ts[name] <= least_ms(period.get(name, 0.0))
        )
        if name not in period or right or is_over(clock, now, period[name]):
            gone.add(key)
            del known[key]
    clocks.save(connection, [clock for key, clock in changed.items() if key not in gone])
    clocks.forget(connection, sorted(gone))
    wrong: dict[str, Wrong] = {}
    for clock in sorted(known.values(), key=lambda each: each.last_ts):
        name = clock.device_id
        if clock.fault is ClockFault.STANDS and now - newest_ts.get(name, now) <= 3 * period[name]:
            continue  # it goes on: two devices under one id, or one that says a moment twice
        wrong[name] = Wrong(devices[name], clock.since_ts, is_due(clock, period[name]), _figures(clock))
    return wrong


def _figures(clock: Clock) -> dict[str, Any]:
    offset = clock.last_offset_ms
    evidence: dict[str, Any] = {"fault": clock.fault.value, "readings": clock.readings, "since_ms": clock.since_ts}
    if clock.first_offset_ms is not None:
        evidence["first_s"] = clock.first_offset_ms / 1000
    return {"value": None if offset is None else offset / 1000, "unit": "s", "evidence": evidence, "detector": DETECTOR}
