"""Migrations: in order, once, and the same on a fresh database as on one that has lived."""

from __future__ import annotations

import pytest

from storage import migrate as module
from storage.migrate import Migration, MigrationError, migrate, migrations_for


def test_a_migration_below_the_newest_applied_is_refused(own_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A free lower number is no place for a new step: nothing of it is applied, and the message says what to do."""
    migrate(own_url)

    def with_a_late_one(engine: str) -> list[Migration]:
        late = Migration(9, "late_idea", "CREATE TABLE late_idea (id int)")
        return sorted([*migrations_for(engine), late])

    monkeypatch.setattr(module, "migrations_for", with_a_late_one)
    with pytest.raises(MigrationError, match=r"0009_late_idea is below \d{4}.*highest number \+ 1"):
        migrate(own_url)


def test_a_migration_above_the_newest_is_applied_once(own_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The highest number + 1 is applied, and not again."""
    migrate(own_url)
    number = migrations_for("postgresql")[-1].number + 1
    monkeypatch.setattr(
        module,
        "migrations_for",
        lambda engine: [*migrations_for(engine), Migration(number, "new", "CREATE TABLE new_idea (id int)")],
    )
    assert migrate(own_url) == [f"{number:04d}_new"]
    assert migrate(own_url) == []
