"""What is summed over an hour of a set: times, float current, cell voltages by condition, temperatures."""

from __future__ import annotations

from operator import add
from typing import TYPE_CHECKING

from schemas.metrics.battery_health import BatteryFlag, EpisodeKind
from schemas.time import MINUTE_MS
from streams.kernels.battery.direction import sign_of
from streams.kernels.battery.tracking.cells import shown_of
from streams.kernels.battery.tracking.flags import bit
from streams.kernels.figures import summed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.kernels.battery.limits import Limits
    from streams.kernels.battery.tracking.set_state import SetState

CONDITION = {EpisodeKind.FLOAT: 0, EpisodeKind.REST: 1, EpisodeKind.DISCHARGE: 2}
"""Where the cell sums of a condition stand."""
OFFSET_MIN_MS = 30 * MINUTE_MS
"""Settled float within an hour that an offset is learned from. (unsourced)"""
OFFSET_WEIGHT = 0.2
"""Of one hour against those before. (unsourced)"""
ABSENT = bit(BatteryFlag.ABSENT_CELL)


def add_time(state: SetState, lasted: int, full_after_ms: int) -> None:
    """Add measured time (ms) in which the set did what it did at its last reading."""
    hour, doing = state.hour, state.doing
    hour.covered_ms += lasted
    if doing is EpisodeKind.FLOAT:
        hour.float_ms += lasted
        flowed = sign_of(state.votes) * state.raw_a * lasted
        hour.float_a += flowed
        if state.ts - state.doing_since >= full_after_ms:
            hour.settled_ms += lasted
            hour.settled_a += flowed
    elif doing is EpisodeKind.REST:
        hour.rest_ms += lasted
    elif doing is EpisodeKind.DISCHARGE:
        hour.load_ms += lasted


def learn_offset(state: SetState, limits: Limits) -> None:
    """On settled float no current should flow: what the sensor shows there is its offset."""
    hour = state.hour
    if hour.settled_ms < OFFSET_MIN_MS or state.is_stuck:
        return
    mean = hour.settled_a / hour.settled_ms
    if abs(mean) <= limits.firm_a:
        known = state.offset_a
        state.offset_a = mean if known is None else known + OFFSET_WEIGHT * (mean - known)


def add_cells(state: SetState, cells: Sequence[float | None], present: Sequence[float]) -> None:
    """Add one reading's cells; `present` are those that have a voltage."""
    hour = state.hour
    if len(present) < len(cells):
        hour.flags |= ABSENT
    at = CONDITION.get(state.doing)
    if at is None:
        return
    sums, counts = hour.cell_sums[at], hour.cell_counts[at]
    if not sums:
        sums, counts = [0.0] * len(cells), [0] * len(cells)
    if len(cells) != len(sums):
        return
    if len(present) == len(cells):
        hour.cell_sums[at] = list(map(add, sums, present))  # twice as fast as a comprehension, each reading
        hour.cell_counts[at] = [count + 1 for count in counts]
        return
    hour.cell_sums[at] = [total + (volts or 0.0) for total, volts in zip(sums, cells, strict=True)]
    hour.cell_counts[at] = [count + (volts is not None) for count, volts in zip(counts, cells, strict=True)]


def add_temperatures(state: SetState, sensors: Sequence[float | None], lasted: int) -> None:
    """Add one reading's temperatures (°C), which stand for `lasted` ms."""
    known = shown_of(sensors)
    if not known:
        return
    mean, spread = summed(known) / len(known), max(known) - min(known)
    episode, hour = state.episode, state.hour
    lowest, highest = episode.temperature_min_c, episode.temperature_max_c
    if lowest is None:
        episode.temperature_start_c = mean
    episode.temperature_min_c = mean if lowest is None or mean < lowest else lowest
    episode.temperature_max_c = mean if highest is None or mean > highest else highest
    episode.temperature_last_c = mean
    episode.temperature_sum += mean * lasted
    episode.temperature_ms += lasted
    hour.temperature_sum += mean * lasted
    hour.temperature_ms += lasted
    if hour.temperature_spread_c is None or spread > hour.temperature_spread_c:
        hour.temperature_spread_c = spread
