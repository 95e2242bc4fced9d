"""Two files, each right by itself, do not make a registry that no worker can read."""

from __future__ import annotations

import pytest

from schemas.readings import Kind
from schemas.registered.sense import NonsenseError
from schemas.registry import Device, Registry, Sector, Site, VirtualMeter, VirtualPart
from storage.pool import connect
from storage.registry import import_registry, load_registry


def site(name: str, *meters: VirtualMeter) -> Site:
    """A plant."""
    return Site(site_id=name, name=name, name_zh=name, sector=Sector.STEEL, city="太原", virtual_meters=meters)


def meter(name: str, at: str) -> Device:
    """An energy meter of a plant."""
    return Device(device_id=name, site_id=at, kind=Kind.ELECTRICITY)


def test_an_id_that_another_file_has_taken_is_refused_and_nothing_of_the_file_is_kept(own_url: str) -> None:
    """A device called as another site's virtual meter, and one that leaves the site whose virtual meter it is part of.

    Every worker of every partition reads the whole registry, and would not have come up again.
    """
    part = VirtualPart(meter_id="a-1", quantity="energy_import_kwh")
    total = VirtualMeter(meter_id="total", kind=Kind.ELECTRICITY, quantity="energy_import_kwh", parts=(part,))
    with connect(own_url, name="test") as connection:
        import_registry(connection, Registry(sites=[site("a", total)], devices=[meter("a-1", "a")]))
        before = load_registry(connection)
        for wrong in ("total", "a-1"):
            with pytest.raises(NonsenseError, match=f"{wrong}.*(has this id|belongs to site b)"):
                import_registry(connection, Registry(sites=[site("b")], devices=[meter(wrong, "b")]))
        assert load_registry(connection) == before


def test_what_energy_costs_a_plant_is_kept_and_changes_no_figure(own_url: str) -> None:
    """It stands in the registry as it was given; nothing is derived again for another price."""
    with connect(own_url, name="test") as connection:
        for price in (None, 800.0, 950.5):
            import_registry(connection, Registry(sites=[site("a").model_copy(update={"coal_yuan_t": price})]))
            _, kept = load_registry(connection)
            assert kept.sites[0].coal_yuan_t == price
        assert connection.execute("SELECT count(*) FROM recompute_request").fetchone() == (0,)
