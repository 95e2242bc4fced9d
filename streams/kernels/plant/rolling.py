"""Rolling energy, water and unit-product energy of a plant over 15 minutes and an hour.

A ratio over a window is the ratio of sums (docs/plant-metrics.md, "Rules above every formula"). Where a meter covered
only part of the window its sum is scaled to the whole of it before the ratio, and below half of the window there is no
ratio.
"""

from __future__ import annotations

import math
from itertools import accumulate, repeat
from typing import TYPE_CHECKING, NamedTuple, cast

from schemas.metrics import MeterMinute, PlantWindow, Quality, Row, built, quality_of
from schemas.time import HOUR_MS, MINUTE_MS
from streams.kernels.contract import Replaced, SiteRows, Want
from streams.kernels.plant.boundary import Contribution, Total, boundary_meters, contributions
from streams.kernels.plant.quarters import known_share

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from schemas.reference import EnergyFactors
    from schemas.registry import Device, Site
    from streams.kernels.contract import Changed, Found

WINDOWS_MIN = (15, 60)
MIN_KNOWN = 0.5
"""Share of the window each meter of a ratio must know. (unsourced)"""
MIN_PRODUCTION = 0.01
"""Smallest production, in product units, that anything is divided by. (unsourced)"""


MANY = 10
"""With more windows at once, of all lengths together, adding up the whole grid costs less than looking at each.
(measured, from 2 to 48 windows: both cost the same at 10 where all shares are 0 or 1, at 24 where some are not; between
these one costs up to a tenth more than the other)
"""


class _Register(NamedTuple):
    """A register minute by minute, zero where there is no row; lists, because `math.fsum` likes them best."""

    increment: list[float]
    known: list[float]
    coverage: list[float]
    estimated: list[bool]
    present: list[bool]


class _Dense(NamedTuple):
    """Registers, by meter and quantity, on one grid of minutes that begins at `begin`."""

    begin: int
    registers: dict[str, dict[str, _Register]]


Figures = list[float | None]
"""A figure of each of some windows; None where there is none."""


class _Windows:
    """Windows on a grid of minutes. They are computed figure by figure, each for all of them."""

    def __init__(self, lengths: Sequence[int], stops: Sequence[int]) -> None:
        """`lengths` in minutes, `stops` the place behind the last minute of each window."""
        self.lengths = lengths
        self.places = [(stop - length, stop) for length, stop in zip(lengths, stops, strict=True)]
        self._are_many = len(stops) > MANY

    def sums(self, values: Sequence[float]) -> list[float]:
        """Exact sums, as of `math.fsum`. Where all values are 0 or 1, as most shares are, so are running sums."""
        if self._are_many and {*values} <= {0.0, 1.0}:
            upto = [0.0, *accumulate(values)]
            return [upto[stop] - upto[start] for start, stop in self.places]
        return [math.fsum(values[start:stop]) for start, stop in self.places]

    def shares(self, values: Sequence[float]) -> list[float]:
        """Mean of each window."""
        return [total / length for total, length in zip(self.sums(values), self.lengths, strict=True)]

    def any(self, flags: Sequence[bool]) -> list[bool]:
        """Whether a flag is set in each window."""
        if self._are_many:
            upto = [0, *accumulate(flags)]
            return [upto[stop] > upto[start] for start, stop in self.places]
        return [True in flags[start:stop] for start, stop in self.places]


class _Parts(NamedTuple):
    """What registers add to one total."""

    sums: list[Figures]
    rates: list[Figures]
    """Scaled to the whole window."""
    unknown: list[Sequence[bool]]
    """Where a meter knows too little of it."""


