"""Register metering: a running total becomes consumption per minute, through every fault a real meter shows.

The register is the truth: a minute's increment is the register at its end less the register at its start, linear
between readings, so a duplicate, a late or a replayed reading cannot count twice (docs/plant-metrics.md, "Rules above
every formula").

Of each register a *window* of its last readings is kept, as runs of equal values: the anchor, which nothing can revise
any more, and behind it usually one run, the newest. While every reading simply counts on, that is all. A reading that
does not opens the window: it then holds all readings since, `explain` is asked what happened with each new one, and
the window's minutes are given out again, until enough readings agree and it closes with its verdict as `MeterEvent`s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from schemas.kinds import METERS, described
from schemas.metrics import MeterEvent, MeterMinute, Row
from schemas.readings import Kind, registers_of
from schemas.time import FOREVER_TS, QUARTER_DAY_MS
from streams.kernels.codec import Codec, Saved
from streams.kernels.metering.explain import Run
from streams.kernels.metering.habit import Habit, common
from streams.kernels.metering.latest import latest
from streams.kernels.metering.lines import Line
from streams.kernels.metering.minutes import Filling, Minutes
from streams.kernels.metering.pace import UNTOLD, Even, Evidence, Increment, Pace, PaceClock, held, paced
from streams.kernels.metering.rates import FlowState, integrate, rate_per_ms, rests
from streams.kernels.metering.signs import Signs, is_swapped, look
from streams.kernels.metering.state import RegisterState
from streams.kernels.metering.telling import Beyond, Noise
from streams.kernels.metering.trial import Trial
from streams.kernels.metering.window import Window
from streams.kernels.metering.witness import FlowWitness, Steady

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.arrival import Arrival
    from schemas.readings import ElectricityReading, Reading
    from schemas.registry import Device


class MeterState(NamedTuple):
    """A meter: its registers, and the flows that stand in for registers it has never sent."""

    registers: dict[str, RegisterState]
    flows: dict[str, FlowState]
    signs: Signs | None = None
    """Of an electricity meter: whether its power has the sign that its registers say."""
    pace: Pace | None = None
    clock: PaceClock = UNTOLD


class SentRegister(NamedTuple):
    """A register's value of one reading."""

    quantity: str
    window: Window
    value: float
    rate: float | None
    """Its instantaneous value, in its unit per ms."""


