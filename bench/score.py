"""`make score`: scoring scenarios through collector's judgement and engine, into bench/results/score.json.

Every figure stands beside its control: detection beside as many alarms at random, SoH beside what the BMS says. Broker
and log are left out: they change no figure, as the tests of the whole way show, and most of the time went into them.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fenhe.local import Postgres, Services, find_postgres_binaries, scratch_directory
from fenhe.reference_commands import load as load_reference_data
from fenhe.score_commands import print_score
from fenhe.scoring.picture import estimate_against_truth
from fenhe.scoring.play import play
from fenhe.scoring.report import score
from fenhe.simulation import now_ms, truth_of
from schemas.registry import Sector
from simulators.scenario import load
from storage.migrate import migrate
from storage.pool import connect, open_pool
from storage.registry import import_registry
from streams.engine import Engine
from streams.kernels import installed

if TYPE_CHECKING:
    from simulators.scenario import Scenario

RESULTS = Path(__file__).parent / "results"
SECTIONS = ("metering", "health", "detection", "backup", "books")
CHAOS_PLANTS = {Sector.STEEL: 1, Sector.COKING: 1}
"""Thirty-two meters: each fault of the scenario still comes three times, in a quarter of its readings."""
SCENARIOS: dict[str, dict[str, Any]] = {
    "runaway-precursor": {},
    "cfb-low-load": {},
    "winter-outage-shuozhou": {"sets": 70},
    "meter-chaos": {"plants": CHAOS_PLANTS},
    "leak-at-coking-plant": {},
}
"""Name, and what is smaller than in the scenario."""
TOLD_S = 20.0


def smaller(name: str, *, sets: int | None) -> tuple[Scenario, int | None]:
    """Return a scenario as it is scored, and its number of sets where that is not the scenario's own."""
    scenario, cut = load(name), SCENARIOS.get(name, {})
    if "plants" in cut:
        scenario = scenario.model_copy(update={"plants": cut["plants"]})
    return scenario, sets or cut.get("sets")


def run(name: str, server: Postgres, *, sets: int | None, seed: int) -> dict[str, Any]:
    """Play one scenario into a database of its own, and score it."""
    scenario, sets = smaller(name, sets=sets)
    scene = scenario.scene(seed=seed, start_ms=scenario.start_ms(now_ms()), sets=sets)
    truth = RESULTS / f"truth-{name}.sqlite"
    truth.unlink(missing_ok=True)
    database = f"score_{name.replace('-', '_')}"
    url = server.create_database(database)
    migrate(url)
    load_reference_data(url)
    with connect(url, name="score") as connection:
        import_registry(connection, scene.registry())
    began, told = time.monotonic(), 0.0
    end_ms = scenario.end_ms(scene.whole_ms)

    def progress(readings: int, event_ms: int) -> None:
        nonlocal told
        passed = time.monotonic() - began
        if passed - told >= TOLD_S:
            told = passed
            share = (event_ms - scene.start_ms) / (end_ms - scene.start_ms)
            print(f"   {share:4.0%}  {readings:>9,} readings  {passed:5.0f} s", flush=True)

    engine = Engine(open_pool(url, size=2, name="score"), installed(), "score", 1)
    with truth_of(scene, scenario, truth):
        readings = play(scene, engine, end_ms, progress=progress)
    engine.close()
    document, estimates = score(truth, url)
    document["run"] |= {"readings": readings, "wall_s": round(time.monotonic() - began), "sets": sets}
    if estimates:
        (RESULTS / f"score-{name}.svg").write_text(estimate_against_truth(estimates, name), encoding="utf-8")
    truth.unlink()
    server.drop_database(database)
    return document


def main() -> None:
    """Run the scenarios and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", help=f"by default {', '.join(SCENARIOS)}")
    parser.add_argument("--sets", type=int, help="battery sets in place of a scenario's")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--services", default="auto", choices=[each.value for each in Services])
    options = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "score.json"
    result: dict[str, Any] = json.loads(path.read_text()) if path.exists() and options.scenarios else {}
    binaries = find_postgres_binaries(Services(options.services))
    with scratch_directory("score") as folder, Postgres(folder, binaries=binaries) as server:
        for name in options.scenarios or SCENARIOS:
            print(f"== {name}", flush=True)
            document = run(name, server, sets=options.sets, seed=options.seed)
            print_score(document)
            for section in ("run", *SECTIONS):
                result.setdefault(section, {})[name] = document[section]
            path.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
