"""One reading of each of many battery sets, as columns: what the quiet ways of the battery folds take."""

from __future__ import annotations

from functools import cached_property
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from schemas.readings import DeviceQuality
from streams.kernels.figures import NAN, at_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.arrival import Arrival
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
        some = Samples([self.arrivals[at] for at in places], [self.devices[at] for at in places], self._table[places])
        some.__dict__ |= {name: getattr(self, name)[..., places] for name in _DERIVED}  # made once for all folds
        return some

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


_DERIVED = [name for name, each in vars(Samples).items() if isinstance(each, cached_property)]
_fields_of = attrgetter(
    "quality",
    "cell_voltage_v",
    "temperature_c",
    "ts",
    "pack_voltage_v",
    "current_a",
    "ambient_c",
    "soc_pct",
    "soh_bms_pct",
    "cycles",
)


def _row(arrival: Arrival, device: Device) -> tuple[float, ...]:
    """One line of the table; its fields as the columns above."""
    quality, cells, sensors, ts, volts, amps, ambient_c, soc_pct, soh_pct, cycles = _fields_of(arrival.reading)
    battery = device.battery
    if not cells or not sensors or battery is None or arrival.aside or quality == DeviceQuality.BAD:
        return _NOT_PLAIN
    count = battery.cell_count
    if len(cells) > count and not any(cells[count:]):
        cells = cells[:count]
    is_known = volts is not None and amps is not None and None not in cells and None not in sensors
    if not is_known or not 1 < len(cells) == count <= CELLS or len(sensors) > SENSORS:
        return _NOT_PLAIN
    return (
        ts,
        volts,
        amps,
        NAN if ambient_c is None else ambient_c,
        NAN if soc_pct is None else soc_pct,
        NAN if soh_pct is None else soh_pct,
        NAN if cycles is None else cycles,
        sum(sensors) / len(sensors),
        *cells,
        *_PADDING[len(cells) :],
        *sensors,
        *_PADDING[CELLS - SENSORS + len(sensors) :],
    )


_PADDING = (NAN,) * CELLS
