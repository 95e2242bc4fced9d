"""Settling what happened to a register: its window is explained, its minutes given out, and its events told."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from schemas.metrics import MeterEventKind
from streams.kernels.metering.explain import LEAVES, PRICE_SCALE, caught_up, explain, is_beside_noise
from streams.kernels.metering.grounds import Grounds
from streams.kernels.metering.habit import MIN_STEPS
from streams.kernels.metering.lines import MOST_LINES, Line, further
from streams.kernels.metering.minutes import Backing
from streams.kernels.metering.state import has_restarted, merged
from streams.kernels.metering.telling import RUBBISH
from streams.kernels.metering.trial import JUMP, LEAP, Trial, TrialMark
from streams.kernels.metering.young import may_be_others, stood_briefly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.kernels.metering.explain import Explanation, Run, RunStep
    from streams.kernels.metering.habit import Habit
    from streams.kernels.metering.lines import RegisterLimits
    from streams.kernels.metering.minutes import Filling
    from streams.kernels.metering.state import RegisterState
    from streams.kernels.metering.telling import Noise

MAX_RUNS = 8
"""More runs than this are not kept: the window then closes with what is the best explanation so far."""
AGREE_AFTER_BREAK = 4
"""Readings that must count on after a break before it is settled; until then it may turn out to be noise."""
AGREE = 1
"""Readings that must count on after anything else."""
BREAKS = LEAVES | {MeterEventKind.SCALE, MeterEventKind.EXCURSION}
UNSURE_READINGS = 10
"""Where a return may have been chance, minutes are estimated until so many readings have counted on. (unsourced)"""
POWERS = (3, -3, 1, -1, 2, -2, 6, -6)
"""Powers of ten by which a unit changes."""
SCALE_NARROW = 0.02
"""Only where what can have passed is less than this share of the register is a power of ten no coincidence."""
_SURE = frozenset({None, MeterEventKind.ROLLOVER})
"""What may lie between two readings and leave what was counted measured."""


class Settling(Grounds):
    """Closes a window once enough readings agree on what happened in it."""

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
        is_left = _leaves(steps) or bool(power and state.lines)
        if settled and state.trial is not None and (is_left or self._leaps_on_trial(state, runs, steps)):
            rewritten = state.trial.rewritten(self._minutes, runs[0].last, runs[0].value)
            state = state._replace(trial=None, filling=state.filling if rewritten is None else rewritten)
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
            trial=None if power else self._on_trial(state, runs, steps, fillings),
        )  # fmt: skip

    def _leaps_on_trial(self, state: RegisterState, runs: Sequence[Run], steps: Sequence[RunStep]) -> bool:
        """Whether a level on trial catches up faster than it ever counted, or leaps: another meter may go on."""
        times = {MeterEventKind.CATCH_UP: JUMP} | ({None: LEAP} if state.rate is None else {})
        return any(
            step.kind in times
            and self._leaps(state.habit, runs[step.to].first - runs[step.to - 1].first, step.counted, times[step.kind])
            for step in steps
        )

    def _on_trial(
        self,
        state: RegisterState,
        runs: Sequence[Run],
        steps: Sequence[RunStep],
        fillings: Sequence[tuple[Filling, Filling]],
    ) -> Trial | None:
        """What is on trial behind a window: the level as before, or one that counted more than it can have."""
        trial, at = state.trial, 0
        for number, step in enumerate(steps):
            old, new = runs[at], runs[step.to]
            leaps = step.kind is None and self._leaps(state.habit, new.first - old.last, step.counted, JUMP)
            jumps = leaps or (not step.leaves and (step.kind is MeterEventKind.CATCH_UP or step.counted > step.limit))
            if step.kind is MeterEventKind.EXCURSION:
                new_trial = Trial(fillings[number][0], (TrialMark(new.first, new.value),))
                trial = (trial and trial.until(state.lines[step.line].last)) or new_trial
            elif step.leaves and _counts_on(steps[number + 1 :]):
                trial = Trial(fillings[number][0], (TrialMark(new.first, new.value),))
            elif step.kind is MeterEventKind.ROLLOVER:
                trial = None
            elif trial is None and jumps:
                filling = fillings[number - 1][1] if number else state.filling
                trial = Trial(filling, (TrialMark(old.last, old.value),))
            elif trial is not None and leaps:
                trial = trial.leaping(new.first)
            at = step.to
        return trial

    def _scaled(
        self, runs: Sequence[Run], habit: Habit, limits: RegisterLimits, found: Explanation
    ) -> tuple[tuple[Run, ...], Explanation, int, int] | None:
        """Readings from one on that show a power of ten times what they did, if that explains them best."""
        if found.price <= PRICE_SCALE:
            return None
        for at in range(1, len(runs)):
            old, new = runs[at - 1], runs[at]
            if old.value <= 0.0 or new.value <= 0.0:
                continue
            most = self._passes(habit, new.first - old.last, limits)
            if most > SCALE_NARROW * old.value:
                continue
            for power in POWERS:
                passed = new.value / 10.0**power - old.value
                if not -(habit.unit + 10.0 ** (-habit.digits - power)) <= passed <= most:
                    continue
                taken = (*runs[:at], *(run._replace(value=run.value / 10.0**power) for run in runs[at:]))
                rescaled = explain(taken, habit, limits)
                if rescaled.price + PRICE_SCALE < found.price and rescaled.last == len(taken) - 1:
                    return taken, rescaled, at, power
        return None

    def _passes(self, habit: Habit, span: int, limits: RegisterLimits) -> float:
        """Most that passes in some time if it goes on about as fast as it ever counted."""
        most = limits.usual(habit, span)
        return most if habit.steps < MIN_STEPS else min(most, JUMP * habit.highest * span + habit.slack)

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
            RUBBISH, counts=1, tolerance=self._trembles(state.habit), habit=state.habit,
        )  # fmt: skip
        noise = self._tell.rubbish(state.noise, old, newest, len(state.tail), ts)
        lines = (*state.lines, line)[-MOST_LINES:]
        return state._replace(
            anchor=run, filling=unknown, tail=(run,), shown=unknown, lines=further(lines, ts, counted=False),
            habit=state.habit.broken(run.last, run.value), witness=None, noise=noise, trial=None, odd=False,
        )  # fmt: skip

    def _walk(
        self, runs: Sequence[Run], state: RegisterState, steps: Sequence[RunStep], doubted_from: int = 0
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
                is_unsure = step.may_be_chance(new.value - old.value) or step.shows_the_old
                unsure = UNSURE_READINGS if is_unsure else state.unsure
                state = state._replace(lines=lines[: step.line], unsure=unsure)
            broken = broken or step.leaves or bool(doubted_from and step.to >= doubted_from)
            catches_up = at + 1 < len(steps) and steps[at + 1].kind is MeterEventKind.CATCH_UP
            odd = (at == 0 and state.odd) or old.frozen or is_beside_noise(steps, at) or catches_up
            sure = step.kind in _SURE and step.measured and not broken and not odd
            backing = self._backing(state, new.first - old.last, step.counted, new.first) if sure else Backing.BRIDGE
            filling = self._minutes.spread(filling, start, new.first, step.counted, backing)
            begun = filling
            if not catches_up:
                waits = Backing.BRIDGE if step.kind is MeterEventKind.SURGE else Backing.NOTHING
                stands = Backing.READINGS if not broken else waits
                if stands is Backing.READINGS and (
                    self._stands_denied(state.habit, new)
                    or stood_briefly(new, steps[at + 1 :], is_first=not at and not self._rests(new))
                    or (at and may_be_others(step, new, state.habit) and not self._rests(new))
                    or (not at and has_restarted(state))
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
        steps: Sequence[RunStep],
        fillings: Sequence[tuple[Filling, Filling]],
        ts: int,
    ) -> RegisterState:
        """Keep what is settled as the new anchor, and the last run kept as the tail."""
        habit, known = self._learn(state, runs, steps), state
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
                odd = is_beside_noise(steps, len(steps) - 2) or self._is_odd(known, anchor, runs[before], steps[-2])
            last = merged(runs[before], last)
        elif counts_on and len(steps) > 1:
            anchor, filling = runs[before], fillings[-2][1]
            odd = is_beside_noise(steps, len(steps) - 1) or self._is_odd(known, anchor, last, steps[-1])
        elif counts_on:
            anchor, filling, odd = state.anchor, state.filling, state.odd or is_beside_noise(steps, 0)
        else:
            anchor = last._replace(last=last.first, readings=1, implied=None)
            filling, odd = fillings[-1][0], False
        return state._replace(anchor=anchor, filling=filling, tail=(last,), shown=fillings[-1][1], habit=habit, odd=odd)

    def _lines(
        self,
        state: RegisterState,
        runs: Sequence[Run],
        steps: Sequence[RunStep],
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
                    readings=sum(run.readings for run in runs[step.to :]), habit=state.habit,
                )  # fmt: skip
                lines = (*lines, line)[-MOST_LINES:]
                for later, following in zip(steps[number:], steps[number + 1 :], strict=False):
                    if following.kind is not None:
                        break
                    counted = runs[following.to].value - runs[later.to].value
                    lines = self._beyond(lines, runs[following.to], counted)
            at, filling = step.to, fillings[number][1]
        return tuple(line for line in lines if not line.is_over(ts))

    def _learn(self, state: RegisterState, runs: Sequence[Run], steps: Sequence[RunStep]) -> Habit:
        """Learn from the ordinary increments of a window; the one to its first run is known already.

        With a return what was learned from another's readings is forgotten.
        """
        old, habit = 0, state.habit
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
                known = state.lines[step.line].habit if step.kind is MeterEventKind.EXCURSION else None
                habit = (known or habit).broken(new.first, new.value)
            old = step.to
        return habit._replace(last=max(habit.last, runs[old].first))

    def _with_catch_ups(
        self, state: RegisterState, runs: Sequence[Run], steps: Sequence[RunStep]
    ) -> tuple[tuple[RunStep, ...], bool]:
        """Tell increments that only look ordinary from a catch-up; and whether that still waits for a reading."""
        found: list[RunStep] = []
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
            found.append(caught_up(step, old, new, before, after))
        return tuple(found), undecided

    def _report(self, state: RegisterState, runs: Sequence[Run], steps: Sequence[RunStep], ts: int) -> Noise | None:
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


def _leaves(steps: Sequence[RunStep]) -> bool:
    """Whether a register leaves its level for another one that counts on."""
    return any(step.leaves and _counts_on(steps[at + 1 :]) for at, step in enumerate(steps))


def _counts_on(steps: Sequence[RunStep]) -> bool:
    """Whether something passes before anything else befalls the register."""
    return any(step.counted > 0.0 for step in takewhile(lambda step: step.kind is None, steps))


def _unsure(state: RegisterState, runs: Sequence[Run], steps: Sequence[RunStep]) -> int:
    """How many readings must count on behind a window before its return is believed."""
    froms = (0, *(step.to for step in steps))
    chance = any(
        step.may_be_chance(runs[step.to].value - runs[at].value) for at, step in zip(froms, steps, strict=False)
    )
    if chance:
        return UNSURE_READINGS
    return max(state.unsure, 1) if any(step.shows_the_old for step in steps) else state.unsure


def _agreed(runs: Sequence[Run], steps: Sequence[RunStep]) -> bool:
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
