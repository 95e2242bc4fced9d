"""Reference data of battery health shipped with fenhe: validated when loaded."""

from __future__ import annotations

from functools import cache
from importlib import resources

from schemas.battery_reference import BatteryHealthReference
from schemas.yaml_text import read_yaml


@cache
def health_reference() -> BatteryHealthReference:
    """Load curves, thresholds and uncertainties."""
    text = resources.files(__name__).joinpath("battery_health.yaml").read_text(encoding="utf-8")
    return BatteryHealthReference.model_validate(read_yaml(text))
