# ruff: noqa: INP001 - a script of the Dockerfile, no package
"""Print the part of requirements.lock that some of its packages need, with their hashes.

    python deploy/requirements_of.py fenhe       what the product runs on, without its development tools
    python deploy/requirements_of.py hatchling   what builds its wheel

The lock says of every package who asked for it (`# via`); that is followed backwards. A mistake cannot pass
unseen: with --require-hashes pip refuses to install what is not listed. Standard library only.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PROJECT = "fenhe"


class Locked(NamedTuple):
    """One entry of the lock: its lines, and the packages that asked for it."""

    name: str
    text: str
    wanted_by: frozenset[str]


def canonical(name: str) -> str:
    """Write a requirement's package name as the lock does."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[<>=!~;@]", name.strip(), maxsplit=1)[0]).lower()


def read_lock(text: str) -> list[Locked]:
    """Read every entry of a lock that uv compiled; a package has one for each range of Python versions."""
    found = []
    for block in re.split(r"\n(?=[A-Za-z0-9])", text):
        if block.startswith("#") or "==" not in block.split("\n", 1)[0]:
            continue
        comments = [line.strip() for line in block.splitlines() if line.strip().startswith("#")]
        wanted_by = {canonical(line.removeprefix("#").strip().removeprefix("via")) for line in comments} - {""}
        found.append(Locked(canonical(block), block.rstrip("\n"), frozenset(wanted_by)))
    return found


def needed(names: set[str], lock: list[Locked], direct: set[str]) -> set[str]:
    """Names and all they need; the project itself stands for its `direct` requirements."""
    chosen: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name in chosen:
            continue
        chosen.add(name)
        todo += direct if name == PROJECT else [entry.name for entry in lock if name in entry.wanted_by]
    return chosen


def main() -> None:
    """Print the requirements of the packages named on the command line."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = read_lock((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    direct = {canonical(requirement) for requirement in project["dependencies"]}
    chosen = needed(set(sys.argv[1:]), lock, direct)
    for entry in lock:
        if entry.name in chosen:
            print(entry.text)  # noqa: T201 - its purpose


if __name__ == "__main__":
    main()
