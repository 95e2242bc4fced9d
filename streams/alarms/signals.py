"""Verdicts into alarms, in the transaction that wrote the verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from schemas.alarms import AlarmState
from schemas.metrics import Signal
from schemas.metrics.signal import Severity
from schemas.time import FOREVER_TS, Span
from storage import derived
from storage.alarm_tables import alarms
from storage.alarm_tables.alarms import AlarmEventRow, Asked
from streams.alarms.grouping import group
from streams.kernels.alarms.episodes import Episode, episodes
from streams.kernels.alarms.reconcile import Alarm, AlarmChange, reconcile
from streams.kernels.alarms.reference import alarm_rules
from streams.kernels.alarms.rules import Condition, Rule, rule_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from psycopg import Connection

    from schemas.metrics import Row
    from storage.alarm_tables.alarms import MaintenanceWindow, StoredAlarm
    from streams.engine.stage import Written
    from streams.intake.admission import Directory
    from streams.kernels.alarms.rules import AlarmRules


class SignalAlarms:
    """A stage: whatever changes a condition's verdicts, late or not, its alarms follow."""

    hears: frozenset[type[Row]] = frozenset({Signal})

    def __init__(self, rules: AlarmRules | None = None) -> None:
        self._rules = rules or alarm_rules()

    def run(self, written: Written) -> None:
        """Bring the alarms of all conditions whose verdicts have changed to what they say now."""
        touched = _touched(written)
        if not touched:
            return
        connection = written.connection
        stored = alarms.known(connection, [Asked(*condition, ts) for condition, ts in touched.items()])
        known: dict[Condition, list[Alarm]] = {}
        for row in stored:
            known.setdefault(Condition(*row[1:5]), []).append(known_of(row))
        starts = {
            condition: min([ts, *(alarm.raised_ts for alarm in known.get(condition, ()) if alarm.detector)])
            for condition, ts in touched.items()
        }
        signals = _signals(connection, starts)
        settings = alarms.settings(connection)
        sites = sorted({condition.site_id for condition in touched})
        windows = alarms.maintenance(connection, sites, min(starts.values()))
        changes: list[AlarmChange] = []
        for condition in sorted(touched):
            rule = rule_for(self._rules, settings, condition)
            found = episodes(signals.get(condition, ()), rule)
            kept_back = [_kept_back_by(episode, condition, rule, windows) for episode in found]
            changes += reconcile(condition, known.get(condition, ()), found, rule, kept_back)
        group(connection, written.directory, self._rules, changes)
        write(written.directory, connection, changes)


def write(directory: Directory, connection: Connection, changes: Iterable[AlarmChange]) -> None:
    """Write what has become of alarms: rows first, then their events in order."""
    # A new alarm after what has ended of its condition: there may be only one open at any moment.
    ordered = sorted(changes, key=lambda change: (change.is_new, change.alarm.raised_ts if change.is_new else 0))
    alarms.insert(connection, [_new_row(directory, change) for change in ordered if change.is_new])
    events = [AlarmEventRow(change.alarm.alarm_id, *item) for change in ordered for item in change.events]
    alarms.apply(connection, events)
    alarms.update(connection, [_row(change) for change in ordered])


def known_of(row: StoredAlarm) -> Alarm:
    """An alarm's row in the engine's words."""
    return Alarm(
        alarm_id=row.alarm_id,
        condition=Condition(row.site_id, row.device_id, row.metric, row.kind),
        state=AlarmState(row.state),
        active=row.active,
        severity=Severity(row.severity),
        event_ts=row.event_ts,
        raised_ts=row.raised_ts,
        last_raised_ts=row.last_raised_ts,
        cleared_ts=row.cleared_ts,
        ended_ts=row.ended_ts,
        pending_ts=row.pending_ts,
        group_id=row.group_id,
        occurrences=row.occurrences,
        disproved=row.disproved,
        detector=row.detector,
    )


def _condition(signal: Signal) -> Condition:
    return Condition(signal.site_id, signal.device_id, signal.metric, signal.kind.value)


