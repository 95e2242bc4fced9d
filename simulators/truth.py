"""The truth of a simulated run, beside what its devices said: an SQLite file that no processor reads.

| table | row |
|---|---|
| `run` | one: scenario, seed, start_ms, version |
| `label` | a fault, anomaly, leak or outage: whose, kind, metric, start_ms, end_ms, size, unit, params (JSON) |
| `state` | a true quantity of a device or a site at one moment: entity, ts, quantity, value |
| `total` | what truly passed a meter: device_id, quantity, from_ms, to_ms, increment in the register's unit |

Labels are drawn and written before the first reading. A `total` is the physical flow: free of every fault and of the
meter's own class error, which stands in `state` under the quantity `gain` (shown = gain × true) once per meter.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

VERSION = 1
"""Of the file's format."""


class LabelKind(StrEnum):
    """Everything that can be wrong, or is done on purpose, in a simulated world."""

    LEAK_ABRUPT = "leak_abrupt"
    LEAK_INCIPIENT = "leak_incipient"

    FREEZE = "freeze"
    """The register stands, and what flowed meanwhile is never counted."""
    FREEZE_CATCH_UP = "freeze_catch_up"
    """The register stands, then jumps to where it should be."""
    GAP = "gap"
    DUPLICATE = "duplicate"
    LATE = "late"
    CLOCK_JUMP = "clock_jump"
    RESET = "reset"
    ROLLOVER = "rollover"
    REPLACEMENT = "replacement"
    PHASE_LOSS = "phase_loss"
    SCALE = "scale"
    SLOW_BIAS = "slow_bias"

    BASE_LOAD_LEFT_ON = "base_load_left_on"
    EFFICIENCY_DRIFT = "efficiency_drift"
    EFFICIENCY_STEP = "efficiency_step"
    NIGHT_USE = "night_use"
    MAINTENANCE = "maintenance"
    """Efficiency comes back in a step; no anomaly."""

    MAINS_OUTAGE = "mains_outage"
    CAPACITY_TEST = "capacity_test"
    """核对性放电."""
    WEAK_CELL = "weak_cell"
    HIGH_RESISTANCE_JOINT = "high_resistance_joint"
    SELF_DISCHARGING_CELL = "self_discharging_cell"
    STUCK_SENSOR = "stuck_sensor"
    FROZEN_SOC = "frozen_soc"
    FSU_OFFLINE = "fsu_offline"
    ABSENT_CHANNEL = "absent_channel"
    RUNAWAY_PRECURSOR = "runaway_precursor"

    NETWORK_DUPLICATES = "network_duplicates"
    NETWORK_REORDERING = "network_reordering"
    GATEWAY_OFFLINE = "gateway_offline"
    RECONNECT_STORM = "reconnect_storm"
    MALFORMED = "malformed"
    FOREIGN = "foreign"
    CLOCK_SKEW = "clock_skew"


class Label(NamedTuple):
    """One thing that was injected; exactly what a detector has to find, or to leave alone."""

    kind: LabelKind
    site_id: str
    """Empty where it concerns the whole scene."""
    device_id: str
    """Empty where it concerns a whole site."""
    metric: str
    """Field or quantity it shows in, with its unit; empty for none in particular."""
    start_ts: int
    end_ts: int | None
    """None: until the run ends, or over in a moment (reset, replacement)."""
    size: float
    unit: str
    params: dict[str, Any] = {}  # noqa: RUF012 - never changed


class TruthRun(NamedTuple):
    """What the file is the truth of."""

    scenario: str
    seed: int
    start_ts: int
    version: int = VERSION


class TrueValue(NamedTuple):
    """A true quantity of a device or site (`entity`) at `ts`."""

    entity: str
    ts: int
    quantity: str
    value: float


class TrueTotal(NamedTuple):
    """What truly passed a meter between two moments, in the register's unit."""

    device_id: str
    quantity: str
    from_ts: int
    to_ts: int
    increment: float


@runtime_checkable
class TruthSource(Protocol):
    """A part of a scene that knows its own truth."""

    def labels(self) -> Sequence[Label]:
        """Everything that will be injected; known before the first reading."""

    def states(self, at_ts: int) -> Iterable[TrueValue]:
        """True state at `at_ts`, the moment up to which the part has been simulated."""

    def totals(self, from_ts: int, to_ts: int) -> Iterable[TrueTotal]:
        """What has passed the meters since the last call."""


