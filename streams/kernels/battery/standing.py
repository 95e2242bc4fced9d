"""A current sensor that shows exactly the same figure again and again, though it never did so before.

Noise makes a living sensor's last digit move. How long it may stand is learnt from the set itself, apart for currents
that count as none and for those that flow: a coarse sensor stands for hours and is left alone, a fine one that repeats
itself far longer than it ever did is a record that its gateway goes on sending, or a sensor that died.

A current that stands by itself is no wonder where it may: 0.0 A within a dead band, or one that a rectifier or a test
load holds. Nor do voltages that stand with it prove anything of a coarse BMS. It is told only where something says that
nothing holds it:

* the current swung up and down until now, by more than its smallest step and by less than a load does, and stands
  within those swings: who holds a current holds it from the beginning, or at the end of its range;
* the lowest cell swung in this way, or the current, and the whole record stands;
* the cells step to where this current cannot take them, up under a discharge or down under a charge, and stay there
  while it goes on to the last digit: a load went off, or a charger did.
"""

from __future__ import annotations

from typing import NamedTuple

from schemas.time import MINUTE_MS

SWINGS = 4
"""So many turns make a figure one that nothing holds. (unsourced)"""
SWINGS_ALONE = 8
"""So many of the current since its load last changed, and it is believed to swing by itself. (unsourced)"""
LOAD_SHARE = 0.03
"""A current that moves by more than this share of it was moved by its load or its charger, not by noise. (unsourced)"""
SWING_STEPS = 1.5
"""A turn counts if both of its ways are longer than so many of the sensor's smallest steps: a coarse one flickers
between two. (unsourced)"""
REPEATS = 5
"""A figure that swings stands by chance for less: of readings with noise of two steps, one in five is as the last."""
STEP_REPEATS = 3
"""So many readings on, the cells still stand where they stepped to."""
STEP_PACKS = 2.0
"""A step is more than so many of the smallest that the pack's voltage shows. (unsourced)"""
STEP_MOVES, MOVE_KEPT = 3.0, 0.8
"""It is more than so many times the largest of late, too, of which each reading forgets a fifth: an outlier that goes
back steps no farther than it did before. (unsourced)"""
STEP_NOISES, NOISE_SHARE = 5.0, 1 / 16
"""And it is more than so many times the mean one, to which each reading gives a share: noise steps so far once in
thousands of readings. (unsourced)"""
STEP_CELL_V = 0.010
"""A step of the cells that no constant current makes from one reading to the next. (unsourced)"""
APART = 4.0
"""A lowest cell that steps by more than so many times the mean is a cell's own matter."""
ODD_TIMES, STANDS_TIMES = 3.0, 4.0
"""Times as long as it ever stood before: worth a doubt, and told. (unsourced)"""
STANDS_MS = 10 * MINUTE_MS


class CurrentShown(NamedTuple):
    """What a reading shows of a set; 0 where a voltage is not known."""

    ts: int
    amps: float
    """As the sensor says."""
    mean_v: float
    """Of the cells, by the pack's voltage."""
    lowest_v: float
    """Of the cells, as far as they are known."""

    def has_voltages_of(self, other: CurrentShown) -> bool:
        """Whether no digit of the voltages has moved."""
        return self.mean_v == other.mean_v and self.lowest_v == other.lowest_v


class Swings(NamedTuple):
    """How a figure moves up and down since the current counts as none, or since its load last changed."""

    step: float = 0.0
    """Smallest difference of two readings, ever; 0: none was seen."""
    moved: float = 0.0
    """Last difference that was one; 0: there was none yet."""
    turns: int = 0
    """Turns between two of them, as far as they count."""

    @property
    def is_noise(self) -> bool:
        """Whether nothing holds it."""
        return self.turns >= SWINGS


