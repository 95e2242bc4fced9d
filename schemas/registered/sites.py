"""What is registered of a site: its sector, its product lines, and meters that are sums of others."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from schemas.detection import Overrides, checked_site_overrides
from schemas.quantity import Identifier
from schemas.readings import Kind, registers_of
from schemas.registered.devices import Device, RegistryModel, Role
from schemas.registered.sectors import OTHER, sectors

if TYPE_CHECKING:
    from collections.abc import Iterable


class Sector(StrEnum):
    """Sectors that code knows by name: their plants are simulated. All there are: `schemas/sectors.yaml`."""

    GANGUE_POWER = "gangue_power"
    STEEL = "steel"
    COKING = "coking"
    AMMONIA = "ammonia"
    METHANOL = "methanol"
    CEMENT = "cement"
    ALUMINIUM = "aluminium"
    CAUSTIC_SODA = "caustic_soda"
    BASE_STATION = "base_station"


def known_sector(name: str) -> str:
    """Let a sector's key through that `schemas/sectors.yaml` has; ValueError names the others."""
    if name not in sectors():
        msg = f"there is no sector {name!r}: take `{OTHER}`, or one of {', '.join(sectors())}"
        raise ValueError(msg)
    return Sector(name) if name in set(Sector) else name


WHOLE_PLANT = "plant"
"""Name of the product line that is the whole plant; every plant has it, declared or not."""


class ProductLine(RegistryModel):
    """A product, its limits, and the meters that stand for its energy, water and output."""

    line_id: Identifier = WHOLE_PLANT
    name: str = ""
    name_zh: str = ""
    product: str = ""
    """Key of the energy limit in the reference data, `eaf_70`; empty: held to none."""
    water_quota: str = ""
    """Key of the water quota in the reference data, `steel_eaf`; empty: held to none."""
    meters: list[Identifier] = Field(default_factory=list)
    """Devices whose roles add up to the line; empty: every device of the site, which is the whole plant."""
    parameters: dict[str, Annotated[float, Field(ge=0, le=100)]] = Field(default_factory=dict)
    """Properties its limit is corrected by, per cent: {"clinker_ratio_pct": 78}."""
    idle_production_per_h: Annotated[float, Field(ge=0)] = 0.0
    """Output below which the line counts as standing still at night, product units an hour."""


class VirtualPart(RegistryModel):
    """One meter's contribution to a virtual meter."""

    meter_id: Identifier
    """A device of the same site, or another virtual meter of it."""
    quantity: str
    """Field of the device's reading, or the virtual meter's quantity, for example `volume_m3`."""
    sign: Literal[1, -1] = 1
    factor: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """The virtual meter's unit per the register's; needed where the two units differ, otherwise 1."""


class VirtualMeter(RegistryModel):
    """A sum or difference of meters: configuration, not a device; its minutes stand beside those of real meters."""

    meter_id: Identifier
    name: str = ""
    name_zh: str = ""
    kind: Kind
    """Kind of meter it stands for; its quantity is one of that kind's registers."""
    quantity: str
    role: Role = Role.INTERNAL
    carrier: str = ""
    parts: Annotated[tuple[VirtualPart, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _quantity_is_a_register(self) -> Self:
        known = registers_of(self.kind)
        if self.quantity not in known:
            msg = f"virtual meter {self.meter_id}: a {self.kind} meter has no register {self.quantity}"
            msg += f"; it has {', '.join(known)}" if known else ""
            raise ValueError(msg)
        return self

    def as_device(self, site: Site) -> Device:
        """Describe it as the meter it stands for: what a kernel over its rows is given as their subject."""
        return Device(
            device_id=self.meter_id,
            site_id=site.site_id,
            kind=self.kind,
            name=self.name,
            name_zh=self.name_zh,
            role=self.role,
            carrier=self.carrier,
        )


class Site(RegistryModel):
    """A plant or a base station."""

    site_id: Identifier
    name: str
    name_zh: str
    sector: Annotated[str, AfterValidator(known_sector)]
    """Key of a sector in `schemas/sectors.yaml`; `other` where none fits."""
    city: str
    """City as in 朔州, 晋城, 长治; Chinese, it is a name."""
    product_unit: str = "t"
    """Unit of the product that per-product figures are divided by: t, or MWh for a power plant."""
    product_lines: list[ProductLine] = Field(default_factory=list)
    """Its products; the one called `plant` is the whole plant and is added where it is not declared."""
    virtual_meters: tuple[VirtualMeter, ...] = ()
    """Sums and differences of its meters."""
    detection: Annotated[Overrides, AfterValidator(checked_site_overrides)] = Field(default_factory=dict)
    """Parameters of this site's own of `limit`, `quota`, `balance` and `efficiency`."""

    coal_yuan_t: Annotated[float, Field(ge=50, le=20_000)] | None = None
    """Price of a tonne of coal equivalent, yuan (标煤单价), which turns spent energy into money; None: not known."""

    @cached_property
    def virtual_terms(self) -> dict[str, dict[tuple[str, str], float]]:
        """Every virtual meter down to (device, register) of real ones, with the factor each counts with, by its id.

        Raises ValueError where one holds itself.
        """
        return flattened(self.site_id, self.virtual_meters)

    @property
    def lines(self) -> list[ProductLine]:
        """All product lines, the whole plant first."""
        declared = [line for line in self.product_lines if line.line_id != WHOLE_PLANT]
        whole = [line for line in self.product_lines if line.line_id == WHOLE_PLANT]
        return [*(whole or [ProductLine(name=self.name, name_zh=self.name_zh)]), *declared]

    @model_validator(mode="after")
    def _line_ids_are_unique(self) -> Self:
        names = [line.line_id for line in self.product_lines]
        if len(set(names)) != len(names):
            msg = f"site {self.site_id}: a line_id stands twice"
            raise ValueError(msg)
        for line in self.product_lines:
            if (line.line_id == WHOLE_PLANT) != (not line.meters):
                msg = f"site {self.site_id}: line {line.line_id!r} needs meters, and only {WHOLE_PLANT!r} has none"
                raise ValueError(msg)
        return self


def flattened(site_id: str, meters: Iterable[VirtualMeter]) -> dict[str, dict[tuple[str, str], float]]:
    """Resolve virtual meters that are made of others; a register that enters twice counts with the sum of its factors.

    Raises ValueError where one holds itself, directly or through others.
    """
    by_id = {meter.meter_id: meter for meter in meters}
    found: dict[str, dict[tuple[str, str], float]] = {}

    def resolve(meter_id: str, path: tuple[str, ...]) -> dict[tuple[str, str], float]:
        if meter_id in path:
            msg = f"site {site_id}: virtual meters hold each other: {' → '.join((*path, meter_id))}"
            raise ValueError(msg)
        if meter_id not in found:
            terms: dict[tuple[str, str], float] = {}
            for part in by_id[meter_id].parts:
                factor = part.sign * (1.0 if part.factor is None else part.factor)
                inner = (
                    resolve(part.meter_id, (*path, meter_id))
                    if part.meter_id in by_id
                    else {(part.meter_id, part.quantity): 1.0}
                )
                for register, weight in inner.items():
                    terms[register] = terms.get(register, 0.0) + factor * weight
            found[meter_id] = terms
        return found[meter_id]

    for meter_id in by_id:
        resolve(meter_id, ())
    return found
