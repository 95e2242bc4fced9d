"""The DC bus of a base station: so many cells hang on it as its registered sets have in series, of one chemistry."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.readings import Kind
from schemas.registered.devices import Chemistry, Device

if TYPE_CHECKING:
    from collections.abc import Iterable


class Bus(NamedTuple):
    """What hangs on a bus. Where no set is registered it is taken for the usual 48 V of 16 LFP cells."""

    cell_count: int = 16
    chemistry: Chemistry = Chemistry.LFP


USUAL_BUS = Bus()


class PowerSystem(Device):
    """A site's power system with the bus of its sets, as kernels are given it; it is registered without."""

    bus: Bus = USUAL_BUS


def bus_of(devices: Iterable[Device]) -> Bus:
    """Bus of the battery sets among a site's devices; of sets that differ, of the one with the highest voltage."""
    sets = [device.battery for device in devices if device.battery is not None]
    cells = (Bus(each.cell_count, each.chemistry_name) for each in sets)
    return max(cells, key=lambda bus: (bus.chemistry is not Chemistry.LFP, bus.cell_count), default=USUAL_BUS)


def buses_of(devices: Iterable[Device]) -> dict[str, Bus]:
    """Bus of each site that has a power system, by site id."""
    by_site: dict[str, list[Device]] = {}
    for device in devices:
        if device.kind in (Kind.SITE_POWER, Kind.BATTERY):
            by_site.setdefault(device.site_id, []).append(device)
    return {
        site_id: bus_of(own)
        for site_id, own in by_site.items()
        if any(device.kind is Kind.SITE_POWER for device in own)
    }


def with_buses(devices: Iterable[Device]) -> list[Device]:
    """All devices, power systems with the buses of their sites."""
    own = list(devices)
    buses = buses_of(own)
    return [
        PowerSystem.model_construct(device.model_fields_set, **dict(device), bus=buses[device.site_id])
        if device.kind is Kind.SITE_POWER
        else device
        for device in own
    ]
