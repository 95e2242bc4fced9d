"""Records of one partition that have been fetched and are not stored yet."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.intake.decode import Record

RUN_BYTES = 2 * 1024 * 1024
"""About eight thousand readings. In arrays of 50 these are of 160 devices, which the quiet way takes at once: half a
megabyte, of 40 devices, cost more than twice as much a reading (decision 381). One to a message it is the same."""


class Backlog:
    """Records of a partition in order of offset, which wait until they are stored."""

    def __init__(self) -> None:
        self._records: deque[Record] = deque()
        self._filled = asyncio.Event()
        self.bytes = 0
        """Bytes of all of them."""

    def __len__(self) -> int:
        return len(self._records)

    @property
    def first_offset(self) -> int:
        """Offset of the first; there must be one."""
        return self._records[0].offset

    @property
    def last_offset(self) -> int:
        """Offset of the last; there must be one."""
        return self._records[-1].offset

    def add(self, record: Record) -> None:
        """Add a record; one that was fetched again takes the place of all that were fetched before."""
        if self._records and record.offset <= self.last_offset:
            self.clear()
        self._records.append(record)
        self.bytes += len(record.value)
        self._filled.set()

    async def filled(self) -> None:
        """Wait until there is a record."""
        await self._filled.wait()

    def run(self, most: int) -> list[Record]:
        """The first records, as far as they follow each other: so many at most, of `RUN_BYTES`, at least one."""
        found: list[Record] = []
        size = 0
        for record in self._records:
            size += len(record.value)
            if found and (len(found) == most or size > RUN_BYTES or record.offset != found[-1].offset + 1):
                break
            found.append(record)
        return found

    def let_go(self, before: int) -> None:
        """Let go of all records before an offset: they are stored."""
        while self._records and self.first_offset < before:
            self.bytes -= len(self._records.popleft().value)
        if not self._records:
            self._filled.clear()

    def clear(self) -> None:
        """Let go of all of them: they are fetched again, or another worker has the partition."""
        self._records.clear()
        self._filled.clear()
        self.bytes = 0
