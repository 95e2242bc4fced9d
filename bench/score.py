"""`make score`: scoring scenarios through collector's judgement and engine, into bench/results/score.json.

Every figure stands beside its control: detection beside as many alarms at random, SoH beside what the BMS says. Broker
and log are left out: they change no figure, as the tests of the whole way show, and most of the time went into them.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fenhe.commands.reference import load as load_reference_data
from fenhe.commands.score import print_score, print_score_of_sets
from fenhe.local import Postgres, Services, find_postgres_binaries, scratch_directory
from fenhe.scoring.evidence import read_evidence, together
from fenhe.scoring.picture import estimate_against_truth
from fenhe.scoring.play import SPAN_MS, play
from fenhe.scoring.report import of_sets, score
from fenhe.simulation import now_ts, truth_of
from schemas.readings import Kind
from schemas.registry import Registry, Role, Sector
from schemas.time import DAY_MS, HOUR_MS
from simulators.scenes.scenario import load
from simulators.sectors import PLANS
from storage.migrate import migrate
from storage.pool import connect, open_pool
from storage.registry import import_registry
from storage.statements import trusted
from streams.engine.engine import Engine
from streams.installed import installed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fenhe.scoring.evidence import SetEvidence
    from schemas.registry import Device
    from simulators.scenes.scenario import Scenario

RESULTS = Path(__file__).parent / "results"
SECTIONS = ("metering", "health", "discharges", "detection", "backup", "books")


class Slice(NamedTuple):
    """Every so many-th site of a scene, so that a long scenario is played in slices; counted from 1."""

    number: int
    of: int

    def file(self, scenario: str, seed: int) -> Path:
        """Where its evidence is kept until all parts are there."""
        return RESULTS / "parts" / f"{scenario}-{seed}-{self.number}-of-{self.of}.json"

    def registry(self, whole: Registry) -> Registry:
        """Its own sites and devices."""
        sites = whole.sites[self.number - 1 :: self.of]
        here = {site.site_id for site in sites}
        return Registry(sites=sites, devices=[device for device in whole.devices if device.site_id in here])


WHOLE_SCENE = Slice(1, 1)


class Cut(NamedTuple):
    """What is smaller than in the scenario, so that all of them are played within an hour or two of one core."""

    sets: int | None = None
    plants: Mapping[Sector, int] | None = None
    """In place of the scenario's; what happens at the others does not."""
    heard: Callable[[Device], bool] | None = None
    """Which devices are registered and heard; None: all."""
    drawn: bool = True
    """Whether chance adds anything to what is planned by name."""
    lasts_ms: int | None = None
    span_ms: int = SPAN_MS
    """Event time in one transaction; hours where weeks are played for what shows in days."""


def _is_water_or_product(device: Device) -> bool:
    return device.kind is Kind.WATER or device.role is Role.PRODUCT


def _is_at_boundary_or_hit(device: Device) -> bool:
    """Whether a device stands at its plant's boundary, or something happens to it."""
    return device.role is not Role.INTERNAL or device.device_id in {event.where for event in load("anomalies").events}


WHOLE = Cut()
LONG_MS = 4 * HOUR_MS
CUTS = {
    "runaway-precursor": WHOLE,
    "cfb-low-load": WHOLE,
    "capacity-tests": Cut(span_ms=LONG_MS),
    "winter-outage-shuozhou": Cut(sets=70),
    "meter-chaos": Cut(plants={Sector.STEEL: 1, Sector.COKING: 1}),
    "bad-network": WHOLE,
    "reconnect-storm": Cut(sets=700),
    "leak-at-coking-plant": Cut(heard=_is_water_or_product, span_ms=LONG_MS),
    "slow-leaks": Cut(heard=_is_water_or_product, span_ms=LONG_MS),
    "anomalies": Cut(
        plants={Sector.CEMENT: 1, Sector.CAUSTIC_SODA: 1}, drawn=False, heard=_is_at_boundary_or_hit, span_ms=LONG_MS
    ),
    "tower-fleet-year": Cut(sets=7, lasts_ms=90 * DAY_MS, span_ms=LONG_MS),
}
"""Scored by default. Cut to two plants, each fault of `meter-chaos` still comes three times at thirty-two meters."""
REPORT_EVERY_S = 20.0


def smaller(name: str, *, sets: int | None) -> tuple[Scenario, int | None]:
    """Return a scenario as it is scored, and its number of sets where that is not the scenario's own."""
    scenario, cut = load(name), CUTS.get(name, WHOLE)
    if cut.plants is not None:
        here = {PLANS[sector].site.site_id for sector in cut.plants}
        events = [event for event in scenario.events if event.where.partition("-")[0] in here]
        scenario = scenario.model_copy(update={"plants": cut.plants, "events": events})
    if not cut.drawn:
        scenario = scenario.model_copy(update={"draw": []})
    if cut.lasts_ms is not None:
        scenario = scenario.model_copy(update={"lasts": cut.lasts_ms})
    return scenario, sets or cut.sets


