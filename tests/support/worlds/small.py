"""The small world many times over: enough sites, devices and readings to kill things in the middle of."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from schemas.registry import Registry
from schemas.topics import Topic
from simulators.wire.message import DeviceMessage, batch
from tests.support.pipeline import REGISTRY, Sent, open_engine, prepare, readings, record, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable


class World(NamedTuple):
    """A registry and what its devices send, in order of device time."""

    registry: Registry
    sent: list[Sent]

    def messages(self, array: int = 10) -> list[DeviceMessage]:
        """The readings as gateways send them: arrays of one device's readings."""
        single = (
            DeviceMessage(str(Topic(item.site_id, item.kind.value, item.device_id)), item.device_id, [item.reading])
            for item in self.sent
        )
        return list(batch(single, array))


def make_world(copies: int, minutes: int) -> World:
    """Copies of the small world, each with its own sites, devices and figures: about five readings a minute each."""
    sites = [
        site.model_copy(update={"site_id": f"{site.site_id}-{copy}"})
        for copy in range(copies)
        for site in REGISTRY.sites
    ]
    devices = [
        device.model_copy(update={"site_id": f"{device.site_id}-{copy}", "device_id": f"{device.device_id}-{copy}"})
        for copy in range(copies)
        for device in REGISTRY.devices
    ]
    sent = [
        Sent(f"{item.site_id}-{copy}", item.kind, f"{item.device_id}-{copy}", item.reading)
        for copy in range(copies)
        for item in readings(minutes, seed=copy)
    ]
    sent.sort(key=lambda item: (item.reading["ts"], item.device_id))
    return World(Registry(sites=sites, devices=devices), sent)


def per_device(messages: Iterable[DeviceMessage]) -> Counter[str]:
    """Readings per device."""
    counts: Counter[str] = Counter()
    for message in messages:
        counts[message.device_id] += len(message.readings)
    return counts


def ordered_pass(owner_url: str, world: World) -> dict[str, list[str]]:
    """What an empty database holds after a single pass over a world's readings in order: the truth to compare with."""
    prepare(owner_url, world.registry)
    engine = open_engine(owner_url)
    partition = engine.open(0)
    for offset, start in enumerate(range(0, len(world.sent), 2_000)):
        engine.apply(partition, [record(offset, world.sent[start : start + 2_000])])
    engine.close()
    return snapshot(owner_url)
