"""When the database's disk is full: told from how it grew, and where that is unknown, that it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from psycopg.errors import InsufficientPrivilege
from typer.testing import CliRunner

from fenhe.cli import app
from storage import retention
from storage.pool import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from fenhe.local import Postgres

GIB = 1024**3


def forecast(url: str) -> tuple[str, float | None]:
    """State and days."""
    with connect(url, name="test") as connection:
        (row,) = connection.execute("SELECT state, days FROM store_forecast").fetchall()
    return row


def measured(url: str, days: int, size: Callable[[int], float], *, ago: int = 0) -> None:
    """Sizes of some days, the last of them today or so many days ago."""
    with connect(url, name="test") as connection:
        connection.execute("DELETE FROM store_day")
        for day in range(days):
            connection.execute(
                "INSERT INTO store_day VALUES ((now() AT TIME ZONE 'Asia/Shanghai')::date - %s::int, %s)",
                (ago + days - 1 - day, round(size(day))),
            )


def test_how_long_the_disk_lasts_is_told_from_how_the_store_grew(own_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """10 GiB and half a GiB a day on a disk of 100: from 20 GiB on that is 160 days. What is unknown has no days."""
    monkeypatch.setenv("FENHE_DB_OWNER_URL", own_url)

    def say(size: str) -> int:
        return CliRunner().invoke(app, ["retention", "disk", size]).exit_code

    assert forecast(own_url) == ("disk_unknown", None)
    measured(own_url, 21, lambda day: (10 + day / 2) * GIB)
    assert forecast(own_url) == ("disk_unknown", None)
    assert [say(size) for size in ("much", "0 GB", "-1 GB")] == [2, 2, 2]
    assert say("100 GB") == 0
    state, days = forecast(own_url)
    assert state == "growing"
    assert days == pytest.approx(160)
    measured(own_url, 90, lambda day: 90 * GIB if day < 60 else (10 + (day - 69) / 2) * GIB)  # a year's rows went
    state, days = forecast(own_url)
    assert state == "growing"
    assert days == pytest.approx(160)
    measured(own_url, 7, lambda day: day * GIB)
    assert forecast(own_url) == ("too_young", None)
    measured(own_url, 20, lambda day: (40 - day) * GIB)
    assert forecast(own_url) == ("not_growing", None)
    measured(own_url, 20, lambda day: (81 + day) * GIB)
    assert forecast(own_url) == ("full", 0)
    for ago, state in ((2, "growing"), (3, "not_measured")):
        measured(own_url, 20, lambda day: (10 + day) * GIB, ago=ago)
        assert forecast(own_url)[0] == state
    assert forecast(own_url) == ("not_measured", None)
    measured(own_url, 20, lambda day: (81 + day) * GIB, ago=3)
    assert forecast(own_url) == ("not_measured", None), "nobody knows whether it still is full"
    assert say("unknown") == 0
    assert forecast(own_url) == ("disk_unknown", None)


def test_a_worker_notes_the_size_and_cannot_make_it_up(own_url: str, postgres: Postgres) -> None:
    """One row a day, the last measured; only the owner says how large the disk is."""
    with connect(postgres.url("fenhe_writer", own_url.rpartition("/")[2]), name="test", autocommit=True) as connection:
        retention.measure(connection)
        retention.measure(connection)
        for forbidden in ("INSERT INTO store_disk (bytes) VALUES (1)", "UPDATE store_day SET bytes = 1"):
            with pytest.raises(InsufficientPrivilege):
                connection.execute(forbidden)
    with connect(own_url, name="test") as connection:
        (row,) = connection.execute(
            "SELECT bytes BETWEEN 1000000 AND pg_database_size(current_database()) * 2 FROM store_day"
        ).fetchall()
    assert row == (True,)
