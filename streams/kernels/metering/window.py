"""The window of a register's last readings: what may still be revised, and the minutes it gives out meanwhile."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics import MeterEventKind, Row
from schemas.time import DAY_MS, HOUR_MS
from streams.kernels.metering import habit as habits
from streams.kernels.metering import trial as trials
from streams.kernels.metering import witness as witnesses
from streams.kernels.metering import young
from streams.kernels.metering.explain import LEAVES, PRICE_SCALE, Explanation, Limits, Run, Step, explain
from streams.kernels.metering.lines import MOST_LINES, Line, further
from streams.kernels.metering.minutes import LONG_SILENCE_MS, Backing, Filling, Minutes, begin
from streams.kernels.metering.telling import EXCHANGED_AS_REGISTERED, RUBBISH, Beyond, Noise, Teller
from streams.kernels.metering.terms import cross
from streams.kernels.metering.trial import Mark, Trial
from streams.kernels.metering.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.registry import Device
    from streams.kernels.metering.habit import Habit

MAX_RUNS = 8
"""More runs than this are not kept: the window then closes with what is the best explanation so far."""
AGREE_AFTER_BREAK = 4
"""Readings that must count on after a break before it is settled; until then it may turn out to be noise."""
AGREE = 1
"""Readings that must count on after anything else."""
BREAKS = LEAVES | {MeterEventKind.SCALE, MeterEventKind.EXCURSION}

MEASURED_MS = HOUR_MS
MEASURED_MARGIN = 1.1
"""Readings further apart than this, and what an hourly one may be late by, know what passed, but not in which minute or
hour. (unsourced)"""
TREMBLE_DIGITS = 10.0
"""A fall of up to so many of the last digit, or of what passes in a period, is none: the value trembles. (unsourced)"""
TREMBLE_LEAST = 1.5
"""One that falls by more than so many of the register's steps moves by as much as it counts: (unsourced)"""
TREMBLE_PERIODS = 12
"""for so many periods its minutes are estimated. (unsourced)"""
RATED_SLACK = 2.0
"""So many times what rounding may add may lie beyond the rating and be measured: else of a value that trembles the high
increments would be estimated and the low ones measured. (unsourced)"""
YOUNG_ODD_MARGIN = 2.0
"""On the first day an increment this many times as fast as any before is estimated, for it may be an exchange.
(unsourced)"""

UNSURE_READINGS = 10
"""Where a return may have been chance, minutes are estimated until so many readings have counted on. (unsourced)"""

STALE_READINGS = 2
"""A value that is shown once more, before more than ever passes at once, was no new one."""
FREEZE_READINGS = 3
"""Readings of one value before it can be called frozen on the meter's own evidence. (unsourced)"""
FREEZE_STEPS = 4
"""How many of the register's smallest steps must have passed meanwhile. (unsourced)"""
FREEZE_SHARE = 0.01
"""A flow below this share of the highest one is no evidence: it may be the sensor's zero. (unsourced)"""
REST_READINGS = 12
REST_MS = 3 * HOUR_MS
"""Without such evidence, a register that never rests is frozen after this (metric specification, flatline),"""
REST_MARGIN = 2.0
"""and after this many times its longest rest. (unsourced)"""
CATCH_UP_STEPS = 3
CATCH_UP_SPEED = 2.0
"""A catch-up is at least this many times what passes between the two readings after it. (unsourced)"""
CATCH_UP_SHARE = 0.25
"""Spread over the time it stood, it comes to at least this share of the speed before and after. (unsourced)"""


POWERS = (3, -3, 1, -1, 2, -2, 6, -6)
"""Powers of ten by which a unit changes."""
SCALE_NARROW = 0.02
"""Only where what can have passed is less than this share of the register is a power of ten no coincidence."""


def standstill_ms(device: Device) -> int:
    """How long a register must stand for that to be worth a person's time (metric specification, flatline)."""
    return max(REST_MS, round(REST_READINGS * device.period_s * 1000))


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
    witness: Witness | None = None
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


