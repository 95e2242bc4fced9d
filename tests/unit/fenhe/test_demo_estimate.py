"""What a demo says at its start of how long its past takes."""

from __future__ import annotations

import math

import pytest

from fenhe.demo.estimate import Machine, PastToStore
from schemas.time import HOUR_MS
from simulators.scenes.scenario import load

SHIPPED = PastToStore(262_000, 155, 12)
"""The demo as shipped: 199 s were measured on two cores at a load of 5 to 11, 2026-11-30."""


@pytest.mark.parametrize(("load_average", "least_s", "most_s"), [(0, 80, 130), (5, 150, 250), (11, 200, 400)])
def test_what_is_said_is_what_was_measured(load_average: float, least_s: float, most_s: float) -> None:
    """A busy machine takes longer, and the demo knows."""
    assert least_s < Machine(2, load_average).seconds(SHIPPED) < most_s


def test_a_busy_machine_is_said_to_be_one() -> None:
    """So that nobody waits for what an idle one takes."""
    assert "load 7.0" in Machine(2, 7.0).tell(SHIPPED)
    assert Machine(2, 0.2).tell(SHIPPED).endswith("on 2 cores")


def test_more_than_a_machine_can_store_is_said_before_it_falls_behind() -> None:
    """Not refused: Kafka keeps what waits."""
    many = PastToStore(5_000_000, 155, 9_000)
    assert math.isinf(Machine(1, 4.0).seconds(many))
    advice = Machine(1, 4.0).tell(many)
    assert "fall behind" in advice
    assert "--sets" in advice


def test_seven_thousand_sets_keep_up_on_two_cores() -> None:
    """By the cost of a reading: what `--sets 7000` says at its start."""
    demo = load("demo").watched()
    scene = demo.scene(seed=1, start_ts=1_800_000_000_000, live_ts=1_800_000_000_000 + HOUR_MS, sets=7_000)
    assert Machine(2, 0.5).keeps_up(PastToStore(0, 0, scene.readings_per_s))
