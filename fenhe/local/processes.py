"""Child processes that log to a file of their own, die with their parent, and are awaited by condition."""

from __future__ import annotations

import contextlib
import ctypes
import os
import queue
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

LOG_TAIL_LINES = 15
"""How much of a child's log an error shows."""

_PORTS = range(20_000, 32_000)
_PR_SET_PDEATHSIG = 1


class ProcessDiedError(RuntimeError):
    """A child ended before it was asked to."""


def wait_until(
    condition: Callable[[], bool], *, what: str, timeout: float = 30.0, process: Process | None = None
) -> None:
    """Return as soon as `condition` holds.

    Args:
        condition: asked again and again; must be quick.
        what: what is awaited, for the error: "mosquitto to answer".
        timeout: seconds before giving up.
        process: the child it depends on; when that ends, waiting is over at once.

    Raises:
        TimeoutError: the condition did not come to hold.
        ProcessDiedError: the process ended first. Both errors show the end of its log.
    """
    deadline = time.monotonic() + timeout
    pause = 0.005
    while not condition():
        if process is not None and not process.running:
            msg = f"{process.name} ended with code {process.returncode} while waiting for {what}{process.log_tail()}"
            raise ProcessDiedError(msg)
        if time.monotonic() > deadline:
            tail = process.log_tail() if process is not None else ""
            msg = f"gave up after {timeout:g} s waiting for {what}{tail}"
            raise TimeoutError(msg)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


def together(*steps: Callable[[], object]) -> None:
    """Run all steps at once, wait for all of them, then raise the first failure."""
    with ThreadPoolExecutor(max(1, len(steps))) as pool, contextlib.ExitStack() as failures:
        for future in [pool.submit(step) for step in steps]:
            failures.callback(future.result)


