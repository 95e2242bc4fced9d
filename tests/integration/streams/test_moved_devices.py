"""What was left at a device's former site follows it, and holds nobody up."""

from __future__ import annotations

from importlib import resources
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from fenhe.local import wait_until
from schemas.time import MINUTE_MS
from storage.alarm_tables import clocks
from storage.pool import connect
from storage.registry import import_registry, load_registry
from storage.statements import trusted
from streams.alarms import device_clocks
from streams.engine.recompute import Recompute
from streams.kernels.alarms.device_clock import ClockFault
from tests.integration.streams.test_registry_changes import SENT, changed
from tests.support.engine import reasons
from tests.support.pipeline import REGISTRY, START_TS, open_engine, prepare, record

if TYPE_CHECKING:
    from streams.engine.engine import Engine

OVER = changed({"s-1": {"site_id": "plant-1"}}, {})
SMOKE = "SELECT site_id, region FROM alarm WHERE kind = 'smoke'"
ITEMS = [item for item in SENT if item.device_id == "s-1"]
BEGUN = [item for item in ITEMS if item.reading["ts"] < START_TS + 14 * MINUTE_MS]  # there is smoke from 10 to 17
LATE = BEGUN[3]


@pytest.fixture
def engine(own_url: str) -> Engine:
    """Of a database with the alarm of a device that is about to move, and one reading of it yet to come."""
    prepare(own_url)
    made = open_engine(own_url)
    made.apply(made.open(0), [record(0, [item for item in BEGUN if item is not LATE])])
    return made


def leave_behind(url: str) -> None:
    """As a move left it before alarms went along, or a worker's transaction that was under way."""
    with connect(url, name="test") as connection:
        import_registry(connection, OVER)
        connection.execute("UPDATE alarm SET site_id = 'bs-1', region = '朔州' WHERE device_id = 's-1'")


def test_a_late_reading_of_a_device_finds_the_alarm_left_at_its_former_site(engine: Engine, own_url: str) -> None:
    """It would be raised a second time under one name, which is impossible however often it is tried."""
    leave_behind(own_url)
    rest = [item._replace(site_id="plant-1") for item in ITEMS if item not in BEGUN]
    partition = engine.open(0)
    for offset, items in enumerate((rest[:2], [LATE._replace(site_id="plant-1")], rest[2:]), 1):
        engine.apply(partition, [record(offset, items)])
    with connect(own_url, name="test") as connection:
        assert connection.execute(SMOKE).fetchall() == [("plant-1", "长治")]
    assert reasons(own_url) == {}


@pytest.mark.parametrize("way", ["the next import", "the migration"])
@pytest.mark.usefixtures("engine")
def test_what_was_left_at_a_former_site_is_fetched(own_url: str, way: str) -> None:
    """Alarms and what is known of clocks; of two open alarms of one condition one stays, as only one may be open."""
    leave_behind(own_url)
    clock = ("s-1", "ahead", "bs-1", START_TS, START_TS, 1, None, None)
    with connect(own_url, name="test") as connection:
        clocks.save(connection, [clock])
        connection.execute(
            "INSERT INTO alarm (alarm_id, site_id, device_id, metric, kind, state, active, severity, event_at,"
            " raised_at, group_id) SELECT v.id, v.site_id, 's-1', '', 'no_data', 'active_unacknowledged', true, 'low',"
            " now(), now(), v.id FROM (VALUES ('old', 'bs-1'), ('new', 'plant-1')) AS v (id, site_id)"
        )
        if way == "the next import":
            import_registry(connection, OVER)
        else:
            file = resources.files("storage") / "migrations" / "0294_alarms_follow_devices.sql"
            connection.execute(trusted(file.read_text(encoding="utf-8")))
        assert connection.execute(SMOKE).fetchall() == [("plant-1", "长治")]
        assert [row[2] for row in clocks.of_sites(connection, ["bs-1", "plant-1"])] == ["plant-1"]
        open_ones = "SELECT alarm_id, site_id FROM alarm WHERE kind = 'no_data' ORDER BY alarm_id"
        assert connection.execute(open_ones).fetchall() == [("new", "plant-1"), ("old", "bs-1")]


@pytest.mark.usefixtures("engine")
def test_an_import_waits_for_a_recompute_before_it_takes_alarms(own_url: str) -> None:
    """A step holds its request and then takes alarms: the other way round they would wait for each other."""
    with connect(own_url, name="test") as connection:
        import_registry(connection, OVER)

    def move_back() -> None:
        with connect(own_url, name="import") as connection:
            import_registry(connection, REGISTRY)

    waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'fenhe-import' AND wait_event_type = 'Lock'"
    thread = Thread(target=move_back)
    with connect(own_url, name="step") as step, connect(own_url, name="watch", autocommit=True) as watch:
        step.execute("SELECT FROM recompute_request WHERE site_id = 'plant-1' FOR UPDATE")
        thread.start()
        wait_until(lambda: watch.execute(trusted(waits)).fetchone() == (1,), what="the import to wait for the request")
        step.execute("SELECT FROM alarm WHERE device_id = 's-1' ORDER BY alarm_id FOR UPDATE NOWAIT")
    thread.join()
    with connect(own_url, name="test") as connection:
        assert connection.execute(SMOKE).fetchall() == [("bs-1", "朔州")]


def test_a_suspended_import_loses_its_locks(own_url: str) -> None:
    """Workers wait for the alarms it holds."""
    with connect(own_url, name="test") as connection:
        load_registry(connection)  # as the command does, so that the transaction goes on
        import_registry(connection, REGISTRY)
        limit = "SELECT current_setting('idle_in_transaction_session_timeout')"
        assert connection.execute(limit).fetchone() == ("2min",)
        connection.commit()
        assert connection.execute(limit).fetchone() == ("0",)


def test_the_clock_of_a_device_that_moved_is_another_partitions(own_url: str) -> None:
    """A look at its former site says nothing of it, and takes nothing away that the other may have to say."""
    now = START_TS
    row = ("s-1", ClockFault.AHEAD.value, "bs-1", now, now, 20, 28_800_000, 28_800_000)
    devices = {device.device_id: device for device in REGISTRY.devices}
    with connect(own_url, name="test") as connection:
        clocks.save(connection, [row])
        assert set(device_clocks.look(connection, devices, ["bs-1"], {}, now)) == {"s-1"}
        moved = {device.device_id: device for device in OVER.devices}
        assert device_clocks.look(connection, moved, ["bs-1"], {}, now) == {}
        assert clocks.of_sites(connection, ["bs-1"]) == [row]


def test_a_step_reads_no_table_whole_to_find_where_a_site_begins(engine: Engine) -> None:
    """An index has a site's first moment only where the time comes next after the site."""
    tables = Recompute(engine)._tables_of_sites
    assert "plant_hour" in tables
    assert "plant_window" not in tables
