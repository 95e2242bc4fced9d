"""Moments on the command line: the province's clock where they name no other, the same in every command."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from fenhe.cli import app
from fenhe.moments import moment, moment_ts


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2026-03-01T00:00:00", "2026-02-28T16:00:00+00:00"),
        ("2026-03-01 00:00", "2026-02-28T16:00:00+00:00"),
        ("2026-03-01", "2026-02-28T16:00:00+00:00"),
        ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00+00:00"),
        ("2026-03-01T00:00:00+08:00", "2026-02-28T16:00:00+00:00"),
    ],
)
def test_a_moment_without_a_zone_is_the_provinces(written: str, utc: str) -> None:
    """A day is its first moment."""
    assert moment(written) == moment(utc)
    assert moment_ts(written) == moment_ts(utc)


@pytest.mark.parametrize("written", ["", "tomorrow", "2026-13-01", "1772323200"])
def test_what_is_no_moment_is_refused(written: str) -> None:
    """And told how one is written."""
    with pytest.raises(typer.BadParameter, match="China Standard Time"):
        moment(written)


@pytest.mark.parametrize("command", [["recompute"], ["alarms", "maintenance", "plan"], ["replay"]])
def test_help_names_the_clock(command: list[str]) -> None:
    """Nobody is to guess it."""
    done = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert {"China", "Standard"} <= set(done.output.split())
