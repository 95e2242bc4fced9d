"""The truth file gives back what was written, and nothing else."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from simulators.truth import (
    Label,
    LabelKind,
    TrueTotal,
    TrueValue,
    TruthRun,
    TruthWriter,
    read_labels,
    read_run,
    read_states,
    read_totals,
)

if TYPE_CHECKING:
    from pathlib import Path

LEAK = Label(LabelKind.LEAK_ABRUPT, "COKE1", "COKE1-W0", "flow_m3_h", 2_000, 9_000, 12.7, "m3/h", {"diameter_mm": 14.0})
RESET = Label(LabelKind.RESET, "COKE1", "COKE1-E1", "energy_import_kwh", 1_000, None, 0.0, "kWh")


def test_a_truth_file_gives_back_what_was_written(tmp_path: Path) -> None:
    """Labels in the order in which they begin; states by entity; totals by device."""
    path = tmp_path / "truth.sqlite"
    states = [
        TrueValue("B0002", 60_000, "soh", 0.81),
        TrueValue("B0001", 60_000, "soh", 0.9),
        TrueValue("B0001", 60_000, "soc", 1),
    ]
    totals = [TrueTotal("COKE1-W0", "volume_m3", 0, 3_600_000, 101.25)]
    with TruthWriter(path, TruthRun("leak-at-coking-plant", 7, 0)) as truth:
        truth.add_labels([LEAK, RESET])
        truth.add_states(states)
        truth.add_totals(totals)
    assert read_run(path) == TruthRun("leak-at-coking-plant", 7, 0)
    assert read_labels(path) == [RESET, LEAK]
    assert list(read_states(path, "soh")) == [states[1], states[0]]
    assert list(read_states(path, "soh", "B0002")) == [states[0]]
    assert list(read_totals(path)) == list(read_totals(path, "COKE1-W0")) == totals
    assert list(read_totals(path, "COKE1-W1")) == []


def test_labels_can_be_read_while_the_run_goes_on(tmp_path: Path) -> None:
    """They are committed before the first reading."""
    path = tmp_path / "truth.sqlite"
    with TruthWriter(path, TruthRun("demo", 1, 0)) as truth:
        truth.add_labels([LEAK])
        truth.add_states([TrueValue("B0001", 0, "soc", 1.0)])
        assert read_labels(path) == [LEAK]


def test_a_new_run_replaces_the_old_file(tmp_path: Path) -> None:
    """Truth of two runs is never mixed."""
    path = tmp_path / "truth.sqlite"
    for seed in (1, 2):
        with TruthWriter(path, TruthRun("demo", seed, 0)) as truth:
            truth.add_labels([LEAK])
    assert read_run(path).seed == 2
    assert len(read_labels(path)) == 1


def test_a_missing_file_says_how_to_write_one(tmp_path: Path) -> None:
    """An error says what to do next, and leaves no empty file behind."""
    path = tmp_path / "truth.sqlite"
    with pytest.raises(FileNotFoundError, match="--truth"):
        read_labels(path)
    assert not path.exists()


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    """A version that is not ours is named."""
    path = tmp_path / "truth.sqlite"
    with TruthWriter(path, TruthRun("demo", 1, 0, version=99)):
        pass
    assert sqlite3.connect(path).execute("SELECT version FROM run").fetchone() == (99,)
    with pytest.raises(ValueError, match="format 99"):
        read_run(path)
