"""Battery health as a fold over one set's readings; what it does with them stands in `tracker`."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from schemas.metrics.battery_health import (
    BatteryCapacity,
    BatteryEpisode,
    BatteryIdentity,
    BatteryResistance,
    CapacityMethod,
    EpisodeKind,
)
from schemas.readings import Kind
from schemas.time import QUARTER_DAY_MS
from streams.kernels.battery.fusion import Belief
from streams.kernels.battery.limits import LimitsOf
from streams.kernels.battery.standing import CurrentStanding, Swings
from streams.kernels.battery.tracking.recharge import Recharge
from streams.kernels.battery.tracking.set_state import SetState
from streams.kernels.battery.tracking.tracker import Tracker
from streams.kernels.codec import Codec, Saved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.arrival import Arrival
    from schemas.battery_reference import BatteryHealthReference
    from schemas.metrics import Row
    from schemas.readings import BatteryReading
    from schemas.registry import Device


class SetHealth(Saved[SetState | None]):
    """Fold of battery readings: episodes, capacity, resistance, hours, and the present."""

    name = "set_health"
    version = 22
    source = frozenset({Kind.BATTERY})
    events: tuple[type[Row], ...] = (BatteryEpisode, BatteryCapacity, BatteryIdentity, BatteryResistance)
    snapshot_ms = QUARTER_DAY_MS
    codec = Codec(
        SetState | None, CapacityMethod, EpisodeKind, Recharge, BatteryCapacity, Belief, CurrentStanding, Swings
    )

    def __init__(self, reference: BatteryHealthReference) -> None:
        self._limits = LimitsOf(reference)

    def fold(
        self, state: SetState | None, device: Device, arrivals: Sequence[Arrival]
    ) -> tuple[SetState | None, list[Row]]:
        """Advance one set."""
        follower = Tracker(self._limits.of(device), device, self.snapshot_ms, None if state is None else state.copied())
        for arrival in arrivals:
            reading = cast("BatteryReading", arrival.reading)  # by kind
            follower.take(reading)
        return follower.state, follower.rows