class _Plant:
    """What a plant's meters come to in each of some windows."""

    def __init__(self, windows: _Windows) -> None:
        self._windows = windows
        self._parts = {total: _Parts([], [], []) for total in _TOTALS}
        self._without_factor: set[Total] = set()
        self._coverages: list[Figures] = []
        """Of each meter."""
        self._estimated: list[Sequence[bool]] = []

    def add(self, contributed: Sequence[Contribution], registers: Mapping[str, _Register]) -> None:
        """Add a meter; in a window with no row of any of its registers nothing is known of it."""
        windows = self._windows
        self._without_factor |= {part.total for part in contributed if part.factor is None}
        covered: list[Figures] = []
        for quantity in dict.fromkeys(part.quantity for part in contributed):
            if (register := registers.get(quantity)) is None:
                continue  # a register this meter does not have
            present = windows.any(register.present)
            shares = windows.shares(register.coverage)
            covered.append([share if has else None for share, has in zip(shares, present, strict=True)])
            if True in register.estimated:
                self._estimated.append(windows.any(register.estimated))
            known, counted = windows.shares(register.known), windows.sums(register.increment)
            enough = [share if share >= MIN_KNOWN else None for share in known]
            too_little = [each is None and has for each, has in zip(enough, present, strict=True)]
            for part in contributed:
                if part.quantity == quantity and part.factor is not None:
                    parts, added = self._parts[part.total], [part.factor * each for each in counted]
                    figures = zip(added, known, strict=True)
                    parts.sums.append([each if share else None for each, share in figures])
                    shared = zip(added, enough, strict=True)
                    parts.rates.append([share and each / share for each, share in shared])
                    if True in too_little:
                        parts.unknown.append(too_little)
        means = self._combined(covered, _mean)
        self._coverages.append([mean or 0.0 for mean in means])
        if None in means:
            silent = [mean is None for mean in means]
            for total in {part.total for part in contributed}:
                self._parts[total].unknown.append(silent)

    def sum(self, total: Total) -> Figures:
        """Sum up what is known."""
        return self._nothing if total in self._without_factor else self._combined(self._parts[total].sums, math.fsum)

    def rate(self, total: Total) -> Figures:
        """Sum up the meters' rates; unknown where one of them is, or where there is no meter."""
        if total in self._without_factor:
            return self._nothing
        parts = self._parts[total]
        rates = self._combined(parts.rates, math.fsum)
        if not parts.unknown:
            return rates
        return [None if unknown else rate for rate, unknown in zip(rates, self._in_any(parts.unknown), strict=True)]

    @property
    def coverage(self) -> list[float]:
        """Mean of the meters'."""
        return [mean or 0.0 for mean in self._combined(self._coverages, _mean)]

    @property
    def estimated(self) -> Sequence[bool]:
        """Whether any of it is."""
        return self._in_any(self._estimated)

    @property
    def _nothing(self) -> Figures:
        return [None] * len(self._windows.places)

    def _in_any(self, flags: Sequence[Sequence[bool]]) -> Sequence[bool]:
        return list(map(any, zip(*flags, strict=True))) or [False] * len(self._windows.places)

    def _combined(self, columns: Sequence[Figures], combine: Callable[[Sequence[float]], float]) -> Figures:
        """One figure of each window out of those that there are; None where there is none."""
        match columns:
            case []:
                return self._nothing
            case [only]:
                return [None if each is None else each + 0.0 for each in only]  # as `math.fsum`: there is no -0.0
        if not any(None in column for column in columns):
            return [combine(window) for window in zip(*cast("Sequence[list[float]]", columns), strict=True)]
        found: Figures = []
        for window in zip(*columns, strict=True):
            known = [each for each in window if each is not None]
            found.append(combine(known) if known else None)
        return found


