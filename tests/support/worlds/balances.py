"""Energy balances of simulated plants, day by day: from what their meters say, with faults or without."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import orjson

from schemas.kinds import described, unit_of
from schemas.metrics import BalanceDay, Quality
from schemas.registry import Role
from schemas.time import DAY_MS, UTC_OFFSET_MS
from simulators.climate import Climate
from simulators.plants import works
from simulators.plants.faults import Faults, fault_for
from simulators.sectors import plans_for
from streams.kernels.plant.balance import INFLOW, Passed, balanced
from streams.kernels.plant.balances import media

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from schemas.registry import Device, Sector
    from simulators.truth import Label
    from simulators.wire.message import DeviceMessage

START_TS = 20_514 * DAY_MS - UTC_OFFSET_MS
"""1 March 2026, midnight in China."""
READ_S = 3 * 3_600
"""Seconds between two readings of a meter, unless said otherwise."""


class Simulated:
    """Plants whose meters are read every few hours, and everything they say over some days without a fault."""

    def __init__(
        self, plants: Mapping[Sector, int], *, days: int, seed: int, carriers: Iterable[str] = (), read_s: int = READ_S
    ) -> None:
        """`carriers`: only these, to be quick; none: all."""
        chosen = set(carriers)
        plans = [
            replace(
                plan,
                utilities=tuple(
                    replace(utility, period_s=read_s, sub_period_s=read_s)
                    for utility in plan.utilities
                    if not chosen or utility.carrier in chosen
                ),
            )
            for plan in plans_for(plants, seed)
        ]
        self.days, end = days, START_TS + days * DAY_MS
        with mock.patch.object(works, "PAST_TICK_MS", read_s * 1000):
            world = works.Works(plans, seed=seed, start_ts=START_TS, climate=Climate(seed))
            self.devices: dict[str, Device] = {device.device_id: device for device in world.devices_registered()}
            heard = {name: START_TS for name, device in self.devices.items() if described(device.kind).balanced}
            world._past = works.Past(end, heard)
            world._heard_from = heard
            self.messages: list[DeviceMessage] = sorted(world.generate(end), key=lambda message: message.ts)

    def rows(self, labels: Sequence[Label] = ()) -> dict[str, list[BalanceDay]]:
        """Balances by site, in order of time, as the meters say with some faults; without the first day."""
        faults = Faults([fault_for(label, self.devices[label.device_id]) for label in labels])
        registers: dict[tuple[str, str], list[tuple[int, float]]] = {}
        for message in faults.through(self.messages):
            for name in registers_balanced(self.devices[message.device_id]):
                if name in message.readings[0]:
                    registers.setdefault((message.device_id, name), []).append((message.ts, message.readings[0][name]))
        midnights = START_TS + DAY_MS * np.arange(1, self.days)
        amounts = {device_id: np.zeros(self.days - 2) for device_id, _ in registers}
        for (device_id, name), seen in registers.items():
            times, values = zip(*seen, strict=True)
            sign = registers_balanced(self.devices[device_id])[name]
            amounts[device_id] += sign * np.diff(np.interp(midnights, times, values))
        by_site: dict[str, list[Device]] = {}
        for device in self.devices.values():
            by_site.setdefault(device.site_id, []).append(device)
        return {
            site: [
                _row(site, medium.name, day, [_passed(meter, amounts[meter.device_id][at]) for meter in medium.meters])
                for at, day in enumerate(midnights[:-1].tolist())
                for medium in media(devices)
            ]
            for site, devices in by_site.items()
        }


def _passed(meter: Device, amount: float) -> Passed:
    return Passed(meter, float(amount), 1.0, 1.0, estimated=False)


def registers_balanced(device: Device) -> Mapping[str, float]:
    """Registers of a device that count in a balance."""
    return described(device.kind).balanced


def _row(site: str, medium: str, day: int, own: Sequence[Passed]) -> BalanceDay:
    found = balanced(own, error=0.01, least=0.98)
    meters = {each.meter.device_id: [INFLOW.get(each.meter.role, -1.0), each.amount] for each in own}
    unit = unit_of(next(iter(described(own[0].meter.kind).balanced)))
    return BalanceDay(
        site, medium, day, unit, found.sums[Role.CONSUMED], found.sums[Role.INTERNAL], None, found.residual,
        found.tolerance, orjson.dumps(meters).decode(), 1.0, Quality.GOOD, "t",
    )  # fmt: skip
