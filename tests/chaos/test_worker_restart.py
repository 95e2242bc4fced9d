"""A worker is back within seconds, however much it has to remember."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING

import pytest

from schemas.readings import Kind
from schemas.registry import BatterySet, Device, Registry, Sector, Site
from tests.support.pipeline import START_TS, Sent, open_engine, record
from tests.support.running import Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fenhe.local import Process, Stack

pytestmark = [pytest.mark.real, pytest.mark.chaos, pytest.mark.slow, pytest.mark.alone]

SETS = 7_000
READINGS_EACH = 6
READY_WITHIN_S = 5.0
QUICK_FAILOVER = {"FENHE_SESSION_TIMEOUT_S": "2"}
"""As an operator sets it who wants a dead worker's partitions to move soon."""


def fleet() -> Registry:
    """A base station for every set, as in the field."""
    names = [f"{number:04d}" for number in range(SETS)]
    return Registry(
        sites=[
            Site(site_id=f"bs-{name}", name=name, name_zh=name, sector=Sector.BASE_STATION, city="朔州")
            for name in names
        ],
        devices=[
            Device(device_id=f"b-{name}", site_id=f"bs-{name}", kind=Kind.BATTERY, battery=BatterySet(nominal_ah=100))
            for name in names
        ],
    )


def minute_of_readings(registry: Registry, minute: int) -> list[Sent]:
    """One reading of every set."""
    reading = {
        "ts": START_TS + minute * 60_000,
        "pack_voltage_v": 52.8,
        "current_a": 12.5,
        "soc_pct": 80.0,
        "cell_voltage_v": [3.3 + 0.001 * (minute + cell) for cell in range(16)],
        "temperature_c": [25.0 + 0.1 * minute, 25.5, 26.0, 25.2],
        "ambient_c": 20.0,
    }
    return [Sent(device.site_id, Kind.BATTERY, device.device_id, reading) for device in registry.devices]


@pytest.fixture
def pipeline(real_stack: Stack, tmp_path: Path) -> Iterator[Pipeline]:
    """A pipeline whose database holds the state of every set."""
    registry = fleet()
    with Pipeline(real_stack, tmp_path, registry, environment=QUICK_FAILOVER) as made:
        engine = open_engine(made.owner_url, topic="history")
        partition = engine.open(0)
        for minute in range(READINGS_EACH):
            engine.apply(partition, [record(minute, minute_of_readings(registry, minute))])
        engine.close()
        yield made


def test_a_worker_with_7000_sets_of_state_is_ready_in_five_seconds(pipeline: Pipeline) -> None:
    """Whether it was stopped or killed, a worker is ready five seconds after its process starts."""
    worker = pipeline.worker()
    seconds = {}
    for how in (signal.SIGTERM, signal.SIGKILL):
        if how is signal.SIGKILL:
            assert worker.kill() == -signal.SIGKILL
        else:
            assert worker.terminate() == 0
        started = time.monotonic()
        pipeline.restart(worker)
        seconds[how.name] = round(time.monotonic() - started, 2)
        assert states_loaded(worker) >= SETS
    print(f"worker ready with {SETS} sets of state, seconds after {seconds}")  # noqa: T201 - the figure is the point
    assert max(seconds.values()) < READY_WITHIN_S, seconds


def states_loaded(worker: Process) -> int:
    """States of kernels that the worker's last 'ready' line tells of."""
    lines = [line for line in worker.log.read_text().splitlines() if '"event": "ready"' in line]
    return int(json.loads(lines[-1][lines[-1].index("{") :])["states"])
