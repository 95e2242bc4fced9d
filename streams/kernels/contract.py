"""What a kernel is: a pure fold over one entity's ordered items, or a view over rows already derived.

A new metric is a new kernel in `streams.installed`; the transaction engine stays as it is. Kernels do no I/O and
never ask for the time: state and ordered items in, new state and rows out. They may not change the state they
are given, because the transaction it belongs to may be rolled back.

The promise a fold makes, and the engine relies on for late data: it does not matter how its items are cut. Fed one
by one, all at once, or with its state written and read back in between, it comes to the same rows and the same state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from schemas.time import DAY_MS

if TYPE_CHECKING:
    from schemas.metrics import Row
    from schemas.readings import Kind
    from schemas.registry import Device, Site
    from streams.kernels.codec import Codec
    from streams.kernels.figures import Layout, Mask

Changed = Mapping["type[Row]", "Sequence[Row]"]
"""Rows of one site that this transaction wrote or took away, by type; what stands now is in the database."""
Found = Mapping["type[Row]", "Sequence[Row]"]
"""Rows of one site that a view asked for, by type, in order of their key."""


@runtime_checkable
class Fold(Protocol):
    """A kernel over one entity's items: a device's readings, or the derived rows of a device or site."""

    @property
    def name(self) -> str:
        """Under which its states are saved."""

    @property
    def codec(self) -> Codec[Any]:
        """Writes its states, and reads them back."""

    @property
    def version(self) -> int:
        """Of the form of its state; a saved state of another version is rebuilt from the items."""

    @property
    def source(self) -> frozenset[Kind] | type[Row]:
        """What it is fed: readings of some kinds, or derived rows of one type.

        A row that still grows is given again and again; take one as final only when a later one has come.
        """

    @property
    def events(self) -> tuple[type[Row], ...]:
        """Types of rows it gives out that a late item may disprove; their `seen_ts` says which item gave them out."""

    @property
    def snapshot_ms(self) -> int:
        """How far apart its state is kept to go back to; multiples of it are the moments."""

    def fold(self, state: Any, subject: Any, items: Sequence[Any], /) -> tuple[Any, list[Row]]:  # noqa: ANN401
        """Take items newer than any before, in order of time; `state` is None at the beginning.

        The subject is the device, or the site, that the items are of.
        """

    def dump(self, state: Any, /) -> str:  # noqa: ANN401
        """Write a state as JSON."""

    def load(self, text: str, /) -> Any:  # noqa: ANN401
        """Read a state back, exactly."""


@runtime_checkable
class Quiet(Fold, Protocol):
    """A fold that can take the next reading of many entities at once, as long as nothing happens to them.

    A promise more: whichever readings are taken so, rows and states are the same to the last bit.
    """

    @property
    def samples(self) -> type[Any]:
        """Readings, with the device of each: `samples.of(arrivals, devices, rows)`; `at` gives some of them.

        NaN is the time of one not plain.
        """

    @property
    def layout(self) -> Layout[Any]:
        """Of the figures that quiet readings change, and that they are judged by."""

    @property
    def says_how_it_stands(self) -> bool:
        """Whether its quiet rows say how an entity stands, one each: then only those of its last reading count."""

    def figures_of(self, state: Any, subject: Any, /) -> tuple[float, ...] | None:  # noqa: ANN401
        """Write a state as figures, in the layout's order; None for one whose next reading is not quiet anyhow."""

    def state_of(self, base: Any, figures: Sequence[float], /) -> Any:  # noqa: ANN401
        """Read a state back: `base`, the one the figures began as, with what quiet readings have changed of it."""

    def advance(self, figures: Any, samples: Any, /) -> tuple[Mask, Iterable[Row]]:  # noqa: ANN401
        """Advance figures by each entity's next reading; return which were quiet, and the rows of these.

        Rows may be made as they are asked for, and are not asked for where others of the same entity count instead.

        What becomes of the others' figures does not matter: they are thrown away.
        """


