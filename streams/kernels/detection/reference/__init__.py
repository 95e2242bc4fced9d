"""Parameters of the detectors, shipped with fenhe: validated when loaded."""

from __future__ import annotations

from functools import cache
from importlib import resources

import yaml

from schemas.detection import Detection


@cache
def detection() -> Detection:
    """Load the defaults."""
    text = resources.files(__name__).joinpath("detection.yaml").read_text(encoding="utf-8")
    return Detection.model_validate(yaml.safe_load(text))
