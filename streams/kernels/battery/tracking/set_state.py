"""What the next reading of a set needs of those before it: a fixed number of figures, about 1.5 kB as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar

from streams.kernels.battery.direction import Direction
from streams.kernels.battery.fusion import Belief
from streams.kernels.battery.standing import NEW, CurrentStanding

if TYPE_CHECKING:
    from schemas.metrics.battery_health import CapacityMethod, EpisodeKind
    from streams.kernels.battery.tracking.recharge import Recharge

CONDITIONS = 3
"""In which cells are compared: float, rest, load."""


@dataclass(slots=True)
class OpenEpisode:
    """The episode that goes on. Charge in Ah, energy in kWh, times in ms, temperatures in °C."""

    kind: EpisodeKind
    start_ts: int
    pack_start_v: float
    soc: float | None
    soc_sigma: float
    charge_ah: float = 0.0
    """Into the set (+) or out of it (−); of a discharge what was drawn, without gaps."""
    energy_kwh: float = 0.0
    covered_ms: int = 0
    gap_ms: int = 0
    """Longest."""
    bridged_ah: float = 0.0
    """Of a discharge: what flowed in gaps if the current went straight on; not part of `charge_ah`."""
    steady_ah: float = 0.0
    """The part of `bridged_ah` over short gaps in which it can hardly have done anything else."""
    steady_ms: int = 0
    """How long those gaps were together."""
    doubt_ah2: float = 0.0
    """Variance of what was drawn, Ah²: of steady gaps, and of when between two samples the load came on or went off."""
    pack_end_v: float = 0.0
    temperature_start_c: float | None = None
    temperature_min_c: float | None = None
    temperature_max_c: float | None = None
    temperature_last_c: float | None = None
    temperature_sum: float = 0.0
    """°C·ms."""
    temperature_ms: int = 0
    rest_cell_v: float | None = None
    first_rest_cell_v: float | None = None
    loaded_ts: int = 0
    loaded_cell_v: float = 0.0
    loaded_a: float = 0.0
    """At the last loaded sample, positive."""
    loaded_ms: int = 0
    """Between the last two loaded samples."""
    fall_v_ms: float = 0.0
    """−dV/dt of the lowest cell between the last two loaded samples."""
    fall_before_v_ms: float = 0.0
    """The same between the two before."""
    amps_min: float = 0.0
    amps_max: float = 0.0
    soc_end: float | None = None
    """When the load went off."""
    loaded_ah: float | None = None
    """Drawn up to the last loaded sample; None while the load is on."""
    cutoff_ts: int | None = None
    cutoff_ah: float | None = None
    cutoff_cell_v: float = 0.0
    cutoff_a: float = 0.0
    foot_ah: float | None = None
    """Drawn when the lowest cell came down to the foot of the curve, what it held then as a share of nominal, and the
    doubt of the drop that was taken off."""
    foot_share: float = 0.0
    foot_drop_sigma_v: float = 0.0
    level_ohm: float | None = None
    """By how much a cell lay below the curve where that is level, over the current."""
    weakest: int | None = None
    """Lowest cell at the last loaded sample, or at the cut-off, and the median cell's voltage there."""
    median_v: float | None = None
    unseen_v: float = 0.0
    """Doubt about the lowest cell's voltage where no channel shows it."""
    start_share: float | None = None
    """Of a discharge from a rest at the foot of the curve: charge above empty there, a share of nominal, and its σ."""
    start_share_sigma: float = 0.0
    load_on_ohm: float | None = None
    """Of the pack, at 25 °C."""
    cell_va: list[float] = field(default_factory=list)
    """How far each cell fell below their mean near the top, times the current, V·A, summed over so many samples; −1
    once that was judged. The list is never changed."""
    cell_a2: float = 0.0
    cell_v2: float = 0.0
    cell_samples: int = 0
    flags: int = 0
    """Seen within, as bits of `BatteryFlag` in its order."""


@dataclass(slots=True)
class HourSums:
    """What was summed over the open hour."""

    start_ts: int
    covered_ms: int = 0
    float_ms: int = 0
    rest_ms: int = 0
    load_ms: int = 0
    settled_ms: int = 0
    """On float for long enough that the current should be zero, and its sum over that, A·ms."""
    settled_a: float = 0.0
    float_a: float = 0.0
    temperature_sum: float = 0.0
    temperature_ms: int = 0
    temperature_spread_c: float | None = None
    cell_sums: list[list[float]] = field(default_factory=lambda: [[] for _ in range(CONDITIONS)])
    """Volts, by condition and cell; empty where the condition did not occur. The inner lists are never changed."""
    cell_counts: list[list[int]] = field(default_factory=lambda: [[] for _ in range(CONDITIONS)])
    flags: int = 0