def accepts_connections(port: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody listens on this TCP port."""
    try:
        with socket.create_connection((host, port), timeout=1.0):
            return True
    except OSError:
        return False


def free_port() -> int:
    """Return a TCP port on 127.0.0.1 that nobody uses, never the same twice in one process.

    It lies below the kernel's ephemeral ports (32768 and up). A service there can be restarted on the same port without
    finding it taken, and a client that retries while it is down can't connect to itself.
    """
    for _ in range(1_000):
        port = random.choice(_PORTS)  # noqa: S311 - a guess, checked below
        with _handed_out_lock:
            if port in _handed_out:
                continue
            with socket.socket() as probe:
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
            _handed_out.add(port)
            return port
    msg = f"no free TCP port between {_PORTS.start} and {_PORTS.stop}: stop what you do not need"
    raise OSError(msg)


class Runner(ABC):
    """Whatever can be started and stopped; a `with` block does both."""

    @abstractmethod
    def start(self) -> None:
        """Start it, and return when it can be used."""

    @abstractmethod
    def stop(self) -> None:
        """Ask it to end, and wait; harmless where it has ended."""

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()


class Process(Runner):
    """One child process. Restartable: every `start` runs the same command again, appending to the same log.

    On Linux the child gets `death_signal` when this process ends, however it ends. It leads a session of its own, so
    Ctrl-C in the terminal reaches only the parent, which then stops its children in order.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str | Path],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
        directory: Path | None = None,
        death_signal: signal.Signals = signal.SIGKILL,
        pipes: bool = False,
    ) -> None:
        """Describe the child; `start` starts it.

        Args:
            name: for errors.
            arguments: program and arguments.
            log: file that gets standard error, and standard output unless `pipes`.
            environment: variables on top of this process's own; all that the child sees of them.
            user: run as this user with its groups (only root can).
            directory: the child's working directory.
            death_signal: what the child gets when this process is gone.
            pipes: keep standard input and output as text pipes, for `ask`.
        """
        self.name = name
        self.arguments = [str(argument) for argument in arguments]
        self.log = log
        self._environment = dict(environment or {})
        self._user = user
        self._directory = directory
        self._death_signal = death_signal
        self._pipes = pipes
        self._child: subprocess.Popen[str] | None = None
        self._asking = threading.Lock()

    @property
    def pid(self) -> int:
        """The child's process id, also after its end."""
        if self._child is None:
            msg = f"{self.name} has not been started"
            raise RuntimeError(msg)
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the child is alive (a paused one is)."""
        return self._child is not None and self._child.poll() is None

    @property
    def returncode(self) -> int | None:
        """Exit code; -N for signal N; None while it runs or before it is started."""
        return None if self._child is None else self._child.poll()

    def start(self) -> None:
        """Start the child and return without waiting for it to be ready."""
        if self.running:
            msg = f"{self.name} is already running as process {self.pid}"
            raise RuntimeError(msg)
        self._child = _in_spawner(self._spawn)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the child's end and return its exit code.

        Raises:
            TimeoutError: it is still running after `timeout` seconds.
        """
        if self._child is None:
            msg = f"{self.name} has not been started"
            raise RuntimeError(msg)
        try:
            return self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            msg = f"{self.name} did not end within {timeout:g} s{self.log_tail()}"
            raise TimeoutError(msg) from None

    def wait_until(self, condition: Callable[[], bool], *, what: str, timeout: float = 30.0) -> None:
        """Return as soon as `condition` holds; see the function of the same name."""
        wait_until(condition, what=what, timeout=timeout, process=self)

    def stop(self) -> None:
        """Ask it to end, and wait."""
        self.terminate()

    def terminate(self, timeout: float = 15.0, *, by: signal.Signals = signal.SIGTERM) -> int | None:
        """Ask the child to end and wait; after `timeout` seconds kill it. Harmless when it has ended.

        Returns:
            Its exit code, None if it was never started. -9 tells that it had to be killed.
        """
        if self._child is None:
            return None
        if self.running:
            self._child.send_signal(by)
            self._child.send_signal(signal.SIGCONT)
            try:
                self._child.wait(timeout)
            except subprocess.TimeoutExpired:
                self._signal_session(signal.SIGKILL)
        return self._reap()

    def kill(self) -> int | None:
        """`kill -9` the child and what it started, and wait for its end. Harmless when it has ended."""
        if self._child is None:
            return None
        if self.running:
            self._signal_session(signal.SIGKILL)
        return self._reap()

    def pause(self) -> None:
        """Stop the child where it stands (SIGSTOP)."""
        self._signal_session(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused child go on (SIGCONT)."""
        self._signal_session(signal.SIGCONT)

    def ask(self, question: str) -> str:
        """Write one line to the child and read one line back; needs `pipes`.

        Raises:
            ProcessDiedError: the child closed its output instead.
        """
        if self._child is None or self._child.stdin is None or self._child.stdout is None:
            msg = f"{self.name} was not started with pipes"
            raise RuntimeError(msg)
        with self._asking:
            with contextlib.suppress(BrokenPipeError):
                self._child.stdin.write(question + "\n")
                self._child.stdin.flush()
            return self._read_line(self._child.stdout)

    def greeting(self) -> str:
        """Read the line the child writes unasked once it is ready; needs `pipes`.

        Raises:
            ProcessDiedError: the child closed its output instead.
        """
        if self._child is None or self._child.stdout is None:
            msg = f"{self.name} was not started with pipes"
            raise RuntimeError(msg)
        with self._asking:
            return self._read_line(self._child.stdout)

    def log_tail(self) -> str:
        """The end of the log as a paragraph to append to an error, or nothing."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        except OSError:
            return ""
        return "".join(f"\n  | {line}" for line in [f"the end of {self.log}:", *lines])

    def _spawn(self) -> subprocess.Popen[str]:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a") as log:
            return subprocess.Popen(
                self.arguments,
                stdin=subprocess.PIPE if self._pipes else subprocess.DEVNULL,
                stdout=subprocess.PIPE if self._pipes else log,
                stderr=log,
                text=True,
                cwd=self._directory,
                env={**os.environ, **self._environment},
                user=self._user,
                group=_primary_group(self._user),
                extra_groups=None if self._user is None else [],
                start_new_session=True,
                preexec_fn=_die_with_parent(self._death_signal),  # noqa: PLW1509 - two system calls, bound before
            )

    def _read_line(self, output: IO[str]) -> str:
        line = output.readline()
        if not line:
            msg = f"{self.name} closed its output{self.log_tail()}"
            raise ProcessDiedError(msg)
        return line.rstrip("\n")

    def _signal_session(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def _reap(self) -> int | None:
        if self._child is None:
            return None
        code = self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            _close(pipe)
        return code


_handed_out: set[int] = set()
_handed_out_lock = threading.Lock()


def _close(pipe: IO[str] | None) -> None:
    if pipe is not None:
        with contextlib.suppress(OSError):
            pipe.close()


def _primary_group(user: str | None) -> int | None:
    if user is None:
        return None
    import pwd  # noqa: PLC0415 - POSIX only, and only root on POSIX comes here

    return pwd.getpwnam(user).pw_gid


_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    if _libc is None:
        return None
    prctl = _libc.prctl
    parent = os.getpid()

    def in_child() -> None:
        prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return in_child


class _Spawner:
    """The thread that starts all children.

    Linux sends the death signal when the *thread* that forked ends, not the process. Children started from a pool's
    thread would die with the pool; so one thread, which lives as long as the process, starts them all.
    """

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._work: queue.SimpleQueue[tuple[Callable[[], subprocess.Popen[str]], Future[subprocess.Popen[str]]]]
        self._work = queue.SimpleQueue()
        threading.Thread(target=self._run, name="fenhe-spawner", daemon=True).start()

    def submit(self, spawn: Callable[[], subprocess.Popen[str]]) -> Future[subprocess.Popen[str]]:
        future: Future[subprocess.Popen[str]] = Future()
        self._work.put((spawn, future))
        return future

    def _run(self) -> None:
        while True:
            spawn, future = self._work.get()
            try:
                future.set_result(spawn())
            except BaseException as error:  # noqa: BLE001 - handed to the caller
                future.set_exception(error)


_spawner: _Spawner | None = None
_spawner_lock = threading.Lock()


def _in_spawner(spawn: Callable[[], subprocess.Popen[str]]) -> subprocess.Popen[str]:
    global _spawner  # noqa: PLW0603 - one thread for the process; made anew after a fork
    with _spawner_lock:
        if _spawner is None or _spawner.pid != os.getpid():
            _spawner = _Spawner()
        spawner = _spawner
    return spawner.submit(spawn).result()
