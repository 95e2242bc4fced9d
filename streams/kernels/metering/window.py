"""The window of a register's last readings: what may still be revised, and the minutes it gives out meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.metrics import MeterEventKind
from streams.kernels.metering import habit as habits
from streams.kernels.metering import trial as trials
from streams.kernels.metering import witness as witnesses
from streams.kernels.metering import young
from streams.kernels.metering.beginning import Beginning
from streams.kernels.metering.grounds import (
    STALE_JUMP,
    STALE_MOST,
    STALE_READINGS,
    TREMBLE_DIGITS,
    TREMBLE_PERIODS,
    standstill_ms,
)
from streams.kernels.metering.lines import Line, further
from streams.kernels.metering.minutes import LONG_SILENCE_MS, Backing, begin
from streams.kernels.metering.state import RegisterState, Tremble, first_of, has_restarted, onwards
from streams.kernels.metering.telling import EXCHANGED_AS_REGISTERED
from streams.kernels.metering.terms import cross
from streams.kernels.metering.trial import Trial, TrialMark

if TYPE_CHECKING:
    from streams.kernels.metering.explain import Run
    from streams.kernels.metering.witness import FlowWitness

TREMBLE_LEAST = 1.5
"""One that falls by more than so many of the register's steps moves by as much as it counts: (unsourced)"""


