"""All that a hunt does to the parts: each fault begins, lasts, and is over when this says so."""

from __future__ import annotations

import contextlib
import os
import time
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import psutil
import psycopg

from fenhe.local.postgres import SUPERUSER
from storage import recompute
from storage.pool import connect
from storage.registry import import_registry, load_registry

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Sequence

    from fenhe.local import Process
    from tests.chaos.hunter.devices import Devices
    from tests.chaos.hunter.rig import Part, Rig
    from tests.chaos.hunter.wires import Wire

JUMPS_S = (-3 * 86_400, -7_200, -120, -5, 5, 120, 7_200, 3 * 86_400)
ROOM_LEFT = 1_000_000
LONG = "long"
"""In the name of a fault that lasts for longer than a short hunt has time for."""


class Way(StrEnum):
    """What must go on again after a fault."""

    READINGS = "readings"
    GUARD = "guard"
    NOTICES = "notices"


class Fault(NamedTuple):
    """Something that may be done to a part."""

    name: str
    part: str
    """Nothing else is done to it meanwhile."""
    way: Way
    weight: float
    act: Callable[[random.Random], None]
    """Does it, and returns when it is over: the part is told to start again, or the wire is whole."""
    others: Sequence[str] = ()
    """Nothing else is done to these either."""
    end: Callable[[], None] | None = None
    """It lasts beyond `act`: all must go on again while it does, and then once more when this has ended it."""

    @property
    def parts(self) -> frozenset[str]:
        """Nothing else is done to these meanwhile."""
        return frozenset((self.part, *self.others))


def all_faults(rig: Rig, devices: Devices) -> list[Fault]:
    """All that can be done on this machine."""
    found = [fault for part in rig.parts.values() for fault in _of_part(part)]
    found += _of_wire("devices", "broker", rig.devices_wire, Way.READINGS)
    found += [*_of_broker(rig, devices), *_of_kafka(rig), *_of_database(rig), *_of_work(rig, devices)]
    return found


def _of_part(part: Part) -> Iterator[Fault]:
    way = {"guard": Way.GUARD, "notifier": Way.NOTICES}.get(part.name, Way.READINGS)

    @contextlib.contextmanager
    def down(rng: random.Random) -> Iterator[None]:
        part.wanted = False
        try:
            yield
            time.sleep(rng.uniform(0, 2))
        finally:
            part.restart()
            part.wanted = True

    def kill(rng: random.Random) -> None:
        with down(rng):
            part.process.kill()

    def stop(rng: random.Random) -> None:
        with down(rng):
            part.process.terminate()

    yield Fault(f"{part.name}: kill -9", part.name, way, 2, kill)
    yield Fault(f"{part.name}: stop", part.name, way, 1, stop)
    yield Fault(f"{part.name}: pause", part.name, way, 2, _pause(lambda: [part.process.pid], most_s=12))
    if not part.name.startswith("worker"):  # theirs: `long_pauses`
        longer = _pause(lambda: [part.process.pid], least_s=15, most_s=40)
        yield Fault(f"{part.name}: {LONG} pause", part.name, way, 0.7, longer)
    if part.clock is not None:
        yield Fault(f"{part.name}: clock", part.name, way, 2, lambda rng: part.shift(rng.choice(JUMPS_S)))
    for other, wire in part.wires.items():
        yield from _of_wire(part.name, other, wire, way)


def _of_wire(name: str, other: str, wire: Wire, way: Way) -> Iterator[Fault]:
    title, key = f"{name} to {other}", f"{name}/{other}"

    def tear(rng: random.Random) -> None:
        wire.tear(rng.randrange(1, 4_000))
        time.sleep(rng.uniform(0.5, 3))
        wire.mend(reset=False)

    def hold(rng: random.Random, *, reset: bool) -> None:
        wire.hold()
        time.sleep(rng.uniform(0.5, 12))
        wire.mend(reset=reset)

    yield Fault(f"{title}: cut", key, way, 1.5, lambda _: wire.cut())
    yield Fault(f"{title}: torn in a message", key, way, 1, tear)
    yield Fault(f"{title}: half-open, then reset", key, way, 0.7, lambda rng: hold(rng, reset=True))
    yield Fault(f"{title}: stalled", key, way, 0.7, lambda rng: hold(rng, reset=False))


def _of_broker(rig: Rig, devices: Devices) -> Iterator[Fault]:
    broker = rig.stack.mqtt

    def kill(_: random.Random) -> None:
        broker.kill()
        broker.start()
        devices.resend()  # it has forgotten what it acknowledged since it last wrote to its disk

    yield Fault("broker: restart", "broker", Way.READINGS, 2, lambda _: broker.restart())
    yield Fault("broker: kill -9", "broker", Way.READINGS, 1, kill)
    yield Fault("broker: pause", "broker", Way.READINGS, 1, _pause(lambda: [broker.process.pid], most_s=10))


