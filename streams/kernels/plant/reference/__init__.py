"""Reference data shipped with fenhe: versioned, and validated when loaded."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from schemas.reference import EnergyFactors, Reference
from schemas.yaml_text import read_yaml

PARTS = {
    "factors": "energy_factors.yaml",
    "limits": "energy_limits.yaml",
    "corrections": "corrections.yaml",
    "quotas": "water_quotas.yaml",
    "targets": "targets.yaml",
    "settings": "settings.yaml",
}


class ReferenceChangedError(Exception):
    """A figure was changed and the version was not."""


@cache
def reference() -> Reference:
    """Load all reference data.

    Raises pydantic's ValidationError where an entry is not whole, and ReferenceChangedError where the files are not
    those the version was given to.
    """
    stated = _read("version.yaml")
    found = Reference.model_validate(
        {"version": stated["version"], **{part: _read(name) for part, name in PARTS.items()}}
    )
    if found.digest != stated["digest"]:
        msg = (
            f"reference data differs from version {found.version}: write a new version"
            f" and the digest {found.digest} into streams/kernels/plant/reference/version.yaml"
        )
        raise ReferenceChangedError(msg)
    return found


def energy_factors() -> EnergyFactors:
    """Load the conversion factors to coal equivalent."""
    return reference().energy_factors


def _read(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = read_yaml(resources.files(__name__).joinpath(name).read_text(encoding="utf-8"))
    return loaded
