"""Whether the cells of a set are those that were measured: their pattern is a fingerprint that needs no capacity.

Under one current each cell falls by its own resistance, so which cells fall more than others stays the same for years;
on settled float which stand higher stays the same over a silence. A set cannot be exchanged without one: patterns are
held against each other only where readings were missing in between. Cells that have changed by themselves, as one with
a bad joint, are left out, and a pattern that noise may have made is none.

Under load that is proof: of other cells the two patterns have nothing in common. On float a recharge may have moved the
cells against each other, and a BMS's cycle count may be reset: these are doubts.
"""

from __future__ import annotations

import math
from operator import mul
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics.battery_health import BatteryIdentity, Identity, IdentitySign
from schemas.metrics.common import Quality
from schemas.time import MINUTE_MS
from streams.kernels.battery.tracking.cells import MAD_TO_SIGMA, median
from streams.kernels.figures import summed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.battery_reference import IdentityRules
    from schemas.registry import Device
    from streams.kernels.battery.limits import Limits
    from streams.kernels.battery.tracking.set_state import HourSums, OpenEpisode, SetState

FULL_FROM = 0.97
"""SoC from which a discharge must have begun: cells of a full set are as full as each other. (unsourced)"""
OUTLIER = 4.0
"""Standard deviations beyond which a cell has changed by itself. (unsourced)"""
FOLLOWS = 0.2
"""Least weight of the newest pattern in the one that is remembered, so that it follows the years. (unsourced)"""
SAMPLE_V = 0.001
"""Of one cell voltage on the wire: its resolution."""
FLOAT_MS = 30 * MINUTE_MS
"""Settled float within an hour that a pattern is taken from. (unsourced)"""


class Likeness(NamedTuple):
    """How alike two patterns are: 1 of the same cells, about 0 of others."""

    value: float
    cells: int


def likeness(
    first: Sequence[float], second: Sequence[float], variances: tuple[float, float], rules: IdentityRules
) -> Likeness | None:
    """Correlation of two patterns over the cells, noise taken into account; None where noise may have made them.

    `variances`: of the noise of one cell in each. Of twins it is 1; of strangers it scatters about 0 by 1/√cells.
    """
    apart = [late - early for early, late in zip(first, second, strict=True)]
    middle = median(sorted(apart))
    bound = OUTLIER * MAD_TO_SIGMA * median(sorted(abs(each - middle) for each in apart))
    kept = [
        pair for pair, each in zip(zip(first, second, strict=True), apart, strict=True) if abs(each - middle) <= bound
    ]
    count = len(kept)
    if count < rules.cells_min:
        return None
    means = sum(one for one, _ in kept) / count, sum(two for _, two in kept) / count
    own = sum((one - means[0]) ** 2 for one, _ in kept), sum((two - means[1]) ** 2 for _, two in kept)
    both = sum((one - means[0]) * (two - means[1]) for one, two in kept)
    if min(own) <= 0.0:
        return None
    signal = [1.0 - variance * (count - 1) / square for variance, square in zip(variances, own, strict=True)]
    if min(signal) <= 0.0 or math.sqrt(signal[0] * signal[1]) < rules.reliable_from:
        return None
    return Likeness(both / math.sqrt(own[0] * own[1] * signal[0] * signal[1]), count)


class Pattern(NamedTuple):
    """What a discharge says of its cells' resistances."""

    ohms: list[float]
    """By how much each is above their mean."""
    variance: float
    """Of one of them."""
    ts: int


def note_under_load(episode: OpenEpisode, cells: Sequence[float], amps: float, limits: Limits) -> bool:
    """Add a loaded reading of all cells to a discharge's pattern; whether it is complete now.

    `amps` is positive. Taken near the top, where the curve is level: cells of other capacities are no further apart.
    """
    rules, drawn_ah = limits.reference.identity, episode.charge_ah + episode.bridged_ah
    if drawn_ah < rules.from_share * limits.nominal_ah:
        return False
    mean = summed(cells) / len(cells)
    sums = episode.cell_va or [0.0] * len(cells)
    apart = [mean - volts for volts in cells]
    episode.cell_va = [total + amps * each for total, each in zip(sums, apart, strict=True)]
    episode.cell_a2 += amps * amps
    episode.cell_v2 += summed(map(mul, apart, apart))
    episode.cell_samples += 1
    return drawn_ah >= rules.to_share * limits.nominal_ah


def judge_under_load(device: Device, state: SetState, limits: Limits, seen_ts: int) -> BatteryIdentity | None:
    """Hold an open discharge's pattern against the one that is remembered; None where that is nothing new."""
    episode, rules = state.episode, limits.reference.identity
    samples, sums = episode.cell_samples, episode.cell_va
    episode.cell_samples, episode.cell_va = -1, []
    few = samples < rules.samples_min or len(sums) < rules.cells_min  # one cell has no pattern
    if few or episode.soc is None or episode.soc < FULL_FROM:
        return None
    ohms = [each / episode.cell_a2 for each in sums]
    unexplained = episode.cell_v2 - episode.cell_a2 * sum(each * each for each in ohms)
    noise_v2 = max(SAMPLE_V**2 / 12, unexplained / ((samples - 1) * (len(ohms) - 1)))
    pattern = Pattern(ohms, noise_v2 / episode.cell_a2, episode.start_ts)
    found = _compared(state, pattern, limits)
    identity = _identity(found, rules) if state.is_apart_load and found is not None else None
    _remember(state, pattern, found, identity)
    if identity is Identity.SAME and not state.is_doubted_cells:
        return None
    if identity is None or found is None:
        return None
    state.is_doubted_cells = identity is Identity.DOUBTED
    if identity is Identity.OTHER:
        forget(state)
    return _row(device, _Verdict(episode.start_ts, seen_ts, IdentitySign.CELLS_UNDER_LOAD, identity), found)


