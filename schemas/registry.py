"""Sites, devices and battery sets: what is known of a thing before it sends its first reading.

Registered in the database, imported from and exported to YAML, validated by these models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import yaml
from pydantic import Field, model_validator

from schemas.kinds import unit_of
from schemas.readings import registers_of
from schemas.registered.devices import (
    GAP_PERIODS,
    LFP_NOMINAL_CELL_V,
    BatterySet,
    Chemistry,
    Device,
    RegistryModel,
    Role,
    ValidRange,
)
from schemas.registered.sites import (
    WHOLE_PLANT,
    ProductLine,
    Sector,
    Site,
    VirtualMeter,
    VirtualPart,
    flattened,
    known_sector,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "GAP_PERIODS",
    "LFP_NOMINAL_CELL_V",
    "WHOLE_PLANT",
    "BatterySet",
    "Chemistry",
    "Device",
    "ProductLine",
    "Registry",
    "Role",
    "Sector",
    "Site",
    "ValidRange",
    "VirtualMeter",
    "VirtualPart",
    "flattened",
    "known_sector",
]


def _check_virtual_meters(site: Site, devices: Mapping[str, Device]) -> None:
    """Hold a site's virtual meters against its devices. Raises ValueError with what to mend."""
    virtual = {meter.meter_id: meter for meter in site.virtual_meters}
    for meter in site.virtual_meters:
        for part in meter.parts:
            where = f"virtual meter {meter.meter_id}: part {part.meter_id}"
            device, other = devices.get(part.meter_id), virtual.get(part.meter_id)
            if other is not None:
                known: tuple[str, ...] = (other.quantity,)
            elif device is None:
                msg = f"{where} is neither a device nor a virtual meter in the registry"
                raise ValueError(msg)
            elif device.site_id != site.site_id:
                msg = f"{where} belongs to site {device.site_id}, not to {site.site_id}"
                raise ValueError(msg)
            else:
                known = registers_of(device.kind)
            if part.quantity not in known:
                msg = f"{where} has no register {part.quantity}; it has {', '.join(known) or 'none'}"
                raise ValueError(msg)
            if part.factor is None and unit_of(part.quantity) != unit_of(meter.quantity):
                msg = (
                    f"{where} counts in {unit_of(part.quantity)}, the virtual meter in {unit_of(meter.quantity)}:"
                    " give the part a factor that converts it"
                )
                raise ValueError(msg)
    flattened(site.site_id, site.virtual_meters)


def _twice(ids: Iterable[str]) -> str:
    """Name the first id that stands twice."""
    seen: set[str] = set()
    return next(each for each in ids if each in seen or seen.add(each))  # type: ignore[func-returns-value]


class Registry(RegistryModel):
    """A whole registry, as in a YAML file."""

    sites: list[Site] = Field(default_factory=list)
    devices: list[Device] = Field(default_factory=list)

    @model_validator(mode="after")
    def _references(self) -> Self:
        sites = {site.site_id for site in self.sites}
        if len(sites) != len(self.sites):
            msg = f"site_id {_twice(site.site_id for site in self.sites)} stands twice"
            raise ValueError(msg)
        if len({device.device_id for device in self.devices}) != len(self.devices):
            msg = f"device_id {_twice(device.device_id for device in self.devices)} stands twice"
            raise ValueError(msg)
        of_site = {device.device_id: device.site_id for device in self.devices}
        for site in self.sites:
            for line in site.product_lines:
                for meter in line.meters:
                    if of_site.get(meter) != site.site_id:
                        msg = f"line {line.line_id} of site {site.site_id} names {meter}, which is no device of it"
                        raise ValueError(msg)
        for device in self.devices:
            if device.site_id not in sites:
                msg = f"device {device.device_id} names site {device.site_id}, which is not in the registry"
                raise ValueError(msg)
        return self

    def as_yaml(self) -> str:
        """The registry as YAML that `fenhe registry import` takes; what has its default value is left out."""
        return yaml.safe_dump(self.model_dump(mode="json", exclude_defaults=True), allow_unicode=True, sort_keys=False)

    @model_validator(mode="after")
    def _virtual_meters(self) -> Self:
        devices = {device.device_id: device for device in self.devices}
        taken = set(devices)
        for site in self.sites:
            for meter in site.virtual_meters:
                if meter.meter_id in taken:
                    msg = f"virtual meter {meter.meter_id}: another meter or device has this id"
                    raise ValueError(msg)
                taken.add(meter.meter_id)
            _check_virtual_meters(site, devices)
        return self
