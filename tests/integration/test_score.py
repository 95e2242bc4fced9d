"""The short form of `make score`: two hours of a plant and some sets through the engine, held against the truth.

Floors may only rise: they are what the pipeline reaches on this seed, with a little room for the noise of other ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fenhe.scoring.report import score
from schemas.readings import Kind
from schemas.registry import Sector
from simulators.climate import HOUR_MS
from simulators.happening import Chance, Happening
from simulators.scene import Scene
from simulators.truth import LabelKind, Run, TruthWriter
from tests.support.pipeline import Sent, open_engine, prepare, record

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.message import Message

START_MS = 1_772_323_200_000
END_MS = START_MS + 2 * HOUR_MS
SEED = 3
HARMLESS = [LabelKind.GAP, LabelKind.DUPLICATE, LabelKind.FREEZE_CATCH_UP, LabelKind.REPLACEMENT, LabelKind.LATE]
"""Faults of meters that cost no energy: everything that flowed is in a register that can be read."""


def sent(message: Message) -> list[Sent]:
    """A message as the tests' engine takes it."""
    _, _, site_id, kind, device_id = message.topic.split("/")
    return [Sent(site_id, Kind(kind), device_id, reading) for reading in message.readings]


@pytest.fixture
def scored(empty_database: str, tmp_path: Path) -> dict[str, Any]:
    """The score of the whole run."""
    half_hour = HOUR_MS // 2
    scene = Scene(
        seed=SEED,
        sets=7,
        start_ms=START_MS,
        plants={Sector.COKING: 1},
        happenings=[Happening(LabelKind.RUNAWAY_PRECURSOR, "B0003", START_MS + half_hour, START_MS + 3 * half_hour)],
        chances=[Chance(HARMLESS, 1, START_MS + half_hour, END_MS - half_hour, half_hour // 2, half_hour // 2)],
    )
    prepare(empty_database, scene.registry())
    path = tmp_path / "truth.sqlite"
    engine = open_engine(empty_database)
    with TruthWriter(path, Run("short", SEED, START_MS)) as truth:
        scene.record(truth, step_ms=half_hour, until_ms=END_MS)
        readings = [item for message in scene.advance(END_MS) for item in sent(message)]
    partition = engine.open(0)
    for offset, first in enumerate(range(0, len(readings), 400)):
        engine.apply(partition, [record(offset, readings[first : first + 400])])
    engine.close()
    document, _ = score(path, empty_database)
    return document


def test_the_pipeline_is_as_good_as_it_has_been(scored: dict[str, Any]) -> None:
    """Floors of metering, health and books; detection beside its control."""
    metering = scored["metering"]
    assert metering["none"]["windows"] >= 40
    assert metering["none"]["worst"] < 0.001
    assert sum(row["known"] * row["windows"] for row in metering.values()) >= 35, "all but the first and the newest"
    for kind in ("gap", "duplicate", "late"):
        assert metering[kind]["worst"] is None or metering[kind]["worst"] < 0.01, kind
    assert scored["books"]["closed"]
    assert scored["books"]["duplicate"] > 0
    assert scored["books"]["quarantined"] == 0
    assert scored["health"]["all"]["coverage"] == 0.0, "no discharge, no estimate"
    assert scored["health"]["bms (control)"]["mae"] > 0.02
    detection = scored["detection"]
    assert detection["labels"] >= 2
    assert detection["control"]["alarms"] == detection["detector"]["alarms"]
