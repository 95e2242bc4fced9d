"""What the README promises of the demo's plants is in its world, played without broker and log.

`test_demo_promises.py` does the same for B0001; `bench/demo_promises.py` holds the running demo against all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fenhe.baselines import fit_the_past
from schemas.registry import Registry
from schemas.time import HOUR_MS, MINUTE_MS
from simulators.fleet.battery_faults import BATTERY_KINDS
from simulators.scenes.scenario import load
from storage.pool import connect
from tests.support.worlds.demo import played as play_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fenhe.local import Postgres

LIVE_TS = 1_796_011_200_000 + 3 * HOUR_MS
"""When the demo goes live: three in the afternoon of 2026-11-30, Beijing time."""
SODA, PIPE = "SODA1", "ALU1-W0"
"""The plant whose efficiency fell, and the main that leaks."""


@pytest.fixture(scope="module")
def played(postgres: Postgres) -> Iterator[str]:
    """A database that has stored the past of both and ten live minutes, as the demo plays them."""
    scenario = load("demo")
    events = [event for event in scenario.events if event.kind not in BATTERY_KINDS]
    scene = scenario.model_copy(update={"events": events}).scene(
        seed=1, start_ts=LIVE_TS - (scenario.history or 0), live_ts=LIVE_TS, sets=0
    )
    whole = scene.registry()
    heard = {device.device_id for device in whole.devices if device.site_id == SODA} | {PIPE}
    sites = {device.site_id for device in whole.devices if device.device_id in heard}
    known = Registry(
        sites=[site for site in whole.sites if site.site_id in sites],
        devices=[device for device in whole.devices if device.site_id in sites],
    )
    with play_world(postgres, "demo_plants", scene, known, heard=heard, until_ts=LIVE_TS + 10 * MINUTE_MS) as url:
        yield url


def test_leak_and_efficiency_are_among_the_alarms(played: str) -> None:
    """Each of its own device or plant, and holding."""
    with connect(played, name="test") as connection:
        found = set(connection.execute("SELECT kind, device_id FROM alarm WHERE active").fetchall())
    assert ("night_flow", PIPE) in found
    assert ("efficiency", SODA) in found


def test_what_a_plant_shows_is_known_and_measured(played: str) -> None:
    """Every figure of 24 hours since the first whole day, the grade, and each minute but those that wait for a reading.

    Its meters go on at their own period after a past of quarters of an hour: nothing of it is an estimate for that.
    """
    with connect(played, name="test") as connection:
        rolled = connection.execute(
            "SELECT count(*), count(unit_energy_kgce), count(*) FILTER (WHERE quality = 'estimated')"
            " FROM plant_rolling WHERE site_id = %s AND window_h = 24"
            " AND ts > (SELECT min(ts) + interval '24 hours' FROM plant_hour WHERE site_id = %s)",
            (SODA, SODA),
        ).fetchone()
        grades = connection.execute(
            "SELECT count(*) FROM plant_rolling WHERE site_id = %s AND window_h = 720 AND grade IS NOT NULL", (SODA,)
        ).fetchone()
        live: dict[str, int] = dict(
            connection.execute(
                "SELECT quality, count(*) FROM meter_minute WHERE site_id = %s AND ts >= to_timestamp(%s)"
                " AND ts < to_timestamp(%s) GROUP BY 1",
                (SODA, LIVE_TS / 1000, LIVE_TS / 1000 + 420),
            ).fetchall()
        )
    assert rolled is not None
    hours, known, estimated = rolled
    assert hours > 18 * 24 - 24
    assert known == hours
    assert estimated == 0
    assert grades is not None
    assert grades[0] > 0
    assert live.keys() == {"good"}


def test_its_past_is_enough_for_a_baseline(played: str, postgres: Postgres) -> None:
    """Which the demo fits when the past is in."""
    fitted, refused = fit_the_past(postgres.url("fenhe_writer", "demo_plants"), [SODA], LIVE_TS)
    assert [line.line_id for line in fitted] == ["plant"]
    assert not refused
    assert played
