"""Readings that come after their device was called silent: the alarm says when nothing is missing any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.alarms import AlarmEvent
from storage.alarm_tables import silence
from streams.alarms.signals import known_of, write
from streams.kernels.alarms.reconcile import AlarmChange
from streams.kernels.alarms.reference import alarm_rules
from streams.kernels.alarms.silence import gap_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from schemas.metrics import Row
    from schemas.registry import Device
    from streams.engine.stage import Written
    from streams.intake.admission import Directory
    from streams.kernels.alarms.rules import AlarmRules, Condition, NoDataRules


class Backfill:
    """A stage: alarms of silences that late readings have filled are amended, once."""

    hears: frozenset[type[Row]] = frozenset()

    def __init__(self, rules: AlarmRules | None = None) -> None:
        self._rules = (rules or alarm_rules()).no_data

    def run(self, written: Written) -> None:
        """Look at what was silent where late readings were stored."""
        if not written.late:
            return
        devices = {span.entity_id for span in written.late}
        sites = {written.directory.devices[device_id].site_id for device_id in devices}
        stored = silence.unfilled(
            written.connection,
            sorted(devices | sites),
            min(span.from_ts for span in written.late),
            max(span.to_ts for span in written.late),
        )
        changes = []
        for known in map(known_of, stored):
            to_ts = known.cleared_ts
            assert to_ts is not None  # noqa: S101 - it is over
            concerned = devices_of(written.directory, known.condition)
            if is_filled(written.connection, concerned, known.event_ts, to_ts, self._rules):
                change = AlarmChange(known)
                change.take(AlarmEvent.AMEND, "late readings have filled it", to_ts, filled=True)
                changes.append(change)
        write(written.directory, written.connection, changes)


def devices_of(directory: Directory, condition: Condition) -> Sequence[Device]:
    """Devices that an alarm of silence is about: its own, or all of its site; none for a region's."""
    device = directory.devices.get(condition.device_id)
    return directory.site_devices.get(condition.site_id, ()) if device is None else (device,)


def is_filled(connection: Connection, devices: Sequence[Device], from_ts: int, to_ts: int, rules: NoDataRules) -> bool:
    """Whether no gap is left between two moments, of any device that was heard before the first."""
    some = False
    for device in devices:
        found = silence.heard(connection, device.kind, device.device_id, from_ts, to_ts)
        if found.last_ts is None or found.gap_ms is None or from_ts - found.last_ts > gap_ms(device, rules):
            continue
        if found.gap_ms > gap_ms(device, rules):
            return False
        some = True
    return some
