"""Holding alarms against the episodes that the stored verdicts show: what is new, over, worse, moved or disproved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.alarms import AlarmEvent, AlarmState, alarm_id
from schemas.time import FOREVER_TS, json_key
from streams.kernels.alarms.episodes import Episode, worse
from streams.kernels.alarms.machine import TRANSITIONS, step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.metrics.signal import Severity
    from streams.kernels.alarms.rules import Condition, Rule


class Alarm(NamedTuple):
    """An alarm as it stands in the database."""

    alarm_id: str
    condition: Condition
    state: AlarmState
    active: bool
    severity: Severity
    event_ts: int
    raised_ts: int
    last_raised_ts: int
    """The sample by which its condition last came."""
    cleared_ts: int | None
    ended_ts: int | None
    """The sample by which it was over."""
    pending_ts: int | None
    group_id: str
    occurrences: int
    disproved: bool
    detector: str
    """Empty for a condition that was taken out of service before it was ever seen."""

    @property
    def is_open(self) -> bool:
        """Whether it is one that somebody may still have to do with."""
        return self.state is not AlarmState.NORMAL


class EventToApply(NamedTuple):
    """An event, ready for `alarm_apply`."""

    event: AlarmEvent
    reason: str
    event_ts: int | None
    detail: dict[str, Any]


@dataclass(slots=True)
class AlarmChange:
    """What becomes of one alarm."""

    alarm: Alarm
    is_new: bool = False
    shown: Episode | None = None
    """Whose verdict is its evidence."""
    figures: dict[str, Any] | None = None
    """Its evidence where it is not a verdict."""
    touched: bool = False
    """Whether something beside its state is to be written."""
    events: list[EventToApply] = field(default_factory=list)

    def take(self, event: AlarmEvent, reason: str, event_ts: int | None = None, **detail: object) -> None:
        """Have something happen; raises ImpossibleEventError where the table has no entry."""
        after = step(self.alarm.state, event, active=self.alarm.active)
        self.alarm = self.alarm._replace(state=after.state, active=after.active)
        self.events.append(EventToApply(event, reason, event_ts, detail))

    @property
    def is_something(self) -> bool:
        """Whether there is anything to write."""
        return self.is_new or bool(self.events) or self.shown is not None


def reconcile(
    condition: Condition,
    known: Sequence[Alarm],
    found: Sequence[Episode],
    rule: Rule,
    kept_back_by: Sequence[str | None],
) -> list[AlarmChange]:
    """Bring one condition's alarms to what its episodes say.

    `known` are its alarms that are open or end after the first episode may begin, in order of time; `kept_back_by`
    names, per episode, the parent's alarm or the maintenance that accounts for it.
    """
    reasons = {episode.raised.ts: reason for episode, reason in zip(found, kept_back_by, strict=True)}
    left = list(found)
    changes: list[AlarmChange] = []
    for alarm in sorted(known, key=lambda alarm: not alarm.is_open):  # the open one first: it may be one only
        own = [episode for episode in left if _overlap(alarm, episode)]
        if alarm.is_open:  # what comes after it comes to it
            own = [one for one in left if one in own or not alarm.detector or one.raised.ts >= alarm.raised_ts]
            # Nothing is left of what it was raised for: it stands for what held before, or nobody would hear of that.
            own = own or [one for one in left if not any(_overlap(other, one) for other in known)]
        left = [episode for episode in left if episode not in own]
        change = AlarmChange(alarm)
        if own:
            _follow(change, own, rule, reasons)
        elif alarm.detector and not alarm.disproved and not any(_overlap(alarm, episode) for episode in found):
            _disprove(change, rule)
        changes.append(change)
    if left:
        _attach_or_create(condition, changes, left, rule, reasons)
    return [change for change in changes if change.is_something]


def _overlap(alarm: Alarm, episode: Episode) -> bool:
    end = alarm.ended_ts if alarm.ended_ts is not None and not alarm.active else FOREVER_TS
    return bool(alarm.detector) and episode.raised.ts <= end and episode.ended_ts >= alarm.raised_ts


def _clear(change: AlarmChange, rule: Rule, reason: str, event_ts: int | None, ended_ts: int | None) -> None:
    change.take(AlarmEvent.CLEAR_LATCHED if rule.latching else AlarmEvent.CLEAR, reason, event_ts)
    change.alarm = change.alarm._replace(cleared_ts=event_ts, ended_ts=ended_ts, pending_ts=None)


def _raise(change: AlarmChange, episode: Episode, kept_back_by: str | None) -> None:
    event = AlarmEvent.RAISE if kept_back_by is None else AlarmEvent.RAISE_SUPPRESSED
    detail = {} if kept_back_by is None else {"by": kept_back_by}
    change.take(event, "the condition holds", episode.raised.ts, **detail)
    change.alarm = change.alarm._replace(
        cleared_ts=None, ended_ts=None, pending_ts=None, disproved=False, last_raised_ts=episode.raised.ts
    )


def _follow(change: AlarmChange, own: Sequence[Episode], rule: Rule, reasons: dict[int, str | None]) -> None:
    """Bring an alarm to the episodes it stands for: the one it stands at, and those that came since."""
    before = change.alarm
    first, final = own[0], own[-1]
    since = list(own)
    if before.detector:
        if (first.raised.ts, first.raised.since_ts) != (before.raised_ts, before.event_ts):
            _amend(change, event_ts=first.raised.since_ts, raised_ts=first.raised.ts)
        past = [episode for episode in own if episode.raised.ts <= before.last_raised_ts] or [first]
        since = list(own[len(past) :])
        # Late readings may show that it had come earlier, or that two times were one.
        change.alarm = change.alarm._replace(last_raised_ts=past[-1].raised.ts)
        if not (change.alarm.active and since and since[0].renewed):
            _stand_at(change, past[-1], rule, reasons[past[-1].raised.ts])
    else:
        change.alarm = before._replace(event_ts=first.raised.since_ts, raised_ts=first.raised.ts)
    for episode in since:
        _live_through(change, episode, rule, reasons[episode.raised.ts])
    worst = worse(change.alarm.severity, final.worst)
    if worst is not change.alarm.severity:
        change.alarm = change.alarm._replace(severity=worst)
        raised_now = any(item.event in {AlarmEvent.RAISE, AlarmEvent.RAISE_SUPPRESSED} for item in change.events)
        if final.cleared_ts is None and not raised_now and (change.alarm.state, AlarmEvent.REALARM) in TRANSITIONS:
            change.take(AlarmEvent.REALARM, f"worse: {worst}", final.last.ts)
    change.alarm = change.alarm._replace(pending_ts=final.pending_ts if change.alarm.active else None)
    change.shown = final


def _stand_at(change: AlarmChange, episode: Episode, rule: Rule, kept_back_by: str | None) -> None:
    """Bring an alarm to the present form of the episode it stands at."""
    alarm = change.alarm
    if alarm.active:
        if episode.cleared_ts is not None:
            _clear(change, rule, "the condition is over", episode.cleared_ts, episode.ended_ts)
    elif episode.cleared_ts is None:
        if episode.pending_ts is None or episode.pending_ts != alarm.cleared_ts:  # else its hold has passed
            _amend(change, cleared_ts=None, ended_ts=None)
            _raise(change, episode, kept_back_by)
    elif alarm.disproved:
        change.alarm = alarm._replace(disproved=False)
        _amend(change, cleared_ts=episode.cleared_ts, ended_ts=episode.ended_ts)
    elif episode.cleared_ts != alarm.cleared_ts:
        _amend(change, cleared_ts=episode.cleared_ts, ended_ts=episode.ended_ts)


def _live_through(change: AlarmChange, episode: Episode, rule: Rule, kept_back_by: str | None) -> None:
    """Have a condition come, and go where it has gone."""
    if change.alarm.active:
        reason = "another one came on top of it" if episode.renewed else "the condition was over for a while"
        _clear(change, rule, reason, episode.raised.since_ts, episode.raised.ts)
    recurs = not change.is_new or bool(change.events)
    _raise(change, episode, kept_back_by)
    if recurs and change.alarm.detector:
        change.alarm = change.alarm._replace(occurrences=change.alarm.occurrences + 1)
    if episode.cleared_ts is not None:
        _clear(change, rule, "the condition is over", episode.cleared_ts, episode.ended_ts)


def _amend(change: AlarmChange, **after: int | None) -> None:
    """Note that late readings have moved something, with what it was and what it is."""
    before = {json_key(name): getattr(change.alarm, name) for name in after}
    change.alarm = change.alarm._replace(**after)  # type: ignore[arg-type]
    change.take(
        AlarmEvent.AMEND,
        "late readings have moved it",
        before=before,
        after={json_key(name): value for name, value in after.items()},
    )


def _disprove(change: AlarmChange, rule: Rule) -> None:
    """Late readings have taken the alarm's cause away."""
    change.alarm = change.alarm._replace(disproved=True)
    change.take(
        AlarmEvent.AMEND, "late readings have disproved it", before={"disproved": False}, after={"disproved": True}
    )
    if change.alarm.active:
        raised_ts = change.alarm.raised_ts
        _clear(change, rule, "late readings have disproved it", raised_ts, raised_ts)


