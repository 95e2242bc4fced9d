"""Derivation: what all kernels make of one transaction's new readings, from folds over devices to views over sites."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.time import FOREVER_TS, Span
from storage import derived
from streams.engine.by_device import ByDevice
from streams.engine.folding import Folding, in_time
from streams.engine.slices import rounds
from streams.engine.stage import Written
from streams.engine.standing import StandingRows
from streams.kernels.contract import LONGEST_ANCHOR_MS, Fold, RegistryView

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from psycopg import Connection

    from schemas.arrival import Arrival
    from schemas.columns.arrivals import Arrivals
    from schemas.kafka.quarantine import Quarantined
    from schemas.metrics import Row
    from schemas.registry import Device, Site
    from storage.checkpoint import Position
    from storage.state import Snapshot
    from streams.engine.folding import Given, Loaded
    from streams.engine.kernels import Kernels
    from streams.engine.memory import Memories, Moved
    from streams.engine.quiet import QuietWays
    from streams.intake.admission import Directory
    from streams.kernels.contract import KernelView, Want

ByType = dict["type[Row]", list["Row"]]
BySite = dict["type[Row]", dict[str, list["Row"]]]


@cache
def _steps(kernels: tuple[Fold | KernelView, ...]) -> list[tuple[Fold | None, KernelView | None]]:
    """What each kernel over rows is; to ask for a protocol takes 30 µs, and each was asked in each transaction."""
    return [(kernel, None) if isinstance(kernel, Fold) else (None, kernel) for kernel in kernels]


@cache
def _heard(kernels: Kernels) -> frozenset[type[Row]]:
    return kernels.heard


class Derivation:
    """All kernels at work in one transaction: `feed` them readings kind by kind, then `finish`."""

    def __init__(
        self,
        connection: Connection,
        kernels: Kernels,
        directory: Directory,
        known: Memories,
        moved: Moved,
        *,
        quiet: QuietWays,
    ) -> None:
        """Take `known` as what kernels remember, and put into `moved` and `quiet` what they remember then."""
        self._connection = connection
        self._rows = StandingRows(connection)
        self._kernels = kernels
        self._directory = directory
        self._known = known
        self._moved = moved
        self._quiet = quiet
        self._loaded: Loaded = {}
        self._unwritten: list[Row] = []
        self._standing: BySite = {}
        """Rows that this transaction wrote, by type and site."""
        self._gone: BySite = {}
        """Rows that it took away."""
        self._written = 0
        self._late: list[Span] = []
        self._rederivation: Rederivation | None = None
        self.snapshots: list[Snapshot] = []

    def feed(self, arrivals: Arrivals) -> None:
        """Feed readings of one kind that were stored just now, in order of device and time."""
        if not arrivals:
            return
        kind, devices = arrivals.kind, self._directory.devices
        folds = [fold for fold in self._kernels.readings if isinstance(fold.source, frozenset) and kind in fold.source]
        by_device = ByDevice(arrivals)
        batch = self._quiet.batch(devices, by_device)
        late: Mapping[str, Sequence[Arrival]] | None = None
        """Devices that any fold was fed with by itself: none that is late is quiet."""
        for fold in folds:
            if (way := self._quiet.of(fold, batch)) is not None:
                left, rows = way.take(by_device, self._moved)
                self._unwritten += rows
            else:
                left = by_device.each
            late = left if late is None or len(left) < len(late) else late
            self._take(self._folding(fold).feed(devices, left))
        self._late += self._late_of(folds, by_device.each if late is None else late)

    def _late_of(self, folds: Sequence[Fold], by_device: Mapping[str, Sequence[Arrival]]) -> list[Span]:
        """Devices that have readings older than what they were heard to say before."""
        found = []
        for device_id, own in by_device.items():
            # All of them have been fed the same: whichever remembers it says when it was heard.
            memories = (self._known.get((fold.name, device_id)) for fold in folds)
            memory = next((memory for memory in memories if memory is not None), None)
            if memory is not None and own[0].ts < memory.last_ts:
                found.append(Span(device_id, own[0].ts, memory.last_ts))
        return found

    def rebuild(self, rederivation: Rederivation) -> None:
        """Feed the stored readings of some devices again, and so all that is folded from rows."""
        self._rederivation = rederivation
        for fold in self._kernels.readings:
            if isinstance(fold.source, frozenset):
                own = {device.device_id: device for device in rederivation.devices if device.kind in fold.source}
                since = dict.fromkeys(own, rederivation.from_ts)
                self._take(rederivation.of(self._folding(fold), own, since, forced=rederivation.is_complete))
        whole = rederivation.devices if rederivation.sweep else ()  # all of the site, whoever gave it
        if standing := [*whole, *(rederivation.before or ())]:
            spans = [Span(device.device_id, rederivation.from_ts, rederivation.to_ts) for device in standing]
            for row_type in self._kernels.viewed:
                self._note(self._standing, self._rows.load(row_type, spans))

    def finish(self) -> int:
        """Write what the folds gave, and compute all that follows from it; returns how many rows were written."""
        self._write(self._unwritten)
        for fold, view in _steps(self._kernels.rows):
            if fold is not None:
                self._fold_rows(fold)
            if view is not None:
                self._look(view)
        return self._written

    def written(
        self, position: Position, partitions: int, record_ts: int | None, refused: Sequence[Quarantined]
    ) -> Written:
        """What was written, taken away and refused, for the stages that follow."""
        return Written(
            self._connection,
            self._directory,
            self._standing,
            self._gone,
            position,
            partitions,
            record_ts,
            self._late,
            self._newest_ts,
            refused,
        )

    def _newest_ts(self) -> dict[str, int]:
        """Time of the newest reading of each device that any fold over readings remembers."""
        names = {fold.name for fold in self._kernels.readings}
        found: dict[str, int] = {}
        for memories in (self._known, self._moved):
            for (name, entity_id), memory in memories.items():
                if memory is not None and name in names and memory.last_ts > found.get(entity_id, -1):
                    found[entity_id] = memory.last_ts
        for entity_id, ts in self._quiet.newest_ts():
            found[entity_id] = max(ts, found.get(entity_id, ts))
        return found

    def _folding(self, fold: Fold) -> Folding:
        return Folding(self._rows, fold, self._known, self._moved, self._loaded)

    def _take(self, given: Given) -> None:
        self._unwritten += given.rows
        self.snapshots += given.snapshots
        self._note(self._standing, given.rewritten)
        self._note(self._gone, given.gone)
        self._written += len(given.rewritten)

    def _write(self, rows: Sequence[Row]) -> None:
        self._rows.write(rows)
        self._note(self._standing, rows)
        self._written += len(rows)

    def _note(self, where: BySite, rows: Iterable[Row]) -> None:
        """Keep rows that something follows from; windows of every minute are many, and nothing does from them."""
        for row_type, own in derived.by_type(list(rows)).items():
            if row_type in _heard(self._kernels):
                by_site = where.setdefault(row_type, {})
                for row in own:
                    by_site.setdefault(row.site_id, []).append(row)

    def _fold_rows(self, fold: Fold) -> None:
        """Feed a fold with the rows of its type that this transaction changed."""
        source = fold.source
        assert not isinstance(source, frozenset)  # noqa: S101 - a fold over rows
        standing = list(chain.from_iterable(self._standing.get(source, {}).values()))
        gone = list(chain.from_iterable(self._gone.get(source, {}).values()))
        if not standing and not gone and self._rederivation is None:
            return
        self._unwritten = []
        if self._rederivation is None:
            newest = {derived.key_of(row): row for row in standing}
            items = in_time(derived.as_stored(list(newest.values())))
            times = {entity_id: [row.ts for row in rows] for entity_id, rows in in_time(gone).items()}
            subjects = {entity_id: self._directory.subject(entity_id) for entity_id in [*items, *times]}
            self._take(self._folding(fold).feed(subjects, items, times))
        else:
            since = self._remembered(fold, self._rederivation)
            for row in (*standing, *gone):
                since[row[0]] = min(since.get(row[0], row.ts), row.ts)
            subjects = {entity_id: self._directory.subject(entity_id) for entity_id in since}
            self._take(self._rederivation.of(self._folding(fold), subjects, since, forced=False))
        self._write(self._unwritten)

    def _remembered(self, fold: Fold, rederivation: Rederivation) -> dict[str, int]:
        """Entities of which a fold over rows remembers something that is derived again now, whatever differs."""
        if rederivation.before is None:
            return {}
        named = {device.device_id for device in (*rederivation.devices, *rederivation.before)}
        apart = self._directory.devices.keys() - named
        found = [entity_id for name, entity_id in self._known if name == fold.name and entity_id not in apart]
        return dict.fromkeys(found, rederivation.from_ts)

    def _look(self, view: KernelView) -> None:
        """Have a view compute again what the changes touch."""
        changed: dict[str, ByType] = {}
        for where in (self._standing, self._gone):
            for row_type in [row_type for row_type in where if row_type in view.inputs]:
                for site_id, rows in where[row_type].items():
                    changed.setdefault(site_id, {}).setdefault(row_type, []).extend(rows)
        meters = {site_id: len(self._directory.entities_of(site_id)) for site_id in changed}
        parts = list(rounds(view, changed, meters)) if changed else []
        given: list[Row] = []
        for part in parts:
            given += self._look_at(view, part)
            if len(parts) > 1:
                self._rows.release()
        if self._rederivation is not None and self._rederivation.sweep and isinstance(view, RegistryView):
            self._sweep(view, self._rederivation, self._rederivation.sweep, given)

    def _sweep(self, view: RegistryView, rederivation: Rederivation, sweep: Sweep, given: Sequence[Row]) -> None:
        """Take away what a view gave under an earlier registry, and does not give under this one."""
        from_ts, to_ts = max(sweep.from_ts, rederivation.from_ts), rederivation.to_ts
        owners = view.owners(self._site(sweep.site_id)) if from_ts < to_ts else ()
        spans = [Span(owner, from_ts, to_ts + LONGEST_ANCHOR_MS) for owner in owners]

        def lies_within(row: Row) -> bool:
            return from_ts <= view.anchor_ts(row) < to_ts

        self._note(self._gone, self._rows.withdraw(view.gives, spans, given, owned=lies_within))

    def _look_at(self, view: KernelView, changed: Mapping[str, ByType]) -> Sequence[Row]:
        """Have it compute again what some of the changes touch; returns what it gave."""
        wants: dict[str, Sequence[Want]] = {
            site_id: view.wants(self._site(site_id), self._devices(site_id), touched)
            for site_id, touched in changed.items()
        }
        found = self._load(wants)
        rows: list[Row] = []
        cleared: list[Want] = []
        anew: list[Want] = []
        for site_id, touched in changed.items():
            replaced = view.rows(self._site(site_id), self._devices(site_id), touched, found[site_id])
            rows += replaced.rows
            cleared += replaced.cleared
            anew += replaced.anew
        self._clear(cleared, rows)
        self._clear(anew, ())
        self._write(rows)
        return rows

    def _clear(self, wants: Iterable[Want], given: Sequence[Row]) -> None:
        """Take away the rows of some stretches that are not given."""
        stretches: dict[tuple[type[Row], Any], list[Span]] = {}
        for want in wants:
            stretches.setdefault((want.row_type, want.second), []).extend(_spans(want))
        for (row_type, second), spans in stretches.items():
            owned = None if second is None else partial(_is_second, second)
            self._note(self._gone, self._rows.withdraw(row_type, spans, given, owned=owned))

    def _load(self, wants: dict[str, Sequence[Want]]) -> dict[str, ByType]:
        """Rows that views asked for, by site: one query a type."""
        spans: dict[type[Row], list[Span]] = {}
        found: dict[str, ByType] = {}
        for site_id, of_site in wants.items():
            found[site_id] = {want.row_type: [] for want in of_site}
            for want in of_site:
                spans.setdefault(want.row_type, []).extend(_spans(want))
        for row_type, asked in spans.items():
            for row in self._rows.load(row_type, asked):
                if row.site_id in found:
                    found[row.site_id][row_type].append(row)
        return found

    def _site(self, site_id: str) -> Site:
        return self._directory.sites[site_id]

    def _devices(self, site_id: str) -> Sequence[Device]:
        return self._directory.site_devices.get(site_id, ())


class Sweep(NamedTuple):
    """That what nothing gives any more at a site is taken away, as far as all that it is made of is still kept."""

    site_id: str
    from_ts: int


@dataclass(frozen=True, slots=True)
class Rederivation:
    """What is derived again, whatever stands there: everything of some devices between two moments.

    Devices of one site may be taken one after the other, each in a transaction of its own: only what differs is then
    carried on at once, and with the last of them all that follows from the rows of all of them.
    """

    devices: Sequence[Device]
    from_ts: int
    to_ts: int = FOREVER_TS
    before: Sequence[Device] | None = ()
    """Devices that were taken before; None where more are to come."""
    until_it_agrees: bool = False
    """From the first moment on, and only as far as what is remembered still differs."""
    sweep: Sweep | None = None
    """None: what stands and is not given again stays, unless a view knows of it."""

    @property
    def is_complete(self) -> bool:
        """Whether all that follows is derived again, not only what differs."""
        return self.before is not None

    def of(
        self, folding: Folding, subjects: Mapping[str, Device | Site], since: Mapping[str, int], *, forced: bool
    ) -> Given:
        """One fold's part of it, each entity from a moment of its own on."""
        if self.until_it_agrees:
            return folding.settle(subjects, since)
        return folding.rebuild(subjects, since, self.to_ts, forced=forced)


def _is_second(second: object, row: Row) -> bool:
    return bool(row[1] == second)


def _spans(want: Want) -> list[Span]:
    return [Span(entity_id, want.from_ts, want.to_ts) for entity_id in want.entity_ids]
