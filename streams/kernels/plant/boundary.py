"""A plant's boundary: what each meter's registers add to its totals, by kind, role and energy carrier."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, assert_never

from schemas.kinds import described
from schemas.readings import Kind
from schemas.registered.sense import Nonsense
from schemas.registry import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from schemas.reference import EnergyFactors
    from schemas.registry import Device, Registry, Site, VirtualMeter

BOUNDARY = frozenset({Role.CONSUMED, Role.EXPORTED, Role.PRODUCT})
"""Roles that count in a plant's totals of energy, water and product."""


class Total(StrEnum):
    """What a register adds to."""

    ELECTRICITY_KWH = "energy_kwh"
    COAL_EQUIVALENT = "energy_kgce"
    WATER_M3 = "water_m3"
    PRODUCTION = "production"


class Contribution(NamedTuple):
    """One register's part in one total of its plant."""

    quantity: str
    total: Total
    factor: float | None
    """Total's unit per register's unit; negative where it leaves the plant; None where nobody knows it."""


KGCE_PER_MJ = 1 / 29.3076
"""A kilogram of coal equivalent is 29 307.6 kJ (GB/T 2589-2020)."""


def contributions(device: Device, factors: EnergyFactors) -> list[Contribution]:
    """What a boundary meter's registers add to, by its kind, role and energy carrier.

    A carrier that the reference data does not know leaves the factor unknown, and so the total it belongs to.
    """
    return list(_contributions(device, factors))


def unknown_carriers(devices: Sequence[Device], factors: EnergyFactors) -> dict[str, str]:
    """Boundary meters whose energy cannot be converted, with the carrier they name."""
    return {
        device.device_id: device.carrier
        for device in devices
        if device.role in BOUNDARY and any(part.factor is None for part in contributions(device, factors))
    }


def wrong_carriers(registry: Registry, factors: EnergyFactors) -> list[Nonsense]:
    """Carriers that do not fit what their meter counts, virtual ones too: 971 kgce for a kWh of `coke`."""
    found = [
        Nonsense(device.device_id, "carrier", sentence)
        for device in registry.devices
        if device.carrier and (sentence := _misfit(device, factors)) is not None
    ]
    for site in registry.sites:
        for meter in site.virtual_meters:
            sentence = _misfit(meter.as_device(site), factors) or _uncounted(meter, site, factors)
            if sentence is not None:
                found.append(Nonsense(meter.meter_id, "carrier", sentence))
    return found


def _uncounted(meter: VirtualMeter, site: Site, factors: EnergyFactors) -> str | None:
    """Say why a virtual meter at the boundary adds nothing: its one quantity is not what its carrier is counted by."""
    parts = [part.quantity for part in contributions(meter.as_device(site), factors)]
    if meter.role not in BOUNDARY or meter.quantity in parts:
        return None
    return f"the kind {meter.kind} with carrier {meter.carrier!r} counts by {', '.join(parts)}, not by {meter.quantity}"


def _misfit(device: Device, factors: EnergyFactors) -> str | None:
    factor = factors.factors.get(device.carrier)
    if factor is None or device.kind not in _COUNTS or (device.kind is Kind.PRODUCTION and device.role is Role.PRODUCT):
        return None
    units, usual = _COUNTS[device.kind]
    if factor.per not in units:
        return (
            f"{device.carrier} is counted in {factor.per}, a {device.kind} meter counts in {' or '.join(units)}."
            f" Name what flows through it, for example {usual}, or register the meter as the kind it is"
        )
    is_water = device.carrier.startswith("fresh_water")
    if is_water != (device.kind is Kind.WATER):
        return f"{device.carrier} does not flow through a {device.kind} meter. Write for example {usual}"
    return None


_COUNTS: dict[Kind, tuple[tuple[str, ...], str]] = {
    Kind.ELECTRICITY: (("kWh",), "electricity, or nothing"),
    Kind.WATER: (("m3",), "fresh_water, or nothing"),
    Kind.GAS: (("m3",), "natural_gas_low"),
    Kind.STEAM: (("t",), "steam_saturated"),
    Kind.HEAT: (("GJ",), "heat, or nothing"),
    Kind.PRODUCTION: (("t",), "raw_coal"),
}
"""Units that each kind of meter counts in, and a carrier of it."""


_FLOWS = {"t": "mass_t", "GJ": "heat_gj"}
"""The register of a flow meter whose carrier is counted in a unit; of any other, its volume."""


def _contributions(device: Device, factors: EnergyFactors) -> Iterator[Contribution]:  # noqa: C901 - one case a kind
    sign = -1.0 if device.role is Role.EXPORTED else 1.0

    def kgce(carrier: str, sign: float) -> float | None:
        factor = factors.factors.get(carrier)
        return None if factor is None else sign * factor.kgce

    match device.kind:
        case Kind.ELECTRICITY:
            carrier = device.carrier or "electricity"
            for quantity, direction in (("energy_import_kwh", sign), ("energy_export_kwh", -sign)):
                yield Contribution(quantity, Total.ELECTRICITY_KWH, direction)
                yield Contribution(quantity, Total.COAL_EQUIVALENT, kgce(carrier, direction))
        case Kind.WATER:
            yield Contribution("volume_m3", Total.WATER_M3, sign)
            yield Contribution("volume_m3", Total.COAL_EQUIVALENT, kgce(device.carrier or "fresh_water", sign))
        case Kind.STEAM | Kind.HEAT | Kind.GAS:
            carrier = device.carrier or ("heat" if device.kind is Kind.HEAT else "")
            factor = factors.factors.get(carrier)
            quantity = _FLOWS.get("" if factor is None else factor.per, "volume_m3")
            yield Contribution(quantity, Total.COAL_EQUIVALENT, kgce(carrier, sign))
        case Kind.PRODUCTION:
            if device.role is Role.PRODUCT:
                yield Contribution("mass_t", Total.PRODUCTION, 1.0)
            else:
                yield Contribution("mass_t", Total.COAL_EQUIVALENT, kgce(device.carrier, sign))
        case Kind.GANGUE_UNIT:
            yield Contribution("generated_mwh", Total.PRODUCTION, 1.0)
            yield Contribution("auxiliary_mwh", Total.PRODUCTION, -1.0)
            for quantity, lhv_mj_kg in device.lhv_mj_kg.items():
                yield Contribution(quantity, Total.COAL_EQUIVALENT, 1000 * lhv_mj_kg * KGCE_PER_MJ)
            yield Contribution("heat_export_gj", Total.COAL_EQUIVALENT, kgce("heat", -1.0))
        case Kind.LAB | Kind.BATTERY | Kind.SITE_POWER:
            return
        case _:
            assert_never(device.kind)


def boundary_meters(devices: Sequence[Device]) -> list[Device]:
    """Choose the meters at the plant's boundary and of its product."""
    return [device for device in devices if device.role in BOUNDARY and described(device.kind).is_meter]
