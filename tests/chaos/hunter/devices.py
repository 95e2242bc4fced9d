"""What the devices send: a world of readings, probes, odd, late and repeated messages, until the broker has it all."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, NamedTuple, Self

import orjson

from schemas.readings import Kind
from schemas.registry import Device, Registry, Role, Sector, Site
from schemas.settings import MqttSettings
from schemas.time import DAY_MS, HOUR_MS
from schemas.topics import Topic, partition_of
from simulators.wire.message import DeviceMessage
from simulators.wire.publisher import MqttPublisher
from tests.support.pipeline import START_TS, Sent
from tests.support.worlds.small import World, make_world

if TYPE_CHECKING:
    from tests.chaos.hunter.rig import Rig

COPIES = 3
READINGS_A_MINUTE = 5.1
"""Of one copy of the small world, in the devices' time."""
PER_S = 8.0
"""Readings of the world a second of the hunt."""
ARRAY = 6
"""Readings to a message, at most."""
PROBE_S = 1.0
ODD_S = 4.0
LATE_SHARE = 0.03
KEPT_S = 180.0
"""A device keeps what it has sent for so long, and sends it again after the broker lost its memory."""
FLUSH_S = 180.0


class Probe(NamedTuple):
    """A meter that sends each second, one for each partition: by it is seen from when on readings come through."""

    device: Device
    site: Site


def probes(partitions: int) -> list[Probe]:
    """One for each partition."""
    found: dict[int, Probe] = {}
    for number in range(1_000):
        site_id = f"probe-{number}"
        partition = partition_of(site_id, partitions)
        if partition not in found:
            found[partition] = Probe(
                Device(
                    device_id=f"q-{partition}", site_id=site_id, kind=Kind.ELECTRICITY, role=Role.INTERNAL, period_s=1
                ),
                Site(site_id=site_id, name=site_id, name_zh=f"探针{partition}", sector=Sector.COKING, city="长治"),
            )
    return [found[partition] for partition in range(partitions)]