@dataclass(slots=True)
class SetState:
    """One set."""

    ts: int
    raw_a: float
    """As the sensor says."""
    amps: float
    """With its sign turned and its offset taken off where those are known."""
    volts: float
    cell_v: float
    """Lowest cell."""
    doing: EpisodeKind
    """At the last reading; a pause within a discharge is a rest here and no episode yet."""
    doing_since: int
    episode: OpenEpisode
    hour: HourSums
    soc: float | None = None
    soc_sigma: float = 0.0
    held: bool = False
    offset_a: float | None = None
    votes: int = 0
    doubted_v: float = 0.0
    idle_v: float = 0.0
    awaited: int = 0
    """What is known of the current's sign (`Direction`)."""
    dark_since: int | None = None
    """Reading after which nothing usable came for longer than a gap, while the device is still heard."""
    dark_ts: int = 0
    """Newest such record."""
    dark_parts: bool = False
    """Whether that has a pack voltage which is not that of its cells."""
    standing: CurrentStanding = NEW
    """How long its current may stand at one figure, and does."""
    still_high_v: float = 0.0
    """Highest and lowest mean cell voltage that three readings have reached since the current stands still, or is none;
    and what was counted since."""
    still_low_v: float = 0.0
    still_ah: float = 0.0
    earlier_v: float = 0.0
    """Mean cell voltage at the reading before the last one."""
    is_stuck: bool = False
    """Whether that cannot be."""
    load_on_ohm: float | None = None
    """Of the step that a discharge is about to begin with, at 25 °C."""
    unseen_offset_v: float | None = None
    """Pack voltage less its cells, beyond what the one missing cell should have, as learned on float."""
    asked_v: float = 0.0
    """What a cell's voltage has to answer within two readings, from `asked_from_v` on; 0 where nothing is due."""
    asked_from_v: float = 0.0
    was_asked: bool = False
    """Whether the first of them has not answered."""
    power_w: float = 0.0
    belief_ts: int | None = None
    belief_soh: float = 0.0
    belief_variance: float = 0.0
    belief_estimates: int = 0
    belief_systematic: float = 0.0
    belief_method: CapacityMethod | None = None
    recharge: Recharge | None = None
    """The newest discharge, until the set is full again."""
    is_doubted: bool = False
    """Whether a discharge has contradicted the current sensor, and none has borne it out since."""
    bms_soc: float | None = None
    bms_soc_ref: float | None = None
    """Our SoC when the BMS's last moved."""
    bms_soh: float | None = None
    bms_soh_since: int = 0
    bms_soh_moved: bool = False
    cycles: int | None = None
    """As the BMS counts them."""
    cell_ohms: list[float] = field(default_factory=list)
    """By how much each cell's resistance is above their mean, Ω, the variance of that, and when it was measured."""
    cell_ohms_variance: float = 0.0
    cell_ohms_ts: int = 0
    cell_floats: list[float] = field(default_factory=list)
    """How far each cell stands above their mean on settled float, V, and in which hour. Never changed, but replaced."""
    cell_floats_ts: int = 0
    is_apart_load: bool = False
    """Whether readings were missing since each of the two was taken: only then others may stand there."""
    is_apart_float: bool = False
    is_doubted_cells: bool = False
    """Whether something says that the cells may be others, and nothing since that they are the same."""
    flags: int = 0

    @property
    def belief(self) -> Belief | None:
        """What the set's own discharges say of its health."""
        if self.belief_ts is None:
            return None
        return Belief(
            self.belief_ts,
            self.belief_soh,
            self.belief_variance,
            self.belief_estimates,
            self.belief_systematic,
            self.belief_method,
        )

    @belief.setter
    def belief(self, belief: Belief | None) -> None:
        if belief is None:
            self.belief_ts = None
            return
        self.belief_ts, self.belief_soh, self.belief_variance, self.belief_estimates = belief[:4]
        self.belief_systematic, self.belief_method = belief.systematic, belief.method

    @property
    def soh(self) -> float | None:
        """Its health, if it is known."""
        return None if self.belief_ts is None else self.belief_soh

    @property
    def direction(self) -> Direction:
        """What is known of the current's sign."""
        return Direction(self.votes, self.doubted_v, self.idle_v, self.awaited)

    def copied(self) -> SetState:
        """Another one that may be changed."""
        copy = _copied(self)
        copy.episode = _copied(self.episode)
        hour = copy.hour = _copied(self.hour)
        hour.cell_sums, hour.cell_counts = list(hour.cell_sums), list(hour.cell_counts)
        return copy


_READ = {kind: attrgetter(*(each.name for each in fields(kind))) for kind in (SetState, OpenEpisode, HourSums)}
Part = TypeVar("Part", SetState, OpenEpisode, HourSums)


def _copied(one: Part) -> Part:
    """A shallow copy; many times faster than `copy.copy` of a class with slots."""
    kind = type(one)
    return kind(*_READ[kind](one))