@runtime_checkable
class Reviser(Fold, Protocol):
    """A fold that gives rows of the past out again when a later item shows what they really were.

    Two promises more. Whatever stretch of the past a state may still revise, the fold gives its rows out again, as
    they then look, with the first item that is not plain, and they follow from the state alone.
    """

    def is_final(self, state: Any, row: Row, /) -> bool:  # noqa: ANN401
        """Whether no item after `state` can give this row out again."""

    def revisable_from(self, state: Any, /) -> int:  # noqa: ANN401
        """Time of the oldest row that an item after `state` can give out again, ms; FOREVER_TS: of none."""


@runtime_checkable
class Retelling(Fold, Protocol):
    """A fold that a late item, or one that goes, may keep from giving rows at all that it gave before."""

    @property
    def retold(self) -> tuple[type[Row], ...]:
        """Types of these rows; not events, whose `seen_ts` tells the engine as much."""

    def is_behind(self, state: Any, row: Row, /) -> bool:  # noqa: ANN401
        """Whether a row of these types was given, if ever, by an item before `state`, and not behind it."""

    def retold_from(self, before: Any, after: Any, /) -> int:  # noqa: ANN401
        """Time of the oldest row that items between two states may have given and not give again, ms.

        Only what is older than the moment of `before` is asked for; FOREVER_TS: nothing is.
        """


@runtime_checkable
class Sharer(Fold, Protocol):
    """A fold whose events are of a type that other folds give of the same entity, too."""

    def gave(self, row: Row, /) -> bool:
        """Whether an event is this fold's own: only those are taken away when it does not give them again."""


class Want(NamedTuple):
    """Rows a view needs, or takes away: of one type, of some entities, with from_ts <= ts < to_ts."""

    row_type: type[Row]
    entity_ids: Sequence[str]
    from_ts: int
    to_ts: int
    second: Any = None
    """Of rows to take away: only those whose second field is this, a register, a product line or a span; None: all."""


class Replaced(NamedTuple):
    """What a view came to: rows, and stretches of which it gave all rows there are."""

    rows: list[Row]
    cleared: Sequence[Want] = ()
    """Rows of these that are not among the given ones are taken away."""
    anew: Sequence[Want] = ()
    """Rows of these are taken away first, whatever is given: who counted them as they stood must hear of it."""


class KernelView(Protocol):
    """A kernel over rows of one site: no state, computed from rows alone."""

    @property
    def name(self) -> str:
        """For logs."""

    @property
    def inputs(self) -> frozenset[type[Row]]:
        """A change of rows of these types calls for it."""

    def wants(self, site: Site, devices: Sequence[Device], changed: Changed, /) -> Sequence[Want]:
        """Choose the rows it needs to compute again what the change touches."""

    def rows(self, site: Site, devices: Sequence[Device], changed: Changed, found: Found, /) -> Replaced:
        """Compute again what the change touches."""


@runtime_checkable
class RegistryView(KernelView, Protocol):
    """A view whose rows are there because the registry asks for them: of a site, of its lines, of its virtual meters.

    Another registry may ask for others. What the one before asked for goes when all of the site is derived again.
    """

    @property
    def gives(self) -> type[Row]:
        """Type of its rows."""

    def owners(self, site: Site, /) -> Sequence[str]:
        """Entities at a site that its rows may be of."""

    def anchor_ts(self, row: Row, /) -> int:
        """Moment of the input without which there is no such row, ms; `LONGEST_ANCHOR_MS` before its `ts` at most."""


class SiteRows:
    """What most of these views say: their rows are the site's own, each at the moment of what it is made of."""

    def owners(self, site: Site) -> Sequence[str]:
        """The site."""
        return [site.site_id]

    def anchor_ts(self, row: Row) -> int:
        """The row's own moment."""
        return row.ts


LONGEST_ANCHOR_MS = DAY_MS
"""A window of days ends with a local day, and is there because that day is."""
