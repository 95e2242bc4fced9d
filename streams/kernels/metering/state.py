"""What is remembered of one register: what nothing can revise any more, and the runs of readings behind it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from streams.kernels.metering import habit as habits
from streams.kernels.metering.explain import Run, RunStep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.kernels.metering.habit import Habit
    from streams.kernels.metering.lines import Line
    from streams.kernels.metering.minutes import Filling
    from streams.kernels.metering.telling import Beyond, Noise
    from streams.kernels.metering.trial import Trial
    from streams.kernels.metering.witness import FlowWitness


class Tremble(NamedTuple):
    """Since when a register has fallen by a few digits now and again, and when it did last, ms."""

    since: int
    last: int


class RegisterState(NamedTuple):
    """One register: what nothing can revise any more, and the runs of readings behind it."""

    anchor: Run
    """Ends with the last reading that nothing can revise."""
    filling: Filling
    """The open minute at the anchor's end."""
    tail: tuple[Run, ...]
    """Runs since; one while the register simply counts on."""
    shown: Filling
    """The open minute at the end of a tail of one run."""
    rate: float | None
    """Instantaneous value with the newest reading, in the register's unit per ms."""
    habit: Habit
    lines: tuple[Line, ...] = ()
    """What it left and may come back to."""
    scale: int = 0
    """Readings show ten to this power times what they did at first, and are taken back to that."""
    noise: Noise | None = None
    witness: FlowWitness | None = None
    doubt: int = 0
    """Since when its instantaneous value contradicts it, ms; 0: it does not."""
    over: Beyond | None = None
    """It counts beyond its rating."""
    trial: Trial | None = None
    """Its level has not proved itself."""
    offset: float = 0.0
    """What it is followed by lies so far from its factor times what it shows (`terms.py`)."""
    tremble: Tremble | None = None
    odd: bool = False
    """What passed between the anchor and the tail is estimated, whatever is learned later of such increments."""
    unsure: int = 0
    """How many readings must yet count on before a return that may have been chance is believed."""
    steady: int = 0
    """How far it is trusted that it agrees with its instantaneous value where that hardly moves (`witness.py`)."""


def first_of(ts: int, value: float, rate: float | None, *, since: int, frozen: bool) -> Run:
    """Begin a run with one reading; `rate` is its instantaneous value, in the register's unit per ms."""
    return Run(ts, ts, 1, value, since, None if rate is None else 0.0, frozen)


def merged(old: Run, new: Run) -> Run:
    """One run of two between which nothing passed."""
    implied = None if old.implied is None or new.implied is None else old.implied + new.implied
    return Run(old.first, new.last, old.readings + new.readings, old.value, old.since, implied, old.frozen)


def all_onwards(runs: Sequence[Run]) -> list[RunStep]:
    """Steps from run to run that all count on."""
    return [
        RunStep(to, None, new.value - old.value, 0.0, "counts on") for to, (old, new) in enumerate(pairwise(runs), 1)
    ]


def onwards(state: RegisterState) -> tuple[RunStep, ...]:
    """The step from the anchor to a tail of one run."""
    counted = max(0.0, state.tail[0].value - state.anchor.value)
    return (RunStep(1, None, counted, counted, "counts on"),)


def has_restarted(state: RegisterState) -> bool:
    """Whether a young register came back to what it showed before, or began anew: where it then stands may be old."""
    is_young = state.habit.steps < habits.MIN_STEPS
    return is_young and state.trial is not None and state.trial.marks[0].ts > state.habit.since
