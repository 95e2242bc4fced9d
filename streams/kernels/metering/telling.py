"""What befell a register, told as `MeterEvent`s with the values that a person needs to check the verdict."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics import MeterEvent, MeterEventKind, Row
from schemas.time import HOUR_MS
from streams.kernels.metering.minutes import LONG_SILENCE_MS

if TYPE_CHECKING:
    from schemas.registry import Device
    from streams.kernels.metering.explain import Run, RunStep
    from streams.kernels.metering.lines import Line, RegisterLimits

QUIET_MS = HOUR_MS
"""Noise that comes again within this time, or within three periods, is one event. (unsourced)"""


NOISES = frozenset({MeterEventKind.SPIKE, MeterEventKind.NOISE_DIP})


OVER_INCREMENTS = 3
"""Increments in a row beyond the rating before that is told. (unsourced)"""


EXCHANGED_AS_REGISTERED = "exchanged as registered: it counts on from the old meter's final reading"
RUBBISH = "no two of so many readings agree with each other: begins anew"
TURNS = 8
"""So often in a row a register goes over to another series and back before it is told to be two. (unsourced)"""
IN_TURN = (
    "two series of values in turn: two meters send under one id, or a gateway reads another one under this name. Give"
    " each an id of its own"
)


class Noise(NamedTuple):
    """The newest noise that was told, which more of it makes longer."""

    ts: int
    kind: MeterEventKind
    until: int
    readings: int
    seen: float
    turns: int = 0
    """How often in a row it went over to another series and back, both of which count on."""
    left: float = 0.0
    """What the register showed last before it went over to the other series."""
    last: float = 0.0
    """What the other series showed last."""
    unknown_ms: int = 0
    """Up to when nothing is known of what it counted, because two came in turn; 0: not yet."""

    def turned(self, left: float, seen: float) -> Noise:
        """Take one more turn: what was left and what is shown instead each counts on, stands, or is no series."""
        counts, falls = left > self.left and seen > self.last, left < self.left or seen < self.last
        return self._replace(turns=0 if falls else self.turns + counts, left=left, last=seen)

    @property
    def is_two(self) -> bool:
        """Whether two series of values come in turn."""
        return self.turns >= TURNS


class Beyond(NamedTuple):
    """Since when a register has counted beyond its rating."""

    since: int
    """The last reading before that, ms."""
    value: float
    """What the register showed with that reading."""
    increments: int = 0
    is_told: bool = False


class Teller:
    """Writes events of one register."""

    __slots__ = ("_device", "_quantity", "_quiet_ms", "_rows")

    def __init__(self, device: Device, quantity: str, rows: list[Row]) -> None:
        self._device = device
        self._quantity = quantity
        self._rows = rows
        self._quiet_ms = max(QUIET_MS, 3000.0 * device.period_s)

    def rubbish(self, previous: Noise | None, old: Run, newest: Run, readings: int, ts: int) -> Noise:
        """Tell that a register begins anew behind readings without sense; what comes soon after more of them is one."""
        kind = MeterEventKind.REPLACEMENT
        noise = Noise(old.last, kind, newest.last, readings, newest.value)
        if previous is not None and previous.kind is kind and old.last - previous.until <= self._quiet_ms:
            noise = previous._replace(until=newest.last, readings=previous.readings + readings)
        self.event(
            kind, noise.ts, ts, noise.until, readings=noise.readings, before=old.value, seen=noise.seen, rule=RUBBISH
        )
        return noise

    def noise(self, previous: Noise | None, old: Run, odd: Run, new: Run, ts: int) -> Noise:
        """Tell of a reading that is noise; what comes soon after other noise, high or low, makes that event longer."""
        line = old.value + (new.value - old.value) * (odd.first - old.last) / (new.first - old.last)
        above = odd.value > line if old.value <= new.value else odd.value > old.value
        kind = MeterEventKind.SPIKE if above else MeterEventKind.NOISE_DIP
        if previous is not None and previous.kind in NOISES and odd.first - previous.until <= self._quiet_ms:
            noise = previous.turned(old.value, odd.value)
            noise = noise._replace(until=odd.last, readings=previous.readings + odd.readings)
        else:
            noise = Noise(odd.first, kind, odd.last, odd.readings, odd.value).turned(old.value, odd.value)
        self.event(
            noise.kind, noise.ts, ts, noise.until,
            readings=noise.readings, before=old.value, seen=noise.seen, after=new.value, increment=0.0,
            rule=IN_TURN if noise.is_two else "the readings before and after it agree with each other, not with it",
        )  # fmt: skip
        return noise

    def gap(self, old: Run, new: Run, counted: float, ts: int) -> None:
        """Tell that readings are missing."""
        offline = new.first - old.last > LONG_SILENCE_MS
        self.event(
            MeterEventKind.OFFLINE if offline else MeterEventKind.GAP,
            old.last, ts, new.first,
            readings=0, before=old.value, seen=new.value, after=new.value, increment=counted,
            rule="no reading for more than seven days" if offline else "no reading for more than three periods",
        )  # fmt: skip

    def over(self, known: Beyond | None, old: Run, new: Run, limits: RegisterLimits, slack: float) -> Beyond | None:
        """Take an increment; tell when it goes on counting beyond its rating, by more than `slack` for rounding."""
        rated = limits.rated
        if rated is None or new.value - old.value <= rated * max(new.first - old.first, limits.period_ms):
            if known is not None:
                self.over_ends(known, old, new.first, rated)
            return None
        known = known or Beyond(old.last, old.value)
        known = known._replace(increments=known.increments + 1)
        allowed = rated * max(new.first - known.since, limits.period_ms)
        if known.is_told or known.increments < OVER_INCREMENTS or new.value - known.value <= allowed + slack:
            return known
        self._over(known, new, new.first, allowed, until=None)
        return known._replace(is_told=True)

    def over_ends(self, known: Beyond, newest: Run, ts: int, rated: float | None) -> None:
        """Tell that it counts beyond its rating no longer, if that was told."""
        if known.is_told and rated is not None:
            self._over(known, newest, ts, rated * (newest.last - known.since), until=newest.last)

    def _over(self, known: Beyond, newest: Run, ts: int, allowed: float, *, until: int | None) -> None:
        counted = newest.value - known.value
        self.event(
            MeterEventKind.OVER_RATED, known.since, ts, until,
            readings=known.increments, before=known.value, seen=newest.value, plausible=allowed, increment=counted,
            rule=f"counts {counted / allowed:.3g} times the most that its rating allows, and goes on so: the rating is"
            " registered wrong, or the register counts in another unit",
        )  # fmt: skip

    def freeze(self, run: Run, ts: int, until: int | None) -> None:
        """Tell that a register stands although something passes."""
        evidence = run.implied is not None
        self.event(
            MeterEventKind.FREEZE,
            run.first, ts, until,
            readings=run.readings, before=run.value, seen=run.value, plausible=run.implied,
            rule="stands while its instantaneous value says that this much passed"
            if evidence
            else "stands for longer than it ever rests",
        )  # fmt: skip

    def step(self, step: RunStep, old: Run, new: Run, ts: int, following: float | None) -> None:
        """Tell of what lies between two runs."""
        assert step.kind is not None  # noqa: S101 - of what only counts on nothing is told
        self.event(
            step.kind, old.first if step.kind is MeterEventKind.CATCH_UP else old.last, ts, new.first,
            readings=1, before=old.value, seen=new.value, after=following,
            plausible=step.limit, increment=step.counted, rule=step.rule,
        )  # fmt: skip

    def left(self, line: Line, ts: int, shows: float, previous: Noise | None = None) -> Noise:
        """Tell of a break: it left its line and counts on elsewhere; soon after `previous` it is one with that."""
        noise = self._longer(previous, line, line.broke, 1).turned(line.value, line.seen)
        self.event(
            line.kind, noise.ts, ts, noise.until,
            readings=noise.readings, before=line.value, seen=noise.seen, after=shows,
            plausible=line.limit, increment=line.counted, rule=IN_TURN if noise.is_two else line.rule,
        )  # fmt: skip
        return noise

    def returned(self, line: Line, step: RunStep, new: Run, ts: int, previous: Noise | None = None) -> Noise:
        """Tell that a register came back to a line it had left; what comes soon after `previous` is one with it."""
        noise = self._longer(previous, line._replace(kind=MeterEventKind.EXCURSION), new.first, max(1, line.readings))
        noise = noise.turned(line.value, line.seen)
        self.event(
            noise.kind, noise.ts, ts, noise.until,
            readings=noise.readings, before=line.value, seen=noise.seen, after=new.value,
            plausible=step.limit, increment=None if noise.is_two else step.counted,
            rule=IN_TURN if noise.is_two else step.rule,
        )  # fmt: skip
        return noise

    def _longer(self, previous: Noise | None, line: Line, until: int, readings: int) -> Noise:
        if previous is not None and previous.kind is line.kind and line.broke - previous.until <= self._quiet_ms:
            return previous._replace(until=until, readings=previous.readings + readings)
        return Noise(line.last, line.kind, until, readings, line.seen)

    def event(
        self,
        kind: MeterEventKind,
        ts: int,
        seen_ts: int,
        until: int | None,
        *,
        readings: int,
        before: float,
        seen: float | None,
        rule: str,
        after: float | None = None,
        plausible: float | None = None,
        increment: float | None = None,
    ) -> None:
        """Tell anything."""
        known = plausible if plausible is not None and plausible < math.inf else None
        self._rows.append(
            MeterEvent(
                self._device.device_id, self._quantity, ts, kind, self._device.site_id, seen_ts, until,
                readings, before, seen, after, known, increment, rule,
            )
        )  # fmt: skip