class RollingPlant(SiteRows):
    """View over meter minutes: the plant's windows that end with each minute."""

    name = "rolling_plant"
    inputs: frozenset[type[Row]] = frozenset({MeterMinute})
    gives: type[Row] = PlantWindow

    def __init__(self, factors: EnergyFactors) -> None:
        self._factors = factors

    def anchor_ts(self, row: Row) -> int:
        """The minute that it ends with."""
        return row.ts - MINUTE_MS

    def wants(self, _site: Site, devices: Sequence[Device], changed: Changed) -> list[Want]:
        """Minutes of the meters at the plant's boundary that share a window with a changed one."""
        first, last = _reach(changed)
        return [
            Want(MeterMinute, [meter.device_id for meter in boundary_meters(devices)], first - HOUR_MS, last + HOUR_MS)
        ]

    def rows(self, site: Site, devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Compute the windows that hold a changed minute and end with one of which anything is known."""
        first, last = _reach(changed)
        minutes = [row for row in found[MeterMinute] if isinstance(row, MeterMinute)]
        meters = boundary_meters(devices)
        names = {meter.device_id for meter in meters}
        lost = {row.ts for row in changed[MeterMinute] if row[0] in names} - {minute.ts for minute in minutes}
        cleared = [Want(PlantWindow, [site.site_id], ts + MINUTE_MS, ts + MINUTE_MS + 1) for ts in sorted(lost)]
        return Replaced(self.windows(site, meters, minutes, first, last + HOUR_MS), cleared)

    def windows(
        self, site: Site, meters: Sequence[Device], minutes: Sequence[MeterMinute], from_ts: int, to_ts: int
    ) -> list[Row]:
        """Compute the windows with from_ts < end <= to_ts that end with a minute of which anything is known."""
        known = {minute.ts for minute in minutes}
        ends = sorted(ts + MINUTE_MS for ts in known if from_ts < ts + MINUTE_MS <= to_ts)
        if not ends:
            return []
        series = _dense(minutes, ends[0] - HOUR_MS, ends[-1])
        parts = [(device, contributions(device, self._factors)) for device in meters]
        lengths = [length for length in WINDOWS_MIN for _ in ends]
        ends *= len(WINDOWS_MIN)
        plant = _Plant(_Windows(lengths, [(end - series.begin) // MINUTE_MS for end in ends]))
        for device, contributed in parts:
            plant.add(contributed, series.registers.get(device.device_id, {}))
        return [*self._rows(site, lengths, ends, plant)]

    def _rows(self, site: Site, lengths: Sequence[int], ends: Sequence[int], plant: _Plant) -> list[PlantWindow]:
        """Lay the figures of windows out as rows."""
        coverage = plant.coverage
        kwh, kgce, water, made = (plant.rate(total) for total in _TOTALS)
        columns = (
            repeat(site.site_id),
            lengths,
            ends,
            plant.sum(Total.ELECTRICITY_KWH),
            [None if rate is None else rate / (length / 60) for rate, length in zip(kwh, lengths, strict=True)],
            plant.sum(Total.COAL_EQUIVALENT),
            plant.sum(Total.WATER_M3),
            plant.sum(Total.PRODUCTION),
            map(_ratio, kgce, made),
            map(_ratio, water, made),
            coverage,
            [quality_of(share, estimated=some) for share, some in zip(coverage, plant.estimated, strict=True)],
            repeat(self._factors.version),
        )
        return built(PlantWindow, zip(*columns, strict=False))


_ESTIMATED = Quality.ESTIMATED
"""Looked up once: to ask the enum for it and for `PARTIAL` at each minute was a third of laying the minutes out."""
_TOTALS = (Total.ELECTRICITY_KWH, Total.COAL_EQUIVALENT, Total.WATER_M3, Total.PRODUCTION)


def _reach(changed: Changed) -> tuple[int, int]:
    """First and last changed minute."""
    times = [row.ts for row in changed[MeterMinute]]
    return min(times), max(times)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _ratio(numerator: float | None, denominator: float | None) -> float | None:
    if numerator is None or denominator is None or denominator < MIN_PRODUCTION:
        return None
    return numerator / denominator


def _dense(minutes: Sequence[MeterMinute], begin: int, end: int) -> _Dense:
    count = (end - begin) // MINUTE_MS
    registers: dict[str, dict[str, _Register]] = {}
    for minute in minutes:
        device_id, quantity, ts, _, increment, coverage, quality = minute
        at = (ts - begin) // MINUTE_MS
        if not 0 <= at < count:
            continue
        own = registers.get(device_id) or registers.setdefault(device_id, {})
        register = own.get(quantity)
        if register is None:
            nothing = [0.0] * count
            register = _Register(nothing, [*nothing], [*nothing], [False] * count, [False] * count)
            own[quantity] = register
        counted, known, covered, estimated, present = register
        counted[at] = increment or 0.0
        known[at] = known_share(minute)
        covered[at] = coverage
        estimated[at] = quality is _ESTIMATED
        present[at] = True
    return _Dense(begin, registers)
