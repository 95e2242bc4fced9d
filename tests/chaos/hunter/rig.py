"""Everything that runs in a hunt, each part reached by wires of its own, and started again whenever it has ended."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psutil
import yaml

from fenhe.local import ApacheKafka, Process, Services, Stack, free_port
from tests.chaos.hunter.sink import Sink
from tests.chaos.hunter.wires import Wire, Wires
from tests.support.running import Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.registry import Registry

PARTITIONS = 4
DISK_MB = 1_500
LOOK_S = 0.2
"""How often the supervisor looks whether something has ended, as a container's restart policy does."""
SETTINGS = {
    "FENHE_FLUSH_READINGS": "100",
    "FENHE_BATCH_RECORDS": "20",
    "FENHE_SESSION_TIMEOUT_S": "6",
}
"""Small records and takes: something is always in the middle. The shortest session that Kafka allows as it comes."""
_SERVICES = ("collector-1", "collector-2", "worker-1", "worker-2", "guard")
"""Parts that talk to Kafka."""


def shifting_library(folder: Path) -> Path | None:
    """Build the library that shifts a process's clock (`LD_PRELOAD`) by the seconds in a file (`CLOCK_SHIFT`).

    None on a machine without a C compiler.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    library = folder / "clock.so"
    source = Path(__file__).with_name("clock.c")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)  # noqa: S603 - ours
    return library


class Part:
    """One of our own processes, its wires by what is at their other end, and the file that its clock is shifted by."""

    def __init__(self, process: Process, ready: Path, wires: dict[str, Wire], clock: Path | None) -> None:
        self.name = process.name
        self.process = process
        self.wires = wires
        self.clock = clock
        self._ready = ready
        self.has_been_ready = True
        """Since it was started last; a rig is given to nobody before all of it is ready."""
        self.wanted = True
        """Whether it is to be started when it has ended."""
        self.ended = 0
        """How often it has ended by itself."""
        self.most_bytes = 0
        """Most memory that any of its processes was seen to hold."""

    @property
    def is_ready(self) -> bool:
        """Whether it runs and says that it is ready."""
        found = self.process.running and self._ready.exists()
        self.has_been_ready |= found
        return found

    def measure(self) -> None:
        """See how much memory it holds."""
        with contextlib.suppress(psutil.Error):  # it has just ended
            self.most_bytes = max(self.most_bytes, psutil.Process(self.process.pid).memory_info().rss)

    def restart(self) -> None:
        """Start it; what the process before said of itself does not count."""
        self._ready.unlink(missing_ok=True)
        self.has_been_ready = False
        self.process.start()

    def shift(self, seconds: int) -> None:
        """Let its clock be wrong by so many seconds from now on."""
        if self.clock is not None:
            fresh = self.clock.with_suffix(".new")
            fresh.write_text(f"{seconds}\n")
            fresh.replace(self.clock)


class Rig:
    """Broker, Kafka, PostgreSQL, two collectors, two workers, a guard, a notifier and who receives its notices."""

    def __init__(self, folder: Path, registry: Registry) -> None:
        """Describe it; a `with` block starts and stops it."""
        self._folder = folder
        self._registry = registry
        self._open = contextlib.ExitStack()
        self._ending = threading.Event()
        self.parts: dict[str, Part] = {}

    def __enter__(self) -> Self:
        """Start all of it and wait until it is ready."""
        with contextlib.ExitStack() as stack:
            self._start(stack)
            self._open = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all of it."""
        self._ending.set()
        self._open.close()

    def part(self, process: Process, wires: dict[str, Wire], clock: Path | None) -> None:
        """Keep a process running from now on."""
        self.parts[process.name] = Part(process, self.pipeline.ready_file(process.name), wires, clock)

    def end(self) -> None:
        """Start nothing any more that has ended."""
        self._ending.set()
        self._supervisor.join()

    def _start(self, stack: contextlib.ExitStack) -> None:
        self._library = shifting_library(self._folder)
        wires = stack.enter_context(Wires())
        self.disk = stack.enter_context(_small_disk(self._folder / "stack" / "postgresql"))
        self.stack = Stack(
            self._folder / "stack",
            services=Services.REAL,
            partitions=PARTITIONS,
            postgres_settings={"shared_buffers": "128MB", "max_wal_size": "256MB"},
        )
        kafka = self.stack.kafka
        assert isinstance(kafka, ApacheKafka)
        self.kafka = kafka
        doors = {name: free_port() for name in _SERVICES}
        to_kafka = {name: wires.to(door) for name, door in doors.items()}
        _open_doors(kafka, doors, {name: wire.port for name, wire in to_kafka.items()})
        stack.enter_context(self.stack)
        self.sink = stack.enter_context(Sink())
        self.pipeline = stack.enter_context(Pipeline(self.stack, self._folder, self._registry, environment=SETTINGS))
        self.devices_wire = wires.to(self.stack.mqtt.port)
        self._start_parts(wires, to_kafka)
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)
        self._supervisor.start()
        stack.callback(self.end)

    def _start_parts(self, wires: Wires, to_kafka: dict[str, Wire]) -> None:
        pipeline, database = self.pipeline, self.stack.postgres.port

        def kafka(name: str) -> dict[str, str]:
            return {"FENHE_KAFKA_BOOTSTRAP": f"127.0.0.1:{to_kafka[name].port}"}

        def postgres(variable: str, wire: Wire) -> dict[str, str]:
            return {variable: pipeline.environment[variable].replace(f":{database}/", f":{wire.port}/")}

        for name in ("collector-1", "collector-2"):
            broker = wires.to(self.stack.mqtt.port)
            more = {"FENHE_MQTT_URL": f"mqtt://127.0.0.1:{broker.port}", **kafka(name)}
            clock, shifted = self._clock(name)
            process = pipeline.collector(name, more={**more, **shifted}, wait=False)
            self.part(process, {"kafka": to_kafka[name], "broker": broker}, clock)
        for name in ("worker-1", "worker-2"):
            wire = wires.to(database)
            clock, shifted = self._clock(name)
            more = {**postgres("FENHE_DB_WRITER_URL", wire), **kafka(name), **shifted}
            self.part(pipeline.worker(name, more=more, wait=False), {"kafka": to_kafka[name], "database": wire}, clock)
        wire = wires.to(database)
        clock, shifted = self._clock("guard")
        more = {**postgres("FENHE_DB_READER_URL", wire), **kafka("guard"), **shifted}
        self.part(pipeline.guard(more=more, wait=False), {"kafka": to_kafka["guard"], "database": wire}, clock)
        wire, to_sink = wires.to(database), wires.to(self.sink.port)
        clock, shifted = self._clock("notifier")
        more = {**postgres("FENHE_DB_NOTIFIER_URL", wire), **shifted}
        routing = self._routing(to_sink.port)
        self.part(pipeline.notifier(routing, more=more, wait=False), {"database": wire, "people": to_sink}, clock)
        for part in self.parts.values():
            pipeline.wait_ready(part.process)

    def _clock(self, name: str) -> tuple[Path | None, dict[str, str]]:
        if self._library is None:
            return None, {}
        clock = self._folder / f"{name}.clock"
        clock.write_text("0\n")
        return clock, {"LD_PRELOAD": str(self._library), "CLOCK_SHIFT": str(clock)}

    def _routing(self, port: int) -> Path:
        """All alarms to one channel, at once and without a limit."""
        path = self._folder / "notify.yaml"
        channel = {"name": "desk", "url": f"json://127.0.0.1:{port}/alarms", "language": "en", "per_10_min": 100_000}
        path.write_text(yaml.safe_dump({"channels": [channel], "routes": [{"channels": ["desk"]}], "group_wait_s": 0}))
        return path

    def _supervise(self) -> None:
        while not self._ending.wait(LOOK_S):
            for part in self.parts.values():
                if part.process.running:
                    part.measure()
                elif part.wanted:
                    part.ended += 1
                    part.restart()


