"""New readings of one kind by device: as columns, and as objects where a fold takes a device by itself."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from schemas.arrival import Arrival
    from schemas.columns.arrivals import Arrivals


class ByDevice:
    """Arrivals of one kind in order of device and time."""

    def __init__(self, arrivals: Arrivals) -> None:
        self.arrivals = arrivals
        self.counts: Mapping[str, int] = Counter(arrivals.device_ids)
        """How many arrivals each device has, in their order."""
        self.starts = dict(zip(self.counts, accumulate(self.counts.values(), initial=0), strict=False))
        """Where they begin."""

    def __len__(self) -> int:
        """How many devices there are."""
        return len(self.starts)

    @cached_property
    def each(self) -> Mapping[str, Sequence[Arrival]]:
        """All arrivals, one by one."""
        return self._of(list(self.starts))

    def without(self, device_ids: Collection[str]) -> Mapping[str, Sequence[Arrival]]:
        """Arrivals of all devices but some, one by one."""
        if not device_ids:
            return self.each
        away = set(device_ids)
        return self._of([device_id for device_id in self.starts if device_id not in away])

    def _of(self, device_ids: Sequence[str]) -> dict[str, list[Arrival]]:
        counts = [self.counts[device_id] for device_id in device_ids]
        rows = [
            row
            for device_id, count in zip(device_ids, counts, strict=True)
            for row in range(self.starts[device_id], self.starts[device_id] + count)
        ]
        made = iter(self.arrivals.each(rows))
        return {
            device_id: [next(made) for _ in range(count)] for device_id, count in zip(device_ids, counts, strict=True)
        }
