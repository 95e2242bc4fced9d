"""`make chaos SEED=7 MINUTES=10`: one hunt by the command line; exits with 1 where it has found something."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import orjson

from fenhe.local import scratch_directory
from tests.chaos.hunter.hunt import PAUSE_S, has_failed, hunt, report


def main() -> int:
    """Hunt by the command line."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--pause", type=float, default=PAUSE_S, help="seconds between two faults, on average")
    parser.add_argument("--keep", type=Path, help="folder to put the report and all logs into")
    asked = parser.parse_args()
    with scratch_directory("chaos") as folder:
        try:
            outcome = hunt(asked.seed, asked.minutes, folder, pause_s=asked.pause)
        finally:
            if asked.keep is not None:
                _keep(folder, asked.keep)
    text = report(outcome)
    sys.stdout.write(text + "\n")
    if asked.keep is not None:
        trials = [
            trial.__dict__ | {"seconds": trial.seconds, "mark": None, "waits": dict(trial.waits)}
            for trial in outcome.trials
        ]
        (asked.keep / "trials.json").write_bytes(orjson.dumps(trials, option=orjson.OPT_NON_STR_KEYS))
        (asked.keep / "report.txt").write_text(text + "\n")
    return int(has_failed(outcome))


def _keep(folder: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for log in folder.rglob("*.log"):
        if log.is_file() and log.stat().st_size:
            (target / log.name).write_bytes(log.read_bytes())


if __name__ == "__main__":
    sys.exit(main())
