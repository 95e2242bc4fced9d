"""A scene: every device of a world, giving its messages in the order of sending on a clock that is an argument."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

from schemas.registry import Registry
from schemas.time import HOUR_MS
from simulators.climate import Climate
from simulators.fleet.battery_faults import BATTERY_KINDS
from simulators.fleet.fleet import FLEET_KINDS, Fleet
from simulators.plants.faults import Faults
from simulators.plants.works import PAST_TICK_MS, TICK_MS, Works
from simulators.scenes.planned import stage
from simulators.sectors import PLANS, plans_for
from simulators.truth import TruthSource
from simulators.wire.disorder import UnderWay
from simulators.wire.network import Network, NetworkPlan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from schemas.registry import Device, Sector
    from simulators.fleet.capacity_test import Campaign
    from simulators.fleet.fleet import FleetPast
    from simulators.fleet.outages import RegionalOutage
    from simulators.planned_events import Chance, PlannedEvent
    from simulators.plants.campaign import Order
    from simulators.plants.works import Past
    from simulators.truth import Label, TruthWriter
    from simulators.wire.message import DeviceMessage

ONE_OF_EACH: dict[Sector, int] = dict.fromkeys(PLANS, 1)


class Scene:
    """`sets` battery sets (0 for none) and plants by sector; deterministic for a seed and a start.

    `plants`: how many of each sector; True is one of each, False none. The same seed, sets, plants, start, ticks and
    plan of what happens give the same bytes, however the advances are cut. What happens is drawn here, before the
    first reading. `tick_ts`: time within which the plants' flows are constant.
    """

    def __init__(
        self,
        *,
        seed: int,
        sets: int,
        start_ts: int,
        plants: bool | Mapping[Sector, int] = True,
        regional: Sequence[RegionalOutage] = (),
        orders: Sequence[Order] = (),
        planned_events: Sequence[PlannedEvent] = (),
        chances: Sequence[Chance] = (),
        network: NetworkPlan | None = None,
        past: Past | None = None,
        fleet_past: FleetPast | None = None,
        campaign: Campaign | None = None,
        heated_to_c: float | None = None,
        tick_ts: int = TICK_MS,
    ) -> None:
        climate = Climate(seed)
        self.seed = seed
        self.start_ts = self._drawn_ts = start_ts
        self.event_ts = start_ts
        """Everything before this has been given."""
        self._past = past
        self._tick_ts = tick_ts
        self.whole_ts = start_ts if past is None else past.until_ts
        """From here on every device is heard as often as it sends; before, in a long past, only some are, or rarely."""
        self._fleet_past = fleet_past
        of_batteries = [planned_event for planned_event in planned_events if planned_event.kind in BATTERY_KINDS]
        by_chance = [chance for chance in chances if not BATTERY_KINDS.isdisjoint(chance.kinds)]
        if not sets and (of_batteries or by_chance):
            msg = "faults of batteries are planned, and the scene has no battery sets"
            raise ValueError(msg)
        self.fleet = (
            Fleet(
                seed=seed,
                sets=sets,
                start_ts=self.whole_ts if fleet_past is None else fleet_past.from_ts,
                regional=regional,
                climate=climate,
                planned_events=of_batteries,
                chances=by_chance,
                past=fleet_past,
                campaign=campaign,
                heated_to_c=-math.inf if heated_to_c is None else heated_to_c,
            )
            if sets
            else None
        )
        counts = (ONE_OF_EACH if plants else {}) if isinstance(plants, bool) else plants
        plans = plans_for(counts, seed)
        self.works = (
            Works(plans, seed=seed, start_ts=start_ts, climate=climate, orders=orders, past=past, tick_ts=tick_ts)
            if plans
            else None
        )
        self._parts = [part for part in (self.works, self.fleet) if part is not None]
        others = [planned_event for planned_event in planned_events if planned_event.kind not in BATTERY_KINDS]
        staged = stage(others, chances, works=self.works, devices=self._devices(), seed=seed, start_ts=start_ts)
        if self.works is not None:
            self.works.disturbances = staged.disturbances
        self._faults = Faults(staged.faults)
        sites = [site.site_id for part in self._parts for site in part.sites_registered()]
        self._network = None if network is None else Network(network, seed=seed, sites=sites, start_ts=start_ts)
        self._pending: deque[DeviceMessage] = deque()
        self._late = UnderWay()
        """Messages that leave after the time drawn so far."""
        self._truth: TruthWriter | None = None
        self._truth_ts = start_ts
        self._step_ms = HOUR_MS

    def _devices(self) -> list[Device]:
        return [device for part in self._parts for device in part.devices_registered()]

    def _sources(self) -> list[TruthSource]:
        """The parts that know their own truth."""
        return [part for part in (*self._parts, self._network) if isinstance(part, TruthSource)]

    def registry(self) -> Registry:
        """All sites and devices of this scene."""
        return Registry(
            sites=[site for part in self._parts for site in part.sites_registered()],
            devices=[self._registered(self._faults.registered(device)) for device in self._devices()],
        )

    def _registered(self, device: Device) -> Device:
        """With the period of its past, where that is sampled: at a third of what lies between two readings, no gap."""
        if self._past is None or self._past.heard_from(device) >= self.whole_ts or device.kind in FLEET_KINDS:
            return device
        sampled_s = PAST_TICK_MS / 3_000 if self._past.sampled else 0.0
        return device.model_copy(update={"period_s": max(device.period_s, sampled_s)})

    @property
    def readings_per_s(self) -> float:
        """Readings per second of event time in quiet times; mains changes add bursts."""
        return sum(part.readings_per_s for part in self._parts)

    def readings_until(self, at_ts: int) -> float:
        """About how many readings come before `at_ts`."""
        return self.readings_per_s * (at_ts - self.whole_ts) / 1_000 + self._readings_of_the_past()

    def _readings_of_the_past(self) -> float:
        readings = 0.0
        if self._past is not None and self.works is not None:
            for device in self.works.devices_registered():
                period_ms = PAST_TICK_MS if self._past.sampled else device.period_s * 1_000
                readings += max(0, self.whole_ts - self._past.heard_from(device)) / period_ms
        if self._fleet_past is not None and self.fleet is not None:
            sites = [site.city for site in self.fleet.sites_registered()]
            for hours in self._fleet_past.heard:
                there = sites.count(hours.city_zh) / len(sites) if hours.city_zh else 1.0
                devices = there * (self.fleet.sets + self.fleet.sites)
                readings += devices * (hours.to_ts - hours.from_ts) / self._fleet_past.every_ms
        return readings

    def labels(self, until_ts: int | None = None) -> list[Label]:
        """Everything that will happen, as far as it begins before `until_ts`, in the order in which it begins."""
        labels = self._faults.labels()
        for source in self._sources():
            labels += source.labels()
        labels = [label for label in labels if until_ts is None or label.start_ts < until_ts]
        return sorted(labels, key=lambda label: (label.start_ts, label.kind, label.site_id, label.device_id))

    def record(self, truth: TruthWriter, *, step_ms: int = HOUR_MS, until_ts: int | None = None) -> None:
        """Write the labels now, and the true state every `step_ms` (whole ticks) from now on; before any advance.

        In a long past at most every hour.
        """
        self._truth, self._step_ms = truth, step_ms
        truth.add_labels(self.labels(until_ts))
        self._tell(self.start_ts)

    def advance(self, until_ts: int) -> Iterator[DeviceMessage]:
        """Give, in the order of sending, the messages before `until_ts` that have not been given; one reading each."""
        while True:
            while self._pending and self._pending[0].at_ts < until_ts:
                message = self._pending.popleft()
                self.event_ts = message.at_ts
                yield message
            if self._drawn_ts >= until_ts:
                self.event_ts = max(self.event_ts, until_ts)
                return
            self._draw()

    def skip(self, until_ts: int) -> None:
        """Pass over the messages before `until_ts`: how a run goes on where an earlier one of the same scene ended.

        Registers and batteries are then as that run left them; a scene with a later start would have reset them.
        """
        deque(self.advance(until_ts), maxlen=0)

    def _draw(self) -> None:
        """Draw the next tick, ahead of anyone's asking for its end: what comes is settled by the seed."""
        self._drawn_ts += self._tick_ts if self._drawn_ts >= self.whole_ts else PAST_TICK_MS
        drawn: list[DeviceMessage] = []
        for part in self._parts:
            drawn += part.generate(self._drawn_ts)
        drawn.sort(key=lambda message: message.readings[0]["ts"])
        self._pending.extend(self._sent(drawn))
        # Of a long past an hour is close enough: of 7,000 sets, ten minutes of it would be gigabytes.
        step_ms = self._step_ms if self._drawn_ts >= self.whole_ts else max(self._step_ms, HOUR_MS)
        if self._drawn_ts >= self._truth_ts + step_ms:
            self._tell(self._drawn_ts)

    def _sent(self, drawn: list[DeviceMessage]) -> list[DeviceMessage]:
        """What leaves within the time drawn so far, in order; what leaves later waits."""
        messages = self._faults.through(drawn)
        if self._network is not None:
            messages = self._network.carry(messages)
        now: list[DeviceMessage] = []
        for message in messages:
            if message.sent_ts is None or message.sent_ts < self._drawn_ts:
                now.append(message)
            else:
                self._late.add(message, message.sent_ts)
        now += self._late.before(self._drawn_ts)
        now.sort(key=lambda message: message.at_ts)
        return now

    def _tell(self, at_ts: int) -> None:
        """Write the true state at `at_ts`, and what has passed the meters since the last time."""
        if self._truth is None:
            return
        for source in self._sources():
            if source is self.fleet and self._fleet_past is not None and at_ts < self._fleet_past.from_ts:
                continue  # before its own past a set does nothing that could be true of it
            self._truth.add_states(source.states(at_ts))
            if at_ts > self._truth_ts:
                self._truth.add_totals(source.totals(self._truth_ts, at_ts))
        self._truth.add_states(self._faults.moments())
        self._truth.commit()
        self._truth_ts = at_ts
