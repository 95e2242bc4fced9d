"""What the registry and a register's own history say of it, and how sure an increment is by that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.time import DAY_MS, HOUR_MS, QUARTER_MS
from streams.kernels.metering import habit as habits
from streams.kernels.metering import pace
from streams.kernels.metering import trial as trials
from streams.kernels.metering import witness as witnesses
from streams.kernels.metering.explain import CATCH_UP_SHARE
from streams.kernels.metering.lines import RegisterLimits, further
from streams.kernels.metering.minutes import Backing, Minutes
from streams.kernels.metering.telling import Teller

if TYPE_CHECKING:
    from schemas.metrics import Row
    from schemas.registry import Device
    from streams.kernels.metering.explain import Run, RunStep
    from streams.kernels.metering.habit import Habit
    from streams.kernels.metering.lines import Line
    from streams.kernels.metering.minutes import Filling
    from streams.kernels.metering.state import RegisterState, Tremble
    from streams.kernels.metering.witness import FlowWitness

MEASURED_MS = HOUR_MS
MEASURED_MARGIN = 1.1
"""Readings further apart than this, and what an hourly one may be late by, know what passed, but not in which minute or
hour. (unsourced)"""
TREMBLE_DIGITS = 10.0
"""A fall of up to so many of the last digit, or of what passes in a period, is none: the value trembles. (unsourced)"""
TREMBLE_PERIODS = 12
"""For so many periods after such a fall its minutes are estimated. (unsourced)"""
RATED_SLACK = 2.0
"""So many times what rounding may add may lie beyond the rating and be measured: else of a value that trembles the high
increments would be estimated and the low ones measured. (unsourced)"""
YOUNG_ODD_MARGINS = (2.0, 1.5)
ODD_MARGINS = (8.0, 2.0)
"""On its first day and later, an increment is estimated that is so many times as fast as any two before, and so many
times as fast as any one: it may be an exchange. One odd increment teaches nothing. (unsourced)"""
MISSED_PERIODS = 1.5
MISSED_MS = QUARTER_MS
"""Where a reading is missing and more time than this lies between two, nobody knows in which quarter of an hour it
counted. (unsourced)"""
FREEZE_READINGS = 3
"""Readings of one value before it can be called frozen on the meter's own evidence. (unsourced)"""
FREEZE_STEPS = 4
"""How many of the register's smallest steps must have passed meanwhile. (unsourced)"""
FREEZE_SHARE = 0.01
"""A flow below this share of the highest one is no evidence: it may be the sensor's zero. (unsourced)"""
REST_READINGS = 12
REST_MS = 3 * HOUR_MS
"""Without such evidence, a register is frozen after so long, if it never rests (docs/detection.md, `flatline`)."""
REST_MARGIN = 2.0
"""One that does rest is frozen after so many times its longest rest, too. (unsourced)"""
STALE_READINGS = 2
STALE_JUMP = 1.0
"""A value that is shown once more, before more than ever passes at once, was no new one."""
STALE_MOST = 4
STALE_SHARE = 1.5
"""Nor is one that is shown up to so often by a register that never stood, before so many times its mean. (unsourced)"""
CATCH_UP_STEPS = 3


def standstill_ms(device: Device) -> int:
    """How long a register must stand for that to be worth a person's time.

    Source: docs/detection.md, "Numbers and their sources", `flatline`.
    """
    return max(REST_MS, round(REST_READINGS * device.period_s * 1000))