def _of_kafka(rig: Rig) -> Iterator[Fault]:
    kafka = rig.kafka

    def kill(_: random.Random) -> None:
        kafka.kill()
        kafka.start()

    yield Fault("Kafka: restart", "Kafka", Way.READINGS, 0.7, lambda _: kafka.restart())
    yield Fault("Kafka: kill -9", "Kafka", Way.READINGS, 0.7, kill)
    yield Fault("Kafka: pause", "Kafka", Way.READINGS, 1, _pause(lambda: [kafka.process.pid], most_s=10))


def _of_database(rig: Rig) -> Iterator[Fault]:
    postgres = rig.stack.postgres

    def backends() -> list[int]:
        own = psutil.Process(postgres.process.pid)
        return [own.pid, *(child.pid for child in own.children(recursive=True))]

    def kill_one(rng: random.Random) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(rng.choice(backends()[1:]), 9)
        time.sleep(0.2)  # all others end by it, and the server starts again
        _started(postgres.process, postgres.start)
        postgres.process.wait_until(postgres._answers, what="PostgreSQL to take connections", timeout=60)

    def end_sessions(_: random.Random) -> None:
        with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True, connect_timeout=5) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name LIKE 'fenhe-%' AND pid <> pg_backend_pid()"
            )

    def crash(_: random.Random) -> None:
        postgres.stop("immediate")
        postgres.start()

    yield Fault("PostgreSQL: crash", "PostgreSQL", Way.READINGS, 1, crash)
    yield Fault("PostgreSQL: restart", "PostgreSQL", Way.READINGS, 1, lambda _: postgres.restart())
    yield Fault("PostgreSQL: kill -9 of one process", "PostgreSQL", Way.READINGS, 1, kill_one)
    yield Fault("PostgreSQL: all sessions ended", "PostgreSQL", Way.READINGS, 2, end_sessions)
    yield Fault("PostgreSQL: pause", "PostgreSQL", Way.READINGS, 1, _pause(backends, most_s=10))
    if rig.disk is not None:
        disk = rig.disk

        def fill(rng: random.Random) -> None:
            ballast = disk / "ballast"
            try:
                with ballast.open("wb") as file, contextlib.suppress(OSError):
                    room = os.statvfs(disk)
                    size = room.f_bavail * room.f_frsize - rng.randrange(ROOM_LEFT)
                    os.posix_fallocate(file.fileno(), 0, max(1, size))
                time.sleep(rng.uniform(2, 8))
            finally:
                ballast.unlink(missing_ok=True)
            _started(postgres.process, postgres.start)
            postgres.process.wait_until(postgres._answers, what="PostgreSQL to take connections", timeout=60)

        yield Fault("PostgreSQL: disk full", "PostgreSQL", Way.READINGS, 1, fill)


def _of_work(rig: Rig, devices: Devices) -> Iterator[Fault]:
    def refuse(rng: random.Random) -> None:
        rig.sink.refuses = True
        time.sleep(rng.uniform(1, 6))
        rig.sink.refuses = False

    def change(rng: random.Random) -> None:
        with connect(rig.pipeline.owner_url, name="test") as connection:
            _, registry = load_registry(connection)
            chosen = rng.randrange(len(registry.devices))
            device = registry.devices[chosen]
            altered = rng.choice(
                (
                    {"name": f"{device.device_id} {rng.randrange(1_000)}"},
                    {"period_s": rng.choice((30, 60, 120))},
                    {} if device.rated is None else {"rated": device.rated * rng.choice((1.1, 1.5))},
                )
            )
            others = [item for at, item in enumerate(registry.devices) if at != chosen]
            devices_now = [*others, device.model_copy(update=altered)]
            import_registry(connection, registry.model_copy(update={"devices": devices_now}))

    def ask_recompute(rng: random.Random) -> None:
        with connect(rig.pipeline.owner_url, name="test") as connection:
            _, registry = load_registry(connection)
            recompute.ask(connection, [rng.choice(registry.sites).site_id], reason="hunt")

    yield Fault("people: refuse notices", "people", Way.NOTICES, 1, refuse)
    yield Fault("registry: change", "PostgreSQL", Way.READINGS, 1, change)
    yield Fault("recompute: asked for", "PostgreSQL", Way.READINGS, 1, ask_recompute)
    yield Fault("devices: odd messages", "odd", Way.READINGS, 1, lambda rng: devices.burst(rng.randint(5, 30)))


def _pause(pids: Callable[[], list[int]], *, least_s: float = 0.5, most_s: float) -> Callable[[random.Random], None]:
    def pause(rng: random.Random) -> None:
        paused = pids()
        try:
            _signal(paused, 19)
            time.sleep(rng.uniform(least_s, most_s))
        finally:
            _signal(paused, 18)

    return pause


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _started(process: Process, start: Callable[[], None]) -> None:
    """Start a server that did not live through it, as whoever keeps it running does."""
    if not process.running:
        start()
