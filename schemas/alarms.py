"""Alarms in the words of ISA-18.2 / IEC 62682: states, what may happen to an alarm, and its name.

The table of transitions is in `streams.kernels.alarms.machine`; the database holds the same table as `alarm_rule`.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

NO_DATA = "no_data"
"""Kind of the alarms of silent devices, sites and regions."""
CLOCK = "clock"
"""Kind of the alarms of devices whose clock is wrong. All other kinds are detectors'."""
TIMED = frozenset({NO_DATA, CLOCK})
"""Kinds that time brings about, with delays of their own."""


class AlarmState(StrEnum):
    """The seven states."""

    NORMAL = "normal"
    ACTIVE_UNACKNOWLEDGED = "active_unacknowledged"
    ACTIVE_ACKNOWLEDGED = "active_acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"
    """The condition is over, and nobody has seen it yet."""
    SHELVED = "shelved"
    """Put aside by an operator, until a stated moment."""
    SUPPRESSED = "suppressed"
    """Kept back by design: its parent is in alarm, or maintenance is planned."""
    OUT_OF_SERVICE = "out_of_service"
    """Taken out by an operator until taken back."""


class AlarmEvent(StrEnum):
    """What may happen to an alarm."""

    RAISE = "raise"
    """The condition holds, and has for its on-delay."""
    RAISE_SUPPRESSED = "raise_suppressed"
    """The same, while a parent's alarm or maintenance already accounts for it."""
    CLEAR = "clear"
    """The condition is over, and has been for its off-delay."""
    CLEAR_LATCHED = "clear_latched"
    """The same for a latching alarm: an operator must see that it is over, acknowledged before or not."""
    ACKNOWLEDGE = "acknowledge"
    CLOSE = "close"
    """An operator is done with an alarm whose condition is over."""
    REALARM = "realarm"
    """Acknowledged long ago and still active, or worse than it was."""
    SHELVE = "shelve"
    SUPPRESS = "suppress"
    DISABLE = "disable"
    """Taken out of service."""
    RESUME_ACTIVE = "resume_active"
    """Shelving, suppression or being out of service ends while the condition holds."""
    RESUME_NORMAL = "resume_normal"
    """The same while it does not."""
    COMMENT = "comment"
    AMEND = "amend"
    """Late readings disproved or moved its cause."""


CONDITION_AFTER = {
    AlarmEvent.RAISE: True,
    AlarmEvent.RAISE_SUPPRESSED: True,
    AlarmEvent.CLEAR: False,
    AlarmEvent.CLEAR_LATCHED: False,
}
"""Whether the condition holds after an event; any other event leaves that as it is."""


def alarm_id(device_id: str, metric: str, kind: str, raised_ts: int) -> str:
    """Name an alarm after its condition and the device time of the sample that raised it.

    The safety path and the database come to the same name without asking each other; 32 hexadecimal digits.
    """
    text = "\n".join((device_id, metric, kind, str(raised_ts)))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
