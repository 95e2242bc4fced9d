"""What a kind of device is: the one home of everything that follows from a kind alone.

Whoever needs a fact of a kind (which registers it has, which field is its rate, what its rating bounds) asks here.
A new kind is a new branch of `_described`, and of `_contributions` in `streams/kernels/plant/boundary.py`: mypy names
both by `assert_never`. `docs/add-a-device-kind.md` lists what else it touches.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, assert_never

from schemas.readings import Kind
from schemas.words import Text

if TYPE_CHECKING:
    from collections.abc import Mapping


class Medium(StrEnum):
    """What a plant's energy and water are summed by: the column it stands in."""

    ELECTRICITY = "electricity"
    GAS = "gas"
    HEAT = "heat"
    FUEL = "fuel"
    WATER = "water"


class Rate(NamedTuple):
    """The instantaneous value beside a register, in its unit per hour, and the sign with which it is counted."""

    field: str
    sign: float = 1.0


class RatedBound(NamedTuple):
    """A field that is held against the device's rating: lowest and highest value, as multiples of it."""

    field: str
    low: float
    high: float


class KindOfDevice(NamedTuple):
    """Facts of one kind."""

    name: Text
    totals: tuple[str, ...] = ()
    """Registers that stand for it on a page: the first one that a reading holds."""
    rates: tuple[str, ...] = ()
    """Instantaneous values that stand for it, likewise; `RATE_UNIT_NAMES` has the unit of each."""
    rate_of: Mapping[str, Rate] = MappingProxyType({})
    """The instantaneous value that says how fast a register counts, by register."""
    rated_registers: frozenset[str] = frozenset()
    """Registers that the device's rating speaks of: kW, MW, m³/h or t/h of kWh, MWh, m³ or t."""
    rated_bounds: tuple[RatedBound, ...] = ()
    highest: Mapping[str, float] = MappingProxyType({})
    """Highest value of a field, where this kind's is lower than its model's."""
    medium: Medium | None = None
    """None: it carries nothing that a plant's totals hold."""
    balanced: Mapping[str, float] = MappingProxyType({})
    """Registers by which a plant's energy is balanced, with their sign; none: a meter of it has no such balance."""

    @property
    def counted(self) -> str | None:
        """The one register by which meters of it are added up: that of its totals which its rating speaks of."""
        return next((register for register in self.totals if register in self.rated_registers), None)

    @property
    def is_meter(self) -> bool:
        """Whether it has registers that metering follows."""
        return bool(self.totals)


_FLOW_BOUNDS = (RatedBound("flow_m3_h", -0.1, 1.2), RatedBound("flow_t_h", -0.1, 1.2))
_FLOW_RATES = MappingProxyType({"volume_m3": Rate("flow_m3_h"), "mass_t": Rate("flow_t_h")})
_LOW_PRESSURE = MappingProxyType({"pressure_mpa": 4.0})
"""Pressure of water and gas, MPa; steam goes to 40 (message model)."""


def _described(kind: Kind) -> KindOfDevice:  # noqa: C901, PLR0911 - one case a kind
    match kind:
        case Kind.ELECTRICITY:
            return KindOfDevice(
                Text("电", "electricity"),
                totals=("energy_import_kwh",),
                rates=("power_kw",),
                rate_of={"energy_import_kwh": Rate("power_kw"), "energy_export_kwh": Rate("power_kw", -1.0)},
                rated_registers=frozenset({"energy_import_kwh", "energy_export_kwh", "reactive_kvarh"}),
                rated_bounds=(RatedBound("power_kw", -1.2, 1.2),),
                medium=Medium.ELECTRICITY,
                balanced={"energy_import_kwh": 1.0, "energy_export_kwh": -1.0},
            )
        case Kind.WATER:
            return _flow(Text("水", "water"), "volume_m3", Medium.WATER, highest=_LOW_PRESSURE)
        case Kind.STEAM:
            return _flow(Text("蒸汽", "steam"), "mass_t", Medium.HEAT, balanced={"mass_t": 1.0})
        case Kind.HEAT:
            return KindOfDevice(
                Text("热量", "heat"),
                totals=("heat_gj",),
                rates=("flow_m3_h",),
                rate_of=_FLOW_RATES,
                rated_registers=frozenset({"heat_gj"}),
                medium=Medium.HEAT,
            )
        case Kind.GAS:
            gas = Text("燃气", "gas")
            return _flow(gas, "volume_m3", Medium.GAS, highest=_LOW_PRESSURE, balanced={"volume_m3": 1.0})
        case Kind.PRODUCTION:
            return KindOfDevice(
                Text("产量", "production"),
                totals=("mass_t",),
                rated_registers=frozenset({"mass_t"}),
                medium=Medium.FUEL,
            )
        case Kind.GANGUE_UNIT:
            return KindOfDevice(
                Text("煤矸石机组", "gangue unit"),
                totals=("generated_mwh",),
                rates=("power_mw",),
                rate_of={"generated_mwh": Rate("power_mw")},
                rated_registers=frozenset({"generated_mwh", "auxiliary_mwh"}),
                rated_bounds=(RatedBound("power_mw", 0.0, 1.1),),
                medium=Medium.FUEL,
            )
        case Kind.LAB:
            return KindOfDevice(Text("化验", "laboratory"))
        case Kind.BATTERY:
            return KindOfDevice(Text("电池组", "battery"))
        case Kind.SITE_POWER:
            return KindOfDevice(Text("站点电源", "site power"))
        case _:
            assert_never(kind)


def _flow(
    name: Text,
    rated: str,
    medium: Medium,
    *,
    highest: Mapping[str, float] = MappingProxyType({}),
    balanced: Mapping[str, float] = MappingProxyType({}),
) -> KindOfDevice:
    """Describe a flow meter; `rated` is the register that its rating speaks of."""
    return KindOfDevice(
        name,
        totals=("volume_m3", "mass_t"),
        rates=("flow_m3_h", "flow_t_h"),
        rate_of=_FLOW_RATES,
        rated_registers=frozenset({rated}),
        rated_bounds=_FLOW_BOUNDS,
        highest=highest,
        medium=medium,
        balanced=balanced,
    )


@cache
def described(kind: Kind) -> KindOfDevice:
    """Facts of a kind."""
    return _described(kind)


METERS = frozenset(kind for kind in Kind if described(kind).is_meter)
"""Kinds with registers."""


def unit_of(register: str) -> str:
    """Unit in a register's name: `kwh` of `energy_import_kwh`."""
    return register.rpartition("_")[2]


UNIT_NAMES = {"kwh": "kWh", "mwh": "MWh", "gj": "GJ", "kvarh": "kvarh", "m3": "m3", "t": "t"}
"""How people write the units that registers' names end in."""


def unit_name(register: str) -> str:
    """Name a register's unit as people write it: `kWh` of `energy_import_kwh`, and of `kwh`."""
    unit = unit_of(register)
    return UNIT_NAMES.get(unit, unit)


RATE_UNIT_NAMES = {"power_kw": "kW", "power_mw": "MW", "flow_m3_h": "m3/h", "flow_t_h": "t/h"}
"""How people write the unit of an instantaneous value, by its field: of all `rates` of every kind."""


def rate_unit_name(register: str) -> str:
    """Name the unit of a register's mean rate: `kW` of `energy_import_kwh`, `m3/h` of `volume_m3`."""
    unit = unit_name(register)
    return unit.removesuffix("h") if unit.endswith("Wh") else f"{unit}/h"
