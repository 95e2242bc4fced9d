"""The short form of `make score`: two hours of a plant and some sets through the engine, held against the truth.

Floors may only rise: they are what the pipeline reaches on this seed, with a little room for the noise of other ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fenhe.scoring.play import play
from fenhe.scoring.report import score
from schemas.registry import Sector
from schemas.time import HOUR_MS
from simulators.planned_events import Chance, PlannedEvent
from simulators.scenes.scene import Scene
from simulators.truth import LabelKind, TruthRun, TruthWriter
from tests.support.pipeline import open_engine, prepare

if TYPE_CHECKING:
    from pathlib import Path

START_TS = 1_772_323_200_000
END_TS = START_TS + 2 * HOUR_MS
SEED = 3
HARMLESS = [LabelKind.GAP, LabelKind.DUPLICATE, LabelKind.FREEZE_CATCH_UP, LabelKind.REPLACEMENT, LabelKind.LATE]
"""Faults of meters that cost no energy: everything that flowed is in a register that can be read."""


@pytest.fixture
def scored(own_url: str, tmp_path: Path) -> dict[str, Any]:
    """The score of the whole run."""
    half_hour = HOUR_MS // 2
    scene = Scene(
        seed=SEED,
        sets=7,
        start_ts=START_TS,
        plants={Sector.COKING: 1},
        planned_events=[
            PlannedEvent(LabelKind.RUNAWAY_PRECURSOR, "B0003", START_TS + half_hour, START_TS + 3 * half_hour)
        ],
        chances=[Chance(HARMLESS, 1, START_TS + half_hour, END_TS - half_hour, half_hour // 2, half_hour // 2)],
    )
    prepare(own_url, scene.registry())
    path = tmp_path / "truth.sqlite"
    engine = open_engine(own_url)
    with TruthWriter(path, TruthRun("short", SEED, START_TS)) as truth:
        scene.record(truth, step_ms=half_hour, until_ts=END_TS)
        play(scene.advance(END_TS), engine)
    engine.close()
    document, _ = score(path, own_url)
    return document


def test_the_pipeline_is_as_good_as_it_has_been(scored: dict[str, Any]) -> None:
    """Floors of metering, detection, health, backup and books; detection and health beside their controls."""
    _metering_holds(scored["metering"])
    _detection_holds(scored["detection"])
    assert scored["books"]["closed"]
    assert scored["books"]["duplicate"] > 0
    assert scored["books"]["quarantined"] == 0
    assert scored["health"]["all"]["coverage"] == 0.0, "no discharge, no estimate"
    assert scored["health"]["bms (control)"]["mae"] > 0.02
    assert scored["backup"]["now"]["forecasts"] == 0, "no estimate, no forecast"


def _metering_holds(metering: dict[str, Any]) -> None:
    """What is shown is what flowed; what a harmless fault held back comes in whole."""
    assert metering["none"]["windows"] >= 60
    assert metering["none"]["worst"] < 0.0002
    assert metering["none"]["mean_absolute"] < 0.00015
    assert sum(row["known"] * row["windows"] for row in metering.values()) > 35.9, "all but the first and the newest"
    for kind in HARMLESS:
        assert metering[kind]["known"] >= 0.5, kind
        assert metering[kind]["worst"] < 0.0003, kind


def _detection_holds(detection: dict[str, Any]) -> None:
    """The runaway is found before it comes, nothing else is said, and chance would not have done it."""
    assert detection["labels"] >= 2
    assert detection["by_kind"]["runaway_precursor"]["recall"] == 1.0
    assert detection["by_kind"]["runaway_precursor"]["median_delay_h"] < 0.72, "of the hour that it lasts"
    detector, control = detection["detector"], detection["control"]
    assert detector["precision"] == 1.0
    assert detector["false_per_device_year"] == 0.0
    assert detector["recall"] >= 0.5, "half a frozen hour is too short for a flat line"
    assert control["alarms"] == detector["alarms"]
    assert control["precision"] < 0.1
    assert control["recall"] < 0.1
    assert detection["mistaken"] == []
