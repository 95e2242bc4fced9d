"""What was published of one safety condition, held against what its verdicts show now."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import orjson

from schemas.alarms import alarm_id
from schemas.metrics import Signal
from schemas.safety import SafetyEvent, SafetyRecord
from schemas.time import FOREVER_MS
from streams.kernels.alarms.episodes import Episode, episodes
from streams.kernels.alarms.reference import alarm_rules
from streams.kernels.alarms.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Told(NamedTuple):
    """An alarm as it stands on the alarms' topic."""

    record: SafetyRecord
    """By which it was published, or amended last."""
    ended_ms: int | None = None
    """The sample by which it was over."""

    @property
    def raised_ms(self) -> int:
        """The sample that raised it."""
        return self.record.sample_ms

    def differs(self, raised_ms: int, ended_ms: int | None) -> bool:
        """Whether it came or went by other samples; that one which stands has gone is no difference, but news."""
        return self.raised_ms != raised_ms or (self.ended_ms is not None and self.ended_ms != ended_ms)

    def is_of(self, episode: Episode) -> bool:
        """Whether it stands for this stretch of time."""
        end = FOREVER_MS if self.ended_ms is None else self.ended_ms
        same = self.raised_ms == episode.raised.ts
        return same or (self.raised_ms < episode.ended_ms and episode.raised.ts < end)


class PublishedCondition:
    """All that was published of one condition, in order."""

    def __init__(self) -> None:
        self.alarms: list[Told] = []
        self.newest_ms = -1
        """Newest sample that anything was published of: the same readings again say nothing new until then."""

    def remember(self, record: SafetyRecord) -> None:
        """Take a record in."""
        self.newest_ms = max(self.newest_ms, record.sample_ms, record.ended_ms or 0)
        if record.event is SafetyEvent.RAISE:
            self.alarms.append(Told(record))
            return
        name = record.replaces or record.alarm_id
        for at, told in enumerate(self.alarms):
            if told.record.alarm_id == name:
                if record.event is SafetyEvent.CLEAR:
                    self.alarms[at] = told._replace(ended_ms=record.sample_ms)
                elif record.disproved:
                    del self.alarms[at]
                else:
                    self.alarms[at] = Told(record, record.ended_ms)
                return

    def standing_at(self, ts: int) -> Signal | None:
        """The verdict by which an alarm was raised that holds at a moment."""
        for told in self.alarms:
            if told.ended_ms is None and told.raised_ms < ts:
                return _verdict(told.record)
        return None

    def news(
        self, verdicts: Sequence[Signal], *, late_from_ms: int | None, newest_ms: int, now_ms: int
    ) -> list[SafetyRecord]:
        """What is to be published, so that what stands on the topic is what verdicts show; it is taken as published.

        `late_from_ms`: where a late reading came; what was published of readings from there on may change. Without one
        only what is newer than all that was published is news. What was published of samples behind `newest_ms`, by a
        guard that had seen more, is left as it is.
        """
        given: list[SafetyRecord] = []
        left = list(self.alarms)
        for episode in found_in(verdicts):
            told = next((told for told in left if told.is_of(episode)), None)
            if told is None:
                if late_from_ms is not None or episode.raised.ts > self.newest_ms:
                    given += _raised(episode, verdicts, now_ms)
                continue
            left.remove(told)
            knows_more = told.ended_ms is not None and told.ended_ms > newest_ms
            ended_ms = None if episode.cleared_ms is None else episode.ended_ms
            if late_from_ms is not None and told.differs(episode.raised.ts, told.ended_ms if knows_more else ended_ms):
                given.append(_amended(told, episode.raised, told.ended_ms if knows_more else ended_ms, now_ms))
            elif (
                told.ended_ms is None
                and ended_ms is not None
                and (late_from_ms is not None or ended_ms > self.newest_ms)
            ):
                given.append(_cleared(told.record, episode, verdicts, now_ms))
        if late_from_ms is not None:
            gone = [told for told in left if late_from_ms <= told.raised_ms <= newest_ms]
            given += [_disproved(told, now_ms) for told in gone]
        for record in given:
            self.remember(record)
        return given


def found_in(verdicts: Sequence[Signal]) -> list[Episode]:
    """Find when the condition held; without a deadband, whose hold only a clock could end."""
    plain = [verdict if verdict.active else verdict._replace(low=None, high=None) for verdict in verdicts]
    handling = alarm_rules().handling(verdicts[0].kind) if verdicts else alarm_rules().safety
    rule = Rule(handling.on_delay_samples, handling.off_delay_samples, 0.0, latching=handling.latching, safety=True)
    return episodes(plain, rule)


def _raised(episode: Episode, verdicts: Sequence[Signal], now_ms: int) -> Iterator[SafetyRecord]:
    record = _record(episode.raised, SafetyEvent.RAISE, now_ms)
    yield record
    if episode.cleared_ms is not None:
        yield _cleared(record, episode, verdicts, now_ms)


def _cleared(raised: SafetyRecord, episode: Episode, verdicts: Sequence[Signal], now_ms: int) -> SafetyRecord:
    over = next(verdict for verdict in verdicts if verdict.ts == episode.ended_ms)
    record = _record(over, SafetyEvent.CLEAR, now_ms)
    return record.model_copy(update={"alarm_id": raised.alarm_id, "event_ms": episode.cleared_ms})


def _amended(told: Told, raised: Signal, ended_ms: int | None, now_ms: int) -> SafetyRecord:
    record = _record(raised, SafetyEvent.AMEND, now_ms)
    before = told.record.alarm_id
    return record.model_copy(update={"replaces": "" if before == record.alarm_id else before, "ended_ms": ended_ms})


def _disproved(told: Told, now_ms: int) -> SafetyRecord:
    after = {"event": SafetyEvent.AMEND, "detected_ms": now_ms, "ended_ms": told.ended_ms, "disproved": True}
    return told.record.model_copy(update={"replaces": "", **after})


def _record(signal: Signal, event: SafetyEvent, now_ms: int) -> SafetyRecord:
    return SafetyRecord(
        alarm_id=alarm_id(signal.device_id, signal.metric, signal.kind.value, signal.ts),
        event=event,
        site_id=signal.site_id,
        device_id=signal.device_id,
        metric=signal.metric,
        kind=signal.kind,
        severity=signal.severity,
        event_ms=signal.since_ms,
        sample_ms=signal.ts,
        detected_ms=now_ms,
        value=signal.value,
        high=signal.high,
        unit=signal.unit,
        detector=signal.detector,
        may_be=orjson.loads(signal.evidence).get("may_be", ""),
    )


def _verdict(record: SafetyRecord) -> Signal:
    """The verdict that a record was made of, as far as it says."""
    return Signal(
        device_id=record.device_id,
        metric=record.metric,
        kind=record.kind,
        ts=record.sample_ms,
        seen_ts=record.sample_ms,
        site_id=record.site_id,
        active=True,
        samples=1,
        severity=record.severity,
        since_ms=record.event_ms,
        value=record.value,
        baseline=None,
        low=None,
        high=record.high,
        z=None,
        unit=record.unit,
        window_s=0.0,
        cost=None,
        cost_unit="",
        detector=record.detector,
        evidence=orjson.dumps({"may_be": record.may_be}).decode(),
    )
