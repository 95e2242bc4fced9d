"""The record on the alarms' topic: a safety condition that came or went. Consumers tell repeats by id and event."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from schemas.metrics.signal import Severity, SignalKind


class SafetyEvent(StrEnum):
    """What has happened to the condition."""

    RAISE = "raise"
    CLEAR = "clear"


class SafetyRecord(BaseModel):
    """One record; its key is the alarm's id. Moments in ms, UTC."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    alarm_id: str
    """The same that the alarm has in the database, once it is there."""
    event: SafetyEvent
    site_id: str
    device_id: str
    metric: str
    kind: SignalKind
    severity: Severity
    event_ms: int
    """Onset, or end, in device time."""
    sample_ms: int
    """Device time of the reading by which it was seen."""
    detected_ms: int
    """When the guard saw it."""
    value: float | None
    high: float | None
    unit: str
    detector: str
    may_be: str = ""
    """`event`, or `sensor or event` where nothing else at the device bears the sensor out."""
