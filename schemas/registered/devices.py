"""What is registered of a device: a meter, a unit's controls, a laboratory, a battery set, a site's power system."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from schemas.detection import Overrides, checked_overrides
from schemas.quantity import CalendarTime, Identifier, QuarterOfDay
from schemas.readings import MODELS, Kind, Reading
from schemas.registered.cycling import BatteryUse, TariffPeriod, checked_tariff
from schemas.registered.meter_changes import Factor, MeterChange, Terms, terms_of, wrong_with


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


class RegistryModel(BaseModel):
    """Registered: unknown fields are refused, and nothing is changed in place."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ValidRange(RegistryModel):
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


class BatterySet(RegistryModel):
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
"""A gap is more than this many of a device's periods without a reading.

Source: docs/detection.md, "Numbers and their sources".
"""


class Device(RegistryModel):
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
    ranges: dict[str, ValidRange] = Field(default_factory=dict)
    absent_values: dict[str, Annotated[list[float], Field(min_length=1)]] = Field(default_factory=dict)
    """Values by which this device says that it measures nothing, by field: {"temperature_c": [6553.5]}."""
    first_day: CalendarTime | None = None
    """From when on it can have measured anything; what is older is `clock_behind`, and nothing else is. None: judged by
    the time of arrival and the newest reading."""
    day_starts: QuarterOfDay | None = None
    """When the day of a meter that is read once a day begins, such as 08:00 in China; None: at midnight."""
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
