"""Sites, devices and battery sets: what is known of a thing before it sends its first reading.

Registered in the database, imported from and exported to YAML, validated by these models.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from schemas.cycling import BatteryUse, TariffPeriod, checked_tariff
from schemas.detection import Overrides, checked_overrides, checked_site_overrides
from schemas.kinds import unit_of
from schemas.meter_changes import Factor, MeterChange, Terms, terms_of, wrong_with
from schemas.quantity import CalendarTime, Identifier
from schemas.readings import MODELS, Kind, Reading, registers_of
from schemas.sectors import OTHER, sectors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


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


class Role(StrEnum):
    """How a meter enters its plant's balance."""

    CONSUMED = "consumed"
    """Crosses the plant's boundary inwards: counts in the totals."""
    EXPORTED = "exported"
    """Crosses the boundary outwards: is subtracted."""
    PRODUCT = "product"
    """Measures the product: the denominator of every per-tonne figure."""
    INTERNAL = "internal"
    """A sub-meter: shown, never added to a total that already holds it."""
    REUSED = "reused"
    """Water used again (重复利用水量): the reuse rate's numerator, never part of the intake."""
    STORED = "stored"
    """Water into a tank: it left the intake and was not used yet."""
    DRAWN = "drawn"
    """Water out of a tank."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


WHOLE_PLANT = "plant"
"""Name of the product line that is the whole plant; every plant has it, declared or not."""


class ProductLine(_Model):
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


class Part(_Model):
    """One meter's contribution to a virtual meter."""

    meter_id: Identifier
    """A device of the same site, or another virtual meter of it."""
    quantity: str
    """Field of the device's reading, or the virtual meter's quantity, for example `volume_m3`."""
    sign: Literal[1, -1] = 1
    factor: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """The virtual meter's unit per the register's; needed where the two units differ, otherwise 1."""


class VirtualMeter(_Model):
    """A sum or difference of meters: configuration, not a device; its minutes stand beside those of real meters."""

    meter_id: Identifier
    name: str = ""
    name_zh: str = ""
    kind: Kind
    """Kind of meter it stands for; its quantity is one of that kind's registers."""
    quantity: str
    role: Role = Role.INTERNAL
    carrier: str = ""
    parts: Annotated[tuple[Part, ...], Field(min_length=1)]

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


class Site(_Model):
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
    def _lines_are_told_apart(self) -> Self:
        names = [line.line_id for line in self.product_lines]
        if len(set(names)) != len(names):
            msg = f"site {self.site_id}: a line_id stands twice"
            raise ValueError(msg)
        for line in self.product_lines:
            if (line.line_id == WHOLE_PLANT) != (not line.meters):
                msg = f"site {self.site_id}: line {line.line_id!r} needs meters, and only {WHOLE_PLANT!r} has none"
                raise ValueError(msg)
        return self


class Bounds(_Model):
    """A valid range of this device's own, in place of the model's."""

    low: float | None = None
    high: float | None = None


class Chemistry(StrEnum):
    """A kind of battery cell; its curve and limits are reference data (`streams/kernels/battery/reference`)."""

    LFP = "lfp"
    """Lithium iron phosphate (磷酸铁锂)."""
    LI_ION = "li_ion"
    """Other lithium-ion cells, charged to about 4.2 V: capacity from full discharges alone."""


LFP_NOMINAL_CELL_V = (3.0, 3.4)
"""Nominal voltage of a cell that is taken for LFP where the registry names no chemistry. (unsourced)"""


class BatterySet(_Model):
    """What is registered of a second-life (梯次) battery set, beside the device itself."""

    cell_count: Annotated[int, Field(ge=1, le=16)] = 16
    nominal_ah: Annotated[float, Field(gt=0)]
    nominal_v: Annotated[float, Field(gt=0)] = 51.2
    contract_h: Annotated[float, Field(ge=0)] = 3.0
    """Backup hours owed to the base station by contract."""
    maker: str = ""
    batch: str = ""
    trace_code: str = ""
    """National traceability code of the set (GB/T 34014); empty where none is given."""
    first_life: str = ""
    """What it was before, such as `city bus, 2016-2022`."""
    commissioned_on: str = ""
    """Date, YYYY-MM-DD; empty where it is not known."""
    chemistry: Chemistry | None = None
    """None: told from nominal_v / cell_count."""
    cutoff_cell_v: Annotated[float, Field(gt=0)] | None = None
    """Loaded voltage of the weakest cell at which a discharge is over; None: the chemistry's."""
    cutoff_v: Annotated[float, Field(gt=0)] | None = None
    """Loaded voltage of the whole set at which a discharge is over as well; None: only cells count."""
    valid_from: CalendarTime | None = None
    """When the present set took its predecessor's place: what was measured before is another set's."""
    float_cell_v: Annotated[float, Field(gt=0)] | None = None
    """At or above this voltage an idle cell is on float, or full; None: the chemistry's."""
    use: BatteryUse = BatteryUse.BACKUP
    tariff: Annotated[tuple[TariffPeriod, ...], AfterValidator(checked_tariff)] = ()
    """Prices by which cycling earns; hours in no period have none."""

    @property
    def chemistry_name(self) -> Chemistry:
        """The registered chemistry, or what the nominal voltage of a cell says."""
        if self.chemistry is not None:
            return self.chemistry
        low, high = LFP_NOMINAL_CELL_V
        return Chemistry.LFP if low <= self.nominal_v / self.cell_count <= high else Chemistry.LI_ION


