"""What a plant makes, quarter by quarter."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from schemas.readings import Kind
from schemas.registry import Role
from schemas.time import HOUR_MS, QUARTER_MS
from streams.kernels.plant.boundary import boundary_meters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.metrics import MeterQuarter
    from schemas.registry import Device

PER_HOUR = HOUR_MS // QUARTER_MS


def product_meters(devices: Sequence[Device]) -> list[Device]:
    """Choose what measures the product: meters of that role, and gangue units, which are their own."""
    return [meter for meter in boundary_meters(devices) if meter.role is Role.PRODUCT or meter.kind is Kind.GANGUE_UNIT]


def register_of(product: Device) -> str:
    """Name the register that counts the product."""
    return "generated_mwh" if product.kind is Kind.GANGUE_UNIT else "mass_t"


def production(
    products: Sequence[Device], quarters: Mapping[tuple[str, int], Mapping[str, MeterQuarter]], ts: int
) -> float | None:
    """Product units an hour in a quarter; None where a product meter is not known, or there is none."""
    amounts: list[float] = []
    for meter in products:
        row = quarters.get((meter.device_id, ts), {}).get(register_of(meter))
        if row is None or row.increment is None or row.known < 1.0:
            return None
        amounts.append(PER_HOUR * row.increment)
    return math.fsum(amounts) if amounts else None
