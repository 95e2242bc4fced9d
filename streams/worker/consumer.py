"""Faust's consumer, made to read on from where the database stands.

Faust begins where the consumer group's committed offsets stand, after every rebalance and whenever it is told to read
again. Those are a convenience, and may be ahead of the database: then nothing stored would come until new records do.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import structlog
from faust.transport.drivers.aiokafka import Consumer, Transport
from faust.types import TP

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import faust

log = structlog.get_logger(__name__)

APART_S = 5.0
"""Between two times of reading again: what the agent had taken before the first of them is given up by then."""
RETRY_S = 1.0
HELD_S = 0.1
"""So often it is looked whether partitions of which nothing is fetched are to be fetched again."""
NOWHERE = -1
"""Number of a partition that there is not."""


class DatabaseConsumer(Consumer):
    """Reads each partition of the log from the offset that the database holds.

    Only the loop that fetches seeks, between two fetches. Faust drops what lies before the newest record it has handed
    on: one that was fetched before a seek and handed on after it would have everything dropped that was sought.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as Faust calls it
        super().__init__(*args, **kwargs)
        self._asked, self._done = 0, 0
        """How often to seek was asked for, and which of these has been done."""
        self._sought_at = -APART_S
        self._later: asyncio.TimerHandle | None = None

    async def perform_seek(self) -> None:
        """Have the next fetch begin where the database stands; Faust asks for it before it lets records flow."""
        self._asked += 1

    def refetch(self) -> None:
        """Have all partitions fetched again from where the database stands: soon, and not too often."""
        if self._later is None:
            wait_s = max(0.0, self._sought_at + APART_S - time.monotonic())
            self._later = asyncio.get_running_loop().call_later(wait_s, self._ask)

    def _ask(self) -> None:
        self._later = None
        self._asked += 1

    async def _wait_next_records(self, timeout: float) -> tuple[Any, Any]:  # noqa: ASYNC109 - as Faust calls it
        """Fetch, from where the database stands if that was asked for; called when the fetch before is handed on."""
        while self._done != self._asked and not self.should_stop:
            if not self.flow_active:
                await self.wait(self.can_resume_flow)  # type: ignore[arg-type] # as Faust does
                continue
            asked = self._asked
            try:
                await self._seek_stored()
            except Exception as error:  # noqa: BLE001 - the database is away, or a rebalance came between
                log.warning("where the database stands is not known, asking again", error=repr(error))
                await self.sleep(RETRY_S)
            else:
                self._done, self._sought_at = asked, time.monotonic()
        return await super()._wait_next_records(timeout)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ANN401, ASYNC109 - as Faust
        """Fetch, but of no partition of which enough waits already: the rest stays in Kafka, and holds up no other."""
        transport = self.transport
        assert isinstance(transport, DatabaseTransport)  # noqa: S101 - it made this consumer
        active = active_partitions or set()
        wanted = {tp for tp in active if tp.topic != transport.topic or not transport.has_enough(tp.partition)}
        if wanted == active:
            return await super()._getmany(wanted, timeout)
        # Asked for none it would fetch of all; and a consumer that asks for nothing for an hour leaves its group.
        return await super()._getmany(wanted or {TP(transport.topic, NOWHERE)}, min(timeout, HELD_S))

    async def _seek_stored(self) -> None:
        """Seek all assigned partitions to where the database stands."""
        transport = self.transport
        assert isinstance(transport, DatabaseTransport)  # noqa: S101 - it made this consumer
        stored = await asyncio.to_thread(transport.stored)
        own = [tp for tp in self.assignment() if tp.topic == transport.topic]
        if not own:
            return
        ends = await self.highwaters(*own)
        # A log that ends before what is stored of it has been replaced: it is read from its beginning.
        offsets = {tp: stored.get(tp.partition, 0) for tp in own}
        places = {tp: offset if offset <= (ends.get(tp) or 0) else 0 for tp, offset in offsets.items()}
        await self.seek_wait(places)  # in the consumer's own thread, where its fetches are; `seek` is not
        # What waits to be taken is fetched again, and partitions that were held back because it was much are not.
        self.app.flow_control.clear()
        for tp in [*self._buffered_partitions]:
            self.on_buffer_drop(tp)
        # Or Faust would wait for what lies between here and what the group had committed, and commit nothing more.
        self._committed_offset.update({tp: offset or None for tp, offset in places.items()})


class DatabaseTransport(Transport):
    """Makes such consumers of one topic."""

    Consumer = DatabaseConsumer

    def __init__(
        self, app: faust.App, topic: str, stored: Callable[[], Mapping[int, int]], has_enough: Callable[[int], bool]
    ) -> None:
        """Take what they ask.

        `stored`: offset behind the last record stored, by partition; asked in a thread. `has_enough`: whether so much
        of a partition has been fetched and is not stored that no more should be.
        """
        super().__init__(app.conf.broker_consumer, app)
        self.topic = topic
        self.stored = stored
        self.has_enough = has_enough