_TABLES = """
CREATE TABLE run (scenario TEXT NOT NULL, seed INTEGER NOT NULL, start_ms INTEGER NOT NULL, version INTEGER NOT NULL);
CREATE TABLE label (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, site_id TEXT NOT NULL, device_id TEXT NOT NULL, metric TEXT NOT NULL,
    start_ms INTEGER NOT NULL, end_ms INTEGER, size REAL NOT NULL, unit TEXT NOT NULL, params TEXT NOT NULL
);
CREATE TABLE state (entity TEXT NOT NULL, ts INTEGER NOT NULL, quantity TEXT NOT NULL, value REAL NOT NULL);
CREATE TABLE total (
    device_id TEXT NOT NULL, quantity TEXT NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,
    increment REAL NOT NULL
);
"""
_INDEXES = """
CREATE INDEX IF NOT EXISTS state_series ON state (quantity, entity, ts);
CREATE INDEX IF NOT EXISTS total_series ON total (device_id, quantity, from_ms);
"""


class TruthWriter:
    """Writes a new file; an existing one at `path` is replaced. Close it: the indexes come last."""

    def __init__(self, path: Path, run: TruthRun) -> None:
        path.unlink(missing_ok=True)
        # Written from the thread that draws the scene, closed from the one that opened it; never by two at once.
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.executescript(_TABLES)
        self._connection.execute("INSERT INTO run VALUES (?, ?, ?, ?)", run)
        self._connection.commit()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def add_labels(self, labels: Iterable[Label]) -> None:
        """Write labels and commit, so that they stand before any reading."""
        self._connection.executemany(
            "INSERT INTO label (kind, site_id, device_id, metric, start_ms, end_ms, size, unit, params)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(*label[:-1], json.dumps(label.params, ensure_ascii=False, sort_keys=True)) for label in labels],
        )
        self._connection.commit()

    def add_states(self, states: Iterable[TrueValue]) -> None:
        """Write true states."""
        self._connection.executemany("INSERT INTO state VALUES (?, ?, ?, ?)", states)

    def add_totals(self, totals: Iterable[TrueTotal]) -> None:
        """Write true totals."""
        self._connection.executemany("INSERT INTO total VALUES (?, ?, ?, ?, ?)", totals)

    def commit(self) -> None:
        """Make what was written so far visible to a reader."""
        self._connection.commit()

    def close(self) -> None:
        """Index, commit and close."""
        self._connection.executescript(_INDEXES)
        self._connection.commit()
        self._connection.close()


def read_run(path: Path) -> TruthRun:
    """What run a file is the truth of. Raises ValueError for a file of another format."""
    with closing(_open(path)) as connection:
        run = TruthRun(*connection.execute("SELECT scenario, seed, start_ms, version FROM run").fetchone())
    if run.version != VERSION:
        msg = f"{path} is of truth format {run.version}, this fenhe reads {VERSION}: simulate again"
        raise ValueError(msg)
    return run


def read_labels(path: Path) -> list[Label]:
    """All labels, in the order in which they begin."""
    with closing(_open(path)) as connection:
        return [
            Label._make((LabelKind(kind), *columns, json.loads(params)))
            for kind, *columns, params in connection.execute(
                "SELECT kind, site_id, device_id, metric, start_ms, end_ms, size, unit, params FROM label"
                " ORDER BY start_ms, id"
            )
        ]


def read_states(path: Path, quantity: str, entity: str | None = None) -> Iterator[TrueValue]:
    """True states of one quantity, by entity and time."""
    with closing(_open(path)) as connection:
        for row in connection.execute(
            "SELECT entity, ts, quantity, value FROM state WHERE quantity = ? AND (? IS NULL OR entity = ?)"
            " ORDER BY entity, ts",
            (quantity, entity, entity),
        ):
            yield TrueValue(*row)


def read_totals(path: Path, device_id: str | None = None) -> Iterator[TrueTotal]:
    """True totals, by device, quantity and time."""
    with closing(_open(path)) as connection:
        for row in connection.execute(
            "SELECT device_id, quantity, from_ms, to_ms, increment FROM total"
            " WHERE ? IS NULL OR device_id = ? ORDER BY device_id, quantity, from_ms",
            (device_id, device_id),
        ):
            yield TrueTotal(*row)


def _open(path: Path) -> sqlite3.Connection:
    """Open for reading only. Raises FileNotFoundError where there is nothing."""
    if not path.exists():
        msg = f"no truth file at {path}: write one with `fenhe simulate --scenario … --truth {path}`"
        raise FileNotFoundError(msg)
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)
