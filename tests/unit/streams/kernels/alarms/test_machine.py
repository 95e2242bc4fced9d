"""The life of an alarm: every state and event, and any path through them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from schemas.alarms import CONDITION_AFTER, AlarmEvent, AlarmState, alarm_id
from streams.kernels.alarms.machine import TRANSITIONS, ImpossibleEventError, presents, step

S, E = AlarmState, AlarmEvent
OPERATOR_EVENTS = {E.ACKNOWLEDGE, E.CLOSE, E.SHELVE, E.DISABLE, E.RESUME_ACTIVE, E.RESUME_NORMAL, E.COMMENT}
"""What an operator's hand may do."""

EXPECTED = """
                        raise  raise_s clear  clear_l ack    close  realarm shelve suppr. disable res_a  res_n  note
normal                  UNACK  SUPPR   -      -       -      -      -       -      -      OOS     -      -      =
active_unacknowledged   -      -       RTN    RTN     ACK    -      UNACK   SHELV  SUPPR  OOS     -      -      =
active_acknowledged     -      -       NORM   RTN     -      -      UNACK   SHELV  SUPPR  OOS     -      -      =
returned_unacknowledged UNACK  SUPPR   -      -       NORM   NORM   -       SHELV  -      OOS     -      -      =
shelved                 SHELV  SHELV   SHELV  SHELV   -      -      -       -      -      OOS     UNACK  NORM   =
suppressed              UNACK  SUPPR   NORM   RTN     -      -      -       SHELV  -      OOS     UNACK  NORM   =
out_of_service          OOS    OOS     OOS    OOS     -      -      -       -      -      -       UNACK  NORM   =
"""
COLUMNS = [
    (E.RAISE,), (E.RAISE_SUPPRESSED,), (E.CLEAR,), (E.CLEAR_LATCHED,), (E.ACKNOWLEDGE,), (E.CLOSE,), (E.REALARM,),
    (E.SHELVE,), (E.SUPPRESS,), (E.DISABLE,), (E.RESUME_ACTIVE,), (E.RESUME_NORMAL,), (E.COMMENT, E.AMEND),
]  # fmt: skip
SHORT = {
    "UNACK": S.ACTIVE_UNACKNOWLEDGED, "ACK": S.ACTIVE_ACKNOWLEDGED, "RTN": S.RETURNED_UNACKNOWLEDGED,
    "NORM": S.NORMAL, "SHELV": S.SHELVED, "SUPPR": S.SUPPRESSED, "OOS": S.OUT_OF_SERVICE,
}  # fmt: skip
ACTIVE = {S.ACTIVE_UNACKNOWLEDGED, S.ACTIVE_ACKNOWLEDGED, S.SUPPRESSED}
OVER = {S.NORMAL, S.RETURNED_UNACKNOWLEDGED}


def expected() -> dict[tuple[AlarmState, AlarmEvent], AlarmState]:
    """The table as a person reads it."""
    found: dict[tuple[AlarmState, AlarmEvent], AlarmState] = {}
    for line in EXPECTED.strip().splitlines()[1:]:
        name, *cells = line.split()
        state = AlarmState(name)
        for events, cell in zip(COLUMNS, cells, strict=True):
            if cell != "-":
                found |= {(state, event): state if cell == "=" else SHORT[cell] for event in events}
    return found


def test_the_table_is_the_one_that_people_read() -> None:
    """Every state and every event: what happens, or that it cannot."""
    assert {event for events in COLUMNS for event in events} == set(AlarmEvent)
    assert expected() == TRANSITIONS


@pytest.mark.parametrize(("state", "event"), list(itertools.product(AlarmState, AlarmEvent)))
def test_every_state_takes_an_event_by_the_table_or_refuses_it(state: AlarmState, event: AlarmEvent) -> None:
    """Nothing is possible that the table does not have, and the condition is kept beside the state."""
    for active in [True] if state in ACTIVE else [False] if state in OVER else [True, False]:
        fits = {E.RESUME_ACTIVE: active, E.RESUME_NORMAL: not active}.get(event, True)
        if (state, event) in TRANSITIONS and fits:
            after = step(state, event, active=active)
            assert after.state is TRANSITIONS[state, event]
            assert after.active is CONDITION_AFTER.get(event, active)
            assert after.active or after.state not in ACTIVE
            assert not (after.active and after.state in OVER)
        else:
            with pytest.raises(ImpossibleEventError):
                step(state, event, active=active)