class RegisterMetering(Saved[MeterState]):
    """Fold of every kind of meter: minutes per register, what befell it, and the meter's newest reading."""

    name = "register_metering"
    version = 22
    source = METERS
    events = (MeterEvent,)
    retold = (MeterMinute,)
    snapshot_ms = QUARTER_DAY_MS
    codec = Codec(
        MeterState, RegisterState, Run, Habit, Line, Filling, Noise, Beyond, Trial, FlowWitness, Steady, Even, Evidence
    )

    def __init__(self) -> None:
        self._registers = {kind: registers_of(kind) for kind in self.source}

    def fold(
        self, state: MeterState | None, device: Device, arrivals: Sequence[Arrival]
    ) -> tuple[MeterState, list[Row]]:
        """Advance every register of a meter; minutes are given out once they are over, and again when revised."""
        registers, flows = (dict(state.registers), dict(state.flows)) if state else ({}, {})
        signs, pace, clock = (state.signs, state.pace, state.clock) if state else (None, None, UNTOLD)
        period_ms, gap_ms = device.period_s * 1000.0, device.gap_ms
        rows: list[Row] = []
        rates = described(device.kind).rate_of
        windows: dict[str, Window] = {}
        """Of the registers that were sent."""
        sources = [
            (quantity, rates.get(quantity))
            for quantity in self._registers[device.kind]
            if quantity in rates or any(getattr(arrival.reading, quantity) is not None for arrival in arrivals)
        ]
        for arrival in arrivals:
            reading = arrival.reading
            lags = clock.evidence is not None and clock.evidence.lags
            pace = paced(pace, reading.ts, period_ms, gap_ms, lags=lags)
            contradicts = False
            if device.kind is Kind.ELECTRICITY:
                signs, contradicts = look(signs, cast("ElectricityReading", reading), device, rows)
            sent: list[SentRegister] = []
            for quantity, source in sources:
                value: float | None = getattr(reading, quantity)
                rate = None if source is None or contradicts else rate_per_ms(device, reading, source)
                if value is not None:
                    window = windows.get(quantity) or windows.setdefault(quantity, Window(device, quantity, rows))
                    sent.append(SentRegister(quantity, window, value, rate))
                elif rate is not None and quantity not in registers:
                    minutes = Minutes(device, quantity, rows)
                    flows[quantity] = integrate(flows.get(quantity), reading.ts, rate, minutes)
            if pace.since or clock.evidence is not None or all(each.rate is None for each in sent):
                increments = _increments(registers, sent, reading)
                pace, clock = held(pace, clock, increments, period_ms=period_ms, gap_ms=gap_ms)
            for quantity, window, value, rate in sent:
                register = registers.get(quantity)
                if register is None:
                    flows.pop(quantity, None)
                    registers[quantity] = window.begin(reading.ts, value, rate)
                else:
                    registers[quantity] = window.read(
                        register,
                        reading.ts,
                        value,
                        rate,
                        rests=rests(reading),
                        crawls=pace.crawls,
                        contradicts=contradicts or is_swapped(signs),
                        swapped=signs is not None and signs.is_crossed,
                    )
        if arrivals:
            rows.append(latest(device, arrivals[-1]))
        return MeterState(registers, flows, signs, pace, clock), rows

    def is_final(self, state: MeterState, row: Row) -> bool:
        """Whether no later reading can give a row out again."""
        if isinstance(row, MeterMinute):
            register = state.registers.get(row.quantity)
            return register is None or row.ts < _settled_before(register)
        if isinstance(row, MeterEvent):
            return row.ts < state.registers[row.quantity].tail[0].first
        return True

    def revisable_from(self, state: MeterState) -> int:
        """Oldest minute that a later reading can give out again."""
        return min(map(_settled_before, state.registers.values()), default=FOREVER_TS)

    def is_behind(self, state: MeterState, row: Row) -> bool:
        """Whether a minute lies before the one that is open."""
        assert isinstance(row, MeterMinute)  # noqa: S101 - only these are retold
        if (register := state.registers.get(row.quantity)) is not None:
            return row.ts < register.shown.minute
        flow = state.flows.get(row.quantity)
        return flow is not None and row.ts < flow.filling.minute

    def retold_from(self, before: MeterState, after: MeterState) -> int:
        """Open minute of the flows that a register has replaced since: a register's own are given again anyhow."""
        replaced = before.flows.keys() - after.flows.keys()
        return min((before.flows[quantity].filling.minute for quantity in replaced), default=FOREVER_TS)


def _increments(
    registers: Mapping[str, RegisterState], sent: Sequence[SentRegister], reading: Reading
) -> list[Increment]:
    """What the registers that simply count on count with a reading."""
    found: list[Increment] = []
    for quantity, window, value, rate in sent:
        known = registers.get(quantity)
        counted = None if known is None else window.counts(known, reading.ts, value)
        if known is None or counted is None:
            continue
        span = reading.ts - known.tail[-1].last
        both = None if rate is None or known.rate is None else (known.rate, rate)
        step = common(known.habit.step, counted, known.habit.digits) or known.habit.unit
        found.append(Increment(quantity, span, counted, both, step, rests(reading)))
    return found


def _settled_before(register: RegisterState) -> int:
    """Minutes before this one are not given out again."""
    fillings = [register.filling, *(line.filling for line in register.lines)]
    if register.witness is not None:
        fillings.append(register.witness.filling)
    if register.trial is not None:
        fillings.append(register.trial.filling)
    return min(filling.minute for filling in fillings)
