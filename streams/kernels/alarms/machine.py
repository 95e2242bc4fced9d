"""The life of an alarm as a table: (state, event) → state, after ISA-18.2 / IEC 62682.

An event that has no entry is impossible in that state. Migration 0030 writes the same table into the database, where
the operator's functions and the worker's batches go by it.
"""

from __future__ import annotations

from typing import NamedTuple

from schemas.alarms import CONDITION_AFTER, AlarmEvent, AlarmState

_S, _E = AlarmState, AlarmEvent

_BY_STATE: dict[AlarmState, dict[AlarmEvent, AlarmState]] = {
    _S.NORMAL: {
        _E.RAISE: _S.ACTIVE_UNACKNOWLEDGED,
        _E.RAISE_SUPPRESSED: _S.SUPPRESSED,
        _E.DISABLE: _S.OUT_OF_SERVICE,
    },
    _S.ACTIVE_UNACKNOWLEDGED: {
        _E.CLEAR: _S.RETURNED_UNACKNOWLEDGED,
        _E.CLEAR_LATCHED: _S.RETURNED_UNACKNOWLEDGED,
        _E.ACKNOWLEDGE: _S.ACTIVE_ACKNOWLEDGED,
        _E.REALARM: _S.ACTIVE_UNACKNOWLEDGED,
        _E.SHELVE: _S.SHELVED,
        _E.SUPPRESS: _S.SUPPRESSED,
        _E.DISABLE: _S.OUT_OF_SERVICE,
    },
    _S.ACTIVE_ACKNOWLEDGED: {
        _E.CLEAR: _S.NORMAL,
        _E.CLEAR_LATCHED: _S.RETURNED_UNACKNOWLEDGED,
        _E.REALARM: _S.ACTIVE_UNACKNOWLEDGED,
        _E.SHELVE: _S.SHELVED,
        _E.SUPPRESS: _S.SUPPRESSED,
        _E.DISABLE: _S.OUT_OF_SERVICE,
    },
    _S.RETURNED_UNACKNOWLEDGED: {
        _E.RAISE: _S.ACTIVE_UNACKNOWLEDGED,
        _E.RAISE_SUPPRESSED: _S.SUPPRESSED,
        _E.ACKNOWLEDGE: _S.NORMAL,
        _E.CLOSE: _S.NORMAL,
        _E.SHELVE: _S.SHELVED,
        _E.DISABLE: _S.OUT_OF_SERVICE,
    },
    _S.SHELVED: {
        _E.RAISE: _S.SHELVED,
        _E.RAISE_SUPPRESSED: _S.SHELVED,
        _E.CLEAR: _S.SHELVED,
        _E.CLEAR_LATCHED: _S.SHELVED,
        _E.RESUME_ACTIVE: _S.ACTIVE_UNACKNOWLEDGED,
        _E.RESUME_NORMAL: _S.NORMAL,
        _E.DISABLE: _S.OUT_OF_SERVICE,
    },
    _S.SUPPRESSED: {
        _E.RAISE: _S.ACTIVE_UNACKNOWLEDGED,
        _E.RAISE_SUPPRESSED: _S.SUPPRESSED,
        _E.CLEAR: _S.NORMAL,
        _E.CLEAR_LATCHED: _S.RETURNED_UNACKNOWLEDGED,
        _E.SHELVE: _S.SHELVED,
        _E.DISABLE: _S.OUT_OF_SERVICE,
        _E.RESUME_ACTIVE: _S.ACTIVE_UNACKNOWLEDGED,
        _E.RESUME_NORMAL: _S.NORMAL,
    },
    _S.OUT_OF_SERVICE: {
        _E.RAISE: _S.OUT_OF_SERVICE,
        _E.RAISE_SUPPRESSED: _S.OUT_OF_SERVICE,
        _E.CLEAR: _S.OUT_OF_SERVICE,
        _E.CLEAR_LATCHED: _S.OUT_OF_SERVICE,
        _E.RESUME_ACTIVE: _S.ACTIVE_UNACKNOWLEDGED,
        _E.RESUME_NORMAL: _S.NORMAL,
    },
}

TRANSITIONS: dict[tuple[AlarmState, AlarmEvent], AlarmState] = {
    (state, event): after for state, row in _BY_STATE.items() for event, after in row.items()
} | {(state, event): state for state in AlarmState for event in (_E.COMMENT, _E.AMEND)}
"""All that is possible."""


class ImpossibleEventError(Exception):
    """An event that the table does not have for this state."""


class AlarmStatus(NamedTuple):
    """One alarm after an event."""

    state: AlarmState
    active: bool
    """Whether the condition holds."""


def step(state: AlarmState, event: AlarmEvent, *, active: bool) -> AlarmStatus:
    """Take an event; `active` tells whether the condition held before it.

    Raises ImpossibleEventError where the table has no entry.
    """
    after = TRANSITIONS.get((state, event))
    fits = {AlarmEvent.RESUME_ACTIVE: active, AlarmEvent.RESUME_NORMAL: not active}.get(event, True)
    if after is None or not fits:
        msg = f"{event} is not possible: the alarm is {state}, its condition {'holds' if active else 'does not hold'}"
        raise ImpossibleEventError(msg)
    return AlarmStatus(after, CONDITION_AFTER.get(event, active))


def presents(before: AlarmState, event: AlarmEvent) -> bool:
    """Whether an event puts the alarm before an operator: what is notified, and what EEMUA 191 counts."""
    return TRANSITIONS.get((before, event)) is AlarmState.ACTIVE_UNACKNOWLEDGED and event not in {
        AlarmEvent.COMMENT,
        AlarmEvent.AMEND,
    }
