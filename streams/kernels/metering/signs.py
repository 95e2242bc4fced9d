"""Whether an electricity meter's power has the sign that its registers say: a clamp may be the wrong way round."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics import MeterEventKind
from streams.kernels.metering.telling import Teller

if TYPE_CHECKING:
    from schemas.metrics import Row
    from schemas.readings import ElectricityReading
    from schemas.registry import Device

CROSSED_SHARE = 0.2
"""Two registers changed places where each goes on with what the other one showed, within this share of what they lay
apart. (unsourced)"""
CONTRADICTING_READINGS = 3
"""Readings in a row whose power contradicts what the registers counted, before that is told. (unsourced)"""
MOST_AGAINST = 24
"""Readings that have to agree, at most, before registers that have changed places are believed: where the load turns
between two readings power seems to agree now and then. (unsourced)"""


class Signs(NamedTuple):
    """The newest reading of power and registers, and how long they have contradicted each other."""

    ts: int
    power_kw: float | None
    imported_kwh: float | None
    exported_kwh: float | None
    wrong: int = 0
    since: int = 0
    against: int = 0
    """The two registers went on with each other's values: so many readings more must agree before that is believed."""

    @property
    def is_crossed(self) -> bool:
        """Whether the registers have changed places, and power contradicts them since."""
        return self.against > 0 and (self.wrong > 0 or self.against > CONTRADICTING_READINGS)


def look(signs: Signs | None, reading: ElectricityReading, device: Device, rows: list[Row]) -> tuple[Signs, bool]:
    """Take a reading; and whether its power contradicts what the registers counted since the one before."""
    ts, power = reading.ts, reading.power_kw
    imported, exported = reading.energy_import_kwh, reading.energy_export_kwh
    if signs is None:
        return Signs(ts, power, imported, exported), False
    if _cross(signs, imported, exported):
        return Signs(ts, power, imported, exported, against=0 if signs.against else CONTRADICTING_READINGS), False
    if ts - signs.ts > device.gap_ms:
        return Signs(ts, power, imported, exported, against=signs.against), False
    net = _counted(signs.imported_kwh, imported) - _counted(signs.exported_kwh, exported)
    before = signs.power_kw
    if power is None or before is None or net == 0.0 or power * before <= 0.0:
        return Signs(ts, power, imported, exported, signs.wrong, signs.since, signs.against), False
    if net * power > 0.0:
        against = max(0, signs.against - 1)
        wrong, since = (signs.wrong, signs.since) if against else (0, 0)
        return Signs(ts, power, imported, exported, wrong, since, against), False
    wrong, since = signs.wrong + 1, signs.since or signs.ts
    if wrong == CONTRADICTING_READINGS:
        counts = "import" if net > 0.0 else "export"
        Teller(device, f"energy_{counts}_kwh", rows).event(
            MeterEventKind.CONTRADICTION, since, ts, None,
            readings=wrong, before=power, seen=net,
            rule=f"the {counts} register counts while power says the other direction: its sign is reversed, or import"
            " and export are swapped",
        )  # fmt: skip
    against = min(signs.against + 1, MOST_AGAINST) if signs.against else 0
    return Signs(ts, power, imported, exported, min(wrong, CONTRADICTING_READINGS), since, against), True


def is_swapped(signs: Signs | None) -> bool:
    """Whether power contradicted the registers whenever it could tell, often enough to be told."""
    return signs is not None and signs.wrong >= CONTRADICTING_READINGS


def _cross(signs: Signs, imported: float | None, exported: float | None) -> bool:
    """Whether each of the two registers goes on with what the other one showed: they have changed places."""
    if imported is None or exported is None or signs.imported_kwh is None or signs.exported_kwh is None:
        return False
    counted = (imported - signs.exported_kwh, exported - signs.imported_kwh)
    apart = abs(signs.imported_kwh - signs.exported_kwh)
    return min(counted) >= 0.0 and sum(counted) <= CROSSED_SHARE * apart and apart > 0.0


def _counted(before: float | None, now: float | None) -> float:
    return max(0.0, now - before) if before is not None and now is not None else 0.0
