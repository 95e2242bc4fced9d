"""A collector whose clock is wrong: Kafka takes nothing of it, and another one must have the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fenhe.local import wait_until
from tests.chaos.hunter.rig import shifting_library
from tests.support.pipeline import REGISTRY, readings
from tests.support.running import Pipeline
from tests.support.worlds.small import World

if TYPE_CHECKING:
    from pathlib import Path

    from fenhe.local import Process, Stack

pytestmark = [pytest.mark.real, pytest.mark.chaos]

AHEAD_S, FAR_AHEAD_S = 7_200, 3 * 86_400
TURNS = 2
"""Of the one that is refused, at most; without giving way it has one after the other."""
STORED_S = 60.0
"""For ever, were the session with the one that is refused."""


def test_a_collector_with_a_clock_that_is_ahead_leaves_the_session_to_the_other(
    real_stack: Stack, tmp_path: Path
) -> None:
    """Also where it is started again at once, and by the other's name it came first."""
    library = shifting_library(tmp_path)
    if library is None:
        pytest.skip("no C compiler: no clock can be set wrong")

    def shifted(pipeline: Pipeline, name: str, seconds: int) -> tuple[Process, Path]:
        clock = tmp_path / f"{name}.clock"
        clock.write_text(f"{seconds}\n")
        return pipeline.collector(name, more={"LD_PRELOAD": str(library), "CLOCK_SHIFT": str(clock)}), clock

    sent = readings(20)
    with Pipeline(real_stack, tmp_path, REGISTRY) as pipeline:
        wrong, _ = shifted(pipeline, "collector-1", AHEAD_S)
        right, clock = shifted(pipeline, "collector-2", FAR_AHEAD_S)  # its name says that it came much later
        clock.write_text("0\n")
        pipeline.worker()

        def is_stored() -> bool:
            if not wrong.running:
                wrong.start()
            return pipeline.stored() >= len(sent)

        pipeline.publish(World(REGISTRY, sent).messages())
        wait_until(is_stored, what="the readings", timeout=STORED_S)
        assert "set the clock" in " ".join(wrong.log.read_text().replace("\n", " ").split())
        assert right.running
        assert wrong.log.read_text().count('"connected"') <= TURNS
