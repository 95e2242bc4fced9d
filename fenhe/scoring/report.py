"""A whole score: everything that a truth file can be held against, as one document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fenhe.scoring.detection import score_detection
from fenhe.scoring.health import BMS, ScoredEstimate, score_backup, score_estimates
from fenhe.scoring.metering import score_metering
from fenhe.scoring.tables import alarm_rows, backup_rows, health_rows, metering_rows, span_of, world_of
from simulators.truth import read_labels, read_run
from storage.books.balance import balance
from storage.pool import connect, limit_statements

if TYPE_CHECKING:
    from pathlib import Path

DIGITS = 5


def score(truth: Path, reader_url: str) -> tuple[dict[str, Any], list[ScoredEstimate]]:
    """Score a database against a truth file; also the SoH estimates themselves, for the picture.

    Sections: `run`, `metering` by kind of fault, `health` by method with the BMS as control, `backup` (as forecast
    now, and of outages that reached the cut-off), `detection` beside the random control, `books`.
    """
    run = read_run(truth)
    labels = read_labels(truth)
    span = span_of(truth, run.start_ts)
    with connect(reader_url, name="score") as connection:
        limit_statements(connection, None)
        estimates, bms = health_rows(connection, truth)
        now, past = backup_rows(connection, truth)
        health = score_estimates(estimates)
        if bms:
            health[BMS] = score_estimates(bms)["all"]
        world = world_of(connection, span)
        detection = score_detection(alarm_rows(connection), labels, world, seed=run.seed)
        books = balance(connection)
        document = {
            "run": {"scenario": run.scenario, "seed": run.seed, "start_ms": span.from_ts, "end_ms": span.to_ts},
            "metering": _plain(score_metering(metering_rows(connection, truth, world), labels, world.virtual)),
            "health": _plain(health),
            "backup": {"now": _plain(score_backup(now)), "outages": _plain(score_backup(past))},
            "detection": _plain(detection),
            "books": {
                "received": books.received,
                "stored": books.stored,
                "duplicate": books.duplicate,
                "quarantined": books.quarantined,
                "closed": books.closed,
            },
        }
    return document, estimates


def _plain(value: Any) -> Any:  # noqa: ANN401 - any score
    """Named tuples as objects, numbers rounded."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    return round(value, DIGITS) if isinstance(value, float) else value
