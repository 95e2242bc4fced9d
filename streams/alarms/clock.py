"""What time brings about: silence, its end, and the ends of shelving, maintenance, holds and acknowledgements.

A stage that acts at most every few seconds of a partition's own records. Its clock is the partition's progress in
event time, so a pipeline that stands still, or is behind, makes no device look dead. A device whose clock is slow is
heard when its readings arrive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schemas.alarms import CLOCK, NO_DATA, TIMED, AlarmEvent, AlarmState, alarm_id
from schemas.metrics.signal import SAFETY_KINDS, Severity
from schemas.topics import partition_of
from storage.alarm_tables import alarms, silence
from streams.alarms import device_clocks
from streams.alarms.backfill import devices_of, is_filled
from streams.alarms.grouping import group
from streams.alarms.signals import known_of, write
from streams.kernels.alarms.machine import TRANSITIONS
from streams.kernels.alarms.reconcile import Alarm, AlarmChange
from streams.kernels.alarms.reference import alarm_rules
from streams.kernels.alarms.rules import Condition
from streams.kernels.alarms.silence import PartitionProgress, SiteSilence, advance, gap_ms, is_region, silence_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.metrics import Row
    from schemas.registry import Device
    from storage.alarm_tables.alarms import MaintenanceWindow
    from storage.alarm_tables.silence import Open
    from streams.engine.stage import Written
    from streams.intake.admission import Directory
    from streams.kernels.alarms.rules import AlarmRules

WATCH_MS = 10_000
"""How often a partition is looked at, by the time of its records."""
_DETECTORS = {NO_DATA: "no_data/1", CLOCK: device_clocks.DETECTOR}
_WHY = {NO_DATA: "nothing is heard", CLOCK: "its clock is wrong"}
NAMED_DEVICES = 20
"""So many silent devices are named in the evidence; all are counted."""


class AlarmClock:
    """A stage: silence and deadlines."""

    hears: frozenset[type[Row]] = frozenset()

    def __init__(self, rules: AlarmRules | None = None) -> None:
        self._rules = rules or alarm_rules()
        self._looked: dict[int, int] = {}
        """By partition; only a throttle, so it does no harm that a transaction may be rolled back."""

    def run(self, written: Written) -> None:
        """Look at a partition if it is time to."""
        if written.refused:
            device_clocks.note(written)
        number, record_ts = written.position.partition, written.record_ts
        if record_ts is None or 0 <= record_ts - self._looked.get(number, -WATCH_MS) < WATCH_MS:
            return
        self._looked[number] = record_ts
        newest_ts = written.newest_ts()
        found = silence.load_progress(written.connection, written.position)
        now = advance(
            None if found is None else PartitionProgress(*found), record_ts, max(newest_ts.values(), default=None)
        )
        silence.save_progress(written.connection, written.position, now)
        if now.is_current:
            _Look(written, self._rules, now, newest_ts).take()


class _Look:
    """One look at one partition."""

    def __init__(self, written: Written, rules: AlarmRules, now: PartitionProgress, newest_ts: dict[str, int]) -> None:
        self._connection = written.connection
        self._directory: Directory = written.directory
        self._rules = rules
        self._now_ts = now.event_ts
        self._record_ms = now.record_ts
        self._sites = [
            site_id
            for site_id in written.directory.sites
            if partition_of(site_id, written.partitions) == written.position.partition
        ]
        self._newest_ts = newest_ts
        self._quiet_ms = self._quiet(now)
        self._silence = {
            site_id: found
            for site_id in self._sites
            if (found := silence_of(self._devices(site_id), self._quiet_ms, rules.no_data))
        }
        self._open: dict[Condition, Open] = {}
        self._changes: dict[Condition, AlarmChange] = {}
        self._windows: list[MaintenanceWindow] = []

    def take(self) -> None:
        """Bring alarms to what time has brought about, and write them."""
        for item in silence.open_alarms(self._connection, self._sites):
            self._note(item)
        self._windows = alarms.maintenance(self._connection, self._sites, self._now_ts)
        regions = self._look_at_regions()
        for site_id, found in self._silence.items():
            self._look_at_site(site_id, found, regions.get(self._directory.sites[site_id].city))
        self._look_at_clocks()
        for item in list(self._open.values()):
            self._keep_deadlines(item)
        changes = [change for change in self._changes.values() if change.is_something or change.touched]
        group(self._connection, self._directory, self._rules, changes)
        write(self._directory, self._connection, changes)

    def _devices(self, site_id: str) -> Sequence[Device]:
        return self._directory.site_devices.get(site_id, ())

    def _quiet(self, now: PartitionProgress) -> dict[str, int]:
        """For how long nothing was heard of each device: by its own clock, and by when its newest reading arrived."""
        found: dict[str, int] = {}
        late: list[str] = []
        for site_id in self._sites:
            for device in self._devices(site_id):
                name = device.device_id
                if name in self._newest_ts:
                    found[name] = now.event_ts - self._newest_ts[name]
                    if found[name] > gap_ms(device, self._rules.no_data):
                        late.append(name)
        if late:
            for name, arrived_ts in silence.arrivals(self._connection, late).items():
                found[name] = min(found[name], now.record_ts - arrived_ts)
        return found

    def _last_heard_ts(self, site_id: str) -> int:
        """Device time of the newest reading of any of a site's devices."""
        heard = (self._newest_ts.get(device.device_id) for device in self._devices(site_id))
        return max(ts for ts in heard if ts is not None)

    def _note(self, item: Open) -> None:
        known = known_of(item.stored)
        self._open[known.condition] = item
        self._changes[known.condition] = AlarmChange(known)

    def _look_at_regions(self) -> dict[str, str]:
        """Note silent sites, judge their regions; returns the alarms of regions that account for their sites."""
        offline = {site_id for site_id, found in self._silence.items() if found.offline}
        noted = silence.silent_sites(self._connection, self._sites)
        city = {site_id: self._directory.sites[site_id].city for site_id in offline | noted}
        silence.note_silent(
            self._connection,
            {name: (city[name], self._last_heard_ts(name)) for name in offline - noted},
            noted - offline,
        )
        own = {self._directory.sites[site_id].city for site_id in self._sites}
        regions = set(city.values()) | (silence.regions_in_alarm(self._connection) & own)
        if not regions:
            return {}
        counts = silence.count_silent(self._connection, regions)
        for item in silence.region_alarms(self._connection, regions):
            self._note(item)
        totals: dict[str, int] = {}
        for site in self._directory.sites.values():
            totals[site.city] = totals.get(site.city, 0) + 1
        found: dict[str, str] = {}
        for region in sorted(regions):
            condition = Condition("", region, "", NO_DATA)
            silent = counts.get(region, 0)
            holds = is_region(silent, totals[region], self._rules.no_data)
            due = any(self._silence[name].site_due for name in offline if city[name] == region)
            since = [self._last_heard_ts(name) for name in offline if city[name] == region]
            figures = _figures(silent, totals[region], "sites", sorted(offline)[:NAMED_DEVICES])
            self._bring(condition, Severity.HIGH, min(since, default=self._now_ts), figures, holds=holds, due=due)
            change = self._changes.get(condition)
            if change is not None and change.alarm.active and holds:
                found[region] = change.alarm.alarm_id
        return found

    def _look_at_site(self, site_id: str, found: SiteSilence, region_alarm: str | None) -> None:
        condition = Condition(site_id, site_id, "", NO_DATA)
        figures = _figures(len(found.silent), found.seen, "devices", list(found.silent[:NAMED_DEVICES]))
        since = self._last_heard_ts(site_id) if found.offline else min(
            (self._newest_ts[device_id] for device_id in found.silent), default=self._now_ts
        )  # fmt: skip
        severity = Severity.HIGH if found.offline else Severity.MEDIUM
        parent = self._parent(site_id, "", region_alarm)
        self._bring(condition, severity, since, figures, holds=found.rolled_up, due=found.site_due, parent=parent)
        change = self._changes.get(condition)
        site_alarm = change.alarm.alarm_id if change is not None and change.alarm.active and found.rolled_up else None
        for device in self._devices(site_id):
            name = device.device_id
            own = Condition(site_id, name, "", NO_DATA)
            if name not in self._newest_ts or (name not in found.silent and own not in self._changes):
                continue
            evidence = {
                "value": self._quiet_ms[name] / 1000,
                "unit": "s",
                "evidence": {"period_s": device.period_s, "last_ms": self._newest_ts[name]},
            }
            self._bring(
                own,
                Severity.MEDIUM,
                self._newest_ts[name],
                evidence,
                holds=name in found.silent,
                due=name in found.due and not found.rolled_up,
                parent=self._parent(site_id, name, site_alarm),
                period_ms=device.period_s * 1000,
            )

    def _look_at_clocks(self) -> None:
        """Bring alarms of wrong clocks about, and to their end."""
        devices = self._directory.devices
        wrong = device_clocks.look(self._connection, devices, self._sites, self._newest_ts, self._record_ms)
        for name, found in wrong.items():
            self._bring(
                Condition(found.device.site_id, name, "", CLOCK), Severity.MEDIUM, found.since_ts, found.figures,
                holds=True, due=found.is_due, parent=self._parent(found.device.site_id, name, None),
            )  # fmt: skip
        for condition in [each for each in self._changes if each.kind == CLOCK and each.device_id not in wrong]:
            self._bring(condition, Severity.MEDIUM, 0, {}, holds=False, due=False)

    def _parent(self, site_id: str, device_id: str, alarm: str | None) -> str | None:
        """What accounts for silence: the parent's alarm, or planned maintenance."""
        if alarm is not None:
            return alarm
        for window in self._windows:
            at_it = window.site_id == site_id and window.device_id in {"", device_id}
            if at_it and window.from_ts <= self._now_ts < window.to_ts:
                return f"maintenance:{window.number}"
        return None

    def _bring(
        self,
        condition: Condition,
        severity: Severity,
        since_ts: int,
        figures: dict[str, Any],
        *,
        holds: bool,
        due: bool,
        parent: str | None = None,
        period_ms: float = 60_000,
    ) -> None:
        """Bring one alarm of silence to whether its condition holds, with its delays."""
        change = self._changes.get(condition)
        if change is None or not change.alarm.active:
            if holds and due:
                change = change or self._new(condition, severity, since_ts)
                self._changes[condition] = change
                detail = {} if parent is None else {"by": parent}
                event = AlarmEvent.RAISE if parent is None else AlarmEvent.RAISE_SUPPRESSED
                recurs = not change.is_new
                change.take(event, _WHY[condition.kind], self._now_ts, **detail)
                change.alarm = change.alarm._replace(
                    last_raised_ts=self._now_ts, cleared_ts=None, ended_ts=None, pending_ts=None,
                    detector=_DETECTORS[condition.kind], occurrences=change.alarm.occurrences + recurs,
                )  # fmt: skip
                change.figures = {**figures, "detector": _DETECTORS[condition.kind]}
            return
        if holds:
            if change.alarm.pending_ts is not None:
                change.alarm, change.touched = change.alarm._replace(pending_ts=None), True
            self._keep_to_parent(change, parent)
            return
        if change.alarm.pending_ts is None:
            change.alarm, change.touched = change.alarm._replace(pending_ts=self._now_ts), True
        elif self._now_ts - change.alarm.pending_ts >= self._rules.no_data.off_delay_periods * period_ms:
            self._end(change, change.alarm.pending_ts)
            change.alarm = change.alarm._replace(
                cleared_ts=change.alarm.pending_ts, ended_ts=self._now_ts, pending_ts=None
            )

    def _end(self, change: AlarmChange, heard_ts: int) -> None:
        """Note the end of a wrong clock; or of a silence, and whether what was missing has come with it."""
        if change.alarm.condition.kind == CLOCK:
            change.take(AlarmEvent.CLEAR, "its clock is right again, or nothing is heard of it", heard_ts)
            return
        devices = devices_of(self._directory, change.alarm.condition)
        if is_filled(self._connection, devices, change.alarm.event_ts, heard_ts, self._rules.no_data):
            change.take(AlarmEvent.CLEAR, "heard again, and what was missing has come", heard_ts, filled=True)
        else:
            change.take(AlarmEvent.CLEAR, "heard again", heard_ts)

    def _keep_to_parent(self, change: AlarmChange, parent: str | None) -> None:
        """Suppress a child whose parent is in alarm, and let it go when the parent no longer accounts for it."""
        suppressed = change.alarm.state is AlarmState.SUPPRESSED
        if parent is not None and (change.alarm.state, AlarmEvent.SUPPRESS) in TRANSITIONS:
            change.take(AlarmEvent.SUPPRESS, "its parent accounts for it", self._now_ts, by=parent)
        elif parent is None and suppressed:
            change.take(AlarmEvent.RESUME_ACTIVE, "its parent no longer accounts for it", self._now_ts)

    def _new(self, condition: Condition, severity: Severity, since_ts: int) -> AlarmChange:
        name = alarm_id(condition.device_id, condition.metric, condition.kind, self._now_ts)
        known = Alarm(
            alarm_id=name, condition=condition, state=AlarmState.NORMAL, active=False, severity=severity,
            event_ts=since_ts, raised_ts=self._now_ts, last_raised_ts=self._now_ts, cleared_ts=None, ended_ts=None,
            pending_ts=None, group_id=name, occurrences=1, disproved=False, detector=_DETECTORS[condition.kind],
        )  # fmt: skip
        return AlarmChange(known, is_new=True)

    def _keep_deadlines(self, item: Open) -> None:
        """End what has a time: shelving, maintenance, holds, and the patience with what was acknowledged."""
        change = self._changes[known_of(item.stored).condition]
        alarm = change.alarm
        resume = AlarmEvent.RESUME_ACTIVE if alarm.active else AlarmEvent.RESUME_NORMAL
        if alarm.state is AlarmState.SHELVED and item.shelf_over:
            change.take(resume, "its time on the shelf is over")
        elif alarm.state is AlarmState.SUPPRESSED and alarm.condition.kind not in TIMED:
            if item.suppressed_by not in {f"maintenance:{window.number}" for window in self._windows}:
                change.take(resume, "maintenance is over")
        elif self._is_forgotten(alarm, item):
            change.take(AlarmEvent.REALARM, "acknowledged long ago and still active")
        if self._is_held_long_enough(alarm):
            latching = alarm.condition.kind in SAFETY_KINDS
            event = AlarmEvent.CLEAR_LATCHED if latching else AlarmEvent.CLEAR
            change.take(event, "over for as long as the deadband asks", alarm.pending_ts)
            change.alarm = change.alarm._replace(cleared_ts=alarm.pending_ts, ended_ts=self._now_ts, pending_ts=None)

    def _is_forgotten(self, alarm: Alarm, item: Open) -> bool:
        """Whether an alarm was acknowledged so long ago that it comes up again."""
        patience_h = self._rules.realarm_h[alarm.severity]
        acknowledged = alarm.state is AlarmState.ACTIVE_ACKNOWLEDGED and item.acknowledged_h is not None
        return acknowledged and (item.acknowledged_h or 0.0) >= patience_h

    def _is_held_long_enough(self, alarm: Alarm) -> bool:
        """Whether a return within the deadband has lasted; what time brings about has delays of its own."""
        if not alarm.active or alarm.pending_ts is None or alarm.condition.kind in TIMED:
            return False
        return self._now_ts - alarm.pending_ts >= self._rules.deadband_hold_s * 1000


def _figures(silent: int, total: int, unit: str, named: list[str]) -> dict[str, Any]:
    return {"value": float(silent), "baseline": 0.0, "unit": unit, "evidence": {"of": total, "silent": named}}
