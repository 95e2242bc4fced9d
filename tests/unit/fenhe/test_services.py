"""What runs by itself is there soon: it loads nothing that it does not need."""

from __future__ import annotations

import subprocess
import sys

from fenhe.__main__ import SERVICES
from fenhe.cli import app as everything
from fenhe.commands.services import app as services


def test_the_services_are_commands_like_all_others() -> None:
    """What `fenhe` loads by themselves are the commands that `fenhe --help` names too."""
    by_themselves = [command.callback for command in services.registered_commands]
    assert [[callback.__name__] for callback in by_themselves if callback] == list(SERVICES)
    assert {command.callback for command in everything.registered_commands} >= set(by_themselves)


def test_a_worker_loads_no_other_command() -> None:
    """A worker's start loads none of the models and words of alarms' commands, notifications and baselines."""
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, fenhe.commands.services, streams.worker.app; print(*sorted(sys.modules))",
        ],
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split()
    needless = {"fenhe.cli", "fenhe.commands.alarms", "schemas.notifications", "schemas.words.alarms"}
    assert "streams.worker.app" in loaded
    assert not needless & set(loaded)
