"""What the README promises of the demo is there when it says that everything is: nobody sees a wall of unknown.

    python -m pytest bench/demo_promises.py

Not among the tests: it takes minutes of both cores, which CI does not have.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import psycopg
import pytest

from fenhe.local import Process, Services, free_port, scratch_directory
from fenhe.local.kafka import find_kafka_libraries
from fenhe.local.mqtt import find_mqtt
from fenhe.local.postgres import find_postgres_binaries
from tests.fixtures.services import real_or_skip

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(1_800)]

READY_S = 900.0
"""Two minutes on two idle cores; a shared machine takes many times as long."""


def test_what_the_readme_promises_is_there_when_the_demo_says_so() -> None:
    """Leak, efficiency and B0001 among the alarms; grade and baseline of all eight plants; SoH of most sets."""
    with scratch_directory("promises") as scratch:
        _play(scratch)


def _play(scratch: Path) -> None:
    """Run the demo until it says that everything is there, and look."""
    real_or_skip(
        lambda: (find_kafka_libraries(), find_mqtt(scratch, Services.REAL), find_postgres_binaries(Services.REAL))
    )
    directory = scratch / "demo"
    demo = Process(
        "demo",
        [
            *(sys.executable, "-m", "fenhe", "demo", "--no-browser", "--services", "real"),
            *("--directory", str(directory), "--port", str(free_port())),
        ],
        log=scratch / "demo.log",
        directory=scratch,
    )
    demo.start()
    try:
        demo.wait_until(lambda: "everything is there" in demo.log.read_text(), what="the past", timeout=READY_S)
        output = demo.log.read_text()
        assert "about" in output.split("comes first")[1].splitlines()[0], "how long it takes is said at the start"
        assert "look at: " in output or "看点：" in output
        port = (directory / "postgresql" / "data" / "postmaster.pid").read_text().splitlines()[3]
        with psycopg.connect(f"postgresql://fenhe_reader@127.0.0.1:{port}/fenhe", autocommit=True) as connection:
            _look(connection)
    finally:
        demo.terminate(120)
    assert demo.returncode == 0, demo.log_tail()


def _look(connection: psycopg.Connection) -> None:
    """Hold the tables behind the pages against the promise."""

    def found(query: str) -> list[str]:
        return [str(row[0]) for row in connection.execute(query)]

    alarms = found("SELECT DISTINCT kind || ' ' || coalesce(nullif(device_id, ''), site_id) FROM alarm WHERE active")
    assert "night_flow ALU1-W0" in alarms
    assert any(each.endswith(" SODA1") for each in alarms)
    assert any(each.endswith(" B0001") for each in alarms), alarms
    plants = found("SELECT site_id FROM site WHERE sector <> 'base_station'")
    graded = found("SELECT DISTINCT site_id FROM plant_rolling WHERE window_h = 720 AND grade IS NOT NULL")
    assert sorted(graded) == sorted(plants)
    assert sorted(found("SELECT DISTINCT site_id FROM enpi_baseline")) == sorted(plants)
    assert sorted(found("SELECT DISTINCT site_id FROM enpi_day WHERE cusum_kgce <> 0")) == sorted(plants)
    day = "ts > now() - interval '3 hours' AND window_h = 24 AND unit_energy_kgce IS NOT NULL"
    assert sorted(found(f"SELECT DISTINCT site_id FROM plant_rolling WHERE {day}")) == sorted(plants)  # noqa: S608 - our own words
    (known,) = found("SELECT count(DISTINCT device_id) FROM battery_soh WHERE soh_pct IS NOT NULL")
    assert int(known) > 0.6 * 300
