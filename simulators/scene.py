"""A scene: every device of a demonstration, giving its messages in event-time order on a clock that is an argument."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from schemas.registry import Registry
from simulators.climate import Climate
from simulators.fleet import Fleet
from simulators.sectors import PLANS, plans_for
from simulators.works import TICK_MS, Works

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from schemas.registry import Sector
    from simulators.campaign import Order
    from simulators.message import Message
    from simulators.outages import RegionalOutage

ONE_OF_EACH: dict[Sector, int] = dict.fromkeys(PLANS, 1)


class Scene:
    """`sets` battery sets (0 for none) and plants by sector; deterministic for a seed and a start.

    `plants`: how many of each sector; True is one of each, False none. The same seed, sets, plants, start and
    plan of what happens give the same bytes, however the advances are cut.
    """

    def __init__(
        self,
        *,
        seed: int,
        sets: int,
        start_ms: int,
        plants: bool | Mapping[Sector, int] = True,
        regional: Sequence[RegionalOutage] = (),
        orders: Sequence[Order] = (),
    ) -> None:
        climate = Climate(seed)
        self.seed = seed
        self.start_ms = self._drawn_ms = start_ms
        self.event_ms = start_ms
        """Everything before this has been given."""
        self.fleet = (
            Fleet(seed=seed, sets=sets, start_ms=start_ms, regional=regional, climate=climate) if sets else None
        )
        counts = (ONE_OF_EACH if plants else {}) if isinstance(plants, bool) else plants
        plans = plans_for(counts, seed)
        self.works = Works(plans, seed=seed, start_ms=start_ms, climate=climate, orders=orders) if plans else None
        self._pending: deque[Message] = deque()

    def registry(self) -> Registry:
        """All sites and devices of this scene."""
        parts = [part for part in (self.works, self.fleet) if part is not None]
        return Registry(
            sites=[site for part in parts for site in part.sites_registered()],
            devices=[device for part in parts for device in part.devices_registered()],
        )

    @property
    def readings_per_s(self) -> float:
        """Readings per second of event time in quiet times; mains changes add bursts."""
        return sum(part.readings_per_s for part in (self.works, self.fleet) if part is not None)

    def advance(self, until_ms: int) -> Iterator[Message]:
        """Give, in the order of sending, the messages before `until_ms` that have not been given; one reading each."""
        while True:
            while self._pending and self._pending[0].at_ms < until_ms:
                message = self._pending.popleft()
                self.event_ms = message.at_ms
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
        drawn: list[Message] = []
        for part in (self.works, self.fleet):
            if part is not None:
                drawn += part.generate(self._drawn_ms)
        drawn.sort(key=lambda message: message.readings[0]["ts"])
        self._pending.extend(drawn)
