"""The scenario `capacity-tests` straight through the kernels: no wire and no database, so that a set takes 0.3 s."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.arrival import Arrival
from schemas.metrics.battery_health import BatteryCapacity
from schemas.readings import BatteryReading, Kind
from schemas.time import MINUTE_MS
from simulators.scenes.scenario import load
from streams.kernels.battery.prospects.state_of_health import StateOfHealth
from streams.kernels.battery.reference import health_reference
from streams.kernels.battery.tracking.health import SetHealth
from tests.support.worlds.method_worlds import SHOWN, Scores

if TYPE_CHECKING:
    from schemas.metrics import Row
    from schemas.registry import Device
    from simulators.fleet.bms import SetsShown
    from streams.kernels.battery.tracking.set_state import SetState

AT_ONCE = 100
"""Readings of a set in one call of its fold."""


class _Followed:
    """One set, what the kernel keeps of it and says of its discharges."""

    def __init__(self, device: Device) -> None:
        self.device, self.kernel = device, SetHealth(health_reference())
        self.state: SetState | None = None
        self.waiting: list[Arrival] = []
        self.newest: dict[int, BatteryCapacity] = {}

    def take(self, reading: BatteryReading) -> None:
        self.waiting.append(Arrival(self.device.device_id, 0, reading))
        if len(self.waiting) == AT_ONCE:
            self.fold()

    def fold(self) -> None:
        rows: list[Row]
        self.state, rows = self.kernel.fold(self.state, self.device, self.waiting)
        self.waiting = []
        self.newest |= {row.ts: row for row in rows if isinstance(row, BatteryCapacity)}


def scores_of_scenario(*, seed: int, sets: int) -> Scores:
    """Single discharges by method, and what is shown after each, of so many sets of the scenario's fleet.

    Its cells fade by less than 0.05 points while it lasts: the truth is that at its end.
    """
    scenario = load("capacity-tests")
    start_ts = scenario.start_ts(0)
    fleet = scenario.scene(seed=seed, start_ts=start_ts, sets=sets).fleet
    assert fleet is not None
    followed = [_Followed(device) for device in fleet.devices_registered() if device.kind is Kind.BATTERY]
    for until_ts in range(start_ts + MINUTE_MS, scenario.end_ts(start_ts) + 1, MINUTE_MS):
        for shown, _ in fleet.polls(until_ts):
            _hand_out(shown, followed)
    scores, view = Scores(), StateOfHealth(health_reference())
    for each, true_pct in zip(followed, (100 * fleet.batteries.filled_soh).tolist(), strict=True):
        each.fold()
        capacities = [each.newest[ts] for ts in sorted(each.newest)]
        for row in capacities:
            if row.soh_pct is None or row.sigma_ah is None or row.method is None or row.capacity_ah is None:
                scores.refused[str(row.reason)] += 1
            else:
                scores.note(row.method, row.soh_pct - true_pct, row.soh_pct * row.sigma_ah / row.capacity_ah)
        for at in view.history(each.device, capacities):
            if at.soh_pct is not None and at.sigma_pct is not None:
                scores.note(SHOWN, at.soh_pct - true_pct, at.sigma_pct)
    return scores


def _hand_out(shown: SetsShown, followed: list[_Followed]) -> None:
    """Give each set its reading."""
    columns = shown.number, shown.ts, shown.pack_v, shown.current_a, shown.cell_v, shown.channels, shown.temperature_c
    for number, ts, pack, amps, cells, sent, celsius in zip(*(column.tolist() for column in columns), strict=True):
        followed[number].take(
            BatteryReading.model_construct(
                ts=ts, pack_voltage_v=pack, current_a=amps, cell_voltage_v=cells[:sent], temperature_c=celsius
            )
        )
