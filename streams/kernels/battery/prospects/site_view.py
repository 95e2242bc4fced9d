"""What views over a base station share: its sets, its power system, and its sets' health at a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from schemas.readings import Kind
from streams.kernels.battery.backup import Store
from streams.kernels.battery.fusion import Belief, faded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from schemas.battery_reference import Fusion
    from schemas.metrics import Row
    from schemas.metrics.battery_prospects import BatterySoh
    from schemas.registry import Device

T = TypeVar("T")


class SohNow(NamedTuple):
    """A set's SoH aged to a moment; shares of nominal."""

    soh: float
    sigma: float


def sets_of(devices: Sequence[Device]) -> dict[str, Device]:
    """Battery sets of a site by id."""
    return {device.device_id: device for device in devices if device.kind is Kind.BATTERY}


def power_ids(devices: Sequence[Device]) -> list[str]:
    """Ids of a site's power systems."""
    return [device.device_id for device in devices if device.kind is Kind.SITE_POWER]


def by_device(rows: Iterable[Row], row_type: type[T]) -> dict[str, list[T]]:
    """Rows of one type by device, in the order given."""
    found: dict[str, list[T]] = {}
    for row in rows:
        if isinstance(row, row_type):
            found.setdefault(row[0], []).append(row)
    return found


def soh_at(
    rows: Sequence[BatterySoh], ts: int, fusion: Fusion, since_ts: int | None = None
) -> tuple[BatterySoh | None, SohNow | None]:
    """The last word on a set's SoH before `ts`, and what it is by then; None where there is none.

    Of a set that took another one's place at `since_ts`, only what was said from then on.
    """
    last = None
    for row in rows:
        if row.ts < ts and not (since_ts is not None and row.ts < since_ts <= ts):
            last = row
    if last is None or last.soh_pct is None or last.sigma_pct is None:
        return last, None
    systematic = fusion.systematic_sigma if last.systematic_pct is None else last.systematic_pct / 100
    own = max(0.0, (last.sigma_pct / 100) ** 2 - systematic**2)
    known = Belief(last.ts, last.soh_pct / 100, own, last.estimates, systematic)
    belief = faded(known, ts, 0.0, fusion)
    return last, SohNow(belief.soh, belief.sigma)


def replaced_ts(device: Device) -> int | None:
    """When a set took the place of another, as registered."""
    return None if device.battery is None else device.battery.valid_from


def shares(sets: Mapping[str, Device], health: Mapping[str, SohNow | None], fusion: Fusion) -> dict[str, float]:
    """Share of the site's load that each set carries: as its capacity, of one never measured as the population's."""
    weights = {}
    for device_id, device in sets.items():
        assert device.battery is not None  # noqa: S101 - a set has one
        known = health.get(device_id)
        weights[device_id] = device.battery.nominal_ah * (fusion.population_soh if known is None else known.soh)
    total = sum(weights.values())
    return {device_id: weight / total for device_id, weight in weights.items()}


def full_store(health: SohNow, share: float, temperature_c: float | None, full_sigma: float) -> Store:
    """A set that is full."""
    return Store(health.soh, health.sigma, 1.0, full_sigma, temperature_c, share)
