"""The window of a register's last readings: what may still be revised, and the minutes it gives out meanwhile."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics import MeterEvent, MeterEventKind, Row
from schemas.time import HOUR_MS
from streams.kernels.metering import habit as habits
from streams.kernels.metering.explain import Limits, Run, Step, explain
from streams.kernels.metering.minutes import LONG_SILENCE_MS, Backing, Filling, Minutes, begin

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
BREAKS = frozenset({MeterEventKind.RESET, MeterEventKind.REPLACEMENT, MeterEventKind.SCALE})

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


def standstill_ms(device: Device) -> int:
    """How long a register must stand for that to be worth a person's time (metric specification, flatline)."""
    return max(REST_MS, round(REST_READINGS * device.period_s * 1000))


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


class Window:
    """Takes one register's readings in order; rows go into the list it was made with."""

    def __init__(self, device: Device, quantity: str, rows: list[Row]) -> None:
        self._device = device
        self._quantity = quantity
        self._rows = rows
        self._minutes = Minutes(device, quantity, rows)
        self._gap_ms = self._minutes.gap_ms
        self._limits = Limits(habits.rated_rate(device, quantity), device.rollover.get(quantity), self._gap_ms)

    @staticmethod
    def begin(ts: int, value: float, rate: float | None) -> RegisterState:
        """Take a register's first reading: what came before is unknown, not zero."""
        run = _first_of(ts, value, rate, since=ts, frozen=False)
        return RegisterState(run, begin(ts), (run,), begin(ts), rate, habits.first(ts).seeing(value))

    def read(
        self, state: RegisterState, ts: int, value: float, rate: float | None, *, rests: bool = False
    ) -> RegisterState:
        """Take a register's next reading; `rate` is what its instantaneous value says, in its unit per ms.

        `rests`: the reading says itself that nothing passes.
        """
        newest, single = state.tail[-1], len(state.tail) == 1
        span, counted = ts - newest.last, value - newest.value
        is_gap = span > self._gap_ms
        if counted < 0.0 and single and counted >= -1.01 * state.habit.unit:
            counted, value = 0.0, newest.value  # the last digit trembles
        if counted == 0.0 and not is_gap:
            return self._stand(state, ts, rate, rests=rests)
        repeats = counted == 0.0
        run = _first_of(ts, value, rate, since=newest.since if repeats else ts, frozen=repeats and newest.frozen)
        if single:
            if newest.frozen:
                self._freeze(newest, ts, until=newest.last)
            if 0.0 <= counted <= state.habit.most(span, self._limits.rated) and not self._may_catch_up(
                state.habit, newest, counted
            ):
                return self._slide(state, run, counted, rate)
        return self._settle(state._replace(tail=(*state.tail, run), rate=rate), ts)

    def _slide(self, state: RegisterState, run: Run, counted: float, rate: float | None) -> RegisterState:
        """Count on: the common case."""
        newest = state.tail[0]
        ts, span = run.first, run.first - newest.last
        if newest.readings > 1:
            self._walk((state.anchor, newest), state.filling, _onwards(state))
        is_gap = span > self._gap_ms
        shown = self._minutes.spread(
            state.shown, newest.last, ts, counted, Backing.BRIDGE if is_gap else Backing.READINGS
        )
        if is_gap:
            self._gap(newest, run, counted, ts)
        rest = 0 if newest.frozen else newest.stood_ms
        habit = state.habit.after(ts, span, counted, rest, close=not is_gap).seeing(run.value)
        return RegisterState(newest, state.shown, (run,), shown, rate, habit)

    def _stand(self, state: RegisterState, ts: int, rate: float | None, *, rests: bool) -> RegisterState:
        """Show the same value again."""
        newest = state.tail[-1]
        implied = None
        if newest.implied is not None and rate is not None and state.rate is not None:
            implied = newest.implied + (state.rate + rate) / 2 * (ts - newest.last)
        since = ts if rests else newest.since
        run = Run(newest.first, ts, newest.readings + 1, newest.value, since, implied, newest.frozen)
        if len(state.tail) > 1:
            return self._settle(state._replace(tail=(*state.tail[:-1], run), rate=rate), ts)
        if not run.frozen and self._is_frozen(state.habit, run):
            run = run._replace(frozen=True)
            state = state._replace(tail=(run,), rate=rate)
            self._freeze(run, ts, until=None)
            return state._replace(shown=self._walk((state.anchor, run), state.filling, _onwards(state))[-1][1])
        backing = Backing.NOTHING if run.frozen else Backing.READINGS
        shown = self._minutes.spread(state.shown, newest.last, ts, 0.0, backing)
        if run.frozen and newest.stood_ms < standstill_ms(self._device) <= run.stood_ms:
            self._freeze(run, ts, until=None)  # it lasts
        if run.stood_ms > LONG_SILENCE_MS:  # what lies further back is not revised
            return RegisterState(
                run,
                shown,
                (run._replace(first=ts, readings=1, implied=None if rate is None else 0.0),),
                shown,
                rate,
                state.habit,
            )
        return RegisterState(state.anchor, state.filling, (run,), shown, rate, state.habit)

    def _settle(self, state: RegisterState, ts: int) -> RegisterState:
        """Ask what happened, give the window's minutes out again, and close it if enough readings agree."""
        runs = (state.anchor, *state.tail)
        found = explain(runs, state.habit, self._limits)
        steps, undecided = self._with_catch_ups(state, runs, found.steps)
        fillings = self._walk(runs, state.filling, steps)
        waiting = runs[found.last + 1 :]
        if waiting:
            last = fillings[-1][1] if fillings else state.filling
            unknown = self._minutes.spread(last, runs[found.last].last, waiting[-1].last, 0.0, Backing.NOTHING)
            if len(state.tail) > MAX_RUNS:
                return self._begin_anew(state, runs[found.last], unknown, ts)
        if len(state.tail) <= MAX_RUNS and (waiting or undecided or not _agreed(runs, steps)):
            return state
        self._report(runs, steps, ts)
        return self._close(state, runs, steps, fillings)

    def _begin_anew(self, state: RegisterState, old: Run, unknown: Filling, ts: int) -> RegisterState:
        """Give up on readings of which no two agree; what passed meanwhile stays unknown."""
        newest = state.tail[-1]
        run = newest._replace(first=newest.last, readings=1, implied=None)
        self._event(
            MeterEventKind.REPLACEMENT, old.last, ts, newest.last,
            readings=len(state.tail), before=old.value, seen=newest.value, after=None,
            plausible=None, increment=None, rule="no two of so many readings agree with each other: begins anew",
        )  # fmt: skip
        return RegisterState(run, unknown, (run,), unknown, state.rate, state.habit)

    def _walk(self, runs: Sequence[Run], filling: Filling, steps: Sequence[Step]) -> list[tuple[Filling, Filling]]:
        """Give out the minutes of an explanation; returns the open minute at the beginning and end of each run kept."""
        found: list[tuple[Filling, Filling]] = []
        old = runs[0]
        for at, step in enumerate(steps):
            new = runs[step.to]
            caught_up = step.kind is MeterEventKind.CATCH_UP
            start = old.first if caught_up and at else old.last
            bridged = caught_up or not step.measured or new.first - old.last > self._gap_ms
            filling = self._minutes.spread(
                filling, start, new.first, step.counted, Backing.BRIDGE if bridged else Backing.READINGS
            )
            begun = filling
            if at + 1 == len(steps) or steps[at + 1].kind is not MeterEventKind.CATCH_UP:
                backing = Backing.NOTHING if new.frozen else Backing.READINGS
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
    ) -> RegisterState:
        """Keep what is settled as the new anchor, and the last run kept, with what waits behind it, as the tail."""
        habit = self._learn(state.habit, runs, steps)
        last = runs[steps[-1].to]
        before = steps[-2].to if len(steps) > 1 else 0
        waiting = tuple(runs[steps[-1].to + 1 :])
        counts_on = steps[-1].kind is None
        is_gap = last.first - runs[before].last > self._gap_ms
        if len(steps) > 1 and counts_on and steps[-2].kind is None and steps[-1].counted == 0.0 and not is_gap:
            # It stood, but for a reading that was noise: one run.
            earlier = len(steps) - 3
            anchor, filling = (
                (state.anchor, state.filling) if earlier < 0 else (runs[steps[earlier].to], fillings[earlier][1])
            )
            merged = _merged(runs[before], last)
            return RegisterState(anchor, filling, (merged, *waiting), fillings[-1][1], state.rate, habit)
        if counts_on and len(steps) > 1:
            anchor, filling = runs[before], fillings[-2][1]
        elif counts_on:
            anchor, filling = state.anchor, state.filling
        else:
            anchor = last._replace(last=last.first, readings=1, implied=None)
            filling = fillings[-1][0]
        return RegisterState(anchor, filling, (last, *waiting), fillings[-1][1], state.rate, habit)

    def _learn(self, habit: Habit, runs: Sequence[Run], steps: Sequence[Step]) -> Habit:
        """Learn from the ordinary increments of a window; the one to its first run is known already."""
        old = 0
        for step in steps:
            before, new = runs[old], runs[step.to]
            if step.kind is None and (old, step.to) != (0, 1):
                span = new.first - before.last
                rest = 0 if before.frozen else before.stood_ms
                habit = habit.after(new.first, span, step.counted, rest, close=span <= self._gap_ms)
                habit = habit.seeing(new.value)
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

    def _may_catch_up(self, habit: Habit, run: Run, counted: float) -> bool:
        """Whether an increment after standing still is to be held against the one after it."""
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
            if at == 0 or step.kind is not None or not self._may_catch_up(state.habit, old, step.counted):
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

    def _report(self, runs: Sequence[Run], steps: Sequence[Step], ts: int) -> None:
        """Write the events of a settled explanation."""
        at = 0
        for number, step in enumerate(steps):
            old, new = runs[at], runs[step.to]
            for odd in runs[at + 1 : step.to]:
                self._noise(old, odd, new, ts)
            if at and new.first - old.last > self._gap_ms:
                self._gap(old, new, step.counted, ts)
            if step.kind is not None:
                following = runs[steps[number + 1].to].value if number + 1 < len(steps) else None
                caught_up = step.kind is MeterEventKind.CATCH_UP
                if caught_up and not old.frozen:
                    self._freeze(old, ts, until=old.last)
                self._event(
                    step.kind, old.first if caught_up else old.last, ts, new.first,
                    readings=1, before=old.value, seen=new.value, after=following,
                    plausible=step.limit, increment=step.counted, rule=step.rule,
                )  # fmt: skip
            at = step.to

    def _noise(self, old: Run, odd: Run, new: Run, ts: int) -> None:
        line = old.value + (new.value - old.value) * (odd.first - old.last) / (new.first - old.last)
        above = odd.value > line if old.value <= new.value else odd.value > old.value
        self._event(
            MeterEventKind.SPIKE if above else MeterEventKind.NOISE_DIP,
            odd.first, ts, odd.last,
            readings=odd.readings, before=old.value, seen=odd.value, after=new.value,
            plausible=None, increment=0.0, rule="the readings before and after it agree with each other, not with it",
        )  # fmt: skip

    def _gap(self, old: Run, new: Run, counted: float, ts: int) -> None:
        offline = new.first - old.last > LONG_SILENCE_MS
        self._event(
            MeterEventKind.OFFLINE if offline else MeterEventKind.GAP,
            old.last, ts, new.first,
            readings=0, before=old.value, seen=new.value, after=new.value, plausible=None, increment=counted,
            rule="no reading for more than seven days" if offline else "no reading for more than three periods",
        )  # fmt: skip

    def _freeze(self, run: Run, ts: int, until: int | None) -> None:
        evidence = run.implied is not None
        self._event(
            MeterEventKind.FREEZE,
            run.first, ts, until,
            readings=run.readings, before=run.value, seen=run.value, after=None,
            plausible=run.implied, increment=None,
            rule="stands while its instantaneous value says that this much passed"
            if evidence
            else "stands for longer than it ever rests",
        )  # fmt: skip

    def _event(
        self,
        kind: MeterEventKind,
        ts: int,
        seen_ts: int,
        until: int | None,
        *,
        readings: int,
        before: float,
        seen: float | None,
        after: float | None,
        plausible: float | None,
        increment: float | None,
        rule: str,
    ) -> None:
        known = plausible if plausible is not None and plausible < math.inf else None
        self._rows.append(
            MeterEvent(
                self._device.device_id, self._quantity, ts, kind, self._device.site_id, seen_ts, until,
                readings, before, seen, after, known, increment, rule,
            )
        )  # fmt: skip


def _first_of(ts: int, value: float, rate: float | None, *, since: int, frozen: bool) -> Run:
    return Run(ts, ts, 1, value, since, None if rate is None else 0.0, frozen)


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
