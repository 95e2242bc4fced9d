"""Views run one after the other over rows in memory, as the engine runs them over tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from schemas.metrics import MeterMinute, Quality
from schemas.time import DAY_MS, MINUTE_MS, day_of
from storage.derived import key_of
from streams.installed import installed
from streams.kernels.contract import Fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from schemas.metrics import Row
    from schemas.registry import Device, Site
    from streams.kernels.contract import KernelView, Want

T = TypeVar("T")
DAY0 = day_of(1_780_000_000_000)
"""A local midnight."""
VIEWS: list[KernelView] = [
    kernel for kernel in installed().rows if not isinstance(kernel, Fold) and kernel.name != "rolling_plant"
]


class Tables:
    """Derived rows of one site, and the views that keep them."""

    def __init__(self, site: Site, devices: Sequence[Device], views: Sequence[KernelView] = tuple(VIEWS)) -> None:
        self._site, self._devices, self._views = site, devices, views
        self._rows: dict[type[Row], dict[tuple[object, ...], Row]] = {}

    def put(self, rows: Iterable[Row]) -> None:
        """Write rows and let every view compute what follows."""
        changed: dict[type[Row], list[Row]] = {}
        self._write(rows, changed)
        self._look(changed)

    def take(self, rows: Iterable[Row]) -> None:
        """Take rows away and let every view compute what follows."""
        changed: dict[type[Row], list[Row]] = {}
        self._remove(rows, changed)
        self._look(changed)

    def _look(self, changed: dict[type[Row], list[Row]]) -> None:
        for view in self._views:
            touched = {row_type: changed[row_type] for row_type in view.inputs & changed.keys()}
            if not touched:
                continue
            wants = view.wants(self._site, self._devices, touched)
            found: dict[type[Row], list[Row]] = {want.row_type: [] for want in wants}
            for want in wants:
                found[want.row_type] += self._within(want)
            replaced = view.rows(self._site, self._devices, touched, found)
            given = {(type(row), key_of(row)) for row in replaced.rows}
            for want in replaced.cleared:
                gone = [row for row in self._within(want) if (type(row), key_of(row)) not in given]
                self._remove(gone, changed)
            for want in replaced.anew:
                self._remove(self._within(want), changed)
            self._write(replaced.rows, changed)

    def _within(self, want: Want) -> list[Row]:
        """Rows that a view asks for, or has taken away."""
        return [
            row
            for key, row in sorted(self._rows.get(want.row_type, {}).items())
            if key[0] in want.entity_ids
            and want.from_ts <= row.ts < want.to_ts
            and (want.second is None or row[1] == want.second)
        ]

    def _write(self, rows: Iterable[Row], changed: dict[type[Row], list[Row]]) -> None:
        for row in rows:
            self._rows.setdefault(type(row), {})[key_of(row)] = row
            changed.setdefault(type(row), []).append(row)

    def _remove(self, rows: Iterable[Row], changed: dict[type[Row], list[Row]]) -> None:
        for row in rows:
            if self._rows.get(type(row), {}).pop(key_of(row), None) is not None:
                changed.setdefault(type(row), []).append(row)

    def everything(self) -> dict[str, list[Row]]:
        """All rows there are, by type, in order of the key."""
        return {row_type.__name__: [own[key] for key in sorted(own)] for row_type, own in self._rows.items() if own}

    def _of(self, wanted: type) -> dict[tuple[object, ...], Row]:
        return next((rows for row_type, rows in self._rows.items() if row_type is wanted), {})

    def all(self, row_type: type[T]) -> list[T]:
        """All rows of a type, in order of the key."""
        return [row for _, row in sorted(self._of(row_type).items()) if isinstance(row, row_type)]


def steady(rate_h: float) -> Callable[[int], float | None]:
    """The same rate in every hour."""
    return lambda _: rate_h


def minutes(
    device: Device, quantity: str, rate_h: Callable[[int], float | None], hours: range, day: int = DAY0
) -> list[MeterMinute]:
    """Minutes of a register that counts `rate_h(hour)` in each hour since the local midnight `day`; None: unknown."""
    rows = []
    for hour in hours:
        rate = rate_h(hour)
        for minute in range(60):
            ts = day + (60 * hour + minute) * MINUTE_MS
            known = rate is not None
            rows.append(
                MeterMinute(
                    device.device_id,
                    quantity,
                    ts,
                    device.site_id,
                    rate / 60 if rate is not None else None,
                    float(known),
                    Quality.GOOD if known else Quality.UNKNOWN,
                )
            )
    return rows


__all__ = ["DAY0", "DAY_MS", "Tables", "minutes", "steady"]
