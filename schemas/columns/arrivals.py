"""Arrivals of one kind as columns: what a transaction has of its readings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, overload

import numpy as np

from schemas.arrival import Arrival
from schemas.aside import NOTHING
from schemas.columns.block import Block
from schemas.readings import DeviceQuality

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from schemas.aside import Aside
    from schemas.readings import Kind


class Arrivals(Sequence[Arrival]):
    """Readings of one kind, their devices, and when collectors took them in; an `Arrival` where one is asked for."""

    def __init__(self, device_ids: list[str], received_ts: list[int], block: Block, asides: dict[int, Aside]) -> None:
        """Take columns of equal length; `asides` by the reading's place, of those that have any."""
        self.device_ids = device_ids
        self.received_ts = received_ts
        self.block = block
        self.asides = asides

    @classmethod
    def of_each(cls, kind: Kind, arrivals: Sequence[Arrival]) -> Arrivals:
        """Lay arrivals out."""
        if isinstance(arrivals, Arrivals):
            return arrivals
        return cls(
            [arrival.device_id for arrival in arrivals],
            [arrival.received_ts for arrival in arrivals],
            Block(kind, [arrival.reading for arrival in arrivals]),
            {at: arrival.aside for at, arrival in enumerate(arrivals) if arrival.aside},
        )

    @classmethod
    def joined(cls, parts: Sequence[Arrivals]) -> Arrivals:
        """Arrivals of one kind, at least one part, as one."""
        if len(parts) == 1:
            return parts[0]
        asides: dict[int, Aside] = {}
        start = 0
        for part in parts:
            asides |= {start + at: aside for at, aside in part.asides.items()}
            start += len(part)
        return cls(
            [device_id for part in parts for device_id in part.device_ids],
            [received_ts for part in parts for received_ts in part.received_ts],
            Block.joined([part.block for part in parts]),
            asides,
        )

    @property
    def kind(self) -> Kind:
        """What kind of device they are of."""
        return self.block.kind

    @cached_property
    def ts(self) -> npt.NDArray[np.int64]:
        """Device time, ms. Raises OverflowError where one is beyond 64 bits."""
        return np.array(self.block.ts, dtype=np.int64)

    @cached_property
    def are_sound(self) -> npt.NDArray[np.bool_]:
        """Of which nothing is set aside, and which their device does not call bad."""
        found = np.ones(len(self), dtype=np.bool_)
        found[list(self.asides)] = False
        if (said := self.block.others.get("quality")) is not None:
            found &= [quality is not DeviceQuality.BAD for quality in said]
        return found

    def __len__(self) -> int:
        return len(self.device_ids)

    def __iter__(self) -> Iterator[Arrival]:
        return iter(self.each(range(len(self))))

    @overload
    def __getitem__(self, at: int) -> Arrival: ...

    @overload
    def __getitem__(self, at: slice) -> list[Arrival]: ...

    def __getitem__(self, at: int | slice) -> Arrival | list[Arrival]:
        if isinstance(at, slice):
            return self.each(range(*at.indices(len(self))))
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        return self.each([at % len(self)])[0]

    def each(self, rows: Sequence[int]) -> list[Arrival]:
        """Some of them, one by one."""
        readings = self.block.readings(rows)
        asides, ids, received = self.asides, self.device_ids, self.received_ts
        return [
            Arrival(ids[row], received[row], reading, asides.get(row, NOTHING))
            for row, reading in zip(rows, readings, strict=True)
        ]

    def replace(self, at: int, arrival: Arrival) -> None:
        """Take over one of them that was changed."""
        self.block.refresh(at)
        if arrival.aside:
            self.asides[at] = arrival.aside

    def with_aside(self) -> list[Arrival]:
        """Those of which anything is set aside."""
        return self.each(list(self.asides))

    def of(self, rows: Sequence[int]) -> Arrivals:
        """Some of them, in another order."""
        asides = {to: self.asides[row] for to, row in enumerate(rows) if row in self.asides} if self.asides else {}
        ids, received = self.device_ids, self.received_ts
        return Arrivals([ids[row] for row in rows], [received[row] for row in rows], self.block.of(rows), asides)
