"""Readings of many battery sets as columns: what the quiet ways of the battery folds take, one of each set at once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from streams.kernels.figures import NAN, at_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.columns.arrivals import Arrivals
    from schemas.registry import Device
    from streams.kernels.battery.quiet_standing import WatchedCurrents
    from streams.kernels.figures import Array, Mask, Whole

CELLS, SENSORS = 16, 4
"""So many channels have columns; a set of more is the scalar folds'."""
_SCALARS = ("pack_voltage_v", "current_a", "ambient_c", "soc_pct", "soh_bms_pct", "cycles")
_FIRST_CELL = len(_SCALARS) + 2
_FIRST_SENSOR = _FIRST_CELL + CELLS


class Samples:
    """Readings of many sets. Volts, amperes, °C, %; shape (sets,), cells and sensors (channels, sets)."""

    def __init__(self, devices: Sequence[Device], received_ts: Sequence[int], table: Array) -> None:
        """Take a table of shape (figures, sets), as `of` lays it out."""
        self.devices, self.received_ts = devices, received_ts
        self._table = table
        self._some: dict[bytes, Samples] = {}
        self.watched: WatchedCurrents | None = None
        """What the fold that came first said of their currents (`quiet_standing.watched_once`)."""
        self.ts, self.pack_v, self.current_a, self.ambient_c = table[:4]
        self.soc_pct, self.soh_pct, self.cycles = table[4:7]
        self.mean_c = table[7]
        """Mean of the sensors."""
        self.cells_v = table[_FIRST_CELL:_FIRST_SENSOR]
        """NaN behind a set's last cell."""
        self.sensors_c = table[_FIRST_SENSOR:]
        """NaN behind a set's last sensor."""

    @classmethod
    def of(cls, arrivals: Arrivals, devices: Sequence[Device], rows: Sequence[int]) -> Samples:
        """Take some rows of arrivals, with the device of each; one that is not plain in every way has NaN as time."""
        columns, at_once = arrivals.block.figures, np.asarray(rows)
        table = np.full((_FIRST_SENSOR + SENSORS, len(rows)), NAN)
        table[0] = arrivals.ts[at_once]
        for at, name in enumerate(_SCALARS, 1):
            if name in columns:
                table[at] = columns[name][at_once]
        for at, name in ((_FIRST_CELL, "cell_voltage_v"), (_FIRST_SENSOR, "temperature_c")):
            if name in columns:
                found = columns[name][at_once].T
                table[at : at + len(found)] = found
        samples = cls(devices, [arrivals.received_ts[row] for row in rows], table)
        plain = ~np.isnan(samples.pack_v) & ~np.isnan(samples.current_a)
        plain &= _fit_cells(samples.cells_v, devices) & _sensors_in_a_row(samples)
        plain &= arrivals.are_sound[at_once]
        samples.ts[~plain] = NAN
        return samples

    def at(self, places: slice | Whole) -> Samples:
        """Some of them; what the fold before took is there already."""
        if isinstance(places, slice):
            return self._part(places, self.devices[places], self.received_ts[places])
        asked = places.tobytes()
        if (found := self._some.get(asked)) is None:
            listed = places.tolist()
            devices, received_ts = [self.devices[at] for at in listed], [self.received_ts[at] for at in listed]
            found = self._some[asked] = self._part(places, devices, received_ts)
        return found

    def _part(self, places: slice | Whole, devices: Sequence[Device], received_ts: Sequence[int]) -> Samples:
        some = Samples(devices, received_ts, self._table[:, places])
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


def _fit_cells(cells: Array, devices: Sequence[Device]) -> Mask:
    """Of which sets all cells are there and, but for zeros, which are taken away, no others."""
    counts = np.array([device.battery.cell_count if device.battery else 0 for device in devices])
    own = np.arange(CELLS)[:, np.newaxis] < counts
    absent = np.isnan(cells)
    fit: Mask = (counts > 1) & (counts <= CELLS) & np.where(own, ~absent, absent | (cells == 0)).all(axis=0)
    cells[~own] = NAN
    return fit


def _sensors_in_a_row(samples: Samples) -> Mask:
    """Which sets have sensors, all of them before the first place without one; their mean is taken on the way."""
    there = ~np.isnan(samples.sensors_c)
    total = np.zeros(there.shape[1])
    for known, celsius in zip(there, samples.sensors_c, strict=True):  # in the order in which the folds add them up
        total = np.where(known, total + celsius, total)
    samples.mean_c[:] = total / np.maximum(np.count_nonzero(there, axis=0), 1)
    in_a_row: Mask = there[0] & ~(there[1:] & ~there[:-1]).any(axis=0)
    return in_a_row
