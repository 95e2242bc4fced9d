"""Reference data shipped with fenhe: validated when loaded."""

from __future__ import annotations

from functools import cache
from importlib import resources

import yaml

from schemas.reference import EnergyFactors


@cache
def energy_factors() -> EnergyFactors:
    """Load the conversion factors to coal equivalent."""
    text = resources.files(__name__).joinpath("energy_factors.yaml").read_text(encoding="utf-8")
    return EnergyFactors.model_validate(yaml.safe_load(text))