def _compared(state: SetState, pattern: Pattern, limits: Limits) -> Likeness | None:
    """Likeness of a pattern to the one that is remembered; None where there is none of this set."""
    known = state.cell_ohms
    is_ours = limits.valid_from is None or not state.cell_ohms_ts < limits.valid_from <= pattern.ts
    if len(known) != len(pattern.ohms) or not is_ours:
        state.cell_ohms = []
        return None
    return likeness(known, pattern.ohms, (state.cell_ohms_variance, pattern.variance), limits.reference.identity)


def _remember(state: SetState, pattern: Pattern, found: Likeness | None, identity: Identity | None) -> None:
    """Take a pattern into what is remembered of the same cells, or in its place; of doubted ones nothing."""
    if identity is Identity.DOUBTED:
        return
    known, known_variance = state.cell_ohms, state.cell_ohms_variance
    if found is not None and identity is not Identity.OTHER:
        share = max(FOLLOWS, known_variance / (known_variance + pattern.variance))
        state.cell_ohms = [was + share * (now - was) for was, now in zip(known, pattern.ohms, strict=True)]
        state.cell_ohms_variance = (1 - share) ** 2 * known_variance + share**2 * pattern.variance
    elif identity is Identity.OTHER or not known or pattern.variance < known_variance:
        state.cell_ohms, state.cell_ohms_variance = pattern.ohms, pattern.variance
    else:
        return  # too noisy to tell, and no better than what is known
    state.cell_ohms_ts, state.is_apart_load = pattern.ts, False


def judge_on_float(device: Device, state: SetState, sums: HourSums, limits: Limits) -> BatteryIdentity | None:
    """Hold an hour's pattern on settled float against the one before a silence; None where that is nothing new."""
    rules, totals, counts = limits.reference.identity, sums.cell_sums[0], sums.cell_counts[0]
    if sums.settled_ms < FLOAT_MS or not totals or min(counts) < rules.samples_min:
        return None
    volts = [total / count for total, count in zip(totals, counts, strict=True)]
    mean = sum(volts) / len(volts)
    pattern = [each - mean for each in volts]
    known, apart = state.cell_floats, state.is_apart_float
    is_ours = limits.valid_from is None or not state.cell_floats_ts < limits.valid_from <= sums.start_ts
    state.cell_floats, state.cell_floats_ts, state.is_apart_float = pattern, sums.start_ts, False
    if not apart or len(known) != len(pattern) or not is_ours or state.is_doubted_cells:
        return None
    variance = rules.float_sigma_v**2
    found = likeness(known, pattern, (variance, variance), rules)
    if found is None or found.value >= rules.other_below:
        return None
    state.is_doubted_cells = True
    return _row(device, _Verdict(sums.start_ts, state.ts, IdentitySign.CELLS_ON_FLOAT, Identity.DOUBTED), found)


def note_cycles(device: Device, state: SetState, cycles: int | None, limits: Limits) -> BatteryIdentity | None:
    """Take a BMS's cycle count; fewer than before a silence are another BMS's, or it was reset."""
    if cycles is None or cycles == state.cycles:
        return None
    before, state.cycles = state.cycles, cycles
    rules = limits.reference.identity
    is_less = before is not None and before - cycles >= max(rules.cycles_from, rules.cycles_share * before)
    if not is_less or not (state.is_apart_load or state.is_apart_float) or state.is_doubted_cells:
        return None
    state.is_doubted_cells = True
    return _row(device, _Verdict(state.ts, state.ts, IdentitySign.CYCLE_COUNT, Identity.DOUBTED), None)


def forget(state: SetState) -> None:
    """Other cells stand there: what is known of the ones before says nothing of them."""
    state.belief, state.recharge, state.is_doubted_cells = None, None, False
    state.cell_floats = []


def _identity(found: Likeness, rules: IdentityRules) -> Identity:
    if found.value < rules.other_below:
        return Identity.OTHER
    return Identity.DOUBTED if found.value < rules.doubted_below else Identity.SAME


class _Verdict(NamedTuple):
    """What was told, and when."""

    ts: int
    seen_ts: int
    sign: IdentitySign
    identity: Identity


def _row(device: Device, verdict: _Verdict, found: Likeness | None) -> BatteryIdentity:
    return BatteryIdentity(
        device_id=device.device_id,
        ts=verdict.ts,
        seen_ts=verdict.seen_ts,
        site_id=device.site_id,
        sign=verdict.sign,
        identity=verdict.identity,
        likeness=None if found is None else found.value,
        cells=0 if found is None else found.cells,
        quality=Quality.PARTIAL if verdict.identity is Identity.DOUBTED else Quality.GOOD,
    )