def _touched(written: Written) -> dict[Condition, int]:
    """Conditions whose verdicts have changed, and the earliest verdict that has."""
    found: dict[Condition, int] = {}
    for where in (written.standing, written.gone):
        for rows in where.get(Signal, {}).values():
            for row in rows:
                assert isinstance(row, Signal)  # noqa: S101 - by type
                condition = _condition(row)
                found[condition] = min(row.ts, found.get(condition, row.ts))
    return found


def _signals(connection: Connection, starts: dict[Condition, int]) -> dict[Condition, list[Signal]]:
    """The stored verdicts of some conditions, each from its own moment on, in order of time."""
    earliest: dict[str, int] = {}
    for condition, ts in starts.items():
        earliest[condition.device_id] = min(ts, earliest.get(condition.device_id, ts))
    found: dict[Condition, list[Signal]] = {}
    for row in derived.load(connection, Signal, [Span(name, ts, FOREVER_TS) for name, ts in sorted(earliest.items())]):
        assert isinstance(row, Signal)  # noqa: S101 - by type
        condition = _condition(row)
        if condition in starts and row.ts >= starts[condition]:
            found.setdefault(condition, []).append(row)
    return found


def _kept_back_by(
    episode: Episode, condition: Condition, rule: Rule, windows: Sequence[MaintenanceWindow]
) -> str | None:
    """The maintenance that accounts for an episode; battery safety is never kept back."""
    if rule.safety:
        return None
    for window in windows:
        at_it = window.site_id == condition.site_id and window.device_id in {"", condition.device_id}
        if at_it and window.from_ts <= episode.raised.ts < window.to_ts:
            return f"maintenance:{window.number}"
    return None


def _figures(change: AlarmChange) -> dict[str, Any]:
    if change.shown is None:
        names = ("value", "baseline", "low", "high", "z", "unit", "window_s", "cost", "cost_unit", "detector")
        return {**dict.fromkeys(names), "evidence": None, **(change.figures or {})}
    signal = change.shown.last
    return {
        "value": signal.value,
        "baseline": signal.baseline,
        "low": signal.low,
        "high": signal.high,
        "z": signal.z,
        "unit": signal.unit,
        "window_s": signal.window_s,
        "cost": signal.cost,
        "cost_unit": signal.cost_unit,
        "detector": signal.detector,
        "evidence": {"samples": signal.samples, "as_of_ms": signal.ts, **_document(signal.evidence)},
    }


def _document(json: Any) -> dict[str, Any]:  # noqa: ANN401 - text as written, or an object as read back
    found: dict[str, Any] = orjson.loads(json) if isinstance(json, str) else json
    return found


def _row(change: AlarmChange) -> dict[str, Any]:
    alarm = change.alarm
    return {
        "alarm_id": alarm.alarm_id,
        "severity": alarm.severity.value,
        "disproved": alarm.disproved,
        "occurrences": alarm.occurrences,
        "event_ts": alarm.event_ts,
        "raised_ts": alarm.raised_ts,
        "last_raised_ts": alarm.last_raised_ts,
        "cleared_ts": alarm.cleared_ts,
        "ended_ts": alarm.ended_ts,
        "pending_ts": alarm.pending_ts,
        **_figures(change),
    }


def _new_row(directory: Directory, change: AlarmChange) -> dict[str, Any]:
    condition = change.alarm.condition
    row = _row(change)
    needed = {"unit": "", "window_s": 0.0, "cost_unit": "", "evidence": {}}  # their columns have no nulls
    return {
        **row,
        **{name: value for name, value in needed.items() if row[name] is None},
        "site_id": condition.site_id,
        "device_id": condition.device_id,
        "metric": condition.metric,
        "kind": condition.kind,
        "region": directory.sites[condition.site_id].city if condition.site_id else condition.device_id,
        "safety": alarm_rules().handling(condition.kind) is alarm_rules().safety,
        "group_id": change.alarm.group_id,
    }