GAP_PERIODS = 3
"""A gap is more than this many of a device's periods without a reading. Source: specification "Message model"."""


class Device(_Model):
    """A meter, a unit's control system, a laboratory, a battery set or a site's power system."""

    device_id: Identifier
    site_id: Identifier
    kind: Kind
    name: str = ""
    name_zh: str = ""
    period_s: Annotated[float, Field(gt=0)] = 60.0
    """Usual time between two readings."""
    role: Role = Role.INTERNAL
    carrier: str = ""
    """Key of the energy conversion factor, for example `natural_gas_low`; empty where the kind says it all."""
    rated: Annotated[float, Field(gt=0)] | None = None
    """Rated power (kW, or MW of a unit) or maximum flow (m³/h or t/h)."""
    accuracy: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Relative error of the meter, 0.01 for ±1 %; None: the reference data's default."""
    rollover: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    """Value at which a register starts again from zero, by register."""
    multiplier: dict[str, Factor] = Field(default_factory=dict)
    """What registers and their instantaneous values are multiplied by: {"energy_import_kwh": 80, "power_kw": 80} of a
    meter that shows what its transformers pass on."""
    changes: tuple[MeterChange, ...] = ()
    """What of the meter was another from a moment on, in the order of time."""
    lhv_mj_kg: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    """Fuel heat value used until the laboratory's arrives, by register: {"gangue_t": 13.2}."""
    ranges: dict[str, Bounds] = Field(default_factory=dict)
    absent_values: dict[str, Annotated[list[float], Field(min_length=1)]] = Field(default_factory=dict)
    """Values by which this device says that it measures nothing, by field: {"temperature_c": [6553.5]}."""
    first_day: CalendarTime | None = None
    """From when on it can have measured anything; what is older is `clock_behind`, and nothing else is. None: 400 days
    before a reading arrives."""
    battery: BatterySet | None = None
    detection: Annotated[Overrides, AfterValidator(checked_overrides)] = Field(default_factory=dict)
    """Detector parameters of this device's own: {"night_flow": {"jump_z": 8}}; {"drift": {"enabled": false}}."""

    @model_validator(mode="after")
    def _absent_values_are_of_its_fields(self) -> Self:
        for field in self.absent_values:
            if field not in MODELS[self.kind].model_fields or field in Reading.model_fields:
                msg = f"device {self.device_id}: absent_values names {field}, which is no measured field of {self.kind}"
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _changes_are_of_its_fields(self) -> Self:
        if (wrong := wrong_with(self.kind, self.multiplier, self.changes)) is not None:
            msg = f"device {self.device_id}: {wrong}"
            raise ValueError(msg)
        return self

    @property
    def gap_ms(self) -> float:
        """No reading for longer than this is a gap, over which nothing is integrated, ms."""
        return GAP_PERIODS * self.period_s * 1000

    @property
    def is_as_it_shows(self) -> bool:
        """Whether nothing it shows is multiplied, and nothing of it has ever changed."""
        return not self.multiplier and not self.changes

    def terms(self, field: str) -> tuple[Terms, ...]:
        """What has held of one of its fields, the earliest first."""
        return terms_of(
            field, multiplier=self.multiplier, rated=self.rated, rollover=self.rollover, changes=self.changes
        )

    def terms_at(self, field: str, ts: int) -> Terms:
        """What holds of one of its fields at a moment, ms."""
        return next(terms for terms in reversed(self.terms(field)) if ts >= terms.since)

    def rated_at(self, ts: int) -> float | None:
        """Its rating at a moment, ms."""
        return self.rated if not self.changes else self.terms_at("", ts).rated

    @model_validator(mode="after")
    def _battery_needs_its_set(self) -> Self:
        if (self.kind is Kind.BATTERY) != (self.battery is not None):
            msg = f"device {self.device_id}: kind battery and a battery section belong together"
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


class Registry(_Model):
    """A whole registry, as in a YAML file."""

    sites: list[Site] = Field(default_factory=list)
    devices: list[Device] = Field(default_factory=list)

    @model_validator(mode="after")
    def _references(self) -> Self:
        sites = {site.site_id for site in self.sites}
        if len(sites) != len(self.sites):
            msg = "a site_id stands twice"
            raise ValueError(msg)
        if len({device.device_id for device in self.devices}) != len(self.devices):
            msg = "a device_id stands twice"
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