def _open_doors(kafka: ApacheKafka, doors: dict[str, int], advertised: dict[str, int]) -> None:
    """Give each part a listener of its own, and tell it that Kafka is at the near end of its wire."""
    names = {part: part.replace("-", "").upper() for part in doors}

    def listeners(ports: dict[str, int]) -> str:
        return "".join(f",{names[part]}://127.0.0.1:{port}" for part, port in ports.items())

    own = f"PLAINTEXT://127.0.0.1:{kafka.port}"
    protocols = "".join(f",{name}:PLAINTEXT" for name in names.values())
    kafka.settings |= {
        "listeners": f"{own},CONTROLLER://127.0.0.1:{kafka.controller_port}{listeners(doors)}",
        "advertised.listeners": f"{own}{listeners(advertised)}",
        "listener.security.protocol.map": f"PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT{protocols}",
        "inter.broker.listener.name": "PLAINTEXT",
    }


@contextlib.contextmanager
def _small_disk(place: Path) -> Iterator[Path | None]:
    """A disk of its own for PostgreSQL, that can be filled; None where this machine lets us mount none."""
    place.mkdir(parents=True)
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=755", "tmpfs"]
    if os.geteuid() or mount is None or _fails([mount, *options, place]):
        yield None
        return
    try:
        yield place
    finally:
        _fails(["umount", "--lazy", place])


def _fails(words: list[str | Path]) -> bool:
    return subprocess.run(words, check=False).returncode != 0  # noqa: S603 - our own words
