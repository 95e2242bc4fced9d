"""A scene: every device of a demonstration, giving its messages in event-time order on a clock that is an argument."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from schemas.registry import Registry
from simulators.climate import Climate
from simulators.fleet import Fleet
from simulators.gangue import GanguePlant
from simulators.plants import PLANS
from simulators.process_plant import TICK_MS, Plant, ProcessPlant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simulators.message import Message
    from simulators.outages import RegionalOutage


class Scene:
    """`sets` battery sets (0 for none) and, with `plants`, the four plants; deterministic for a seed and a start.

    The same seed, sets, start and outages give the same bytes, however the advances are cut.
    """

    def __init__(
        self, *, seed: int, sets: int, start_ms: int, plants: bool = True, regional: Sequence[RegionalOutage] = ()
    ) -> None:
        climate = Climate(seed)
        self.start_ms = self._drawn_ms = start_ms
        self.event_ms = start_ms
        """Everything before this has been given."""
        self.fleet = (
            Fleet(seed=seed, sets=sets, start_ms=start_ms, regional=regional, climate=climate) if sets else None
        )
        self.plants: list[Plant] = []
        if plants:
            self.plants.append(GanguePlant(seed, start_ms, climate))
            self.plants += [ProcessPlant(plan, seed, start_ms) for plan in PLANS]
        self._pending: deque[Message] = deque()

    def registry(self) -> Registry:
        """All sites and devices of this scene."""
        sites = [plant.site for plant in self.plants]
        devices = [device for plant in self.plants for device in plant.devices_registered()]
        if self.fleet is not None:
            sites += self.fleet.sites_registered()
            devices += self.fleet.devices_registered()
        return Registry(sites=sites, devices=devices)

    @property
    def readings_per_s(self) -> float:
        """Readings per second of event time in quiet times; mains changes add bursts."""
        fleet = 0.0 if self.fleet is None else self.fleet.readings_per_s
        return fleet + sum(plant.readings_per_s for plant in self.plants)

    def advance(self, until_ms: int) -> Iterator[Message]:
        """Give, in event-time order, the messages before `until_ms` that have not been given yet; one reading each."""
        while True:
            while self._pending and self._pending[0].ts < until_ms:
                message = self._pending.popleft()
                self.event_ms = message.ts
                yield message
            if self._drawn_ms >= until_ms:
                self.event_ms = max(self.event_ms, until_ms)
                return
            self._draw()

    def skip(self, until_ms: int) -> None:
        """Pass over the messages before `until_ms`: how a run goes on where an earlier one of the same scene ended.

        Registers and batteries are then as that run left them; a scene with a later start would have reset them.
        """
        deque(self.advance(until_ms), maxlen=0)

    def _draw(self) -> None:
        """Draw the next ten seconds, ahead of anyone's asking for their end: what comes is settled by the seed."""
        self._drawn_ms += TICK_MS
        drawn = [message for plant in self.plants for message in plant.generate(self._drawn_ms)]
        if self.fleet is not None:
            drawn += self.fleet.generate(self._drawn_ms)
        drawn.sort(key=lambda message: message.readings[0]["ts"])
        self._pending.extend(drawn)
