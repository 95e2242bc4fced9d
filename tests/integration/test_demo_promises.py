"""What the README promises of B0001 is in the demo's world, played without broker and log.

`bench/demo_promises.py` holds the running demo against all that is promised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.registry import Registry
from schemas.time import HOUR_MS, MINUTE_MS
from simulators.scenes.scenario import load
from storage.pool import connect
from tests.support.worlds.demo import played as play_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fenhe.local import Postgres

NOON_TS = 1_796_011_200_000
"""Beijing noon of 2026-11-30."""
STARTS_TS = (NOON_TS, NOON_TS + 7 * HOUR_MS)
"""When the demo goes live: what a set lasts follows the load, and so the hour of the day; and a set is judged once a
day, so what a demo that begins in the evening promises must be known since the day before."""
LONGEST_H = 3
"""The sets of B0001's site are thought to carry it for about two hours, by the hour of the day."""
SETS = 300
"""As in the demo: which sets a site has follows from how many there are."""


@pytest.fixture(scope="module", params=STARTS_TS, ids=["noon", "evening"])
def played(postgres: Postgres, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database that has stored the past of the site of B0001 as the demo plays it."""
    scenario = load("demo")
    events = [event for event in scenario.events if event.where == "B0001"]
    now: int = request.param
    scene = scenario.model_copy(update={"plants": {}, "events": events}).scene(seed=1, start_ts=now, sets=SETS)
    whole = scene.registry()
    site_id = next(device.site_id for device in whole.devices if device.device_id == "B0001")
    devices = [device for device in whole.devices if device.site_id == site_id]
    heard = {device.device_id for device in devices}
    known = Registry(sites=[site for site in whole.sites if site.site_id == site_id], devices=devices)
    with play_world(postgres, "demo_promises", scene, known, heard=heard, until_ts=now + MINUTE_MS) as url:
        yield url


def test_b0001_is_among_the_alarms_as_short_and_not_as_exchanged(played: str) -> None:
    """Its weak cell and its bad joint leave it less than its contract's hours; it is the same set as before."""
    with connect(played, name="test") as connection:
        rows = connection.execute("SELECT kind, evidence FROM alarm WHERE active AND device_id = 'B0001'").fetchall()
    evidence = {str(kind): text for kind, text in rows}
    assert "backup" in evidence
    assert evidence["backup"]["backup_p50_h"] < evidence["backup"]["contract_h"]
    assert "set_changed" not in evidence


def test_a_capacity_test_that_its_crew_planned_waits_for_nobody(played: str) -> None:
    """Mains is on while the sets carry the site, as where a rectifier failed: the plan accounts for it.

    Of the power system alone, and as long as the test may take: what else the site raises is told.
    """
    with connect(played, name="test") as connection:
        rows = connection.execute("SELECT state, active FROM alarm WHERE kind = 'contradiction'").fetchall()
        ((kind, hours),) = connection.execute(
            "SELECT d.kind, EXTRACT(epoch FROM m.ends_at - m.starts_at) / 3600 FROM maintenance m"
            " LEFT JOIN device d USING (device_id)"
        ).fetchall()
    assert kind == "site_power"
    assert hours < LONGEST_H
    assert rows == [("normal", False)]
