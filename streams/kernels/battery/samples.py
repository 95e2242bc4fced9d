"""One reading of each of many battery sets, as columns: what the quiet ways of the battery folds take."""

from __future__ import annotations

from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, cast

import numpy as np

from schemas.readings import DeviceQuality
from streams.kernels.figures import NAN, at_each, or_nan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.arrival import Arrival
    from schemas.readings import BatteryReading
    from schemas.registry import Device
    from streams.kernels.figures import Array, Mask, Whole

CELLS, SENSORS = 16, 4
"""So many channels have columns; a set of more is the scalar folds'."""
_FIRST_CELL = 8
_FIRST_SENSOR = _FIRST_CELL + CELLS
_NOT_PLAIN = (NAN,) * (_FIRST_SENSOR + SENSORS)


class Samples:
    """Readings of many sets, one each. Volts, amperes, °C, %; shape (sets,), cells and sensors (channels, sets)."""

    def __init__(self, arrivals: Sequence[Arrival], devices: Sequence[Device], table: Array) -> None:
        """Take a table of shape (sets, figures), as `of` lays it out."""
        self.arrivals, self.devices = arrivals, devices
        self._table = table
        turned = np.ascontiguousarray(table.T)
        self.ts, self.pack_v, self.current_a, self.ambient_c = turned[:4]
        self.soc_pct, self.soh_pct, self.cycles = turned[4:7]
        self.mean_c = turned[7]
        """Mean of the sensors, as Python's `sum` has it: from version 3.12 on that ends otherwise than a loop."""
        self.cells_v = turned[_FIRST_CELL:_FIRST_SENSOR]
        """NaN behind a set's last cell."""
        self.sensors_c = turned[_FIRST_SENSOR:]
        """NaN behind a set's last sensor."""

    @classmethod
    def of(cls, arrivals: Sequence[Arrival], devices: Sequence[Device]) -> Samples:
        """Lay readings out; one that is not plain in every way has NaN as its time."""
        rows = [_row(*both) for both in zip(arrivals, devices, strict=True)]
        width = len(_NOT_PLAIN)
        table = np.fromiter(chain.from_iterable(rows), dtype=np.float64, count=width * len(rows))
        return cls(arrivals, devices, table.reshape(-1, width))

    def at(self, places: Sequence[int]) -> Samples:
        """Some of them."""
        if len(places) == len(self.arrivals):
            return self
        return Samples([self.arrivals[at] for at in places], [self.devices[at] for at in places], self._table[places])

    @property
    def is_plain(self) -> Mask:
        """Of which everything is known that a quiet way asks for."""
        known: Mask = ~np.isnan(self.ts)
        return known

    @cached_property
    def cell_count(self) -> Whole:
        """Cells of each set."""
        count: Whole = np.count_nonzero(~np.isnan(self.cells_v), axis=0)
        return count

    @cached_property
    def ordered_v(self) -> Array:
        """Cells from the lowest on."""
        cells: Array = np.sort(self.cells_v, axis=0)
        return cells

    @property
    def lowest_v(self) -> Array:
        """Lowest cell."""
        lowest: Array = self.ordered_v[0]
        return lowest

    @cached_property
    def highest_v(self) -> Array:
        """Highest cell."""
        return at_each(self.ordered_v, self.cell_count - 1)

    @cached_property
    def median_v(self) -> Array:
        """Median cell."""
        return (at_each(self.ordered_v, (self.cell_count - 1) // 2) + at_each(self.ordered_v, self.cell_count // 2)) / 2

    @cached_property
    def hottest_c(self) -> Array:
        """Hottest sensor."""
        found: Array = self.sensors_c[0]
        for sensor in self.sensors_c[1:]:
            found = np.where(sensor > found, sensor, found)
        return found

    @cached_property
    def coolest_c(self) -> Array:
        """Coolest sensor."""
        found: Array = self.sensors_c[0]
        for sensor in self.sensors_c[1:]:
            found = np.where(sensor < found, sensor, found)
        return found


def _row(arrival: Arrival, device: Device) -> tuple[float, ...]:
    reading, battery = cast("BatteryReading", arrival.reading), device.battery  # by kind
    cells, sensors = reading.cell_voltage_v, reading.temperature_c
    if not cells or not sensors or battery is None or arrival.aside or reading.quality == DeviceQuality.BAD:
        return _NOT_PLAIN
    count = battery.cell_count
    if len(cells) > count and not any(cells[count:]):
        cells = cells[:count]
    if (
        not 1 < len(cells) == count <= CELLS
        or len(sensors) > SENSORS
        or None in cells
        or None in sensors
        or reading.pack_voltage_v is None
        or reading.current_a is None
    ):
        return _NOT_PLAIN
    return (
        reading.ts,
        reading.pack_voltage_v,
        reading.current_a,
        or_nan(reading.ambient_c),
        or_nan(reading.soc_pct),
        or_nan(reading.soh_bms_pct),
        or_nan(reading.cycles),
        sum(sensors) / len(sensors),  # type: ignore[arg-type] # all are known
        *cells,  # type: ignore[arg-type] # all are known
        *_PADDING[len(cells) :],
        *sensors,  # type: ignore[arg-type] # all are known
        *_PADDING[CELLS - SENSORS + len(sensors) :],
    )


_PADDING = (NAN,) * CELLS
