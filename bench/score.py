"""`make score`: scoring scenarios end to end, over MQTT as fast as they are taken, into bench/results/score.json.

Every figure stands beside its control: detection beside as many alarms at random, SoH beside what the BMS says.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fenhe.local import Process, Services, Stack, scratch_directory, wait_until
from fenhe.reference_commands import load as load_reference_data
from fenhe.score_commands import print_score
from fenhe.scoring.picture import estimate_against_truth
from fenhe.scoring.report import score
from fenhe.simulation import ProgressBar, now_ms, progress_bar, truth_of
from schemas.settings import MqttSettings
from simulators.publisher import MqttPublisher
from simulators.run import Pace, simulate
from simulators.scenario import load
from storage.migrate import migrate
from storage.pool import connect
from storage.registry import import_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

RESULTS = Path(__file__).parent / "results"
SCENARIOS = {"runaway-precursor": None, "cfb-low-load": None, "winter-outage-shuozhou": 70}
"""Name, and number of sets in place of the scenario's."""
SECTIONS = ("metering", "health", "detection", "backup", "books")
PARTITIONS = 4
DRAIN_S = 1_800.0


def run(name: str, *, sets: int | None, seed: int, services: str) -> dict[str, Any]:
    """Play one scenario through a pipeline of its own, and score it."""
    scenario = load(name)
    scene = scenario.scene(seed=seed, start_ms=scenario.start_ms(now_ms()), sets=sets)
    truth = RESULTS / f"truth-{name}.sqlite"
    with (
        scratch_directory("score") as folder,
        Stack(folder, services=Services(services), partitions=PARTITIONS) as stack,
    ):
        environment = stack.environment()
        migrate(environment["FENHE_DB_OWNER_URL"])
        load_reference_data(environment["FENHE_DB_OWNER_URL"])
        with connect(environment["FENHE_DB_OWNER_URL"], name="score") as connection:
            import_registry(connection, scene.registry())
        reader = environment["FENHE_DB_READER_URL"]
        began = time.monotonic()
        with _process("work", folder, environment), _process("collect", folder, environment):
            with (
                MqttPublisher(MqttSettings(mqtt_url=environment["FENHE_MQTT_URL"])) as publisher,
                truth_of(scene, scenario, truth),
                progress_bar() as bar,
            ):
                pace = Pace(live=False, until_ms=scenario.end_ms(scene.start_ms))
                simulate(scene, publisher, pace, progress=ProgressBar(bar))
                published: int = publisher.report()["published_total"]
            wait_until(lambda: _received(reader) >= published, what="the last readings to be stored", timeout=DRAIN_S)
        document, estimates = score(truth, reader)
    document["run"] |= {"published": published, "wall_s": round(time.monotonic() - began), "sets": sets}
    (RESULTS / f"score-{name}.svg").write_text(estimate_against_truth(estimates, name), encoding="utf-8")
    truth.unlink()
    return document


@contextlib.contextmanager
def _process(command: str, folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """A collector or a worker, ready."""
    ready = folder / f"{command}.ready"
    process = Process(
        command,
        [sys.executable, "-m", "fenhe", command, "--ready-file", str(ready)],
        log=folder / f"{command}.log",
        environment=environment,
    )
    with process:
        process.wait_until(ready.exists, what=command, timeout=60)
        yield


def _received(reader: str) -> int:
    with connect(reader, name="score") as connection:
        row = connection.execute("SELECT coalesce(sum(received), 0)::bigint FROM ledger_total").fetchone()
    return int(row[0]) if row else 0


def main() -> None:
    """Run the scenarios and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", help=f"by default {', '.join(SCENARIOS)}")
    parser.add_argument("--sets", type=int, help="battery sets in place of a scenario's")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--services", default="auto", choices=[each.value for each in Services])
    options = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    chosen = {name: options.sets or SCENARIOS.get(name) for name in options.scenarios or SCENARIOS}
    path = RESULTS / "score.json"
    result: dict[str, Any] = json.loads(path.read_text()) if path.exists() and options.scenarios else {}
    for name, sets in chosen.items():
        print(f"== {name}")
        document = run(name, sets=sets, seed=options.seed, services=options.services)
        print_score(document)
        for section in ("run", *SECTIONS):
            result.setdefault(section, {})[name] = document[section]
        path.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