class CurrentStanding(NamedTuple):
    """What is known of how a set's current moves, and its voltages."""

    since: int = 0
    """Reading whose current is repeated since; 0: the last one differs from the one before."""
    idle_ms: float = 0.0
    """Longest it has stood, at a current that counts as none."""
    flow_ms: float = 0.0
    """Longest it has stood at one that flows."""
    low_a: float = 0.0
    """Lowest and highest current since it counts as none, or its load changed, of readings before the newest move."""
    high_a: float = 0.0
    volts_since: int = 0
    """Reading whose voltages are repeated since; 0: those of the last one differ."""
    volts_ms: float = 0.0
    """Longest they have stood."""
    mean_step_v: float = 0.0
    """Smallest difference of two readings of the mean cell, ever; 0: none was seen."""
    mean_moved_v: float = 0.0
    """Largest one of late."""
    mean_noise_v: float = 0.0
    """Mean one."""
    amps: Swings = Swings()
    volts: Swings = Swings()
    """Of the lowest cell."""
    against_ts: int = 0
    """Reading at which the cells stepped against a current that stands; 0: they did not."""
    against_v: float = 0.0
    """Mean cell half way of that step."""

    @property
    def coarse_v(self) -> float:
        """By how much the mean cell moves without any reason: its smallest step, or its largest move of late."""
        return max(self.mean_step_v, self.mean_moved_v)

    def usual_ms(self, *, is_idle: bool) -> float:
        """Longest the current is known to stand and be well."""
        return self.idle_ms if is_idle else self.flow_ms


NEW = CurrentStanding()
"""Of a set that was never seen before."""


class Idle(NamedTuple):
    """Whether the currents of two readings count as none."""

    before: bool
    now: bool


def after_gap(known: CurrentStanding) -> CurrentStanding:
    """Nobody knows what was shown meanwhile."""
    amps, volts = Swings(known.amps.step), Swings(known.volts.step)
    return known._replace(since=0, volts_since=0, amps=amps, volts=volts, against_ts=0, against_v=0.0)


def watched(
    known: CurrentStanding, before: CurrentShown, now: CurrentShown, idle: Idle, sign: float
) -> CurrentStanding:
    """Take a reading after the one before; `sign`: what the sensor's current is multiplied by to be a charge."""
    is_idle, begins = idle.before, _begins(before.amps, now.amps, idle)
    stands = is_standing(known, before, 0, is_idle=is_idle)
    doubt = STANDS_TIMES if stands else 1.0
    """It may have been well, after all: what was told teaches a share of its length."""
    volts_since, volts_ms = known.volts_since, known.volts_ms
    if now.has_voltages_of(before):
        volts_since = volts_since or before.ts
    elif volts_since:
        volts_since, volts_ms = 0, max(volts_ms, float(before.ts - volts_since) / doubt)
    since, idle_ms, flow_ms, low_a, high_a, *_ = known
    means = _moved_v(known, abs(now.mean_v - before.mean_v))
    against_ts, against_v = 0, 0.0
    if now.amps == before.amps:
        since = known.since or before.ts
        if not is_idle:
            against_ts, against_v = _against(known, before, now, sign, means[0])
    else:
        stood = float(before.ts - known.since) / doubt if known.since else 0.0
        since = 0
        if is_idle:
            idle_ms = max(idle_ms, stood)
        else:
            flow_ms = max(flow_ms, stood)
    if begins or known.amps.moved == 0.0:
        low_a = high_a = now.amps if begins else before.amps
    else:
        low_a, high_a = min(low_a, before.amps), max(high_a, before.amps)
    amps = _swung(known.amps, now.amps - before.amps, begins=begins)
    if is_idle and not idle.now and known.amps.is_noise:
        amps = amps._replace(turns=SWINGS)  # noise of an idle sensor is its own, and does not go when a current flows
    volts = _swung(known.volts, now.lowest_v - before.lowest_v, begins=begins)
    lasted = (since, idle_ms, flow_ms, low_a, high_a, volts_since, volts_ms)
    return CurrentStanding(*lasted, *means, amps, volts, against_ts, against_v)


def _begins(before_a: float, now_a: float, idle: Idle) -> bool:
    """Whether what a figure swings about is another one now: a current flows or ends, or its load changed."""
    if idle.before or idle.now:
        return idle.before is not idle.now
    return abs(now_a - before_a) > LOAD_SHARE * abs(before_a)


def _moved_v(known: CurrentStanding, size: float) -> tuple[float, float, float]:
    """Smallest difference of the mean cell, its largest of late and its mean, with one more."""
    step = size if known.mean_step_v == 0.0 or 0.0 < size < known.mean_step_v else known.mean_step_v
    noise = known.mean_noise_v + NOISE_SHARE * (size - known.mean_noise_v)
    return step, max(size, MOVE_KEPT * known.mean_moved_v), noise


