"""The runner for PostgreSQL."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

import psycopg
import pytest

from fenhe.local import (
    MissingServiceError,
    Postgres,
    PostgresBinaries,
    Services,
    find_postgres_binaries,
)
from fenhe.local.postgres import SUPERUSER

if TYPE_CHECKING:
    from pathlib import Path

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")


class TestPostgres:
    """The runner for PostgreSQL."""

    def test_the_owner_can_do_what_migrations_do(self, postgres: Postgres, empty_database: str) -> None:
        """It creates tables, roles and, where it is there, the TimescaleDB extension."""
        role = f"role_{secrets.token_hex(4)}"
        with psycopg.connect(empty_database, autocommit=True) as owner:
            owner.execute(f"CREATE ROLE {role} LOGIN")
            owner.execute("CREATE TABLE reading (ts timestamptz NOT NULL)")
            owner.execute(f"GRANT SELECT ON reading TO {role}")
            if postgres.has_timescaledb:
                owner.execute("CREATE EXTENSION timescaledb")
                owner.execute("SELECT create_hypertable('reading', by_range('ts'))")
            owner.execute("DROP TABLE reading")
            owner.execute(f"DROP ROLE {role}")

    def test_it_is_durable_and_knows_when_it_committed(self, postgres: Postgres) -> None:
        """Guarantees and latency are measured on settings that production could have."""
        with psycopg.connect(postgres.url(SUPERUSER)) as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes", "track_commit_timestamp"):
                row = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
                assert row == ("on",), setting
            assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)

    def test_committed_rows_survive_an_immediate_stop_and_a_new_runner(self, services: Services, scratch: Path) -> None:
        """A crash loses nothing that was committed, and the next run finds the data, on another port."""
        binaries = find_postgres_binaries(services)
        server = Postgres(scratch, binaries=binaries)
        with server:
            with psycopg.connect(server.url("fenhe_owner"), autocommit=True) as owner:
                owner.execute("CREATE TABLE kept (n int)")
                owner.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
            server.restart("immediate")
            with psycopg.connect(server.url("fenhe_owner")) as owner:
                assert owner.execute("SELECT count(*) FROM kept").fetchone() == (1000,)
        with Postgres(scratch, binaries=binaries) as another:
            with psycopg.connect(another.url("fenhe_owner")) as owner:
                assert owner.execute("SELECT count(*) FROM kept").fetchone() == (1000,)
            assert another.port != server.port

    def test_data_of_another_major_version_is_refused(self, services: Services, scratch: Path) -> None:
        """The error names both versions, before the server would fail with its own."""
        (scratch / "data").mkdir()
        (scratch / "data" / "PG_VERSION").write_text("9\n")
        with pytest.raises(MissingServiceError, match="made by PostgreSQL 9, not"):
            Postgres(scratch, binaries=find_postgres_binaries(services))

    def test_pg_bin_comes_first(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """Who names a PostgreSQL gets it."""
        (tmp_path / "initdb").touch()
        monkeypatch.setenv("PG_BIN", str(tmp_path))
        assert find_postgres_binaries().directory == tmp_path

    def test_timescaledb_can_be_left_out(
        self, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, scratch: Path
    ) -> None:
        """FENHE_TIMESCALEDB=off runs the same installation as plain PostgreSQL."""
        monkeypatch.setenv("FENHE_TIMESCALEDB", "off")
        plain = Postgres(scratch, binaries=postgres.binaries)
        assert not plain.has_timescaledb
        assert "shared_preload_libraries" not in plain.settings

    @root_only
    def test_a_folder_its_user_cannot_reach_is_refused_at_once(self, tmp_path: Path) -> None:
        """The error names the folder and says where to go."""
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        with pytest.raises(PermissionError, match=r"can't reach .*closed"):
            Postgres(closed / "postgresql")

    @root_only
    def test_a_wheel_in_a_closed_folder_still_runs(self, tmp_path: Path, scratch: Path) -> None:
        """A virtual environment under /root is closed to PostgreSQL's user: its binaries are copied out."""
        try:
            wheel = find_postgres_binaries(Services.EMBEDDED)
        except MissingServiceError as missing:
            pytest.skip(str(missing))
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        package = wheel.directory.parents[1]
        for folder in (package, package.with_name(f"{package.name}.libs")):
            (closed / folder.name).symlink_to(folder)
        inside = PostgresBinaries(closed / package.name / "pginstall" / "bin", from_wheel=True)
        server = Postgres(scratch, binaries=inside)
        assert not server.binaries.directory.is_relative_to(closed)
        with server, psycopg.connect(server.url("fenhe_owner")) as owner:
            assert owner.execute("SELECT 1").fetchone() == (1,)
