"""A registry file for a plant of one's own, made of a few answers: sites, meters, battery sets, what they send to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import ValidationError

from fenhe.clear_errors import PlainError
from schemas.readings import Kind
from schemas.registered.sectors import OTHER, sectors
from schemas.registry import BatterySet, Device, ProductLine, Registry, Role, Sector, Site, known_sector
from schemas.topics import Topic
from streams.kernels.plant.reference import energy_factors

METERS = {
    Kind.ELECTRICITY: ("E", "Electricity meter", "电表", "kW"),
    Kind.WATER: ("W", "Water meter", "水表", "m³/h"),
    Kind.STEAM: ("S", "Steam meter", "蒸汽表", "t/h"),
    Kind.HEAT: ("H", "Heat meter", "热量表", "GJ/h"),
    Kind.GAS: ("G", "Gas meter", "燃气表", "m³/h"),
    Kind.PRODUCTION: ("P", "Product meter", "产量", "t/h"),
}
"""What can be asked for, with the letter of its ids and the unit of its rating."""
CARRIERS = {
    Kind.ELECTRICITY: "electricity",
    Kind.WATER: "fresh_water",
    Kind.STEAM: "steam_saturated",
    Kind.HEAT: "heat",
    Kind.GAS: "natural_gas_low",
}
"""What a meter at the boundary measures unless said otherwise."""


class MeterWish(NamedTuple):
    """One meter that was asked for."""

    kind: Kind
    role: Role | None = None
    """None: the first of a kind counts in the plant's totals, a further one stands behind it."""
    rated: float | None = None
    carrier: str = ""


class BatteryWish(NamedTuple):
    """One battery set that was asked for."""

    nominal_ah: float
    cell_count: int = 16


@dataclass
class SiteWish:
    """What was answered."""

    site_id: str
    name: str
    name_zh: str = ""
    sector: str = OTHER
    city: str = "太原"
    product_unit: str = ""
    meters: list[MeterWish] = field(default_factory=list)
    batteries: list[BatteryWish] = field(default_factory=list)
    period_s: float = 60.0


def parse_meter(text: str) -> MeterWish:
    """Read KIND[:ROLE[:RATED[:CARRIER]]], as `water:consumed:60`. Raises PlainError."""
    kind, role, rated, carrier, *more = [*text.split(":"), "", "", ""][: max(4, text.count(":") + 1)]
    meters = {each.value for each in METERS}
    if kind not in meters:
        msg = f"--meter {text}: no meter is called {kind!r}; there are {', '.join(sorted(meters))}"
        raise PlainError(msg)
    if more or (role and role not in set(Role)):
        msg = f"--meter {text}: write KIND:ROLE:RATED:CARRIER, as water:consumed:60; roles are {', '.join(Role)}"
        raise PlainError(msg)
    if carrier and carrier not in energy_factors().factors:
        msg = f"--meter {text}: no carrier {carrier!r}; there are {', '.join(energy_factors().factors)}"
        raise PlainError(msg)
    return MeterWish(Kind(kind), Role(role) if role else None, _positive(text, rated) if rated else None, carrier)


def parse_battery(text: str) -> BatteryWish:
    """Read AH[:CELLS], as `100:16`. Raises PlainError."""
    ah, _, cells = text.partition(":")
    wish = BatteryWish(_positive(text, ah), round(_positive(text, cells or "16")))
    if not 1 <= wish.cell_count <= 16:  # noqa: PLR2004 - the most cells a message has
        msg = f"--battery {text}: a set has 1 to 16 cells in series"
        raise PlainError(msg)
    return wish


def _positive(text: str, number: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        msg = f"{text}: {number!r} is no positive number"
        raise PlainError(msg)
    return value


def make_registry(wish: SiteWish) -> Registry:
    """Make the registry that was asked for. Raises PlainError where it cannot be."""
    try:
        sector = known_sector(wish.sector)
    except ValueError as error:
        raise PlainError(str(error)) from None
    devices = [*_meters(wish), *_batteries(wish)]
    if not devices:
        msg = "a site needs a meter or a battery set: --meter water:consumed:60, --battery 100:16"
        raise PlainError(msg)
    try:
        site = Site(
            site_id=wish.site_id,
            name=wish.name,
            name_zh=wish.name_zh or wish.name,
            sector=sector,
            city=wish.city,
            product_unit=wish.product_unit or sectors()[sector].product_unit,
            product_lines=[] if sector == Sector.BASE_STATION else [ProductLine(name=wish.name, name_zh=wish.name_zh)],
        )
        return Registry(sites=[site], devices=devices)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        what = first["loc"][-1] if first["loc"] else "site"
        msg = f"{what} {first.get('input', '')!r}: {first['msg'].removeprefix('Value error, ')}"
        raise PlainError(msg) from None


def _meters(wish: SiteWish) -> list[Device]:
    counts: Counter[Kind] = Counter()
    made = []
    for meter in wish.meters:
        counts[meter.kind] += 1
        letter, name, name_zh, _ = METERS[meter.kind]
        first = Role.PRODUCT if meter.kind is Kind.PRODUCTION else Role.CONSUMED
        role = meter.role or (first if counts[meter.kind] == 1 else Role.INTERNAL)
        made.append(
            Device(
                device_id=f"{wish.site_id}-{letter}{counts[meter.kind]}",
                site_id=wish.site_id,
                kind=meter.kind,
                name=f"{name} {counts[meter.kind]}",
                name_zh=f"{counts[meter.kind]}号{name_zh}",
                period_s=wish.period_s,
                role=role,
                carrier=meter.carrier or ("" if role is Role.PRODUCT else CARRIERS.get(meter.kind, "")),
                rated=meter.rated,
            )
        )
    return made


def _batteries(wish: SiteWish) -> list[Device]:
    return [
        Device(
            device_id=f"{wish.site_id}-B{number}",
            site_id=wish.site_id,
            kind=Kind.BATTERY,
            name=f"Battery set {number}",
            name_zh=f"{number}号电池组",
            period_s=wish.period_s,
            battery=BatterySet(cell_count=each.cell_count, nominal_ah=each.nominal_ah, nominal_v=3.2 * each.cell_count),
        )
        for number, each in enumerate(wish.batteries, 1)
    ]


def topics_of(registry: Registry) -> list[str]:
    """What each device sends to."""
    return [str(Topic(each.site_id, each.kind.value, each.device_id)) for each in registry.devices]
