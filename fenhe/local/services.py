"""What the local services have in common: which kind is wanted, where files live, what to say when one is missing."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LET_OTHERS_THROUGH = 0o711


class Services(StrEnum):
    """Which services a local stack is made of."""

    AUTO = "auto"
    """Real ones where the machine has them, embedded ones in their place elsewhere."""
    REAL = "real"
    """Mosquitto, Apache Kafka and an installed PostgreSQL, or an error."""
    EMBEDDED = "embedded"
    """Only what the wheels bring: amqtt, librdkafka's mock cluster, the PostgreSQL wheel."""


class MissingServiceError(RuntimeError):
    """A service that was asked for is not on this machine; the message tells how to get it."""


def project_root() -> Path:
    """The folder the project's packages stand in."""
    return Path(__file__).resolve().parents[2]


def default_directory(name: str = "demo") -> Path:
    """Where a local stack keeps its data between runs: /var/tmp/fenhe-UID/NAME, created if need be.

    Not under the home or project folder, because PostgreSQL does not run as root and root's folders are closed to the
    user it then runs as.

    Raises:
        PermissionError: the folder belongs to somebody else.
    """
    base = Path("/var/tmp") if Path("/var/tmp").is_dir() else Path(tempfile.gettempdir())  # noqa: S108 - owner checked below
    home = base / f"fenhe-{os.geteuid()}"
    with contextlib.suppress(FileExistsError):
        home.mkdir()
        home.chmod(_LET_OTHERS_THROUGH)
    if home.is_symlink() or home.stat().st_uid != os.geteuid():
        msg = f"{home} belongs to another user: remove it, or name another directory"
        raise PermissionError(msg)
    return make_directory(home / name)


def make_directory(path: Path) -> Path:
    """Create a folder of ours that another user may pass through but not list."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(_LET_OTHERS_THROUGH)
    return path


@contextlib.contextmanager
def scratch_directory(name: str = "scratch") -> Iterator[Path]:
    """A folder for one test or run, which PostgreSQL's user can reach; removed at the end."""
    path = Path(tempfile.mkdtemp(prefix=f"fenhe-{name}-"))
    try:
        yield make_directory(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)
