"""What a registry says that cannot be meant: refused at import, with the entry, the field and what to write instead.

The models of `schemas.registry` hold what any registry must; this is asked only when one is imported, so that a
registry that is in the database already goes on being read.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.kinds import unit_of
from schemas.registered.devices import Role
from schemas.registered.plausible import odd_fields, odd_role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from schemas.registry import Device, Registry, Site, VirtualMeter

LEAST_DIGITS = 3
"""A register with fewer digits is not looked at: 99 may be a modulus of its own."""


class Nonsense(NamedTuple):
    """An entry that cannot be meant so."""

    entry: str
    """Id of the device or site."""
    field: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.entry}: {self.field}: {self.sentence}"


class NonsenseError(ValueError):
    """A registry holds entries that cannot be meant."""

    def __init__(self, found: Iterable[Nonsense]) -> None:
        self.found = tuple(found)
        super().__init__("\n".join(str(each) for each in self.found))


def check(registry: Registry, more: Iterable[Nonsense] = ()) -> None:
    """Refuse what cannot be meant, `more` with it. Raises NonsenseError with all there is of it."""
    found = [
        *(each for device in registry.devices for each in _of_device(device)),
        *(each for site in registry.sites for each in _of_site(site, registry)),
        *more,
    ]
    if found:
        raise NonsenseError(found)


def _of_device(device: Device) -> Iterable[Nonsense]:
    yield from (Nonsense(device.device_id, *odd) for odd in odd_fields(device))
    yield from _rollovers(device.device_id, "rollover", device.rollover)
    for number, change in enumerate(device.changes):
        yield from _rollovers(device.device_id, f"changes.{number}.rollover", change.rollover)


def _rollovers(device_id: str, field: str, rollover: Mapping[str, float]) -> Iterable[Nonsense]:
    for register, value in rollover.items():
        modulus = modulus_meant(value)
        if modulus is not None:
            yield Nonsense(
                device_id,
                f"{field}.{register}",
                f"{value:.12g} is the highest value the register shows; a rollover is the value at which it starts"
                f" again from zero. Write {modulus:.12g}",
            )


NO_PRODUCT_UNITS = {"kg", "g", "kt", "Mt", "吨", "公斤", "千克", "万吨", ""}
"""Weights are registered in tonnes, and so is what is divided by them."""


def _of_site(site: Site, registry: Registry) -> Iterable[Nonsense]:
    if site.product_unit in NO_PRODUCT_UNITS:
        sentence = f"{site.product_unit!r}: products by weight are counted in t, and power plants' in MWh"
        yield Nonsense(site.site_id, "product_unit", sentence)
    devices = {device.device_id: device for device in registry.devices}
    if site.site_id in devices:
        yield Nonsense(site.site_id, "device_id", "a device is called as this site: give it a name of its own")
    for line in site.product_lines:
        for meter_id in {meter for meter in line.meters if line.meters.count(meter) > 1}:
            yield Nonsense(site.site_id, "product_lines", f"line {line.line_id} names {meter_id} twice")
    for meter in site.virtual_meters:
        if meter.meter_id in {each.site_id for each in registry.sites}:
            yield Nonsense(meter.meter_id, "meter_id", "a site has this id: give the virtual meter a name of its own")
        yield from (Nonsense(meter.meter_id, *odd) for odd in odd_role(meter.kind, meter.role))
        yield from (Nonsense(meter.meter_id, "parts", sentence) for sentence in _odd_parts(meter, devices))


COUNTED = {Role.CONSUMED, Role.EXPORTED, Role.PRODUCT}
"""Roles by which a meter adds to its plant's totals."""
CONVERSIONS = {("mwh", "kwh"): 1000.0, ("kwh", "mwh"): 0.001}
LOSS_AT_MOST = 2.0
"""A factor may add what a transformer loses or take a share; further from the conversion it is a slip. (unsourced)"""


def _odd_parts(meter: VirtualMeter, devices: Mapping[str, Device]) -> Iterable[str]:
    seen: set[tuple[str, str]] = set()
    for part in meter.parts:
        if (part.meter_id, part.quantity) in seen:
            yield f"{part.meter_id} stands among them twice"
        seen.add((part.meter_id, part.quantity))
        units = (unit_of(part.quantity), unit_of(meter.quantity))
        known = 1.0 if units[0] == units[1] else CONVERSIONS.get(units)
        far = part.factor is not None and known is not None and part.factor / known > LOSS_AT_MOST
        if part.factor is not None and units[0] == units[1] and far:
            yield f"{part.meter_id} counts in {units[0]} already: its factor {part.factor:g} is of another unit"
        elif part.factor is not None and known is not None and (far or part.factor / known < 1 / LOSS_AT_MOST):
            yield f"{part.meter_id} counts in {units[0]}: its factor into {units[1]} is {known:g}, not {part.factor:g}"
        device = devices.get(part.meter_id)
        counts = meter.role is not Role.EXPORTED or part.quantity == meter.quantity
        if device is not None and meter.role in COUNTED and device.role is meter.role and part.sign > 0 and counts:
            yield (
                f"{part.meter_id} is {meter.role} by itself, and would be counted twice: register one of the two as"
                " internal"
            )


def modulus_meant(value: float) -> float | None:
    """The modulus that is meant by a register's highest value, 99 999 999 or 99 999.99; None where it may be one."""
    if value <= 0:
        return None
    power = 10.0 ** math.ceil(math.log10(value))
    if power < 10.0**LEAST_DIGITS or power == value:
        return None
    for digits in range(5):
        if math.isclose(value, power - 10.0**-digits, rel_tol=0.0, abs_tol=10.0 ** -(digits + 2)):
            return power
    return None