def test_every_state_can_be_reached_and_left() -> None:
    """No state is a trap, and none stands only on paper."""
    for state in AlarmState:
        assert any(after is state for (before, _), after in TRANSITIONS.items() if before is not state)
        assert any(after is not state for (before, _), after in TRANSITIONS.items() if before is state)


def test_a_condition_that_ends_is_never_refused() -> None:
    """Wherever an operator has put an alarm, the worker can say that it is over, and raise it anew."""
    for state in AlarmState:
        open_states = state not in OVER
        assert ((state, E.CLEAR) in TRANSITIONS) is open_states
        assert ((state, E.CLEAR_LATCHED) in TRANSITIONS) is open_states
        if state not in {S.ACTIVE_UNACKNOWLEDGED, S.ACTIVE_ACKNOWLEDGED}:
            assert (state, E.RAISE) in TRANSITIONS


def test_an_alarm_is_named_after_its_condition_and_its_sample() -> None:
    """The same for the same, another for any other; metric and device do not run into each other."""
    assert alarm_id("d", "m", "k", 5) == alarm_id("d", "m", "k", 5)
    others = [("d", "m", "k", 6), ("dm", "", "k", 5), ("d", "mk", "", 5), ("e", "m", "k", 5)]
    assert len({alarm_id(*other) for other in [*others, ("d", "m", "k", 5)]}) == len(others) + 1


class Life(RuleBasedStateMachine):
    """A condition that comes and goes, operators who do whatever they like, and a history."""

    def __init__(self) -> None:
        super().__init__()
        self.state = S.NORMAL
        self.active = False
        self.truth = False
        self.history: list[AlarmEvent] = []
        self.unseen_returns = 0

    def take(self, event: AlarmEvent) -> None:
        """Apply what is possible; an operator is told where it is not."""
        try:
            after = step(self.state, event, active=self.active)
        except ImpossibleEventError:
            assert event in OPERATOR_EVENTS | {E.SUPPRESS, E.REALARM}
            return
        self.state, self.active = after
        self.history.append(event)

    @rule(suppressed=st.booleans(), latched=st.booleans())
    def condition_changes(self, suppressed: bool, latched: bool) -> None:  # noqa: FBT001 - drawn
        """The worker says when the condition comes and when it goes."""
        if self.truth:
            self.take(E.CLEAR_LATCHED if latched else E.CLEAR)
        else:
            self.take(E.RAISE_SUPPRESSED if suppressed else E.RAISE)
        self.truth = not self.truth

    @rule(event=st.sampled_from(sorted(OPERATOR_EVENTS | {E.SUPPRESS, E.REALARM, E.AMEND})))
    def anything_else(self, event: AlarmEvent) -> None:
        """Operators, parents and clocks."""
        self.take(event)

    @invariant()
    def none_is_lost(self) -> None:
        """The alarm knows whether its condition holds; one that holds is before somebody or put aside on record."""
        assert self.active == self.truth
        assert not (self.truth and self.state in OVER)
        assert not (not self.truth and self.state in ACTIVE)

    @invariant()
    def history_replays_to_the_present(self) -> None:
        """What is written down is enough to come to where it stands."""
        state, active = S.NORMAL, False
        for event in self.history:
            state, active = step(state, event, active=active)
        assert (state, active) == (self.state, self.active)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_what_is_put_before_an_operator() -> None:
    """A raise that nobody kept back, a re-alarm, and what comes back from the shelf; a comment is none."""
    shown = {(state, event) for state, event in TRANSITIONS if presents(state, event)}
    assert shown == {
        (S.NORMAL, E.RAISE),
        (S.RETURNED_UNACKNOWLEDGED, E.RAISE),
        (S.SUPPRESSED, E.RAISE),
        (S.ACTIVE_UNACKNOWLEDGED, E.REALARM),
        (S.ACTIVE_ACKNOWLEDGED, E.REALARM),
        (S.SHELVED, E.RESUME_ACTIVE),
        (S.SUPPRESSED, E.RESUME_ACTIVE),
        (S.OUT_OF_SERVICE, E.RESUME_ACTIVE),
    }
