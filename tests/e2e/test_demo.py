"""`fenhe demo`: one command brings everything up, tells the truth about it, and leaves nothing behind."""

from __future__ import annotations

import json
import re
import signal
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from fenhe.local import Process, Services, free_port, wait_until
from fenhe.local.kafka import find_kafka_libraries
from fenhe.local.mqtt import find_mqtt
from fenhe.local.postgres import find_postgres_binaries
from tests.fixtures.services import real_or_skip, wanted_services

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

START_S = 90.0
STOP_S = 60.0


@pytest.fixture(params=[Services.EMBEDDED, Services.REAL])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Services:
    """Which services the demo is to run on."""
    wanted: Services = request.param
    if wanted is Services.REAL:
        if wanted_services() is Services.EMBEDDED:
            pytest.skip("FENHE_TEST_SERVICES=embedded asks for no real services")
        real_or_skip(lambda: (find_kafka_libraries(), find_mqtt(tmp_path, wanted), find_postgres_binaries(wanted)))
    return wanted


class Demo:
    """One run of the command."""

    def __init__(self, folder: Path, services: Services, *more: str) -> None:
        self.folder = folder
        self.report = folder / "report.json"
        arguments = [
            *("--scenario", "tower-fleet-year", "--sets", "30", "--history", "0.5"),  # a past of seconds
            *("--no-browser", "--port", str(free_port())),
            *("--directory", str(folder / "demo"), "--report", str(self.report), "--services", services.value),
        ]
        self.process = Process(
            "demo",
            [sys.executable, "-m", "fenhe", "demo", *arguments, *more],
            log=folder / "demo.log",
            environment={"COLUMNS": "200"},
            directory=folder,
        )

    def family(self) -> list[psutil.Process]:
        """The process and all that it started, by now."""
        process = psutil.Process(self.process.pid)
        return [process, *process.children(recursive=True)]

    def live(self) -> bool:
        """Whether the page's address was printed: everything is up."""
        return "page: " in self.process.log.read_text()


def gone(family: list[psutil.Process]) -> bool:
    """Whether none of these processes is alive."""
    _, alive = psutil.wait_procs(family, timeout=0)
    return all(is_zombie(process) for process in alive)


def is_zombie(process: psutil.Process) -> bool:
    """Whether a process has ended and merely waits to be reaped."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_run_closes_its_books_and_reports_them(kind: Services, scratch: Path) -> None:
    """Unattended, it exits 0 with a complete report in which everything published is accounted for."""
    demo = Demo(scratch, kind, "--duration", "15")
    demo.process.start()
    demo.process.wait_until(demo.live, what="the demo to be up", timeout=START_S)
    family = demo.family()
    assert len(family) > 5, "broker, Kafka, PostgreSQL, collector, workers and page"
    assert demo.process.wait(120) == 0, demo.process.log_tail()
    assert gone(family)
    assert "starting it again" not in demo.process.log.read_text(), "nothing died on the way"
    report = json.loads(demo.report.read_text())
    assert set(report) == {
        *("published", "stored", "duplicate", "quarantined", "books_closed", "latency_ms", "engine", "broker")
    }
    assert report["books_closed"] is True
    assert report["published"] > 30 * 30
    assert report["stored"] + report["quarantined"] + report["duplicate"] >= report["published"]
    assert 0 < report["latency_ms"]["p50"] <= report["latency_ms"]["p99"]
    assert re.match(r"postgresql \d+", report["engine"])
    broker = r"mosquitto .* apache-kafka " if kind is Services.REAL else r"amqtt .* librdkafka-mock "
    assert re.match(broker, report["broker"])


def test_ctrl_c_stops_everything_cleanly(kind: Services, scratch: Path) -> None:
    """SIGINT drains, closes the books, exits 0 and leaves no process."""
    demo = Demo(scratch, kind)
    demo.process.start()
    demo.process.wait_until(demo.live, what="the demo to be up", timeout=START_S)
    family = demo.family()
    assert demo.process.terminate(STOP_S, by=signal.SIGINT) == 0, demo.process.log_tail()
    assert gone(family)
    assert json.loads(demo.report.read_text())["books_closed"] is True


def test_a_killed_demo_leaves_no_children(kind: Services, scratch: Path) -> None:
    """`kill -9` of the demo takes broker, Kafka, PostgreSQL, collector, worker and page with it."""
    demo = Demo(scratch, kind)
    demo.process.start()
    demo.process.wait_until(demo.live, what="the demo to be up", timeout=START_S)
    family = demo.family()
    family[0].kill()
    wait_until(lambda: gone(family), what="all children to end", timeout=STOP_S)