def run(
    name: str, server: Postgres, *, sets: int | None, seed: int, part: Slice = WHOLE_SCENE
) -> tuple[dict[str, Any], SetEvidence]:
    """Play one scenario, or a part of its sites, into a database of its own, and score it."""
    scenario, sets = smaller(name, sets=sets)
    scene = scenario.scene(seed=seed, start_ts=scenario.start_ts(now_ts()), sets=sets)
    registry = scene.registry()
    cut = CUTS.get(name, WHOLE)
    if cut.heard is not None:
        devices = [device for device in registry.devices if cut.heard(device)]
        registry = Registry(sites=registry.sites, devices=devices)
    registry = part.registry(registry)
    truth = RESULTS / f"truth-{name}.sqlite"
    truth.unlink(missing_ok=True)
    database = f"score_{name.replace('-', '_')}"
    url = server.create_database(database)
    migrate(url)
    load_reference_data(url)
    with connect(url, name="score") as connection:
        # Nothing is lost if this machine dies but time: the log need not reach the disk before each commit returns.
        connection.execute(trusted(f"ALTER DATABASE {database} SET synchronous_commit = off"))
        import_registry(connection, registry)
    heard = {device.device_id for device in registry.devices}
    began, reported = time.monotonic(), 0.0
    end_ts = scenario.end_ts(scene.whole_ts)

    def progress(readings: int, event_ts: int) -> None:
        nonlocal reported
        passed = time.monotonic() - began
        if passed - reported >= REPORT_EVERY_S:
            reported = passed
            share = (event_ts - scene.start_ts) / (end_ts - scene.start_ts)
            print(f"   {share:4.0%}  {readings:>9,} readings  {passed:5.0f} s", flush=True)

    engine = Engine(open_pool(url, size=2, name="score"), installed(), "score", 1)
    with truth_of(scene, scenario, truth):
        sent = scene.advance(end_ts)
        if cut.heard is not None or part != WHOLE_SCENE:
            sent = (message for message in sent if message.device_id in heard)
        readings = play(sent, engine, span_ms=cut.span_ms, progress=progress)
    engine.close()
    document, evidence = score(truth, url)
    document["run"] |= {"readings": readings, "wall_s": round(time.monotonic() - began), "sets": sets}
    truth.unlink()
    server.drop_database(database)
    return document, evidence


def draw(name: str, evidence: SetEvidence) -> None:
    """Keep the picture of a scenario's sets."""
    if evidence.estimates:
        (RESULTS / f"score-{name}.svg").write_text(estimate_against_truth(evidence.estimates, name), encoding="utf-8")


def put_together(name: str, seed: int, parts: int) -> SetEvidence | None:
    """All parts of a scenario's sites as one; None, and which are missing, as long as some are."""
    files = {number: Slice(number, parts).file(name, seed) for number in range(1, parts + 1)}
    missing = [str(number) for number, file in files.items() if not file.exists()]
    if missing:
        print(f"{name}: part {', '.join(missing)} of {parts} not yet played: nothing is scored before they are")
        return None
    return together([read_evidence(file) for file in files.values()])


def main() -> None:
    """Run the scenarios and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", help=f"by default {', '.join(CUTS)}")
    parser.add_argument("--sets", type=int, help="battery sets in place of a scenario's")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parts", type=int, help="play every so many-th site alone, and score the sets once all are")
    parser.add_argument(
        "--part", type=int, action="append", help="with --parts: which, from 1; by default each in turn"
    )
    parser.add_argument("--services", default="auto", choices=[each.value for each in Services])
    options = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "score.json"
    result: dict[str, Any] = json.loads(path.read_text()) if path.exists() and options.scenarios else {}
    binaries = find_postgres_binaries(Services(options.services))
    with scratch_directory("score") as folder, Postgres(folder, binaries=binaries) as server:
        for name in options.scenarios or CUTS:
            print(f"== {name}", flush=True)
            if options.parts:
                for number in options.part or range(1, options.parts + 1):
                    part = Slice(number, options.parts)
                    _, evidence = run(name, server, sets=options.sets, seed=options.seed, part=part)
                    part.file(name, options.seed).parent.mkdir(exist_ok=True)
                    evidence.write(part.file(name, options.seed))
                whole = put_together(name, options.seed, options.parts)
                if whole is None:
                    continue
                document, evidence = of_sets(whole), whole
                print_score_of_sets(document)
            else:
                document, evidence = run(name, server, sets=options.sets, seed=options.seed)
                print_score(document)
            draw(name, evidence)
            for section in filter(document.__contains__, ("run", *SECTIONS)):
                result.setdefault(section, {})[name] = document[section]
            path.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