class Grounds:
    """Judges one register's increments; rows go into the list it was made with."""

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
        self._crawls = self._contradicts_sign = self._crossed = False
        self._limits = self._limits_now()

    def _limits_now(self) -> RegisterLimits:
        """What the registry says of the register under the terms that hold."""
        terms = self._terms[self._at]
        rated = habits.rated_rate(self._device, self._quantity, terms.rated)
        rollover = None if terms.rollover is None else terms.rollover * terms.factor
        return RegisterLimits(rated, rollover, self._gap_ms, self._period_ms, factor=terms.factor)

    def _come_to(self, ts: int) -> None:
        """Go on to the terms that hold at a moment."""
        at = self._at
        while at + 1 < len(self._terms) and ts >= self._terms[at + 1].since:
            at += 1
        if at != self._at:
            self._at = at
            self._limits = self._limits_now()

    def _trembles(self, habit: Habit) -> float:
        """How far a register falls without that being a fall."""
        return max(TREMBLE_DIGITS * habit.unit, habit.mean * self._period_ms) + 0.01 * habit.unit

    def _backing(self, state: RegisterState, span: int, counted: float, ts: int, *, vouched: bool = False) -> Backing:
        """What an increment between two readings rests on; `vouched`: its instantaneous value says that much passed."""
        if (
            span > self._gap_ms
            or span > MEASURED_MARGIN * MEASURED_MS
            or self._period_ms > MEASURED_MS
            or span > max(MISSED_MS, MISSED_PERIODS * self._period_ms)
            or self._crawls
            or self._crossed
            or state.scale
            or state.unsure
            or (state.over is not None and state.over.is_told)
            or state.doubt
            or (state.lines and (self._contradicts_sign or not state.lines[-1].proved(ts)))
            or (state.tremble is not None and self._is_trembling(state.tremble, ts))
        ):
            return Backing.BRIDGE
        habit, took = state.habit, max(span, self._period_ms)
        rated = self._limits.rated
        if rated is not None and counted > rated * took + RATED_SLACK * habit.slack:
            return Backing.BRIDGE
        if 0 < span <= pace.SAME_MOMENT * self._period_ms:  # another look at the same moment
            took, vouched = float(span), False
        twice, once = ODD_MARGINS if ts - habit.since >= DAY_MS else YOUNG_ODD_MARGINS
        odd = max(twice * habit.confirmed, once * habit.highest)
        if not vouched and habit.highest > 0.0 and counted > odd * took + habit.slack:
            return Backing.BRIDGE
        return Backing.READINGS

    def _is_odd(self, state: RegisterState, old: Run, new: Run, step: RunStep) -> bool:
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

    def _vouched(self, state: RegisterState, span: int, counted: float, rate: float | None) -> bool:
        """Whether the instantaneous value says that as much as an increment may have passed."""
        if rate is None or state.rate is None or span > self._gap_ms:
            return False
        return not witnesses.exceeds(counted, state.rate, rate, span, state.habit.step or state.habit.unit)

    def _falls_short(self, state: RegisterState, run: Run, rate: float | None) -> bool:
        """Whether an increment is less than its instantaneous value says passed."""
        newest = state.tail[-1]
        if rate is None or state.rate is None or run.first - newest.last > self._gap_ms:
            return False
        counted, step = run.value - newest.value, state.habit.step or state.habit.unit
        return witnesses.falls_short(counted, state.rate, rate, run.first - newest.last, step)

    def _stands_denied(self, habit: Habit, run: Run) -> bool:
        """Whether a register stood although its instantaneous value says that some of its steps passed meanwhile."""
        return run.implied is not None and run.implied > witnesses.STEPS * (habit.step or habit.unit)

    def _rests(self, run: Run) -> bool:
        """Whether the instantaneous value says that nothing passed while a register stood."""
        return run.implied == 0.0 and run.readings > 1

    def _parts(self, state: RegisterState, span: int, counted: float, rate: float | None) -> bool:
        """Whether an increment parts from its instantaneous value as none in the stretch before did."""
        if rate is None or state.rate is None or state.witness is None:
            return False
        return witnesses.parts(state.witness, counted, (state.rate, rate), span, state.habit.step or state.habit.unit)

    def _leaps(self, habit: Habit, span: int, counted: float, times: float) -> bool:
        """Whether an increment is so many times as fast as any before."""
        return counted > times * habit.highest * max(span, self._period_ms) + habit.slack

    def _makes_up(self, state: RegisterState, span: int, counted: float) -> bool:
        """Whether a register counts faster than ever, and about what may have passed while it stood."""
        habit, usual = state.habit, state.habit.mean * state.tail[-1].stood_ms
        is_about = CATCH_UP_SHARE * usual <= counted <= usual / CATCH_UP_SHARE
        return is_about and self._leaps(habit, span, counted, trials.JUMP)

    def _never_rests(self, habit: Habit, span: int, counted: float) -> bool:
        """Whether a register that never stood did so for few readings, and then counts more than in the mean.

        Not where that is as few of its steps as rounding makes: a coarse one stands between two of them.
        """
        if habit.longest_rest > 0 or (habit.step is not None and counted <= habit.step + habit.slack):
            return False
        return counted > STALE_SHARE * habit.mean * max(span, self._period_ms)

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

    def _beyond(self, lines: tuple[Line, ...], run: Run, counted: float) -> tuple[Line, ...]:
        """Take one more reading behind breaks; with the first that counts on it is told what they were."""
        if counted > 0.0:
            for line in lines:
                if line.counts == 0:
                    self._tell.left(line, run.first, run.value)
        return further(lines, run.first, counted=counted > 0.0)

    def _listen(
        self, state: RegisterState, run: Run, shown: Filling, rate: float | None, *, is_gap: bool
    ) -> FlowWitness | None:
        """Take the instantaneous value of one more reading."""
        if rate is None:
            return None
        newest = state.tail[-1]
        if state.rate is None or is_gap:
            return witnesses.begin(run.last, run.value, shown, self._stretch_ms)
        witness = state.witness or witnesses.begin(newest.last, newest.value, state.shown, self._stretch_ms)
        span, counted = run.last - newest.last, run.value - newest.value
        step = state.habit.step or state.habit.unit
        return witnesses.further(witness, (state.rate, rate), span, counted, step)
