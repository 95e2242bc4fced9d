"""A whole score: everything that a truth file can be held against, as one document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fenhe.scoring.detection import score_detection
from fenhe.scoring.evidence import evidence_of
from fenhe.scoring.metering import score_metering
from fenhe.scoring.tables import alarm_rows, metering_rows, span_of, world_of
from simulators.truth import read_labels, read_run
from storage.books.balance import balance
from storage.pool import connect, limit_statements

if TYPE_CHECKING:
    from pathlib import Path

    from fenhe.scoring.evidence import SetEvidence

DIGITS = 5


def score(truth: Path, reader_url: str) -> tuple[dict[str, Any], SetEvidence]:
    """Score a database against a truth file; also what is said of battery sets itself, for the picture and for parts.

    Sections: `run`, `metering` by kind of fault, `health` by method with the BMS as control, `discharges` by method,
    `backup` (as forecast now, and of outages that reached the cut-off), `detection` beside the random control, `books`.
    """
    run = read_run(truth)
    labels = read_labels(truth)
    span = span_of(truth, run.start_ts)
    with connect(reader_url, name="score") as connection:
        limit_statements(connection, None)
        evidence = evidence_of(connection, truth)
        world = world_of(connection, span)
        detection = score_detection(alarm_rows(connection), labels, world, seed=run.seed)
        books = balance(connection)
        document = {
            "run": {"scenario": run.scenario, "seed": run.seed, "start_ms": span.from_ts, "end_ms": span.to_ts},
            "metering": _plain(score_metering(metering_rows(connection, truth, world), labels, world.virtual)),
            **of_sets(evidence),
            "detection": _plain(detection),
            "books": {
                "received": books.received,
                "stored": books.stored,
                "duplicate": books.duplicate,
                "quarantined": books.quarantined,
                "closed": books.closed,
            },
        }
    return document, evidence


def of_sets(evidence: SetEvidence) -> dict[str, Any]:
    """Sections `health`, `discharges` and `backup`."""
    parts = {"health": evidence.health(), "discharges": evidence.discharges(), "backup": evidence.backup()}
    return {name: _plain(part) for name, part in parts.items()}


def _plain(value: Any) -> Any:  # noqa: ANN401 - any score
    """Named tuples as objects, numbers rounded."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    return round(value, DIGITS) if isinstance(value, float) else value