def _attach_or_create(
    condition: Condition,
    changes: list[AlarmChange],
    left: Sequence[Episode],
    rule: Rule,
    reasons: dict[int, str | None],
) -> None:
    """Give episodes that no alarm stands for an alarm; where another is open, note them there."""
    standing = next((change for change in changes if change.alarm.is_open), None)
    for episode in left:
        if standing is not None and not standing.is_new and episode.raised.ts <= standing.alarm.last_raised_ts:
            standing.take(
                AlarmEvent.AMEND,
                "late readings show that it held before, too",
                before={},
                after={"from_ms": episode.raised.since_ts, "to_ms": episode.cleared_ts},
            )
            continue
        if standing is None or not standing.alarm.is_open:
            standing = _new(condition, episode)
            changes.append(standing)
        _live_through(standing, episode, rule, reasons[episode.raised.ts])
        severity = worse(standing.alarm.severity, episode.worst)
        standing.alarm = standing.alarm._replace(severity=severity, pending_ts=episode.pending_ts)
        standing.shown = episode


def _new(condition: Condition, episode: Episode) -> AlarmChange:
    signal = episode.raised
    name = alarm_id(condition.device_id, condition.metric, condition.kind, signal.ts)
    alarm = Alarm(
        alarm_id=name,
        condition=condition,
        state=AlarmState.NORMAL,
        active=False,
        severity=episode.worst,
        event_ts=signal.since_ts,
        raised_ts=signal.ts,
        last_raised_ts=signal.ts,
        cleared_ts=None,
        ended_ts=None,
        pending_ts=None,
        group_id=name,
        occurrences=1,
        disproved=False,
        detector=signal.detector,
    )
    return AlarmChange(alarm, is_new=True)
