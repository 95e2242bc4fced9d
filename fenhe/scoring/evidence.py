"""What is said of battery sets beside the truth, before it is scored: kept in a file, and put together from parts.

A scenario whose sets are played some at a time, because a machine is small or shared, is scored over all of them: a
hundred forecasts are asked for before any of them counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import orjson

from fenhe.scoring.health import BMS, Forecast, ScoredEstimate, score_backup, score_estimates
from fenhe.scoring.tables import backup_rows, capacity_rows, health_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from psycopg import Connection

    from fenhe.scoring.health import BackupScore, EstimateScore


class SetEvidence(NamedTuple):
    """Of the sets of a run, or of a part of them."""

    estimates: list[ScoredEstimate]
    """Newest state of health of every set, known or not."""
    bms: list[ScoredEstimate]
    """What its BMS said: the control."""
    single: list[ScoredEstimate]
    """Each discharge by itself."""
    now: list[Forecast]
    """Backup time as forecast now."""
    outages: list[Forecast]
    """Of outages that reached the cut-off."""

    def health(self) -> dict[str, EstimateScore]:
        """What is shown, by the method of the newest estimate, and the control."""
        found = score_estimates(self.estimates)
        return found | {BMS: score_estimates(self.bms)["all"]} if self.bms else found

    def discharges(self) -> dict[str, EstimateScore]:
        """Single discharges by method."""
        return score_estimates(self.single)

    def backup(self) -> dict[str, BackupScore]:
        """Forecasts."""
        return {"now": score_backup(self.now), "outages": score_backup(self.outages)}

    def write(self, path: Path) -> None:
        """Keep it."""
        path.write_bytes(orjson.dumps({name: [list(row) for row in rows] for name, rows in self._asdict().items()}))


def evidence_of(connection: Connection, truth: Path) -> SetEvidence:
    """Of a database, held against a truth file; of the sets that are registered there."""
    estimates, bms = health_rows(connection, truth)
    return SetEvidence(estimates, bms, capacity_rows(connection, truth), *backup_rows(connection, truth))


def read_evidence(path: Path) -> SetEvidence:
    """Read what `SetEvidence.write` kept."""
    kept = orjson.loads(path.read_bytes())
    estimates, bms, single = ([ScoredEstimate(*row) for row in kept[name]] for name in ("estimates", "bms", "single"))
    now, outages = ([Forecast(*row) for row in kept[name]] for name in ("now", "outages"))
    return SetEvidence(estimates, bms, single, now, outages)


def together(parts: Sequence[SetEvidence]) -> SetEvidence:
    """All parts as one."""
    return SetEvidence(
        [row for part in parts for row in part.estimates],
        [row for part in parts for row in part.bms],
        [row for part in parts for row in part.single],
        [row for part in parts for row in part.now],
        [row for part in parts for row in part.outages],
    )
