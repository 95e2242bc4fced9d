"""Replay of public data sets: what was recorded is what is sent."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from schemas.readings import ADAPTERS, Kind
from schemas.registry import Registry
from simulators.replay.mapping import read_mapping
from simulators.replay.recording import Recording
from simulators.wire.message import encode

if TYPE_CHECKING:
    from simulators.wire.message import DeviceMessage

MAPPINGS = Path(__file__).parents[4] / "simulators/replay/mappings"
DATA = Path(__file__).parents[5] / "shared/data"
needs_data = pytest.mark.skipif(not DATA.exists(), reason=f"no recorded data at {DATA}")


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_mappings_in_the_box_are_whole(path: Path) -> None:
    """Each parses, and its registry survives the way through YAML."""
    registry = read_mapping(path).registry()
    assert Registry.model_validate(yaml.safe_load(registry.as_yaml())) == registry


SOURCES = {
    "steel": "steel/steel_15min.csv.gz",
    "nasa_b0005": "nasa_b0005/B0005_discharge_stream.csv.gz",
    "nasa_b0005_60s": "nasa_b0005/B0005_discharge_stream.csv.gz",
    "battledim": "battledim_2018/flows_5min.csv.gz",
}


def recorded(name: str, most: int | None = None) -> list[DeviceMessage]:
    """Messages of a public data set, at most so many."""
    source = Recording(DATA / SOURCES[name], read_mapping(MAPPINGS / f"{name}.yaml"))
    return list(islice(source.messages(), most))


def readings(name: str, most: int | None = None) -> list[dict[str, Any]]:
    """Their readings, in order."""
    return [reading for each in recorded(name, most) for reading in each.readings]


def rows(name: str, most: int | None = None) -> list[dict[str, str]]:
    """Its rows as they stand in the file."""
    with gzip.open(DATA / SOURCES[name], "rt") as file:
        return list(islice(csv.DictReader(file), most))


@needs_data
@pytest.mark.parametrize("name", SOURCES)
def test_readings_of_recorded_files_are_ones_that_the_collector_takes(name: str) -> None:
    """Rows of the public data sets become valid readings."""
    for each in recorded(name, 500):
        ADAPTERS[Kind(each.topic.split("/")[3])].validate_json(encode(each))


@needs_data
def test_the_steel_works_register_ends_at_the_years_total() -> None:
    """959 636.7 kWh passed the meter, from its first reading to its last, over exactly 365 days."""
    found = readings("steel")
    assert len(found) == 35_041
    assert found[-1]["energy_import_kwh"] - found[0]["energy_import_kwh"] == pytest.approx(959_636.7, abs=0.05)
    assert found[-1]["ts"] - found[0]["ts"] == 365 * 86_400_000


@needs_data
def test_the_cells_discharges_keep_their_own_clock() -> None:
    """Runs begin four hours apart and keep every row; thinned to a minute, no two of all 168 are closer."""
    found = readings("nasa_b0005", 5_000)
    origin = found[0]["ts"]
    runs = Counter(int(row["cycle"]) - 1 for row in rows("nasa_b0005", 5_000))
    assert Counter((each["ts"] - origin) // 14_400_000 for each in found) == runs
    thinned = readings("nasa_b0005_60s")
    assert min(b["ts"] - a["ts"] for a, b in pairwise(thinned)) >= 60_000
    assert {(each["ts"] - origin) // 14_400_000 for each in thinned} == set(range(168))


@needs_data
def test_a_water_networks_registers_integrate_its_flows() -> None:
    """Three meters; each register's rise is the sum of its flow over five minutes."""
    days = 10 * 288
    totals: dict[str, list[float]] = {}
    for each in recorded("battledim", 3 * (days + 1)):
        totals.setdefault(each.device_id, []).append(each.readings[0]["volume_m3"])
    for device, column in (("LTOWN-P227", "p227"), ("LTOWN-P235", "p235"), ("LTOWN-PUMP1", "PUMP_1")):
        flows = sum(float(row[column]) for row in rows("battledim", days))
        assert totals[device][-1] - totals[device][0] == pytest.approx(flows / 12, abs=1e-3)