def _swung(known: Swings, moved: float, *, begins: bool) -> Swings:
    """How a figure swings, one reading later."""
    if moved == 0.0 and not begins:
        return known
    size = abs(moved)
    step = size if known.step == 0.0 or 0.0 < size < known.step else known.step
    if begins:
        return Swings(step)
    has_turned = moved * known.moved < 0.0 and min(size, abs(known.moved)) > SWING_STEPS * step
    return Swings(step, moved, min(known.turns + 1, SWINGS_ALONE) if has_turned else known.turns)


def _against(
    known: CurrentStanding, before: CurrentShown, now: CurrentShown, sign: float, mean_step_v: float
) -> tuple[int, float]:
    """When the cells stepped against a current that stands, and half way; (0, 0) if they did not, or came back."""
    up = 1.0 if sign * now.amps < 0.0 else -1.0
    if known.against_ts:
        has_stayed = up * (now.mean_v - known.against_v) >= 0.0
        is_sure = now.ts - known.against_ts > max(STANDS_MS, STEP_REPEATS * (now.ts - before.ts))
        return (known.against_ts, known.against_v) if has_stayed or is_sure else (0, 0.0)
    step = up * (now.mean_v - before.mean_v)
    usual = max(STEP_PACKS * mean_step_v, STEP_MOVES * known.mean_moved_v, STEP_NOISES * known.mean_noise_v)
    is_held = known.since > 0 and now.ts - known.since > REPEATS * (now.ts - before.ts)
    if not is_held or step < STEP_CELL_V or step <= usual or before.mean_v <= 0.0 or now.mean_v <= 0.0:
        return 0, 0.0
    lowest = up * (now.lowest_v - before.lowest_v)
    is_hidden = lowest == 0.0 and known.volts.step > step
    is_of_all = is_hidden or STEP_CELL_V / 2 <= lowest <= APART * step
    return (now.ts, (before.mean_v + now.mean_v) / 2) if is_of_all else (0, 0.0)


def is_odd(known: CurrentStanding, now: CurrentShown, elapsed: int, *, is_idle: bool) -> bool:
    """Whether it has stood for longer than it should, so that what flowed meanwhile is doubtful."""
    return _stands(known, now, elapsed, ODD_TIMES, 0, is_idle=is_idle)


def is_standing(known: CurrentStanding, now: CurrentShown, elapsed: int, *, is_idle: bool) -> bool:
    """Whether it has stood for so long that it shows no current any more."""
    return _stands(known, now, elapsed, STANDS_TIMES, STANDS_MS, is_idle=is_idle)


def standing_from(known: CurrentStanding, now: CurrentShown) -> int:
    """Reading since which a current that stands shows none; where it may be the whole record, since that stands."""
    if known.against_ts:
        return known.against_ts
    is_alone = known.amps.turns == SWINGS_ALONE and known.low_a < now.amps < known.high_a
    return known.since if is_alone else max(known.since, known.volts_since)


def may_show_none(known: CurrentStanding, amps: float) -> bool:
    """Whether a current that goes on standing at `amps` will be told to show none, by itself or with its record."""
    if not known.since:
        return False
    swings = known.amps.is_noise and amps != 0.0
    return bool(known.against_ts) or swings or (known.volts.is_noise and known.volts_since > 0)


def _stands(
    known: CurrentStanding, now: CurrentShown, elapsed: int, times: float, least_ms: int, *, is_idle: bool
) -> bool:
    if known.against_ts and now.ts - known.against_ts >= max(least_ms, STEP_REPEATS * elapsed):
        return True
    least = max(least_ms, REPEATS * elapsed)
    stood, repeated = now.ts - known.since, now.ts - max(known.since, known.volts_since)
    if not known.since or stood < least:
        return False
    has_swung = known.amps.is_noise and now.amps != 0.0 and stood > times * known.usual_ms(is_idle=is_idle)
    is_within = known.low_a < now.amps < known.high_a
    if has_swung and known.amps.turns == SWINGS_ALONE and is_within:
        return True
    has_noise = (has_swung and (is_within or not is_idle)) or known.volts.is_noise  # a taper swings, and ends low
    return has_noise and known.volts_since > 0 and repeated >= least and repeated > times * known.volts_ms
