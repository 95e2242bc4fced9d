"""The record on the alarms' topic: a safety condition that came or went. Consumers tell repeats by id and event."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from schemas.kafka import WIRE_NAMES
from schemas.metrics.signal import Severity, SignalKind


class SafetyEvent(StrEnum):
    """What has happened to the condition."""

    RAISE = "raise"
    CLEAR = "clear"
    AMEND = "amend"
    """A late reading has moved it, or taken its cause away: the record says how it stands now."""


class SafetyRecord(BaseModel):
    """One record; its key is the alarm's id. Moments in ms, UTC."""

    model_config = WIRE_NAMES | ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    alarm_id: str
    """By which the database finds its alarm, once it is there (view `alarm_name`)."""
    event: SafetyEvent
    site_id: str
    device_id: str
    metric: str
    kind: SignalKind
    severity: Severity
    event_ts: int
    """Onset, or end, in device time."""
    sample_ts: int
    """Device time of the reading by which it was seen."""
    detected_ts: int
    """When the guard saw it."""
    value: float | None
    high: float | None
    unit: str
    detector: str
    may_be: str = ""
    """`event`, or `sensor or event` where nothing else at the device bears the sensor out."""
    replaces: str = ""
    """With `amend`: the id it had, where the sample that raised it is another one now."""
    ended_ts: int | None = None
    """With `amend`: device time of the reading by which it was over; null while it stands."""
    disproved: bool = False
    """With `amend`: late readings show that it never was."""
