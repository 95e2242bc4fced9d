"""What the transactions of one engine share: connections, the registry, what is computed and what is remembered."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from schemas.topics import partition_of
from storage import readings, state
from storage.registry import load_registry
from streams.engine.memory import Memories, Memory, Unread
from streams.engine.parts import NEVER_HEARD, UNREGISTERED
from streams.intake.admission import Directory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from psycopg import Connection
    from psycopg_pool import ConnectionPool

    from schemas.readings import Kind
    from streams.engine.kernels import Kernels
    from streams.engine.partition import Partition
    from streams.engine.parts import Newest
    from streams.intake.batch import Batch


class Session:
    """Shared by the transactions of one engine; thread-safe across different partitions."""

    def __init__(
        self, pool: ConnectionPool, kernels: Kernels, partitions: int, save_every: int, quiet_from: int
    ) -> None:
        self.kernels = kernels
        """What is computed."""
        self.folds = {fold.name: fold for fold in kernels.folds}
        self.partitions = partitions
        """How many partitions the log has."""
        self.save_every = save_every
        """How many readings of a device may come before what is remembered of it is saved."""
        self.quiet_from = quiet_from
        """From how many devices on that have equally many new readings these go the quiet way."""
        self._pool = pool
        self._directory: Directory | None = None
        self._loading = threading.Lock()
        self._first_fold = {
            kind: fold.name
            for fold in reversed(kernels.readings)
            if isinstance(fold.source, frozenset)
            for kind in fold.source
        }

    def begin(self) -> AbstractContextManager[Connection]:
        """Borrow a connection."""
        return self._pool.connection()

    def directory(self, connection: Connection, version: int) -> Directory:
        """Return the registry, reloaded if it has moved."""
        with self._loading:
            if self._directory is None or self._directory.version != version:
                self._directory = Directory(*load_registry(connection))
            return self._directory

    def load_memories(self, connection: Connection, directory: Directory, number: int) -> Memories:
        """What the kernels remember of a partition's entities; a state of another version is left to be rebuilt."""
        return self.memories_of(connection, directory, self.entities_of(directory, number))

    def entities_of(self, directory: Directory, number: int) -> list[str]:
        """Everything of a partition's sites that a kernel may remember something of."""
        return [
            entity_id
            for site_id in directory.sites
            if partition_of(site_id, self.partitions) == number
            for entity_id in directory.entities_of(site_id)
        ]

    def memories_of(self, connection: Connection, directory: Directory, entity_ids: Sequence[str]) -> Memories:
        """What the kernels remember of some entities; a state of another version is left to be rebuilt."""
        readers = {fold.name for fold in self.kernels.readings}
        saved = [
            item
            for item in state.load(connection, entity_ids)
            if (fold := self.folds.get(item.kernel)) is not None and fold.version == item.version
        ]
        heard: dict[str, int] = {}
        for item in saved:
            if item.kernel in readers:
                heard[item.entity_id] = max(item.last_ts, heard.get(item.entity_id, item.last_ts))
        known = [(directory.devices[entity_id].kind, entity_id, ts) for entity_id, ts in heard.items()]
        heard |= readings.newest_since(connection, known)
        return {
            (item.kernel, item.entity_id): Memory(
                heard[item.entity_id] if item.kernel in readers else item.last_ts, Unread(item.state, item.last_ts)
            )
            for item in saved
        }

    def look_up(self, partition: Partition, batch: Batch) -> None:
        """Ask whether anything is stored of devices of which nothing is remembered; of each device once.

        A device that was registered since is quick then: where nothing is stored there is nothing to rebuild.
        """
        directory, memories = self._directory, partition.memories
        if directory is None or partition.is_new:
            return
        unknown = {
            device_id: kind
            for device_id, kind in batch.devices()
            if (self._first_fold[kind], device_id) not in memories
            and device_id in directory.devices
            and device_id not in partition.looked_up
        }
        if unknown:
            with self.begin() as connection:
                found = readings.newest_since(connection, [(kind, name, 0) for name, kind in unknown.items()])
            partition.looked_up |= {name: name in found for name in unknown}

    def newest_of(self, partition: Partition) -> Newest:
        """How far each device of a partition has come, as this worker remembers it."""
        directory, memories, first_fold = self._directory, partition.memories, self._first_fold

        def newest(kind: Kind, device_id: str) -> int | None:
            if directory is not None and device_id not in directory.devices:
                return UNREGISTERED
            memory = memories.get((first_fold[kind], device_id))
            if memory is None:
                return NEVER_HEARD if partition.is_new or not partition.looked_up.get(device_id, True) else None
            return memory.last_ts

        return newest
