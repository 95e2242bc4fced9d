"""What was published of one safety condition, held against what its verdicts show now."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import orjson

from schemas.alarms import alarm_id
from schemas.kafka.safety import SafetyEvent, SafetyRecord
from schemas.metrics import Signal
from schemas.time import FOREVER_TS
from streams.kernels.alarms.episodes import Episode, episodes
from streams.kernels.alarms.reference import alarm_rules
from streams.kernels.alarms.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class PublishedAlarm(NamedTuple):
    """An alarm as it stands on the alarms' topic."""

    record: SafetyRecord
    """By which it was published, or amended last."""
    ended_ts: int | None = None
    """The sample by which it was over."""

    @property
    def raised_ts(self) -> int:
        """The sample that raised it."""
        return self.record.sample_ts

    def differs(self, raised_ts: int, ended_ts: int | None) -> bool:
        """Whether it came or went by other samples; that one which stands has gone is no difference, but news."""
        return self.raised_ts != raised_ts or (self.ended_ts is not None and self.ended_ts != ended_ts)

    def is_of(self, episode: Episode) -> bool:
        """Whether it stands for this stretch of time."""
        end = FOREVER_TS if self.ended_ts is None else self.ended_ts
        same = self.raised_ts == episode.raised.ts
        return same or (self.raised_ts < episode.ended_ts and episode.raised.ts < end)


class PublishedCondition:
    """All that was published of one condition, in order."""

    def __init__(self) -> None:
        self.alarms: list[PublishedAlarm] = []
        self.newest_ts = -1
        """Newest sample that anything was published of: the same readings again say nothing new until then."""

    def remember(self, record: SafetyRecord) -> None:
        """Take a record in."""
        self.newest_ts = max(self.newest_ts, record.sample_ts, record.ended_ts or 0)
        if record.event is SafetyEvent.RAISE:
            self.alarms.append(PublishedAlarm(record))
            return
        name = record.replaces or record.alarm_id
        for at, published in enumerate(self.alarms):
            if published.record.alarm_id == name:
                if record.event is SafetyEvent.CLEAR:
                    self.alarms[at] = published._replace(ended_ts=record.sample_ts)
                elif record.disproved:
                    del self.alarms[at]
                else:
                    self.alarms[at] = PublishedAlarm(record, record.ended_ts)
                return

    def standing_at(self, ts: int) -> Signal | None:
        """The verdict by which an alarm was raised that holds at a moment."""
        for published in self.alarms:
            if published.ended_ts is None and published.raised_ts < ts:
                return _verdict(published.record)
        return None

    def news(
        self, verdicts: Sequence[Signal], *, late_from_ts: int | None, newest_ts: int, now_ts: int
    ) -> list[SafetyRecord]:
        """What is to be published, so that what stands on the topic is what verdicts show; it is taken as published.

        `late_from_ts`: where a late reading came; what was published of readings from there on may change. Without one
        only what is newer than all that was published is news. What was published of samples behind `newest_ts`, by a
        guard that had seen more, is left as it is.
        """
        given: list[SafetyRecord] = []
        left = list(self.alarms)
        for episode in found_in(verdicts):
            published = next((published for published in left if published.is_of(episode)), None)
            if published is None:
                if late_from_ts is not None or episode.raised.ts > self.newest_ts:
                    given += _raised(episode, verdicts, now_ts)
                continue
            left.remove(published)
            knows_more = published.ended_ts is not None and published.ended_ts > newest_ts
            ended_ts = None if episode.cleared_ts is None else episode.ended_ts
            amended_ts = published.ended_ts if knows_more else ended_ts
            if late_from_ts is not None and published.differs(episode.raised.ts, amended_ts):
                given.append(_amended(published, episode.raised, amended_ts, now_ts))
            elif (
                published.ended_ts is None
                and ended_ts is not None
                and (late_from_ts is not None or ended_ts > self.newest_ts)
            ):
                given.append(_cleared(published.record, episode, verdicts, now_ts))
        if late_from_ts is not None:
            gone = [published for published in left if late_from_ts <= published.raised_ts <= newest_ts]
            given += [_disproved(published, now_ts) for published in gone]
        for record in given:
            self.remember(record)
        return given


def found_in(verdicts: Sequence[Signal]) -> list[Episode]:
    """Find when the condition held; without a deadband, whose hold only a clock could end."""
    plain = [verdict if verdict.active else verdict._replace(low=None, high=None) for verdict in verdicts]
    handling = alarm_rules().handling(verdicts[0].kind) if verdicts else alarm_rules().safety
    rule = Rule(handling.on_delay_samples, handling.off_delay_samples, 0.0, latching=handling.latching, safety=True)
    return episodes(plain, rule)


def _raised(episode: Episode, verdicts: Sequence[Signal], now_ts: int) -> Iterator[SafetyRecord]:
    record = _record(episode.raised, SafetyEvent.RAISE, now_ts)
    yield record
    if episode.cleared_ts is not None:
        yield _cleared(record, episode, verdicts, now_ts)


def _cleared(raised: SafetyRecord, episode: Episode, verdicts: Sequence[Signal], now_ts: int) -> SafetyRecord:
    over = next(verdict for verdict in verdicts if verdict.ts == episode.ended_ts)
    record = _record(over, SafetyEvent.CLEAR, now_ts)
    return record.model_copy(update={"alarm_id": raised.alarm_id, "event_ts": episode.cleared_ts})


def _amended(published: PublishedAlarm, raised: Signal, ended_ts: int | None, now_ts: int) -> SafetyRecord:
    record = _record(raised, SafetyEvent.AMEND, now_ts)
    before = published.record.alarm_id
    return record.model_copy(update={"replaces": "" if before == record.alarm_id else before, "ended_ts": ended_ts})


def _disproved(published: PublishedAlarm, now_ts: int) -> SafetyRecord:
    after = {"event": SafetyEvent.AMEND, "detected_ts": now_ts, "ended_ts": published.ended_ts, "disproved": True}
    return published.record.model_copy(update={"replaces": "", **after})


def _record(signal: Signal, event: SafetyEvent, now_ts: int) -> SafetyRecord:
    return SafetyRecord(
        alarm_id=alarm_id(signal.device_id, signal.metric, signal.kind.value, signal.ts),
        event=event,
        site_id=signal.site_id,
        device_id=signal.device_id,
        metric=signal.metric,
        kind=signal.kind,
        severity=signal.severity,
        event_ts=signal.since_ts,
        sample_ts=signal.ts,
        detected_ts=now_ts,
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
        ts=record.sample_ts,
        seen_ts=record.sample_ts,
        site_id=record.site_id,
        active=True,
        samples=1,
        severity=record.severity,
        since_ts=record.event_ts,
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
