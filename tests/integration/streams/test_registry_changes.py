"""After a change of the registry the tables say what they would say had it always stood so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql

from schemas.readings import Kind
from schemas.registry import (
    BatterySet,
    Chemistry,
    Device,
    ProductLine,
    Registry,
    Role,
    VirtualMeter,
    VirtualPart,
)
from schemas.time import HOUR_MS, MINUTE_MS
from storage.pool import connect
from storage.registry import import_registry
from streams.engine.recompute import Recompute
from tests.support.engine import books, differing, reasons
from tests.support.pipeline import DERIVED, REGISTRY, START_TS, Sent, open_engine, prepare, readings, record, snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.engine.engine import Engine

SENT = readings(40)


@pytest.fixture
def database(own_url: str) -> str:
    """A migrated database with the test registry."""
    prepare(own_url)
    return own_url


def changed(devices: dict[str, dict[str, Any]], sites: dict[str, dict[str, Any]]) -> Registry:
    """The test registry with some fields of some devices and sites changed."""
    return Registry(
        sites=[site.model_copy(update=sites.get(site.site_id, {})) for site in REGISTRY.sites],
        devices=[device.model_copy(update=devices.get(device.device_id, {})) for device in REGISTRY.devices],
    )


def virtual(*parts: str) -> VirtualMeter:
    """A virtual meter of some meters of electricity."""
    quantity = "energy_import_kwh"
    own = [VirtualPart(meter_id=part, quantity=quantity) for part in parts]
    return VirtualMeter(meter_id="v-1", name="v", name_zh="虚", kind=Kind.ELECTRICITY, quantity=quantity, parts=own)


BENEATH = changed({"e-1": {"role": Role.INTERNAL}}, {})
AWAY = changed({"e-1": {"site_id": "bs-1"}}, {})
ALL_AWAY = changed({name: {"site_id": "bs-1"} for name in ("e-1", "e-2", "w-1", "w-2", "p-1")}, {})
LINE = changed(
    {}, {"plant-1": {"product_lines": [ProductLine(line_id="second", name="x", name_zh="二线", meters=["e-1", "p-1"])]}}
)
SUM = changed({}, {"plant-1": {"virtual_meters": [virtual("e-1", "e-2")]}})
LESS = changed({}, {"plant-1": {"virtual_meters": [virtual("e-2")]}})


def finish_requests(engine: Engine) -> None:
    """Do all that was asked for."""
    while Recompute(engine).step() is not None:
        pass


@pytest.mark.parametrize(
    "registries",
    [
        pytest.param([REGISTRY, BENEATH], id="a main meter becomes a sub-meter: its balance has no intake"),
        pytest.param([REGISTRY, AWAY], id="a device moves: what it measured is not counted at both sites"),
        pytest.param([REGISTRY, AWAY, REGISTRY], id="a device moves and comes back: the other site has nothing"),
        pytest.param([REGISTRY, ALL_AWAY], id="all devices move: their site has no reading any more"),
        pytest.param([LINE, REGISTRY], id="a product line goes, and its hours do"),
        pytest.param([SUM, LESS], id="a virtual meter has fewer parts, and no minute in which only others spoke"),
    ],
)
def test_what_an_earlier_registry_asked_for_does_not_stay(database: str, registries: Sequence[Registry]) -> None:
    """Readings come under one registry after the other; then the last one is held against a pass from nothing."""
    engine = open_engine(database)
    partition = engine.open(0)
    share = -(-len(SENT) // len(registries))
    for offset, registry in enumerate(registries):
        with connect(database, name="test") as connection:
            import_registry(connection, registry)
        home = {device.device_id: device.site_id for device in registry.devices}
        own = SENT[offset * share : (offset + 1) * share]
        engine.apply(partition, [record(offset, [item._replace(site_id=home[item.device_id]) for item in own])])
    finish_requests(engine)
    found = snapshot(database, DERIVED)
    with connect(database, name="test") as connection:
        for table in (*DERIVED, "entity_state", "entity_snapshot"):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
    open_engine(database).rebuild(0, [device.device_id for device in registries[-1].devices], 0)
    assert differing(found, snapshot(database, DERIVED)) == {}


@pytest.mark.parametrize(("chemistry", "asked"), [(Chemistry.LFP, []), (Chemistry.LI_ION, ["bs-1"])])
def test_a_set_by_which_its_site_s_bus_is_judged_otherwise_has_the_site_computed_again(
    database: str, chemistry: Chemistry, asked: list[str]
) -> None:
    """A second set at a base station of sixteen LFP cells: fourteen of the same say nothing new of the bus."""
    battery = BatterySet(cell_count=14, nominal_ah=100, nominal_v=50.4, chemistry=chemistry)
    added = Device(device_id="b-9", site_id="bs-1", kind=Kind.BATTERY, battery=battery)
    with connect(database, name="test") as connection:
        import_registry(connection, Registry(sites=REGISTRY.sites, devices=[added]))
        found = connection.execute("SELECT site_id FROM recompute_request").fetchall()
    assert [site_id for (site_id,) in found] == asked


def test_steps_before_the_first_reading_of_a_watched_meter_hold_no_recompute_up(database: str) -> None:
    """A site's rows begin with its day, hours before its first reading: steps there find nothing of a meter."""
    begins = {"w-1": START_TS, "w-2": START_TS + 13 * HOUR_MS}
    sent = [
        Sent("plant-1", Kind.WATER, device_id, {"ts": ts, "volume_m3": (ts - START_TS) / 60_000})
        for device_id, begin in begins.items()
        for ts in range(begin, START_TS + 18 * HOUR_MS, 600_000)
    ]
    engine = open_engine(database)
    engine.apply(engine.open(0), [record(0, sorted(sent, key=lambda item: (item.reading["ts"], item.device_id)))])
    before = snapshot(database, DERIVED)
    with connect(database, name="test") as connection:
        import_registry(connection, changed({"w-1": {"accuracy": 0.01}}, {}))
    finish_requests(engine)
    assert snapshot(database, ["meter_minute", "detector_status"]).items() <= before.items()


def test_a_device_that_moves_takes_its_open_alarm_along(database: str) -> None:
    """It is one alarm, not a second one of the same name, which the table of rules would refuse for ever."""
    sent = [item for item in SENT if item.device_id == "s-1"]
    begun = [item for item in sent if item.reading["ts"] < START_TS + 14 * MINUTE_MS]  # there is smoke from 10 to 17
    over = [item._replace(site_id="plant-1") for item in sent if item not in begun]
    engine = open_engine(database)
    partition = engine.open(0)
    smoke = "SELECT site_id, region, active, occurrences FROM alarm WHERE kind = 'smoke'"
    engine.apply(partition, [record(0, begun)])
    with connect(database, name="test") as connection:
        assert connection.execute(smoke).fetchall() == [("bs-1", "朔州", True, 1)]
        import_registry(connection, changed({"s-1": {"site_id": "plant-1"}}, {}))
    engine.apply(partition, [record(1, over)])
    finish_requests(engine)
    with connect(database, name="test") as connection:
        assert connection.execute(smoke).fetchall() == [("plant-1", "长治", False, 1)]
    assert books(database).closed
    assert reasons(database) == {}
