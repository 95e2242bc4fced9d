"""What a set does, what flowed between two of its readings, and what a gap between them still lets one know."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics.battery_health import BatteryFlag, EpisodeKind
from streams.kernels.battery.direction import VOTE_CELL_V
from streams.kernels.battery.tracking.flags import bit
from streams.kernels.battery.tracking.loading import LoadedSample

if TYPE_CHECKING:
    from streams.kernels.battery.limits import Limits
    from streams.kernels.battery.tracking.set_state import OpenEpisode, SetState

FLOAT, DISCHARGE, REST, CHARGE = EpisodeKind.FLOAT, EpisodeKind.DISCHARGE, EpisodeKind.REST, EpisodeKind.CHARGE
ON_ITS_OWN = {FLOAT, REST}
"""What a load comes on from, and leaves behind."""
LEAVE_IDLE = 1.5
"""A charge begins at this many times the idle current and ends at it: a tapering one does not flicker. (unsourced)"""
LEAVE_LOAD = 0.5
"""A discharge ends at this share of the idle current, if its load was small already. (unsourced)"""
SMALL_LOAD = 3.0
"""Times the idle current: what falls from more than that to below idle went off, whatever noise is left. (unsourced)"""
LEAVE_FLOAT_V = 0.01
"""Float ends this far below the voltage per cell at which it begins. (unsourced)"""
GAP = bit(BatteryFlag.GAP)


class Flow(NamedTuple):
    """What went on between two readings."""

    ts: int
    elapsed: int
    is_gap: bool
    doing: EpisodeKind
    """At the later one."""
    amps_before: float
    amps: float
    volts: float
    cell_v: float
    """Lowest cell."""
    unseen_v: float = 0.0
    """Doubt about that where it may be a cell that no channel shows."""
    is_steady: bool = False
    """A gap, but a short one in which the load went straight on, or came on or went off once."""

    @property
    def loaded(self) -> LoadedSample:
        """The later reading, of a set under load."""
        return LoadedSample(self.ts, -self.amps, self.volts, self.cell_v, self.unseen_v)

    def steady_doubt(self, limits: Limits) -> float:
        """Doubt about what flowed over a steady gap, as a share of it."""
        apart = abs(self.amps - self.amps_before) / max(abs(self.amps + self.amps_before), limits.idle_a)
        return max(limits.reference.capacity.steady_sigma, apart)


def doing_now(flow: Flow, limits: Limits, *, pausing: bool) -> EpisodeKind:
    """What the set does at a reading; `flow.doing` is what it did before, and `pausing` whether within a discharge."""
    before, amps, mean_v = flow.doing, flow.amps, flow.volts / limits.cell_count
    idle = limits.idle_a
    floor_v = limits.float_cell_v - (LEAVE_FLOAT_V if before is FLOAT else 0.0)
    if amps > (idle if before is CHARGE else LEAVE_IDLE * idle):
        return CHARGE
    lingers = before is DISCHARGE and flow.amps_before > -SMALL_LOAD * idle
    if amps < -(limits.firm_a if mean_v >= floor_v else LEAVE_LOAD * idle if lingers else idle):
        return DISCHARGE
    if mean_v < floor_v:
        return REST
    # Where the voltage alone says full, a set that merely recovers from a load, and was not charged, is not.
    return REST if limits.full_by_voltage and pausing else FLOAT


def is_steady(state: SetState, flow: Flow, limits: Limits) -> bool:
    """Whether a gap is short, and what went on in it plain: one load throughout, or an idle set's load on or off.

    A load that paused would have let the voltage recover.
    """
    doing = flow.doing
    if flow.elapsed > limits.steady_gap_ms or DISCHARGE not in {doing, state.doing}:
        return False
    if doing is not state.doing:
        return doing in ON_ITS_OWN or state.doing in ON_ITS_OWN
    if flow.cell_v > state.cell_v + VOTE_CELL_V:
        return False
    apart = abs(flow.amps - flow.amps_before)
    return apart <= -limits.reference.capacity.steady_tolerance * min(flow.amps, flow.amps_before)


def bridge(episode: OpenEpisode, ah: float, flow: Flow, limits: Limits) -> None:
    """Keep apart from an episode's charge what would have flowed over a gap."""
    episode.bridged_ah += ah
    episode.flags |= GAP
    episode.gap_ms = max(episode.gap_ms, flow.elapsed)
    if flow.is_steady:
        episode.steady_ah += ah
        if episode.cutoff_ts is None:
            episode.doubt_ah2 += (flow.steady_doubt(limits) * ah) ** 2