class Window:
    """Takes one register's readings in order; rows go into the list it was made with."""

    def __init__(self, device: Device, quantity: str, rows: list[Row]) -> None:
        self._device = device
        self._minutes = Minutes(device, quantity, rows)
        self._tell = Teller(device, quantity, rows)
        self._gap_ms = self._minutes.gap_ms
        self._period_ms = device.period_s * 1000.0
        self._stretch_ms = witnesses.stretch_ms(self._period_ms)
        self._quantity = quantity
        self._is_plain = device.is_as_it_shows
        self._terms = device.terms(quantity)
        self._at = 0
        self._limits = self._limits_now()

    def _limits_now(self) -> Limits:
        """What the registry says of the register under the terms that hold."""
        terms = self._terms[self._at]
        rated = habits.rated_rate(self._device, self._quantity, terms.rated)
        rollover = None if terms.rollover is None else terms.rollover * terms.factor
        return Limits(rated, rollover, self._gap_ms, self._period_ms, factor=terms.factor)

    def _come_to(self, ts: int) -> None:
        """Go on to the terms that hold at a moment."""
        at = self._at
        while at + 1 < len(self._terms) and ts >= self._terms[at + 1].since:
            at += 1
        if at != self._at:
            self._at = at
            self._limits = self._limits_now()

    def begin(self, ts: int, value: float, rate: float | None) -> RegisterState:
        """Take a register's first reading: what came before is unknown, not zero."""
        self._come_to(ts)
        value *= self._terms[self._at].factor
        run = _first_of(ts, value, rate, since=ts, frozen=False)
        habit = habits.first(ts, value).seeing(value)
        return RegisterState(run, begin(ts), (run,), begin(ts), rate, habit, trial=trials.first(ts, value))

    def read(
        self, state: RegisterState, ts: int, value: float, rate: float | None, *, rests: bool = False
    ) -> RegisterState:
        """Take a register's next reading; `rate` is what its instantaneous value says, in its unit per ms.

        `rests`: the reading says itself that nothing passes.
        """
        if self._is_plain:
            return self._take(state, ts, value if not state.scale else value / 10.0**state.scale, rate, rests=rests)
        self._come_to(ts)
        terms, last = self._terms[self._at], state.tail[-1].last
        if last >= terms.since:
            shown = value if not state.scale else value / 10.0**state.scale
            return self._take(state, ts, state.offset + terms.factor * shown, rate, rests=rests)
        before = next(at for at in range(self._at, -1, -1) if last >= self._terms[at].since)
        crossed = cross(self._terms[before : self._at + 1], (last, state.tail[-1].value, state.offset), ts, value)
        state = state._replace(offset=crossed.offset, scale=0)
        if crossed.final is not None:
            self._tell.event(
                MeterEventKind.REPLACEMENT, last, ts, ts,
                readings=1, before=state.tail[-1].value, seen=value, after=crossed.counted,
                increment=crossed.counted - state.tail[-1].value,
                rule=EXCHANGED_AS_REGISTERED,
            )  # fmt: skip
        taken = self._take(state, ts, crossed.counted, rate, rests=rests)
        if crossed.is_exact or len(taken.tail) > 1 or taken.tail[0].first != ts:
            return taken
        newest = state.tail[-1]
        filling = self._minutes.spread(state.shown, newest.last, ts, crossed.counted - newest.value, Backing.BRIDGE)
        return taken._replace(anchor=taken.tail[0], filling=filling, shown=filling, odd=False)

    def _take(self, state: RegisterState, ts: int, value: float, rate: float | None, *, rests: bool) -> RegisterState:
        """Take a register's next reading, on the scale on which it is followed."""
        if state.trial is not None:
            state = state._replace(trial=state.trial.seen())
        newest, single = state.tail[-1], len(state.tail) == 1
        span, counted = ts - newest.last, value - newest.value
        is_gap = span > self._gap_ms
        is_young = state.habit.steps < habits.MIN_STEPS
        if counted < 0.0 and (single or is_young) and counted >= -self._trembles(state.habit):
            state = self._trembled(state, ts, -counted)
            counted, value = 0.0, newest.value
        if state.witness is not None and single and (ts // self._stretch_ms != state.witness.number or is_gap):
            state = self._heard(state, ts)
            newest = state.tail[-1]
        if counted == 0.0 and not is_gap:
            return self._stand(state, ts, rate, rests=rests)
        repeats = counted == 0.0
        run = _first_of(ts, value, rate, since=newest.since if repeats else ts, frozen=repeats and newest.frozen)
        if is_young:
            return self._young(state, run, rate)
        if single:
            if newest.frozen:
                self._tell.freeze(newest, ts, until=newest.last)
            if 0.0 <= counted <= self._limits.most(state.habit, span) and not (
                self._may_catch_up(state, newest, counted)
                or (state.lines and counted > self._limits.usual(state.habit, span))
            ):
                return self._slide(state, run, counted, rate)
        return self._settle(state._replace(tail=(*state.tail, run), rate=rate), ts)

    def _trembled(self, state: RegisterState, ts: int, fall: float) -> RegisterState:
        """Take a fall that is none: in which minute something passed is not known then, as long as it trembles."""
        known = state.tremble
        if known is not None and ts - known.last <= TREMBLE_PERIODS * self._period_ms:
            return state._replace(tremble=Tremble(known.since, ts))
        if fall <= TREMBLE_LEAST * (state.habit.step or state.habit.unit):
            return state
        return state._replace(tremble=Tremble(ts, ts))

    def _trembles(self, habit: Habit) -> float:
        """How far a register falls without that being a fall."""
        return max(TREMBLE_DIGITS * habit.unit, habit.mean * self._period_ms) + 0.01 * habit.unit

    def _backing(self, state: RegisterState, span: int, counted: float, ts: int) -> Backing:
        """What an increment between two readings rests on."""
        if (
            span > self._gap_ms
            or span > MEASURED_MARGIN * MEASURED_MS
            or self._period_ms > MEASURED_MS
            or state.scale
            or state.unsure
            or (state.over is not None and state.over.is_told)
            or state.doubt
            or (state.lines and not state.lines[-1].proved(ts))
            or (state.tremble is not None and self._is_trembling(state.tremble, ts))
        ):
            return Backing.BRIDGE
        habit, took = state.habit, max(span, self._period_ms)
        rated = self._limits.rated
        if rated is not None and counted > rated * took + RATED_SLACK * habit.slack:
            return Backing.BRIDGE
        odd = habits.ODD_MARGIN if ts - habit.since >= DAY_MS else YOUNG_ODD_MARGIN
        if habit.top > 0.0 and counted > odd * habit.highest * took + habit.slack:
            return Backing.BRIDGE
        return Backing.READINGS

    def _is_odd(self, state: RegisterState, old: Run, new: Run, step: Step) -> bool:
        """Whether what passed between two runs is not measured, by what was known before it was learned from."""
        return self._backing(state, new.first - old.last, step.counted, new.first) is not Backing.READINGS

    def _is_trembling(self, tremble: Tremble, ts: int) -> bool:
        return tremble.since <= ts <= tremble.last + TREMBLE_PERIODS * self._period_ms

    def _denied(self, state: RegisterState, span: int, counted: float, rate: float | None) -> bool:
        """Whether an increment is greater than any before, and its instantaneous value says that less passed."""
        habit = state.habit
        if rate is None or state.rate is None or counted <= habit.highest * max(span, self._period_ms) + habit.slack:
            return False
        return witnesses.exceeds(counted, state.rate, rate, span, habit.step or habit.unit)

    def _slide(self, state: RegisterState, run: Run, counted: float, rate: float | None) -> RegisterState:
        """Count on: the common case."""
        newest = state.tail[0]
        ts, span = run.first, run.first - newest.last
        is_stale = newest.readings == STALE_READINGS and self._leaps(state.habit, span, counted, trials.JUMP)
        if newest.readings > 1:
            walking = state._replace(doubt=state.doubt or 1) if is_stale else state
            shown = self._walk((state.anchor, newest), walking, _onwards(state))[-1][1]
            state = state._replace(shown=shown) if is_stale else state
        if state.trial is not None and state.lines and state.lines[-1].counts == 0 and counted > 0.0:
            state = self._left(state, state.trial, state.lines[-1])
            newest = state.tail[0]
        is_gap = span > self._gap_ms
        if state.trial is not None and not is_gap and self._leaps(state.habit, span, counted, trials.LEAP):
            state = self._doubted(state, state.trial, span, counted, rate)
            newest = state.tail[0]
        backing = self._backing(state, span, counted, ts)
        if is_stale or (backing is Backing.READINGS and self._denied(state, span, counted, rate)):
            backing = Backing.BRIDGE
        shown = self._minutes.spread(state.shown, newest.last, ts, counted, backing)
        if is_gap:
            self._tell.gap(newest, run, counted, ts)
        rest = 0 if newest.frozen else newest.stood_ms
        habit = state.habit.after(
            ts, span, counted, rest, run.value, period_ms=self._period_ms, close=not is_gap
        ).seeing(run.value)
        lines = state.lines and self._beyond(state.lines, run, counted)
        witness = self._listen(state, run, shown, rate, is_gap=is_gap)
        over = state.over
        if self._limits.rated is not None:
            over = self._tell.over(over, newest, run, self._limits, habit.slack)
        trial = state.trial
        if trial is not None:
            trial = trial.further(newest)
        elif not is_gap and self._leaps(state.habit, span, counted, trials.JUMP):
            trial = Trial(state.shown, (Mark(newest.last, newest.value),))
        return RegisterState(
            newest, state.shown, (run,), shown, rate, habit, lines,
            state.scale, state.noise, witness, state.doubt, over, trial, state.offset, state.tremble,
            backing is not Backing.READINGS, max(0, state.unsure - 1) if counted > 0.0 else state.unsure,
        )  # fmt: skip

    def _leaps(self, habit: Habit, span: int, counted: float, times: float) -> bool:
        """Whether an increment is so many times as fast as any before."""
        return counted > times * habit.highest * max(span, self._period_ms) + habit.slack

    def _doubted(
        self, state: RegisterState, trial: Trial, span: int, counted: float, rate: float | None
    ) -> RegisterState:
        """Write the minutes of a level on trial again: it may be another meter that goes on behind a leap.

        Not where the instantaneous value says that so much passed.
        """
        newest, step = state.tail[0], state.habit.step or state.habit.unit
        if rate is not None and state.rate is not None and not witnesses.exceeds(counted, state.rate, rate, span, step):
            return state
        shown = trial.written_again(self._minutes, newest.last, newest.value)
        if shown is None:
            return state
        run = newest._replace(first=newest.last, readings=1, implied=None if newest.implied is None else 0.0)
        trial = Trial(shown, (Mark(newest.last, newest.value),))
        return state._replace(anchor=run, filling=shown, tail=(run,), shown=shown, trial=trial, odd=False)

    def _left(self, state: RegisterState, trial: Trial, line: Line) -> RegisterState:
        """Write the minutes of a level again that was left before it proved itself: another one counts on now."""
        newest = state.tail[0]
        shown = trial.written_again(self._minutes, line.last, line.value)
        if shown is None or newest.last - line.last > LONG_SILENCE_MS:
            return state._replace(trial=None)
        shown = self._minutes.spread(shown, line.last, line.broke, line.counted, Backing.BRIDGE)
        shown = self._minutes.spread(shown, line.broke, newest.last, 0.0, Backing.NOTHING)
        run = newest._replace(first=newest.last, readings=1, implied=None if newest.implied is None else 0.0)
        return state._replace(anchor=run, filling=shown, tail=(run,), shown=shown, trial=None, odd=False)

    def _beyond(self, lines: tuple[Line, ...], run: Run, counted: float) -> tuple[Line, ...]:
        """Take one more reading behind breaks; with the first that counts on it is told what they were."""
        if counted > 0.0:
            for line in lines:
                if line.counts == 0:
                    self._tell.left(line, run.first, run.value)
        return further(lines, run.first, counted=counted > 0.0)

    def _listen(
        self, state: RegisterState, run: Run, shown: Filling, rate: float | None, *, is_gap: bool
    ) -> Witness | None:
        """Take the instantaneous value of one more reading."""
        if rate is None:
            return None
        witness = state.witness
        if witness is None or state.rate is None or is_gap:
            return witnesses.begin(run.last, run.value, shown, self._stretch_ms)
        span = run.last - state.tail[-1].last
        return Witness(
            witness.number,
            witness.start,
            witness.value,
            witness.filling,
            witness.readings + 1,
            witness.passed + (state.rate + rate) / 2 * span,
            witness.wobble + abs(rate - state.rate) / 2 * span,
        )

    def _heard(self, state: RegisterState, ts: int) -> RegisterState:
        """End a stretch of instantaneous values: where register and integral part, its minutes are estimated."""
        witness, newest = state.witness, state.tail[0]
        assert witness is not None  # noqa: S101 - asked for
        counted = newest.value - witness.value
        agrees = witnesses.verdict(witness, counted, state.habit.step or state.habit.unit)
        if newest.frozen:
            return state._replace(witness=None)
        if agrees is None:
            goes_on = ts - witness.start <= witnesses.LONGEST * self._stretch_ms and ts - newest.last <= self._gap_ms
            return state._replace(witness=witness._replace(number=ts // self._stretch_ms) if goes_on else None)
        following = witnesses.begin(newest.last, newest.value, state.shown, self._stretch_ms)
        if agrees:
            if state.doubt:
                self._contradicts(state, witness, counted, state.doubt, ts, until=witness.start)
            lines = tuple(
                line._replace(witnessed=True) if line.broke <= witness.start else line for line in state.lines
            )
            return state._replace(witness=following, doubt=0, lines=lines)
        since = state.doubt or witness.start
        self._contradicts(state, witness, counted, since, ts, until=None)
        shown = self._minutes.spread(witness.filling, witness.start, newest.last, counted, Backing.BRIDGE)
        run = newest._replace(first=newest.last, readings=1, implied=None if newest.implied is None else 0.0)
        return state._replace(
            anchor=run,
            filling=shown,
            tail=(run,),
            shown=shown,
            doubt=since,
            witness=following._replace(filling=shown),
            odd=False,
        )

    def _contradicts(
        self, state: RegisterState, witness: Witness, counted: float, since: int, ts: int, *, until: int | None
    ) -> None:
        self._tell.event(
            MeterEventKind.CONTRADICTION, since, ts, until,
            readings=witness.readings, before=witness.value, seen=state.tail[0].value,
            plausible=witness.passed, increment=counted,
            rule="agrees again" if until is not None else witnesses.doubt(counted, witness.passed),
        )  # fmt: skip

    def _stand(self, state: RegisterState, ts: int, rate: float | None, *, rests: bool) -> RegisterState:
        """Show the same value again."""
        newest = state.tail[-1]
        implied = None
        if newest.implied is not None and rate is not None and state.rate is not None:
            implied = newest.implied + (state.rate + rate) / 2 * (ts - newest.last)
        since = ts if rests else newest.since
        run = Run(newest.first, ts, newest.readings + 1, newest.value, since, implied, newest.frozen)
        is_young = state.habit.steps < habits.MIN_STEPS
        if len(state.tail) > 1 and not is_young:
            return self._settle(state._replace(tail=(*state.tail[:-1], run), rate=rate), ts)
        if len(state.tail) == 1 and not run.frozen and self._is_frozen(state.habit, run):
            run = run._replace(frozen=True)
            state = state._replace(tail=(run,), rate=rate, witness=None)
            self._tell.freeze(run, ts, until=None)
            shown = self._walk((state.anchor, run), state, _onwards(state))[-1][1]
            return state._replace(shown=shown, lines=further(state.lines, ts, counted=False))
        stands_by_right = rests or (rate == 0.0 and state.rate == 0.0)
        if run.frozen or (state.lines and state.lines[-1].counts == 0 and not stands_by_right):
            surged = not run.frozen and state.lines[-1].kind is MeterEventKind.SURGE
            backing = Backing.BRIDGE if surged else Backing.NOTHING
        elif _began_again(state):
            backing = Backing.BRIDGE
        else:
            backing = self._backing(state, ts - newest.last, 0.0, ts)
        shown = self._minutes.spread(state.shown, newest.last, ts, 0.0, backing)
        if run.frozen and newest.stood_ms < standstill_ms(self._device) <= run.stood_ms:
            self._tell.freeze(run, ts, until=None)  # it lasts
        lines = state.lines and further(state.lines, ts, counted=False)
        witness = self._listen(state, run, shown, rate, is_gap=False) if not run.frozen else None
        anchor, filling, tail, odd = state.anchor, state.filling, (*state.tail[:-1], run), state.odd
        if run.stood_ms > (young.STOOD_MS if is_young else LONG_SILENCE_MS) and len(tail) == 1:
            # What lies further back is not revised.
            anchor, filling, odd = run, shown, False
            tail = (run._replace(first=ts, readings=1, implied=None if rate is None else 0.0),)
        return RegisterState(
            anchor, filling, tail, shown, rate, state.habit, lines,
            state.scale, state.noise, witness, state.doubt, state.over, state.trial, state.offset, state.tremble, odd,
            state.unsure,
        )  # fmt: skip

    def _young(self, state: RegisterState, run: Run, rate: float | None) -> RegisterState:
        """Take a reading of a register without a history: nothing is believed that stands alone."""
        ts = run.first
        lines, newest = state.lines, state.tail[-1]
        if newest.frozen:
            self._tell.freeze(newest, ts, until=newest.last)
        if lines and run.value != newest.value:
            line = lines[-1]
            passed = run.value - line.value
            bound = line.most(state.habit, self._limits, ts - line.last)
            if -line.tolerance <= passed <= bound and abs(passed) < abs(run.value - newest.value):
                rule = "comes back to where it would have been: what it showed meanwhile was not its own"
                step = Step(1, MeterEventKind.EXCURSION, max(0.0, passed), bound, rule, measured=False)
                self._tell.returned(line, step, run, ts)
                filling = self._minutes.spread(line.filling, line.last, ts, step.counted, Backing.BRIDGE)
                return state._replace(
                    anchor=run, filling=filling, tail=(run,), shown=filling, rate=rate, lines=lines[:-1], witness=None,
                    trial=Trial(filling, (Mark(ts, run.value),)), odd=False,
                    unsure=UNSURE_READINGS if step.may_be_chance(run.value - newest.value) else state.unsure,
                )  # fmt: skip
            lines = self._beyond(lines, run, run.value - newest.value)
        runs = (*state.tail, run)
        if self._limits.rolls_over(newest.value, run.value):
            return self._settle(state._replace(tail=runs, rate=rate), ts)
        witness = self._listen(state, run, state.shown, rate, is_gap=run.first - newest.last > self._gap_ms)
        unit = state.habit.seeing(run.value).unit
        is_witnessed = (
            witness is not None
            and witness.start <= state.anchor.last
            and witnesses.allows(witness, run.value - witness.value, unit)
        )
        found = young.judge(runs, self._limits, unit, witnessed=is_witnessed)
        state = state._replace(tail=runs, rate=rate, lines=lines, habit=state.habit.seeing(run.value), witness=witness)
        if found.begins:
            return self._begun_anew(state, found.begins, ts)
        if not found.agrees:
            if len(runs) == 2 and newest.readings > 1 and newest.first == state.anchor.last:  # noqa: PLR2004 - its first step: what it rested for is open again
                unknown = self._minutes.spread(state.filling, state.anchor.last, newest.last, 0.0, Backing.NOTHING)
                state = state._replace(shown=unknown)
            possible = found.possible and self._limits.rated is not None
            counted, backing = (runs[-1].value - newest.value, Backing.BRIDGE) if possible else (0.0, Backing.NOTHING)
            return state._replace(shown=self._minutes.spread(state.shown, newest.last, ts, counted, backing))
        steps = self._young_steps((state.anchor, *runs), found.usual)
        fillings = self._walk((state.anchor, *runs), state, steps)
        if len(runs) <= habits.MIN_STEPS:
            return state._replace(shown=fillings[-1][1])
        self._report(state, (state.anchor, *runs), steps, ts)
        habit = self._learn_young(state.habit, runs, steps[1:])._replace(steps=habits.MIN_STEPS)
        return state._replace(
            anchor=runs[-2], filling=fillings[-2][1], tail=(run,), shown=fillings[-1][1], habit=habit,
            odd=self._is_odd(state, runs[-2], run, steps[-1]),
        )  # fmt: skip

    def _learn_young(self, habit: Habit, runs: Sequence[Run], steps: Sequence[Step]) -> Habit:
        """Learn from the first increments, but for those that are no rate."""
        for step, (old, new) in zip(steps, pairwise(runs), strict=True):
            span = new.first - old.last
            if step.kind is not None or not step.measured:
                habit = habit.broken(new.first, new.value)._replace(
                    steps=min(habit.steps + 1, habits.MIN_STEPS),
                    step=habits.common(habit.step, step.counted, habit.digits),
                )
                continue
            habit = habit.after(
                new.first, span, new.value - old.value, old.stood_ms, new.value,
                period_ms=self._period_ms, close=span <= self._gap_ms,
            )  # fmt: skip
        return habit

    def _young_steps(self, runs: Sequence[Run], usual: float) -> list[Step]:
        """Steps between a young register's runs: what it counts at once after standing passed while it stood."""
        steps = _all_onwards(runs)
        if runs[0].value == 0.0 and len(runs) > 2:  # noqa: PLR2004 - a first 0 may have been no reading
            steps[1] = steps[1]._replace(measured=False)
        least = min((step.counted for step in steps if step.counted > 0.0), default=0.0)
        for at, (old, new) in enumerate(pairwise(runs)):
            counted, span = new.value - old.value, max(new.first - old.last, self._period_ms)
            stood = at and old.readings >= FREEZE_READINGS and counted > CATCH_UP_STEPS * least
            if stood and counted > CATCH_UP_SPEED * usual * span:
                rule = "counts at once several times what then passes, about what the time it stood comes to"
                steps[at] = Step(at + 1, MeterEventKind.CATCH_UP, counted, usual * span, rule)
            elif at and (counted > young.UNSURE * usual * span or 0.0 < counted * young.SLOW < usual * span):
                steps[at] = steps[at]._replace(measured=False)
                if counted > young.LEAP * usual * span:  # what it showed before may have been another's
                    steps[1:at] = [step._replace(measured=False) for step in steps[1:at]]
        return steps

    def _begun_anew(self, state: RegisterState, at: int, ts: int) -> RegisterState:
        """What a young register showed before one of its runs cannot be followed by it: that is where it begins."""
        old, new = state.tail[at - 1], state.tail[at]
        lines, waits = state.lines, Backing.BRIDGE
        known = state.tail[:at]
        filling, start = state.filling, state.anchor.last
        if at > 1 and young.judge(known, self._limits, state.habit.unit).agrees:
            doubted = state._replace(doubt=1)
            filling = self._walk((state.anchor, *known), doubted, _all_onwards((state.anchor, *known)))[-1][1]
            start = old.last
        if new.value < old.value or old.value > 0.0:
            power = _power_of_ten(old.value, new.value, state.habit.unit)
            kind, rule = MeterEventKind.REPLACEMENT, "leaves what it showed before much is known of it"
            if power:
                kind = MeterEventKind.SCALE
                rule = (
                    f"shows {10.0**power:g} times what it did before much was known of it: its unit changed, and nobody"
                    " can tell which is right. Register the multiplier from this moment on, or set the meter right"
                )
            line = Line(
                old.value, start, filling, kind, new.first, new.value, 0.0, 0.0, rule,
                tolerance=self._trembles(state.habit),
            )  # fmt: skip
            lines = (*lines, line)[-MOST_LINES:]
            waits = Backing.NOTHING if new.value < old.value else waits
        else:
            self._tell.event(
                MeterEventKind.EXCURSION, state.anchor.first, ts, new.first,
                readings=old.readings, before=old.value, seen=old.value, after=new.value,
                rule="what it showed at first was not its own: nothing it then counts could have come to that",
            )  # fmt: skip
        filling = self._minutes.spread(filling, start, new.first, 0.0, Backing.NOTHING)
        first = new._replace(last=new.first, readings=1, implied=None)
        tail = (new, *state.tail[at + 1 :])
        shown = filling
        previous = first
        for run in tail:
            shown = self._minutes.spread(shown, previous.last, run.first, run.value - previous.value, Backing.BRIDGE)
            shown = self._minutes.spread(shown, run.first, run.last, 0.0, waits)
            previous = run
        habit = state.habit.broken(new.first, new.value)
        return state._replace(
            anchor=first, filling=filling, tail=tail, shown=shown, habit=habit, lines=lines, witness=None,
            trial=Trial(filling, (Mark(new.first, new.value),)), odd=False,
        )  # fmt: skip

    def _settle(self, state: RegisterState, ts: int) -> RegisterState:
        """Ask what happened, give the window's minutes out again, and close it if enough readings agree."""
        runs = (state.anchor, *state.tail)
        limits = self._limits._replace(lines=state.lines, offset=state.offset)
        found = explain(runs, state.habit, limits)
        scaled = self._scaled(runs, state.habit, limits, found)
        if scaled is not None:
            runs, found, at, power = scaled
        else:
            at = power = 0
        steps, undecided = self._with_catch_ups(state, runs, found.steps)
        settled = len(state.tail) > MAX_RUNS or (
            len(runs) == found.last + 1
            and not undecided
            and _agreed(runs, steps)
            and (not at or len(runs) - at > AGREE_AFTER_BREAK)
        )
        returns = next((number for number, step in enumerate(steps) if step.kind is MeterEventKind.EXCURSION), None)
        if returns is not None and not settled:  # nothing of the past is written again before it is sure
            fillings = self._walk(runs, state, steps[:returns])
            last = fillings[-1][1] if fillings else state.filling
            reached = runs[steps[returns - 1].to] if returns else runs[0]
            shown = self._minutes.spread(last, reached.last, runs[-1].last, 0.0, Backing.NOTHING)
            return state._replace(shown=shown)
        walking = state
        if settled and state.trial is not None and _leaves(steps):
            again = state.trial.written_again(self._minutes, runs[0].last, runs[0].value)
            state = state._replace(trial=None, filling=state.filling if again is None else again)
            walking = state._replace(doubt=1)
        fillings = self._walk(runs, walking, steps, doubted_from=at)
        waiting = runs[found.last + 1 :]
        if waiting:
            last = fillings[-1][1] if fillings else state.filling
            unknown = self._minutes.spread(last, runs[found.last].last, waiting[-1].last, 0.0, Backing.NOTHING)
            if settled:
                return self._begin_anew(state, runs[found.last], last, unknown, ts)
            return state
        if not settled:
            return state
        noise = self._report(state, runs, steps, ts)
        if state.over is not None and any(step.kind is not None for step in steps):
            self._tell.over_ends(state.over, runs[0], ts, self._limits.rated)
            state = state._replace(over=None)
        if power:
            self._rescaled(state, runs, at, power, ts)
        closed = self._close(state, runs, steps, fillings, ts)
        return closed._replace(
            unsure=_unsure(state, runs, steps),
            noise=noise, scale=state.scale + power, witness=None,
            trial=None if power else _trial(state, runs, steps, fillings),
        )  # fmt: skip

    def _scaled(
        self, runs: Sequence[Run], habit: Habit, limits: Limits, found: Explanation
    ) -> tuple[tuple[Run, ...], Explanation, int, int] | None:
        """Readings from one on that show a power of ten times what they did, if that explains them best."""
        if found.price <= PRICE_SCALE:
            return None
        for at in range(1, len(runs)):
            old, new = runs[at - 1], runs[at]
            if old.value <= 0.0 or new.value <= 0.0:
                continue
            most = limits.usual(habit, new.first - old.last)
            if most > SCALE_NARROW * old.value:
                continue
            for power in POWERS:
                passed = new.value / 10.0**power - old.value
                if not -(habit.unit + 10.0 ** (-habit.digits - power)) <= passed <= most:
                    continue
                taken = (*runs[:at], *(run._replace(value=run.value / 10.0**power) for run in runs[at:]))
                again = explain(taken, habit, limits)
                if again.price + PRICE_SCALE < found.price and again.last == len(taken) - 1:
                    return taken, again, at, power
        return None

    def _rescaled(self, state: RegisterState, runs: Sequence[Run], at: int, power: int, ts: int) -> None:
        old, new = runs[at - 1], runs[at]
        back = state.scale + power == 0
        self._tell.event(
            MeterEventKind.SCALE, old.last, ts, new.first,
            readings=len(runs) - at, before=old.value, seen=new.value * 10.0**power, after=new.value,
            increment=new.value - old.value,
            rule="shows its first unit again" if back else
            f"shows {10.0**power:g} times what it did: its unit changed, and it is counted as before. Register the"
            " multiplier from this moment on, or set the meter right",
        )  # fmt: skip

    def _begin_anew(self, state: RegisterState, old: Run, filling: Filling, unknown: Filling, ts: int) -> RegisterState:
        """Give up on readings of which no two agree; what passed meanwhile stays unknown."""
        newest = state.tail[-1]
        run = newest._replace(first=newest.last, readings=1, implied=None)
        line = Line(
            old.value, old.last, filling, MeterEventKind.REPLACEMENT, newest.last, newest.value, 0.0, 0.0,
            RUBBISH, counts=1, tolerance=self._trembles(state.habit),
        )  # fmt: skip
        noise = self._tell.rubbish(state.noise, old, newest, len(state.tail), ts)
        lines = (*state.lines, line)[-MOST_LINES:]
        return state._replace(
            anchor=run, filling=unknown, tail=(run,), shown=unknown, lines=further(lines, ts, counted=False),
            habit=state.habit.broken(run.last, run.value), witness=None, noise=noise, trial=None, odd=False,
        )  # fmt: skip

    def _walk(
        self, runs: Sequence[Run], state: RegisterState, steps: Sequence[Step], doubted_from: int = 0
    ) -> list[tuple[Filling, Filling]]:
        """Give out the minutes of an explanation; returns the open minute at the beginning and end of each run kept.

        From run `doubted_from` on nothing is more than estimated.
        """
        found: list[tuple[Filling, Filling]] = []
        filling, old, lines = state.filling, runs[0], state.lines
        broken = False
        for at, step in enumerate(steps):
            new = runs[step.to]
            start = old.first if step.kind is MeterEventKind.CATCH_UP and at else old.last
            if step.kind is MeterEventKind.EXCURSION:
                line = lines[step.line]
                start, filling = line.last, line.filling
                unsure = UNSURE_READINGS if step.may_be_chance(new.value - old.value) else state.unsure
                state = state._replace(lines=lines[: step.line], unsure=unsure)
            broken = broken or step.leaves or bool(doubted_from and step.to >= doubted_from)
            skips = bool(at) and step.to > steps[at - 1].to + 1
            sure = step.kind in _SURE and step.measured and not broken and not skips and not (at == 0 and state.odd)
            backing = self._backing(state, new.first - old.last, step.counted, new.first) if sure else Backing.BRIDGE
            filling = self._minutes.spread(filling, start, new.first, step.counted, backing)
            begun = filling
            if at + 1 == len(steps) or steps[at + 1].kind is not MeterEventKind.CATCH_UP:
                waits = Backing.BRIDGE if step.kind is MeterEventKind.SURGE else Backing.NOTHING
                stands = Backing.READINGS if not broken else waits
                if stands is Backing.READINGS and (
                    _stood_briefly(new, steps[at + 1 :]) or (not at and _began_again(state))
                ):
                    stands = Backing.BRIDGE
                backing = Backing.NOTHING if new.frozen else stands
                if backing is Backing.READINGS:
                    backing = self._backing(state, 0, 0.0, new.last)
                filling = self._minutes.spread(filling, new.first, new.last, 0.0, backing)
            found.append((begun, filling))
            old = new
        return found

    def _close(
        self,
        state: RegisterState,
        runs: Sequence[Run],
        steps: Sequence[Step],
        fillings: Sequence[tuple[Filling, Filling]],
        ts: int,
    ) -> RegisterState:
        """Keep what is settled as the new anchor, and the last run kept as the tail."""
        habit, known = self._learn(state.habit, runs, steps), state
        state = state._replace(lines=self._lines(state, runs, steps, fillings, ts))
        last = runs[steps[-1].to]
        before = steps[-2].to if len(steps) > 1 else 0
        counts_on = steps[-1].kind is None
        is_gap = last.first - runs[before].last > self._gap_ms
        if len(steps) > 1 and counts_on and steps[-2].kind is None and steps[-1].counted == 0.0 and not is_gap:
            # It stood, but for a reading that was noise: one run.
            earlier = len(steps) - 3
            anchor, filling, odd = state.anchor, state.filling, state.odd
            if earlier >= 0:
                anchor, filling = runs[steps[earlier].to], fillings[earlier][1]
                skips = before > steps[earlier].to + 1
                odd = skips or self._is_odd(known, anchor, runs[before], steps[-2])
            last = _merged(runs[before], last)
        elif counts_on and len(steps) > 1:
            anchor, filling = runs[before], fillings[-2][1]
            odd = steps[-1].to > before + 1 or self._is_odd(known, anchor, last, steps[-1])
        elif counts_on:
            anchor, filling, odd = state.anchor, state.filling, state.odd
        else:
            anchor = last._replace(last=last.first, readings=1, implied=None)
            filling, odd = fillings[-1][0], False
        return state._replace(anchor=anchor, filling=filling, tail=(last,), shown=fillings[-1][1], habit=habit, odd=odd)

    def _lines(
        self,
        state: RegisterState,
        runs: Sequence[Run],
        steps: Sequence[Step],
        fillings: Sequence[tuple[Filling, Filling]],
        ts: int,
    ) -> tuple[Line, ...]:
        """What the register has left by now."""
        lines = state.lines
        at, filling = 0, state.filling
        for number, step in enumerate(steps):
            old, new = runs[at], runs[step.to]
            if step.kind is MeterEventKind.EXCURSION:
                lines = lines[: step.line]
            elif step.leaves:
                assert step.kind is not None  # noqa: S101 - as above
                line = Line(
                    old.value, old.last, filling, step.kind, new.first, new.value,
                    step.limit, step.counted, step.rule, tolerance=self._trembles(state.habit),
                    readings=sum(run.readings for run in runs[step.to :]),
                )  # fmt: skip
                lines = (*lines, line)[-MOST_LINES:]
                for later, following in zip(steps[number:], steps[number + 1 :], strict=False):
                    if following.kind is not None:
                        break
                    counted = runs[following.to].value - runs[later.to].value
                    lines = self._beyond(lines, runs[following.to], counted)
            at, filling = step.to, fillings[number][1]
        return tuple(line for line in lines if not line.is_over(ts))

    def _learn(self, habit: Habit, runs: Sequence[Run], steps: Sequence[Step]) -> Habit:
        """Learn from the ordinary increments of a window; the one to its first run is known already."""
        old = 0
        for step in steps:
            before, new = runs[old], runs[step.to]
            if step.kind is None and (old, step.to) != (0, 1):
                span = new.first - before.last
                rest = 0 if before.frozen else before.stood_ms
                habit = habit.after(
                    new.first, span, step.counted, rest, new.value,
                    period_ms=self._period_ms, close=span <= self._gap_ms,
                ).seeing(new.value)  # fmt: skip
            elif step.kind is not None:
                habit = habit.broken(new.first, new.value)
            old = step.to
        return habit._replace(last=max(habit.last, runs[old].first))

    def _is_frozen(self, habit: Habit, run: Run) -> bool:
        """Whether a register stands although something passes."""
        step = habit.step or habit.unit
        if run.readings < FREEZE_READINGS:
            return False
        if run.implied is not None:
            highest = self._limits.rated or habit.highest
            return run.implied >= max(FREEZE_STEPS * step, FREEZE_SHARE * highest * run.stood_ms)
        return (
            habit.mature
            and run.readings >= REST_READINGS
            and run.unexplained_ms >= max(REST_MS, REST_MARGIN * habit.longest_rest)
            and habit.mean * run.unexplained_ms >= FREEZE_STEPS * step
        )

    def _may_catch_up(self, state: RegisterState, run: Run, counted: float) -> bool:
        """Whether an increment after standing still is to be held against the one after it."""
        habit = state.habit
        if state.tremble is not None and self._is_trembling(state.tremble, run.last):
            return False  # it did not stand
        if run.readings < FREEZE_READINGS or habit.step is None or counted <= CATCH_UP_STEPS * habit.step:
            return False
        if run.implied is not None:
            return run.implied >= CATCH_UP_STEPS * habit.step
        return run.frozen or run.stood_ms > REST_MARGIN * habit.longest_rest

    def _with_catch_ups(
        self, state: RegisterState, runs: Sequence[Run], steps: Sequence[Step]
    ) -> tuple[tuple[Step, ...], bool]:
        """Tell increments that only look ordinary from a catch-up; and whether that still waits for a reading."""
        found: list[Step] = []
        undecided = False
        for at, step in enumerate(steps):
            old, new = runs[steps[at - 1].to] if at else runs[0], runs[step.to]
            if at == 0 or step.kind is not None or not self._may_catch_up(state, old, step.counted):
                found.append(step)
                continue
            if at + 1 < len(steps):
                after = steps[at + 1].counted / (runs[steps[at + 1].to].first - new.first)
            elif new.readings > 1:
                after = 0.0
            else:
                undecided = True
                found.append(step)
                continue
            span = old.first - (runs[steps[at - 2].to] if at > 1 else runs[0]).last
            before = steps[at - 1].counted / span if span > 0 and steps[at - 1].kind is None else None
            found.append(_caught_up(step, old, new, before, after))
        return tuple(found), undecided

    def _report(self, state: RegisterState, runs: Sequence[Run], steps: Sequence[Step], ts: int) -> Noise | None:
        """Write the events of a settled explanation; what a break was waits until it has counted on."""
        at = 0
        noise = state.noise
        for number, step in enumerate(steps):
            old, new = runs[at], runs[step.to]
            for odd in runs[at + 1 : step.to]:
                noise = self._tell.noise(noise, old, odd, new, ts)
            if at and new.first - old.last > self._gap_ms:
                self._tell.gap(old, new, step.counted, ts)
            if step.kind is MeterEventKind.EXCURSION:
                self._tell.returned(state.lines[step.line], step, new, ts)
            elif step.kind is not None and not step.leaves:
                following = runs[steps[number + 1].to].value if number + 1 < len(steps) else None
                if step.kind is MeterEventKind.CATCH_UP and not old.frozen:
                    self._tell.freeze(old, ts, until=old.last)
                self._tell.step(step, old, new, ts, following)
            at = step.to
        return noise


def _stood_briefly(run: Run, following: Sequence[Step]) -> bool:
    """Whether a young register's run is too short to be a rest, and then jumps: it may have been no reading of it."""
    jumps = bool(following) and following[0].kind is None and not following[0].measured
    return jumps and run.readings < FREEZE_READINGS


def _power_of_ten(before: float, now: float, unit: float) -> int:
    """By which power of ten a register shows other than before, counting on; 0: by none."""
    if before <= 0.0 or now <= 0.0:
        return 0
    return next((power for power in POWERS if -unit <= now / 10.0**power - before <= SCALE_NARROW * before), 0)


def _began_again(state: RegisterState) -> bool:
    """Whether a young register came back to what it showed before, or began anew: where it then stands may be old."""
    is_young = state.habit.steps < habits.MIN_STEPS
    return is_young and state.trial is not None and state.trial.marks[0].ts > state.habit.since


def _leaves(steps: Sequence[Step]) -> bool:
    """Whether a register leaves its level for another one that counts on."""
    return any(step.leaves and after.kind is None and after.counted > 0.0 for step, after in pairwise(steps))


def _unsure(state: RegisterState, runs: Sequence[Run], steps: Sequence[Step]) -> int:
    """How many readings must count on behind a window before its return is believed."""
    froms = (0, *(step.to for step in steps))
    chance = any(
        step.may_be_chance(runs[step.to].value - runs[at].value) for at, step in zip(froms, steps, strict=False)
    )
    return UNSURE_READINGS if chance else state.unsure


def _trial(
    state: RegisterState, runs: Sequence[Run], steps: Sequence[Step], fillings: Sequence[tuple[Filling, Filling]]
) -> Trial | None:
    """What is on trial behind a window: the level as before, or one that counted more than it can have."""
    trial, at = state.trial, 0
    for number, step in enumerate(steps):
        if step.kind is MeterEventKind.EXCURSION:
            came = runs[step.to]
            again = Trial(fillings[number][0], (Mark(came.first, came.value),))
            trial = (trial and trial.until(state.lines[step.line].last)) or again
        elif step.kind is MeterEventKind.ROLLOVER:
            trial = None
        elif trial is None and not step.leaves and step.counted > step.limit:
            filling = fillings[number - 1][1] if number else state.filling
            trial = Trial(filling, (Mark(runs[at].last, runs[at].value),))
        at = step.to
    return trial


_SURE = frozenset({None, MeterEventKind.ROLLOVER})
"""What may lie between two readings and leave what was counted measured."""


def _first_of(ts: int, value: float, rate: float | None, *, since: int, frozen: bool) -> Run:
    return Run(ts, ts, 1, value, since, None if rate is None else 0.0, frozen)


def _all_onwards(runs: Sequence[Run]) -> list[Step]:
    """Steps from run to run that all count on."""
    return [Step(to, None, new.value - old.value, 0.0, "counts on") for to, (old, new) in enumerate(pairwise(runs), 1)]


def _onwards(state: RegisterState) -> tuple[Step, ...]:
    """The step from the anchor to a tail of one run."""
    counted = max(0.0, state.tail[0].value - state.anchor.value)
    return (Step(1, None, counted, counted, "counts on"),)


def _merged(old: Run, new: Run) -> Run:
    implied = None if old.implied is None or new.implied is None else old.implied + new.implied
    return Run(old.first, new.last, old.readings + new.readings, old.value, old.since, implied, old.frozen)


def _agreed(runs: Sequence[Run], steps: Sequence[Step]) -> bool:
    """Whether enough readings after each odd thing count on from it."""
    at = 0
    for number, step in enumerate(steps):
        odd = step.kind is not None or step.to > at + 1
        if odd:
            agreeing = runs[step.to].readings - 1 + sum(runs[later.to].readings for later in steps[number + 1 :])
            is_break = step.kind in BREAKS or (step.kind is MeterEventKind.ROLLOVER and not step.measured)
            if agreeing < (AGREE_AFTER_BREAK if is_break else AGREE):
                return False
        at = step.to
    return True


def _caught_up(step: Step, old: Run, new: Run, before: float | None, after: float) -> Step:
    """A step after standing still, as a catch-up if that is what it is. Speeds in the register's unit per ms."""
    span, stood = new.first - old.last, new.first - old.first
    if old.implied is not None:
        between = old.implied / old.stood_ms * span
        caught_up = 2 * step.counted >= old.implied + between and step.counted > CATCH_UP_SPEED * between
        rule = "counts at once about what its instantaneous value said had passed while it stood"
    else:
        slowest = after if before is None else min(before, after)
        caught_up = step.counted > CATCH_UP_SPEED * after * span and step.counted >= CATCH_UP_SHARE * slowest * stood
        rule = "counts at once several times what then passes, about what the time it stood comes to"
    return step._replace(kind=MeterEventKind.CATCH_UP, rule=rule) if caught_up else step
