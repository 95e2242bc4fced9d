"""Collector, workers, page and guard as processes of their own on a local stack: watched, and started again."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import socket
import sys
import threading
import urllib.request
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from fenhe.clear_errors import PlainError
from fenhe.commands.reference import load as load_reference_data
from fenhe.local import (
    MissingServiceError,
    Process,
    ProcessDiedError,
    Stack,
    default_directory,
    together,
)
from storage.migrate import MigrationError, migrate
from storage.pool import connect
from storage.retention import say_disk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

READY_S = 180.0
END_S = 5.0
"""How long a process may take to end by itself. Killed after it, it costs nothing: that is what fenhe promises."""
WORKERS = 2
"""Each computes on a core of its own; one alone would leave the second idle while a past is stored."""
WORKER_ENVIRONMENT = {"FENHE_SESSION_TIMEOUT_S": "15", "FENHE_BATCH_RECORDS": "20"}
"""A killed worker's partitions move after so long. A transaction that computes twice as long is ended: of a past
whose readings lie a quarter of an hour apart, each stands for fifteen minutes of rows, so it takes fewer records."""


class Interrupts(NamedTuple):
    """Set by the first Ctrl-C or SIGTERM, and by the second, which waits for nothing."""

    stop: threading.Event
    abort: threading.Event

    @classmethod
    def heeded(cls) -> Interrupts:
        """Heed both signals from now on."""
        stop, abort = threading.Event(), threading.Event()

        def interrupt(*_: object) -> None:
            (abort if stop.is_set() else stop).set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, interrupt)
        return cls(stop, abort)


def page_address(port: int) -> str:
    """Where the page is."""
    return f"http://127.0.0.1:{port}/"


def write_environment(stack: Stack) -> Path:
    """Write a file for the shell after which every `fenhe` command finds this stack, and return where it is."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(stack.environment().items())]
    path = stack.directory / "environment"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def prepare_database(stack: Stack) -> None:
    """Bring a stack's database up to date, with the reference data, and with the size of its disk if nobody said it.

    PostgreSQL does not tell how large its disk is; on this machine we can see what is free beside it. Raises PlainError
    where another fenhe made the database and this one cannot go on with it.
    """
    owner_url = stack.environment()["FENHE_DB_OWNER_URL"]
    try:
        migrate(owner_url)
    except MigrationError as error:
        msg = f"{error}; or leave {stack.directory} to the fenhe that made it, and name another with --directory"
        raise PlainError(msg) from None
    load_reference_data(owner_url)
    with connect(owner_url, name="prepare") as connection:
        row = connection.execute(
            "SELECT pg_database_size(current_database()) WHERE NOT EXISTS (SELECT FROM store_disk)"
        ).fetchone()
        if row is not None:
            say_disk(connection, str(row[0] + shutil.disk_usage(stack.directory).free))


def check_port(port: int, option: str = "--port") -> None:
    """Raise PlainError if somebody listens on a port already; `option` is what would name another."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            msg = (
                f"port {port} is taken by another program: stop that program, or name another with {option} {port + 1}"
            )
            raise PlainError(msg) from None


def open_directory(wanted: Path | None, name: str, *, fresh: bool = False) -> Path:
    """Return the folder that keeps everything, made if need be; `fresh` forgets what it holds. Raises PlainError."""
    try:
        directory = wanted or default_directory(name)
        if fresh and directory.exists():
            shutil.rmtree(directory)
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        path = error.filename or wanted or name
        msg = f"cannot write to {path} ({error.strerror or error}): name another folder with --directory"
        raise PlainError(msg) from None
    return directory


@contextlib.contextmanager
def local_stack(
    directory: Path, services: str, partitions: int, *, mqtt_port: int | None = None, database_port: int | None = None
) -> Iterator[Stack]:
    """Start broker, Kafka and PostgreSQL, and stop them at the end. Raises PlainError where one cannot be had."""
    try:
        stack = Stack(
            directory, services=services, partitions=partitions, mqtt_port=mqtt_port, database_port=database_port
        )
    except MissingServiceError as error:
        msg = f"{error}; or run with --services embedded"
        raise PlainError(msg) from None
    except PermissionError as error:
        msg = f"{error}: name another folder with --directory"
        raise PlainError(msg) from None
    try:
        stack.start()
    except (TimeoutError, ProcessDiedError) as error:
        msg = f"{error}\nIt did not come up: is the machine busy, or its disk full? The log above says more; try again"
        raise PlainError(msg) from None
    except RuntimeError as error:
        raise PlainError(str(error)) from None
    try:
        yield stack
    finally:
        stack.stop()


@contextlib.contextmanager
def pipeline(stack: Stack, port: int, tell: Callable[[str], None], stop: threading.Event) -> Iterator[None]:
    """Run our own processes on a started stack: ready on entry unless told to stop before, watched, drained on exit."""
    directory, environment = stack.directory, stack.environment()
    most = WORKERS if stack.kafka.durable else 1  # the embedded Kafka is slow to share partitions out
    workers = [f"worker-{number}" for number in range(1, min(most, os.cpu_count() or 1) + 1)]
    services: list[tuple[str, list[str]]] = [
        *((name, ["work", "--ready-file", str(directory / f"{name}.ready")]) for name in workers),
        ("collector", ["collect", "--ready-file", str(directory / "collector.ready")]),
        ("preview", ["preview", "--port", str(port)]),
        ("guard", ["guard"]),
    ]
    if os.environ.get("FENHE_NOTIFY_URL"):  # somebody to tell; otherwise alarms wait in the outbox
        services.append(("notifier", ["notify", "run"]))
    processes: dict[str, Process] = {}
    with contextlib.ExitStack() as running:
        running.callback(lambda: _end(processes, workers))
        for name, arguments in services:
            (directory / f"{name}.ready").unlink(missing_ok=True)
            processes[name] = Process(
                name,
                [sys.executable, "-m", "fenhe", *arguments],
                log=directory / f"{name}.log",
                environment={**environment, **WORKER_ENVIRONMENT},
                death_signal=signal.SIGTERM,
            )
            processes[name].start()

        def wait(name: str, is_ready: Callable[[], bool], what: str) -> None:
            processes[name].wait_until(lambda: stop.is_set() or is_ready(), what=what, timeout=READY_S)

        try:
            for name in (*workers, "collector"):
                wait(name, (directory / f"{name}.ready").exists, f"the {name}")
            wait("preview", lambda: _answers(page_address(port)), "the page")
        except (TimeoutError, ProcessDiedError) as error:
            msg = f"{error}\nIt did not come up: is the machine busy? The log above says more; try again"
            raise PlainError(msg) from None
        done = threading.Event()
        watch = threading.Thread(target=_keep_running, args=(list(processes.values()), done, tell), daemon=True)
        watch.start()
        try:
            yield
        finally:
            done.set()
            watch.join()


def _end(processes: Mapping[str, Process], workers: Sequence[str]) -> None:
    """End what brings readings in, then what stores them: all of a kind at once, for each may take some seconds."""
    others = [process for name, process in processes.items() if name not in workers]
    for group in (others, [processes[name] for name in workers if name in processes]):
        together(*(partial(process.terminate, END_S) for process in group))


def _keep_running(processes: list[Process], done: threading.Event, tell: Callable[[str], None]) -> None:
    """Start a process again that has died, as a supervisor would: killing one costs a moment, never a reading."""
    while not done.wait(0.5):
        for process in processes:
            if not process.running:
                tell(f"[yellow]{process.name} ended ({process.returncode}); starting it again[/]")
                process.start()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}healthz", timeout=2) as answer:  # noqa: S310 - our own page
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False
