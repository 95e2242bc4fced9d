"""docs/your-first-plant.md, run as it stands: from nothing to three devices of one's own in the database."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from fenhe.local import Process, Services, free_port, wait_until
from fenhe.local.kafka import find_kafka_libraries
from fenhe.local.mqtt import find_mqtt
from fenhe.local.postgres import find_postgres_binaries
from tests.fixtures.services import real_or_skip

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_200)]

DOCS = Path(__file__).parents[2] / "docs"
START_S, RUN_S, STORED_S = 300.0, 600.0, 200.0


def commands(document: str) -> str:
    """The shell commands of a page that are to be run in the second terminal."""
    text = (DOCS / document).read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


def test_both_languages_tell_the_same_commands() -> None:
    """Whoever reads Chinese is told the commands that are tested."""
    assert commands("your-first-plant.md") == commands("your-first-plant.zh-CN.md")
    assert "mosquitto_pub" in commands("your-first-plant.md")


@pytest.fixture
def served(scratch: Path) -> Iterator[tuple[Process, dict[str, str]]]:
    """`fenhe serve` on ports and in a folder of its own."""
    real_or_skip(
        lambda: (find_kafka_libraries(), find_mqtt(scratch, Services.REAL), find_postgres_binaries(Services.REAL))
    )
    if shutil.which("mosquitto_pub") is None:
        pytest.skip("mosquitto_pub is not installed (Debian: apt-get install mosquitto-clients)")
    environment = {
        "FENHE_SERVE_DIRECTORY": str(scratch / "plant"),
        "FENHE_SERVE_PORT": str(free_port()),
        "FENHE_SERVE_MQTT_PORT": str(free_port()),
        "FENHE_SERVE_DATABASE_PORT": str(free_port()),
    }
    process = Process(
        "serve",
        [sys.executable, "-m", "fenhe", "serve", "--no-browser"],
        log=scratch / "serve.log",
        environment=environment,
        directory=scratch,
    )
    process.start()
    try:
        process.wait_until(
            lambda: "Ctrl-C stops everything" in process.log.read_text(), what="fenhe serve", timeout=START_S
        )
        yield process, environment
    finally:
        process.terminate(90)


def test_the_tutorial_s_commands_end_with_three_devices_stored(
    served: tuple[Process, dict[str, str]], scratch: Path
) -> None:
    """A water meter, an electricity meter and a battery set; what was wrong is told live, and waits with its reason."""
    process, environment = served
    output = process.log.read_text()
    port = environment["FENHE_SERVE_MQTT_PORT"]
    assert f"127.0.0.1, port {port}" in output
    assert f"http://127.0.0.1:{environment['FENHE_SERVE_PORT']}/" in output
    (database,) = re.findall(r"postgresql://\S+", output)
    script = "set -e\n" + commands("your-first-plant.md").replace("-p 1883", f"-p {port}")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(  # noqa: S603 - the commands of our own page
        ["bash", "-c", script],  # noqa: S607 - as the reader has it
        cwd=scratch,
        env={**os.environ, **environment, "PATH": path},
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    heard = (scratch / "heard.txt").read_text()
    assert "accepted" in heard
    assert "becomes meter_minute" in heard
    assert "refused, schema: ts" in heard
    with psycopg.connect(database, autocommit=True) as connection:

        def comes(query: str, least: int) -> None:
            """Wait: each kind of device is in a partition of its own, and none waits for another."""

            def there() -> bool:
                row = connection.execute(query).fetchone()
                return row is not None and row[0] >= least

            wait_until(there, what=query, timeout=STORED_S)

        comes("SELECT count(*) FROM meter_minute WHERE device_id = 'MYPLANT-W1' AND increment = 0.5", 25)
        comes("SELECT count(*) FROM meter_minute WHERE device_id = 'MYPLANT-E1' AND quality = 'good'", 25)
        comes("SELECT count(*) FROM battery_latest WHERE device_id = 'MYPLANT-B1'", 1)
        comes("SELECT count(*) FROM plant_window WHERE site_id = 'MYPLANT' AND energy_kgce > 0", 1)
        comes("SELECT count(*) FROM quarantine WHERE reason = 'schema'", 1)
