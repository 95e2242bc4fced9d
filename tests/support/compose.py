"""docker-compose.yml as data: its services with their variables put in, and what it mounts."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from fenhe.local.services import project_root
from schemas.settings import (
    CollectorSettings,
    GuardSettings,
    MigrateSettings,
    MqttSettings,
    NotifySettings,
    PreviewSettings,
    WorkerSettings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pydantic_settings import BaseSettings

ROOT = project_root()
COMPOSE = ROOT / "docker-compose.yml"
DEPLOY = ROOT / "deploy"
VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+):(?P<how>[?-])(?P<rest>[^}]*)\})")
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|_KEY")
SETTINGS: dict[str, type[BaseSettings]] = {
    "collect": CollectorSettings,
    "work": WorkerSettings,
    "migrate": MigrateSettings,
    "registry": MigrateSettings,
    "simulate": MqttSettings,
    "notify": NotifySettings,
    "guard": GuardSettings,
    "preview": PreviewSettings,
}


def interpolate(value: Any, variables: Mapping[str, str]) -> Any:  # noqa: ANN401 - any part of a YAML document
    """Put variables into every string as compose does. Raises KeyError for a required one that is not there."""

    def put(match: re.Match[str]) -> str:
        if match["name"] is None:
            return "$"
        return variables[match["name"]] if match["how"] == "?" else variables.get(match["name"], match["rest"])

    match value:
        case str():
            return VARIABLE.sub(put, value)
        case list():
            return [interpolate(item, variables) for item in value]
        case dict():
            return {key: interpolate(item, variables) for key, item in value.items()}
        case _:
            return value


@cache
def document() -> dict[str, Any]:
    """docker-compose.yml as it stands, variables not yet filled in."""
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return loaded


def run(*command: str | Path, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program and keep what it says."""
    words = [str(word) for word in command]
    return subprocess.run(words, check=False, capture_output=True, text=True, env=environment)  # noqa: S603 - our own words


def services() -> dict[str, dict[str, Any]]:
    """Its services."""
    found: dict[str, dict[str, Any]] = document()["services"]
    return found


def make_env(folder: Path) -> dict[str, str]:
    """Run the Makefile's own `make env` in a folder and read the .env it writes."""
    made = run("make", "-f", ROOT / "Makefile", "-C", folder, "env", f"PYTHON={sys.executable}")
    assert made.returncode == 0, made.stderr
    lines = (folder / ".env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def strings(value: Any) -> Iterator[str]:  # noqa: ANN401 - any part of a YAML document
    """Every string in a document."""
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from strings(item)
        case dict():
            for item in value.values():
                yield from strings(item)
        case _:
            pass


def one_shots() -> set[str]:
    """Services that end by themselves: those that others wait for the end of."""
    return {
        name
        for service in services().values()
        for name, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }


def mounts(service: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """A service's volumes: source, target, whether read-only."""
    parts = [volume.split(":") for volume in service.get("volumes", [])]
    return [(part[0], part[1], part[2:] == ["ro"]) for part in parts]
