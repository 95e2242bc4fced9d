"""Parameters of the detectors, shipped with fenhe: validated when loaded."""

from __future__ import annotations

from functools import cache
from importlib import resources

from schemas.detection import Detection
from schemas.yaml_text import read_yaml


@cache
def detection() -> Detection:
    """Load the defaults."""
    text = resources.files(__name__).joinpath("detection.yaml").read_text(encoding="utf-8")
    return Detection.model_validate(read_yaml(text))