def world_of(seed: int, minutes: float, partitions: int) -> World:
    """The small world, as long as the hunt wants it, silent for some time in its middle; with the probes registered."""
    rng = random.Random(seed)
    length = int(minutes * 60 * PER_S / (COPIES * READINGS_A_MINUTE)) + 1
    world = make_world(COPIES, length)
    silence = rng.choice((2 * HOUR_MS, 9 * HOUR_MS, DAY_MS))
    middle = world.sent[len(world.sent) // 2].reading["ts"]
    sent = [
        item if item.reading["ts"] < middle else item._replace(reading=_later(item.reading, silence))
        for item in world.sent
    ]
    more = probes(partitions)
    registry = Registry(
        sites=[*world.registry.sites, *(probe.site for probe in more)],
        devices=[*world.registry.devices, *(probe.device for probe in more)],
    )
    return World(registry, sent)


def _later(reading: dict[str, object], ms: int) -> dict[str, object]:
    moments = {"ts", "sample_from", "sample_to"} & reading.keys()
    return reading | {name: reading[name] + ms for name in moments}  # type: ignore[operator] # moments are ms


def odd_message(rng: random.Random, registry: Registry, number: int) -> DeviceMessage:
    """Something that nobody can use, each one another."""
    device = rng.choice(registry.devices)
    topic = str(Topic(device.site_id, device.kind, device.device_id))
    ts = START_TS + number
    kind = rng.randrange(10)
    body = [
        b'{"ts":%d,' % ts,
        b'{"ts":%d,"ts":%d,"power_kw":1}' % (ts, ts + 1),
        b'{"ts":' + b"[" * 150 + b"]" * 150 + b',"ts":%d}' % ts,
        b'{"ts":%d,"power_kw":"much"}' % ts,
        b'{"ts":4102444800000,"power_kw":%d}' % number,
        b'{"ts":1000,"power_kw":%d}' % number,
        b"[" + b",".join([b"1"] * 2_000) + b",%d]" % number,
        b"\x00\xff%d" % number,
        orjson.dumps({"ts": ts, "power_kw": 1.0, "padding": "x" * 300_000}),
        b'{"ts":%d,"power_kw":1.0}' % ts,
    ][kind]
    if kind == 9:
        topic = f"fenhe/v1/{device.site_id}/{device.kind.value}/nobody-{number}"
    return DeviceMessage(topic, device.device_id, [{"ts": ts}], raw=body)


class Devices:
    """All devices, in a thread of their own; they talk to the broker by a wire that is broken too."""

    def __init__(self, rig: Rig, world: World, seed: int, minutes: float) -> None:
        self._rig = rig
        self._rng = random.Random(seed + 1)
        self._messages = world.messages(ARRAY)
        self._registry = world.registry
        self._seconds = minutes * 60
        self._probes = probes(rig.stack.partitions)
        self._beat = 0
        self._watched = True
        """Whether probes go out: until `finish`, so that every recovery that is waited for has one behind it."""
        self.probes: list[Sent] = []
        self.odd: list[DeviceMessage] = []
        self._sent: list[tuple[float, DeviceMessage]] = []
        self._resend = threading.Event()
        self._burst = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._failed: BaseException | None = None

    def __enter__(self) -> Self:
        """Connect, and begin."""
        self._publisher = MqttPublisher(
            MqttSettings(mqtt_url=f"mqtt://127.0.0.1:{self._rig.devices_wire.port}"), in_flight=100_000, connections=2
        )
        self._publisher.connect()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Give up."""
        self._stop.set()
        self._thread.join()
        self._publisher.close(1.0)

    def resend(self) -> None:
        """Send all of the last minutes again, as devices do that must not lose what a broker forgets."""
        self._resend.set()

    def burst(self, count: int) -> None:
        """Send so many odd messages at once."""
        self._burst += count

    def beat(self) -> int:
        """Device time of the next probes."""
        return START_TS + self._beat * 1000

    def finish(self) -> None:
        """Send what is left and no more probes, and wait until the broker has said of everything that it has it."""
        self._watched = False
        self._thread.join(FLUSH_S)
        if self._failed is not None:
            raise self._failed
        assert not self._thread.is_alive(), "publishing did not end"
        assert self._publisher.flush(FLUSH_S), "not everything was acknowledged"
        report = self._publisher.report()
        assert (report["unacknowledged"], report["refused"]) == (0, 0), report

    def _run(self) -> None:
        try:
            self._send_all()
        except BaseException as error:  # noqa: BLE001 - told by `finish`
            self._failed = error

    def _send_all(self) -> None:
        begun = time.monotonic()
        late: list[tuple[float, DeviceMessage]] = []
        position, odd_at = 0, ODD_S
        while not self._stop.wait(0.1):
            elapsed = time.monotonic() - begun
            if elapsed >= self._seconds and not self._watched:
                break
            due = int(len(self._messages) * elapsed / self._seconds)
            for message in self._messages[position:due]:
                if self._rng.random() < LATE_SHARE:
                    late.append((elapsed + self._rng.uniform(5, 40), message))
                else:
                    self._send(message)
            position = max(position, due)
            for entry in [entry for entry in late if entry[0] <= elapsed]:
                late.remove(entry)
                self._send(entry[1])
            if elapsed >= self._beat * PROBE_S:
                self._probe()
            if elapsed >= odd_at:
                odd_at += ODD_S
                self._burst += 1
                if self._sent:
                    self._send(self._rng.choice(self._sent)[1])  # a repeat
            self._extra()
        for message in [*self._messages[position:], *(entry[1] for entry in late)]:
            self._send(message)
        self._extra()

    def _extra(self) -> None:
        while self._burst > 0:
            self._burst -= 1
            message = odd_message(self._rng, self._registry, len(self.odd))
            self.odd.append(message)
            self._send(message)
        if self._resend.is_set():
            self._resend.clear()
            since = time.monotonic() - KEPT_S
            for _, message in [entry for entry in self._sent if entry[0] >= since]:
                self._publisher.publish(message, self._stop)

    def _probe(self) -> None:
        ts = self.beat()
        for probe in self._probes:
            reading = {"ts": ts, "energy_import_kwh": 1000.0 + self._beat}
            sent = Sent(probe.device.site_id, Kind.ELECTRICITY, probe.device.device_id, reading)
            self.probes.append(sent)
            self._send(*World(self._registry, [sent]).messages())
        self._beat += 1

    def _send(self, message: DeviceMessage) -> None:
        self._sent.append((time.monotonic(), message))
        self._publisher.publish(message, self._stop)
