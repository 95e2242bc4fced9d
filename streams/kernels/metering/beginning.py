"""A register's first readings, taken as `young` judges them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from schemas.metrics import MeterEventKind
from streams.kernels.metering import habit as habits
from streams.kernels.metering import witness as witnesses
from streams.kernels.metering import young
from streams.kernels.metering.explain import CATCH_UP_SPEED, RunStep
from streams.kernels.metering.grounds import CATCH_UP_STEPS, FREEZE_READINGS, STALE_READINGS
from streams.kernels.metering.lines import MOST_LINES, Line, further
from streams.kernels.metering.minutes import Backing, begin
from streams.kernels.metering.settling import POWERS, SCALE_NARROW, UNSURE_READINGS, Settling
from streams.kernels.metering.state import all_onwards, has_restarted
from streams.kernels.metering.trial import Trial, TrialMark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.kernels.metering.explain import Run
    from streams.kernels.metering.habit import Habit
    from streams.kernels.metering.minutes import Filling
    from streams.kernels.metering.state import RegisterState


class Beginning(Settling):
    """Takes the readings of a register without a history."""

    def _young(self, state: RegisterState, run: Run, rate: float | None) -> RegisterState:
        """Take a reading of a register without a history: nothing is believed that stands alone."""
        ts = run.first
        lines, newest = state.lines, state.tail[-1]
        if newest.frozen:
            self._tell.freeze(newest, ts, until=newest.last)
        if lines and run.value != newest.value:
            returned = self._returned(state, run, rate, lines[-1])
            if returned is not None:
                return returned
            state = self._counts_elsewhere(state, run) if run.value > newest.value else state
            lines = further(lines, run.first, counted=run.value > newest.value)
        if self._falls_short(state, run, rate) or self._parts(
            state, run.first - newest.last, run.value - newest.value, rate
        ):
            run = run._replace(denied=True)
        runs = (*state.tail, run)
        if self._rolls_over(state, run):
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
            return self._unconfirmed(state, runs, is_possible=found.possible and self._limits.rated is not None)
        steps = self._young_steps(state, (state.anchor, *runs), found.usual)
        fillings = self._walk((state.anchor, *runs), state, steps)
        if len(runs) <= habits.MIN_STEPS:
            return state._replace(shown=fillings[-1][1])
        self._report(state, (state.anchor, *runs), steps, ts)
        habit = self._learn_young(state.habit, runs, steps[1:])._replace(steps=habits.MIN_STEPS)
        anchor, catches_up = runs[-2], steps[-1].kind is MeterEventKind.CATCH_UP
        if catches_up:  # it is spread from where the register began to stand
            anchor = anchor._replace(last=anchor.first, readings=1, implied=None)
        return state._replace(
            anchor=anchor, filling=fillings[-2][1], tail=(run,), shown=fillings[-1][1], habit=habit,
            odd=catches_up or not steps[-1].measured or self._is_odd(state, anchor, run, steps[-1]),
        )  # fmt: skip

    def _creeps(self, state: RegisterState, counted: float) -> bool:
        """Whether a young register trembles while it stands: by a few last digits, and it counted far more before."""
        if state.tail[-1].readings < FREEZE_READINGS or counted > young.FEW_UNITS * state.habit.unit:
            return False
        runs = (state.anchor, *state.tail)
        return counted * young.UNLIKE < max(new.value - old.value for old, new in pairwise(runs))

    def _unconfirmed(self, state: RegisterState, runs: Sequence[Run], *, is_possible: bool) -> RegisterState:
        """Wait for what confirms a young register's newest step: what it showed before that may be another's."""
        newest, run = runs[-2:]
        shown = state.shown
        if len(runs) > 2:  # noqa: PLR2004 - it had counted
            shown = self._doubted_walk(state, runs[:-1])
        elif newest.readings > 1 and newest.first == state.anchor.last:  # its first step: what it rested for is open
            shown = self._minutes.spread(state.filling, state.anchor.last, newest.last, 0.0, Backing.NOTHING)
        counted, backing = (run.value - newest.value, Backing.BRIDGE) if is_possible else (0.0, Backing.NOTHING)
        return state._replace(shown=self._minutes.spread(shown, newest.last, run.first, counted, backing))

    def _rolls_over(self, state: RegisterState, run: Run) -> bool:
        """Whether a fall is the registered rollover, and what passed by that is like the steps before it."""
        rollover = self._limits.rollover
        if rollover is None or not self._limits.rolls_over(state.tail[-1].value, run.value):
            return False
        onwards = (*state.tail, run._replace(value=run.value + rollover))
        return not young.judge(onwards, self._limits, state.habit.seeing(run.value).unit).begins

    def _returned(self, state: RegisterState, run: Run, rate: float | None, line: Line) -> RegisterState | None:
        """Come back to a line; None where that is not what a reading does."""
        ts, newest = run.first, state.tail[-1]
        passed, bound = run.value - line.value, line.most(state.habit, self._limits, ts - line.last)
        if not -line.tolerance <= passed <= bound or abs(passed) >= abs(run.value - newest.value):
            return None
        rule = "comes back to where it would have been: what it showed meanwhile was not its own"
        step = RunStep(1, MeterEventKind.EXCURSION, max(0.0, passed), bound, rule, measured=False)
        noise = self._tell.returned(line, step, run, ts, state.noise)
        if noise.is_two:  # nobody can tell which of the two is this meter
            start = max(noise.ts, noise.unknown_ms)
            filling = self._minutes.spread(begin(start), start, ts, 0.0, Backing.NOTHING)
            noise = noise._replace(unknown_ms=ts)
        else:
            filling = self._minutes.spread(line.filling, line.last, ts, step.counted, Backing.BRIDGE)
        is_chance = step.may_be_chance(run.value - newest.value)
        return state._replace(
            anchor=run, filling=filling, tail=(run,), shown=filling, rate=rate, lines=state.lines[:-1], witness=None,
            trial=Trial(filling, (TrialMark(ts, run.value),)), odd=False, noise=noise,
            unsure=UNSURE_READINGS if is_chance else max(state.unsure, step.shows_the_old),
        )  # fmt: skip

    def _counts_elsewhere(self, state: RegisterState, run: Run) -> RegisterState:
        """Tell of the lines that were left, now that it counts: of two devices under one id that is one event."""
        noise = state.noise
        for line in state.lines:
            if line.counts == 0:
                noise = self._tell.left(line, run.first, run.value, noise)
        return state._replace(noise=noise)

    def _learn_young(self, habit: Habit, runs: Sequence[Run], steps: Sequence[RunStep]) -> Habit:
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

    def _young_steps(self, state: RegisterState, runs: Sequence[Run], usual: float) -> list[RunStep]:
        """Steps between a young register's runs: what it counts at once after standing passed while it stood."""
        steps = all_onwards(runs)
        few, greatest = young.FEW_UNITS * state.habit.unit, max(step.counted for step in steps)
        is_old = runs[0].value == 0.0
        if len(runs) > 2 and runs[1].readings > 1 and not self._rests(runs[1]):  # noqa: PLR2004 - as below
            is_old = is_old or has_restarted(state) or few < steps[1].counted == greatest
        if is_old and len(runs) > 2:  # noqa: PLR2004 - a first 0, or what it showed for a while, may have been no reading
            steps[1] = steps[1]._replace(measured=False)
        least = min((step.counted for step in steps if step.counted > 0.0), default=0.0)
        for at, (old, new) in enumerate(pairwise(runs)):
            counted, span = new.value - old.value, max(new.first - old.last, self._period_ms)
            stood = at and old.readings >= FREEZE_READINGS and counted > CATCH_UP_STEPS * least
            if stood and counted > CATCH_UP_SPEED * usual * span:
                rule = "counts at once several times what then passes, about what the time it stood comes to"
                steps[at] = RunStep(at + 1, MeterEventKind.CATCH_UP, counted, usual * span, rule)
            elif at and (
                new.denied
                or self._stands_denied(state.habit, old)
                or (old.readings == STALE_READINGS and counted > few and counted == greatest)
                or (at > 1 and self._stands_behind_a_leap(steps[at - 1], runs[at - 1 : at + 1], usual))
            ):
                steps[at] = steps[at]._replace(measured=False)
                if new.denied:  # what it showed before may have been another's
                    steps[1:at] = [step._replace(measured=False) for step in steps[1:at]]
            elif at and (counted > young.UNSURE * usual * span or 0.0 < counted * young.SLOW < usual * span):
                steps[at] = steps[at]._replace(measured=False)
                if counted > young.LEAP * usual * span:  # what it showed before may have been another's
                    steps[1:at] = [step._replace(measured=False) for step in steps[1:at]]
        return steps

    def _stands_behind_a_leap(self, step: RunStep, runs: Sequence[Run], usual: float) -> bool:
        """Whether a step is more than is believed, and the value that it leads to stands: it may be another's."""
        span = max(runs[1].first - runs[0].last, self._period_ms)
        stands = runs[1].readings >= FREEZE_READINGS
        return stands and not step.measured and step.counted > young.UNSURE * usual * span

    def _doubted_walk(self, state: RegisterState, runs: Sequence[Run]) -> Filling:
        """Write a young register's minutes as estimated; returns the open one at the end."""
        known = (state.anchor, *runs)
        return self._walk(known, state._replace(doubt=1), all_onwards(known))[-1][1]

    def _begun_anew(self, state: RegisterState, at: int, ts: int) -> RegisterState:
        """What a young register showed before one of its runs cannot be followed by it: that is where it begins."""
        old, new = state.tail[at - 1], state.tail[at]
        lines, waits = state.lines, Backing.BRIDGE
        known = state.tail[:at]
        filling, start = state.filling, state.anchor.last
        if at > 1 and young.judge(known, self._limits, state.habit.unit).agrees:
            filling = self._doubted_walk(state, known)
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
            trial=Trial(filling, (TrialMark(new.first, new.value),)), odd=False,
        )  # fmt: skip


def _power_of_ten(before: float, now: float, unit: float) -> int:
    """By which power of ten a register shows other than before, counting on; 0: by none."""
    if before <= 0.0 or now <= 0.0:
        return 0
    return next((power for power in POWERS if -unit <= now / 10.0**power - before <= SCALE_NARROW * before), 0)
