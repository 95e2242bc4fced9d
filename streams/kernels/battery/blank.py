"""A battery record that holds nothing: the FSU has lost its BMS and fills in zeros, which are no readings.

A set at 0 A is usual, one at 0 °C or 0 % is possible; one that shows 0 % and no cell's voltage, or no voltage at all
with nothing but zeros beside it, is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schemas.readings import BatteryReading


def is_blank(reading: BatteryReading) -> bool:
    """Whether whatever a record holds of the set is zero or absent, and no cell shows a voltage.

    A pack voltage that the FSU measures by itself may stand beside the zeros of a BMS that does not answer: then it
    takes the cells of a set that has them, at 0.000 V, and a SoC of 0 %, to say so.
    """
    if reading.current_a or reading.soc_pct or reading.remaining_ah or reading.full_ah:
        return False  # nearly always
    cells, sensors = reading.cell_voltage_v, reading.temperature_c
    if cells and any(cells):
        return False
    if sensors and any(sensors):
        return False
    if not reading.pack_voltage_v:
        return True
    return bool(cells) and reading.soc_pct == 0.0 and bool(sensors)