class Window(Beginning):
    """Takes one register's readings in order; rows go into the list it was made with."""

    def begin(self, ts: int, value: float, rate: float | None) -> RegisterState:
        """Take a register's first reading: what came before is unknown, not zero."""
        self._come_to(ts)
        value *= self._terms[self._at].factor
        run = first_of(ts, value, rate, since=ts, frozen=False)
        habit = habits.first(ts, value).seeing(value)
        return RegisterState(run, begin(ts), (run,), begin(ts), rate, habit, trial=trials.first(ts, value))

    def read(
        self,
        state: RegisterState,
        ts: int,
        value: float,
        rate: float | None,
        *,
        rests: bool = False,
        crawls: bool = False,
        contradicts: bool = False,
        swapped: bool = False,
    ) -> RegisterState:
        """Take a register's next reading; `rate` is what its instantaneous value says, in its unit per ms.

        `rests`: the reading says itself that nothing passes; `crawls`: its clock may not be right (`pace.py`);
        `contradicts`: power has the sign that the other register of the meter counts, `swapped`: since the two have
        changed places (`signs.py`).
        """
        self._crawls, self._contradicts_sign, self._crossed = crawls, contradicts, swapped
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
        if not crossed.is_exact and taken.habit.steps < habits.MIN_STEPS and taken.tail[-1].first == ts:
            return taken._replace(tail=(*taken.tail[:-1], taken.tail[-1]._replace(denied=True)))
        if crossed.is_exact or len(taken.tail) > 1 or taken.tail[0].first != ts:
            return taken
        newest = state.tail[-1]
        filling = self._minutes.spread(state.shown, newest.last, ts, crossed.counted - newest.value, Backing.BRIDGE)
        return taken._replace(anchor=taken.tail[0], filling=filling, shown=filling, odd=False)

    def counts(self, state: RegisterState, ts: int, value: float) -> float | None:
        """What a register counts with its next reading; None where it does not simply count on."""
        if len(state.tail) > 1:
            return None
        shown = value if not state.scale else value / 10.0**state.scale
        if not self._is_plain:
            self._come_to(ts)
            terms = self._terms[self._at]
            if state.tail[0].last < terms.since:
                return None
            shown = state.offset + terms.factor * shown
        counted = shown - state.tail[0].value
        return counted if counted >= 0.0 else None

    def _take(self, state: RegisterState, ts: int, value: float, rate: float | None, *, rests: bool) -> RegisterState:
        """Take a register's next reading, on the scale on which it is followed."""
        if state.trial is not None:
            state = state._replace(trial=state.trial.seen())
        newest, single = state.tail[-1], len(state.tail) == 1
        span, counted = ts - newest.last, value - newest.value
        is_gap = span > self._gap_ms
        is_young = state.habit.steps < habits.MIN_STEPS
        if counted != 0.0 and (single or is_young) and self._only_trembles(state, counted, is_young=is_young):
            state = self._trembled(state, ts, -counted)
            counted, value = 0.0, newest.value
        if state.witness is not None and single and (ts // self._stretch_ms != state.witness.number or is_gap):
            state = self._heard(state, ts)
            newest = state.tail[-1]
        if counted == 0.0 and not is_gap:
            return self._stand(state, ts, rate, rests=rests)
        repeats = counted == 0.0
        run = first_of(ts, value, rate, since=newest.since if repeats else ts, frozen=repeats and newest.frozen)
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
        if single and state.witness is not None:
            state = self._heard(state, ts)  # a break ends a stretch: it is judged by what it has
        return self._settle(state._replace(tail=(*state.tail, run), rate=rate), ts)

    def _only_trembles(self, state: RegisterState, counted: float, *, is_young: bool) -> bool:
        """Whether a register moves by no more than one that trembles does."""
        if counted < 0.0:
            return counted >= -self._trembles(state.habit)
        return is_young and self._creeps(state, counted)

    def _trembled(self, state: RegisterState, ts: int, fall: float) -> RegisterState:
        """Take a fall that is none: in which minute something passed is not known then, as long as it trembles.

        The same of a rise (`fall` is negative) of a register that stands.
        One beyond rounding takes back what was counted: that may have been another meter's, or at another time.
        """
        if fall > TREMBLE_DIGITS * state.habit.unit and len(state.tail) == 1:
            state = self._taken_back(state)
        known = state.tremble
        if known is not None and ts - known.last <= TREMBLE_PERIODS * self._period_ms:
            return state._replace(tremble=Tremble(known.since, ts))
        if 0.0 < fall <= TREMBLE_LEAST * (state.habit.step or state.habit.unit):
            return state
        return state._replace(tremble=Tremble(ts, ts))

    def _slide(self, state: RegisterState, run: Run, counted: float, rate: float | None) -> RegisterState:
        """Count on: the common case."""
        newest = state.tail[0]
        ts, span = run.first, run.first - newest.last
        if state.witness is not None and self._leaps(state.habit, span, counted, trials.JUMP):
            state = self._heard(state, ts)  # what it showed before may have been another's: it is judged by itself
            newest = state.tail[0]
        jump = STALE_JUMP if newest.readings == STALE_READINGS else trials.JUMP
        may_be_old = STALE_READINGS <= newest.readings <= STALE_MOST
        is_old = may_be_old and (
            self._stands_denied(state.habit, newest) or self._leaps(state.habit, span, counted, jump)
        )
        is_vouched = self._vouched(state, span, counted, rate)
        is_old = is_old or (newest.readings > STALE_MOST and not is_vouched and self._makes_up(state, span, counted))
        is_stale = is_old or (may_be_old and self._never_rests(state.habit, span, counted))
        if newest.readings > 1:
            walking = state._replace(doubt=state.doubt or 1) if is_stale else state
            shown = self._walk((state.anchor, newest), walking, onwards(state))[-1][1]
            state = state._replace(shown=shown) if is_stale else state
        begins = bool(state.lines) and state.lines[-1].counts == 0 and counted > 0.0
        if state.trial is not None and begins:
            state = self._left(state, state.trial, state.lines[-1])
            newest = state.tail[0]
        is_gap = span > self._gap_ms
        leaps = not is_gap and self._leaps(state.habit, span, counted, trials.JUMP)
        if leaps and state.trial is not None:
            is_great = self._leaps(state.habit, span, counted, trials.LEAP)
            speed = self._newest_speed(state)
            is_second = state.trial.leapt > 0 and counted / span > trials.LEAP * speed
            is_second = is_second and state.trial.is_even(speed, newest.last, newest.value)
            state = self._doubted(state, state.trial, span, counted, rate, is_sure=is_great or is_second)
            newest, leaps = state.tail[0], not is_great
        backing = self._backing(state, span, counted, ts, vouched=is_vouched)
        if (
            is_stale
            or newest.frozen
            or (
                backing is Backing.READINGS
                and (
                    self._denied(state, span, counted, rate)
                    or self._parts(state, span, counted, rate)
                    or (state.trial is not None and state.trial.is_new and self._falls_short(state, run, rate))
                )
            )
        ):
            backing = Backing.BRIDGE
        shown = self._minutes.spread(state.shown, newest.last, ts, counted, backing)
        if is_gap:
            self._tell.gap(newest, run, counted, ts)
        rest = 0 if newest.frozen or is_old else newest.stood_ms
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
            trial = (trial.leaping(ts) if leaps else trial).further(newest)
        elif begins or leaps:
            trial = Trial(state.shown, (TrialMark(newest.last, newest.value),))
        return RegisterState(
            newest, state.shown, (run,), shown, rate, habit, lines,
            state.scale, state.noise, witness, state.doubt, over, trial, state.offset, state.tremble,
            backing is not Backing.READINGS, max(0, state.unsure - 1) if counted > 0.0 else state.unsure,
            state.steady,
        )  # fmt: skip

    def _doubted(
        self, state: RegisterState, trial: Trial, span: int, counted: float, rate: float | None, *, is_sure: bool
    ) -> RegisterState:
        """Write the minutes of a level on trial again: it may be another meter that goes on behind a leap.

        Behind one that is great, or the second out of a slow level, and not where the instantaneous value says that so
        much passed; where it says that less did, behind one 2.5 times as fast as any.
        """
        step = state.habit.step or state.habit.unit
        if rate is None or state.rate is None:
            return self._trial_rewritten(state, trial) if is_sure else state
        is_denied = witnesses.exceeds(counted, state.rate, rate, span, step)
        is_denied = is_denied and self._leaps(state.habit, span, counted, young.LEAP)
        return self._trial_rewritten(state, trial) if is_denied else state

    def _newest_speed(self, state: RegisterState) -> float:
        """How fast it counted with its newest reading, in its unit per ms."""
        old, new = state.anchor, state.tail[0]
        return max(0.0, new.value - old.value) / max(new.first - old.last, self._period_ms)

    def _taken_back(self, state: RegisterState) -> RegisterState:
        """Write again what was counted last, and a level on trial as a whole."""
        shown = self._walk((state.anchor, state.tail[0]), state._replace(doubt=1), onwards(state))[-1][1]
        state = state._replace(shown=shown, odd=True)
        return state if state.trial is None else self._trial_rewritten(state, state.trial)

    def _trial_rewritten(self, state: RegisterState, trial: Trial) -> RegisterState:
        """Write a level on trial again; it is on trial from its newest reading on."""
        newest = state.tail[0]
        shown = trial.rewritten(self._minutes, newest.last, newest.value)
        if shown is None:
            return state
        run = newest._replace(first=newest.last, readings=1, implied=None if newest.implied is None else 0.0)
        trial = Trial(shown, (TrialMark(newest.last, newest.value),))
        return state._replace(anchor=run, filling=shown, tail=(run,), shown=shown, trial=trial, odd=False)

    def _left(self, state: RegisterState, trial: Trial, line: Line) -> RegisterState:
        """Write the minutes of a level again that was left before it proved itself: another one counts on now."""
        newest = state.tail[0]
        shown = trial.rewritten(self._minutes, line.last, line.value)
        if shown is None or newest.last - line.last > LONG_SILENCE_MS:
            return state._replace(trial=None)
        shown = self._minutes.spread(shown, line.last, line.broke, line.counted, Backing.BRIDGE)
        shown = self._minutes.spread(shown, line.broke, newest.last, 0.0, Backing.NOTHING)
        run = newest._replace(first=newest.last, readings=1, implied=None if newest.implied is None else 0.0)
        return state._replace(anchor=run, filling=shown, tail=(run,), shown=shown, trial=None, odd=False)

    def _heard(self, state: RegisterState, ts: int) -> RegisterState:
        """End a stretch of instantaneous values: where register and integral part, its minutes are estimated."""
        witness, newest = state.witness, state.tail[0]
        assert witness is not None  # noqa: S101 - asked for
        counted = newest.value - witness.value
        step = state.habit.step or state.habit.unit
        agrees = witnesses.verdict(witness, counted, step, trusted=state.steady > 0)
        state = state._replace(steady=witness.steady.trust(state.steady))
        if newest.frozen:
            return state._replace(witness=None)
        if agrees is None:
            goes_on = ts - witness.start <= witnesses.LONGEST * self._stretch_ms and ts - newest.last <= self._gap_ms
            longer = witness._replace(number=ts // self._stretch_ms, steady=witnesses.NO_STEADY)
            return state._replace(witness=longer if goes_on else None)
        usual = witnesses.usual_of(witness) if agrees else None
        following = witnesses.begin(newest.last, newest.value, state.shown, self._stretch_ms, usual)
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
        self, state: RegisterState, witness: FlowWitness, counted: float, since: int, ts: int, *, until: int | None
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
        run = newest._replace(last=ts, readings=newest.readings + 1, since=since, implied=implied)
        is_young = state.habit.steps < habits.MIN_STEPS
        if len(state.tail) > 1 and not is_young:
            return self._settle(state._replace(tail=(*state.tail[:-1], run), rate=rate), ts)
        if len(state.tail) == 1 and not run.frozen and self._is_frozen(state.habit, run):
            run = run._replace(frozen=True)
            state = state._replace(tail=(run,), rate=rate, witness=None)
            self._tell.freeze(run, ts, until=None)
            state = state._replace(odd=True)  # so is what led to the value that it shows
            shown = self._walk((state.anchor, run), state, onwards(state))[-1][1]
            return state._replace(shown=shown, lines=further(state.lines, ts, counted=False))
        if state.trial is not None and state.lines and state.trial.is_outlasted(state.lines[-1], ts):
            state = self._left(state._replace(tail=(run,)), state.trial, state.lines[-1])
            return state._replace(rate=rate, lines=further(state.lines, ts, counted=False))
        stands_by_right = rests or (rate == 0.0 and state.rate == 0.0)
        if run.frozen or (state.lines and state.lines[-1].counts == 0 and not stands_by_right):
            surged = not run.frozen and state.lines[-1].kind is MeterEventKind.SURGE
            backing = Backing.BRIDGE if surged else Backing.NOTHING
        elif has_restarted(state):
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
            state.unsure, state.steady,
        )  # fmt: skip
