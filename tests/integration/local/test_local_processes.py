"""Children of ours: their death, their logs, waiting for them."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

import pytest

from fenhe.local import (
    Process,
    ProcessDiedError,
    free_port,
    wait_until,
)
from fenhe.local.services import project_root
from tests.support.processes import alive

EPHEMERAL_PORTS_START = 32_768


def python(name: str, code: str, folder: Path, *arguments: str) -> Process:
    """A child of ours that runs some lines of Python."""
    return Process(name, [sys.executable, "-c", code, *arguments], log=folder / f"{name}.log", directory=project_root())


def state(pid: int) -> str:
    """The process's state letter: T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


class TestProcesses:
    """Children: their death, their logs, waiting for them."""

    def test_a_child_dies_with_a_killed_parent(self, tmp_path: Path) -> None:
        """`kill -9` of whoever started a service leaves nothing running."""
        code = (
            "import sys, time; from pathlib import Path; from fenhe.local import Process\n"
            "child = Process('child', ['sleep', '60'], log=Path(sys.argv[1]) / 'child.log')\n"
            "child.start(); Path(sys.argv[1], 'pid.new').write_text(str(child.pid))\n"
            "Path(sys.argv[1], 'pid.new').rename(Path(sys.argv[1], 'pid')); time.sleep(60)"
        )
        parent = python("parent", code, tmp_path, str(tmp_path))
        parent.start()
        parent.wait_until((tmp_path / "pid").exists, what="the child's pid")
        child = int((tmp_path / "pid").read_text())
        assert alive(child)
        parent.kill()
        wait_until(lambda: not alive(child), what="the child to die with its parent")

    def test_a_child_outlives_the_thread_that_started_it(self, tmp_path: Path) -> None:
        """Only the process's end is a child's end, not that of a pool's thread."""
        child = Process("child", ["sleep", "60"], log=tmp_path / "child.log")
        starter = threading.Thread(target=child.start)
        starter.start()
        starter.join()
        with pytest.raises(TimeoutError):
            child.wait(timeout=0.3)
        assert child.kill() == -signal.SIGKILL

    def test_waiting_ends_at_once_when_the_child_died(self, tmp_path: Path) -> None:
        """A service that could not start is reported with its own last words, not after a timeout."""
        child = python("child", "raise SystemExit('no such port')", tmp_path)
        child.start()
        with pytest.raises(ProcessDiedError, match=r"child ended with code 1[\s\S]*no such port"):
            child.wait_until(lambda: False, what="the impossible", timeout=20.0)

    def test_a_child_that_ignores_sigterm_is_killed(self, tmp_path: Path) -> None:
        """Terminating always ends."""
        ready = tmp_path / "ready"
        code = (
            "import signal, sys, time; from pathlib import Path; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "Path(sys.argv[1]).touch(); time.sleep(60)"
        )
        child = python("stubborn", code, tmp_path, str(ready))
        child.start()
        child.wait_until(ready.exists, what="the signal to be ignored")
        assert child.terminate(timeout=0.2) == -signal.SIGKILL

    def test_a_paused_child_stands_still_until_resumed(self, tmp_path: Path) -> None:
        """Pausing makes a zombie worker, resuming wakes it, and a paused child can be terminated."""
        child = Process("child", ["sleep", "60"], log=tmp_path / "child.log")
        child.start()
        child.pause()
        wait_until(lambda: state(child.pid) == "T", what="the child to stand still")
        assert child.running
        child.resume()
        wait_until(lambda: state(child.pid) != "T", what="the child to go on")
        child.pause()
        assert child.terminate() == -signal.SIGTERM

    def test_free_ports_differ_and_are_not_ephemeral(self) -> None:
        """A restarted service finds its port free, and its clients can't connect to themselves meanwhile."""
        ports = [free_port() for _ in range(50)]
        assert len(set(ports)) == len(ports)
        assert max(ports) < EPHEMERAL_PORTS_START
