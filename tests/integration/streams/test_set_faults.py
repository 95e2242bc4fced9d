"""Faults of one set's sensors and BMS through the whole engine: recognised where users see them, and nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from schemas.readings import BatteryReading, Kind
from schemas.registry import BatterySet, Device, Registry, Role, Sector, Site
from storage.pool import connect
from storage.registry import import_registry
from storage.statements import trusted
from storage.tables import DERIVED_TABLES
from tests.support.pipeline import Sent, open_engine, prepare, record
from tests.support.worlds.sets import Rig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fenhe.local import Postgres

PERIOD_S = 600
SET = BatterySet(cell_count=16, nominal_ah=100)
SITES = {"b-1": "bs-1", "b-2": "bs-1", "b-3": "bs-2"}
"""The set whose sensors fail, its neighbour, and one elsewhere."""
REGISTRY = Registry(
    sites=[
        Site(site_id=site, name=site, name_zh=site, sector=Sector.BASE_STATION, city="朔州")
        for site in ("bs-1", "bs-2")
    ],
    devices=[
        Device(device_id=name, site_id=site, kind=Kind.BATTERY, role=Role.INTERNAL, period_s=PERIOD_S, battery=SET)
        for name, site in SITES.items()
    ],
)
OTHERS = ("b-2", "b-3", "bs-2")


class Fault(NamedTuple):
    """What goes wrong, on the bench or on the wire, and the flag that tells it."""

    name: str
    flag: str
    bench: Callable[[Rig], None] = lambda _: None
    wire: Callable[[dict[str, object]], None] = lambda _: None


def _freeze_soc(rig: Rig) -> None:
    rig.bms_soc_pct = 100.0


def _constant_soh(rig: Rig) -> None:
    rig.bms_soh_pct = 99.0


def _reverse(rig: Rig) -> None:
    rig.sign = -1


def _offset(rig: Rig) -> None:
    rig.offset_a = 1.5


def _stick(rig: Rig) -> None:
    rig.shown_a = 0.0


def _absent_cell(values: dict[str, object]) -> None:
    cells = values["cell_voltage_v"]
    assert isinstance(cells, list)
    values["cell_voltage_v"] = [*cells[:15], 0.0]


FAULTS = (
    Fault("a frozen BMS SoC", "frozen_bms_soc", bench=_freeze_soc),
    Fault("a constant SoH of 99", "sentinel_bms_soh", bench=_constant_soh),
    Fault("a sixteenth cell at 0.000 V", "absent_cell", wire=_absent_cell),
    Fault("a reversed current", "reversed_current", bench=_reverse),
    Fault("an offset current sensor", "offset_current", bench=_offset),
    Fault("a stuck current sensor", "stuck_current", bench=_stick),
)


def said(name: str, fault: Fault | None = None) -> list[Sent]:
    """A day on float, an outage of an hour and a half, a rest and a charge, as one set's BMS says it."""
    rig = Rig(next(device for device in REGISTRY.devices if device.device_id == name))
    if fault is not None:
        fault.bench(rig)
    for hours, amps in ((26, 0.0), (1.5, -20.0), (0.5, 0.0), (3, 12.0)):
        rig.run(hours, amps, period_s=PERIOD_S)
    sent = []
    for arrival in rig.readings:
        reading = arrival.reading
        assert isinstance(reading, BatteryReading)
        values = reading.model_dump(exclude_none=True)
        if fault is not None:
            fault.wire(values)
        sent.append(Sent(SITES[name], Kind.BATTERY, name, values))
    return sent


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> Iterator[str]:
    """A migrated database with the three sets."""
    url = postgres.create_database("set_faults")
    prepare(url, REGISTRY)
    yield url
    postgres.drop_database("set_faults")


def fed(url: str, sent: Sequence[Sent], topic: str) -> dict[str, set[str]]:
    """Feed emptied tables in order of time, and return all derived rows as text, by entity."""
    tables = [table.name for table in DERIVED_TABLES.values()]
    with connect(url, name="test") as connection:
        kept = "entity_state, entity_snapshot, reading_battery, quarantine, ledger_entry, ledger_part, ledger_total"
        connection.execute(trusted(f"TRUNCATE {', '.join(tables)}, {kept}"))
    engine = open_engine(url, topic)
    partition = engine.open(0)
    ordered = sorted(sent, key=lambda item: (item.reading["ts"], item.device_id))
    for offset, start in enumerate(range(0, len(ordered), 60)):
        engine.apply(partition, [record(offset, ordered[start : start + 60])])
    engine.close()
    found: dict[str, set[str]] = {}
    with connect(url, name="test") as connection:
        for table in DERIVED_TABLES.values():
            rows = connection.execute(
                trusted(f"SELECT {table.key[0]}, (to_jsonb(t) - 'received_at')::text FROM {table.name} t")  # noqa: S608
            )
            for entity, text in rows:
                found.setdefault(entity, set()).add(f"{table.name} {text}")
    return found


def test_a_fault_is_told_of_its_set_and_changes_no_other_s_figures(database: str) -> None:
    """Each flag stands in the set's own hours; rows of its neighbour and of the set elsewhere are as without it."""
    others = [*said("b-2"), *said("b-3")]
    clean = fed(database, [*said("b-1"), *others], "clean")
    assert all(clean[name] for name in ("b-1", "b-2", "b-3"))
    for number, fault in enumerate(FAULTS):
        rows = fed(database, [*said("b-1", fault), *others], f"fault-{number}")
        own = " ".join(row for row in rows["b-1"] if row.startswith("battery_hour"))
        assert fault.flag in own, fault.name
        assert fault.flag not in " ".join(clean["b-1"]), fault.name
        assert {name: rows.get(name) for name in OTHERS} == {name: clean.get(name) for name in OTHERS}, fault.name


def test_a_sentinel_costs_itself_alone(database: str) -> None:
    """0xFFFF in one channel is set aside and told; the other channels are figures as ever, declared or not."""
    sent = said("b-1")
    for item in sent:
        item.reading["temperature_c"] = [*item.reading["temperature_c"], 6553.5]
    others = [*said("b-2"), *said("b-3")]
    clean = fed(database, [*said("b-1"), *others], "clean again")
    aside = fed(database, [*sent, *others], "set aside")
    with connect(database, name="test") as connection:
        apart = connection.execute("SELECT device_id, field, reason, count FROM field_set_aside").fetchall()
        assert connection.execute("SELECT count(*) FROM quarantine").fetchone() == (0,)
    assert apart == [("b-1", "temperature_c", "out_of_range", len(sent))]
    declared = [
        device.model_copy(update={"absent_values": {"temperature_c": [6553.5]}})
        if device.device_id == "b-1"
        else device
        for device in REGISTRY.devices
    ]
    with connect(database, name="test") as connection:
        import_registry(connection, Registry(sites=REGISTRY.sites, devices=declared))
    admitted = fed(database, [*sent, *others], "admitted")
    for rows in (aside, admitted):
        assert {name: rows.get(name) for name in OTHERS} == {name: clean.get(name) for name in OTHERS}
        assert rows["b-1"] == clean["b-1"]
