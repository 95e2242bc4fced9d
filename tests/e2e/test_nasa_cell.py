"""A real cell over MQTT through the whole pipeline: its capacity comes out as the laboratory's label."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simulators.replay.mapping import read_mapping
from simulators.replay.recording import Recording
from simulators.wire.message import batch
from storage.pool import connect
from tests.support.running import Pipeline
from tests.support.worlds.sets import NASA, nasa_discharges

if TYPE_CHECKING:
    from fenhe.local import Stack

pytestmark = pytest.mark.slow

CYCLES = 3
MAPPING = Path(__file__).parents[2] / "simulators" / "replay" / "mappings" / "nasa_b0005.yaml"
CYCLE_MS = 14_400_000


def test_the_nasa_cell_over_mqtt_has_the_capacity_of_its_labels(real_stack: Stack, tmp_path: Path) -> None:
    """The first three discharges of B0005 at full rate: each within 0.1 points of SoH."""
    labels = [discharge.capacity_ah for discharge in nasa_discharges()[:CYCLES]]
    mapping = read_mapping(MAPPING)
    every = Recording(NASA / "B0005_discharge_stream.csv.gz", mapping).messages()
    first = next(every)
    end_ts = first.at_ts + CYCLES * CYCLE_MS
    messages = list(batch(iter([first, *takewhile(lambda message: message.at_ts < end_ts, every)]), 50, CYCLE_MS))
    count = sum(len(message.readings) for message in messages)
    with Pipeline(real_stack, tmp_path, mapping.registry()) as pipeline:
        pipeline.start()
        pipeline.publish(messages)
        pipeline.wait_stored(count)
        pipeline.settle()
        with connect(pipeline.owner_url, name="test") as connection:
            found = connection.execute("SELECT soh_pct, method FROM battery_capacity ORDER BY ts").fetchall()
            health = connection.execute("SELECT soh_pct FROM battery_soh ORDER BY ts DESC LIMIT 1").fetchone()
    assert [method for _, method in found] == ["full"] * CYCLES
    assert [soh for soh, _ in found] == pytest.approx([label / 2.0 * 100 for label in labels], abs=0.1)
    assert health is not None
    assert health[0] == pytest.approx(found[-1][0], abs=1.0)
