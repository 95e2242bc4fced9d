"""How alarms are handled, by kind: versioned, validated when loaded."""

from __future__ import annotations

from functools import cache
from importlib import resources

from schemas.yaml_text import read_yaml
from streams.kernels.alarms.rules import AlarmRules


@cache
def alarm_rules() -> AlarmRules:
    """Load the rules. Raises pydantic's ValidationError where they are not whole."""
    text = resources.files(__name__).joinpath("alarm_rules.yaml").read_text(encoding="utf-8")
    return AlarmRules.model_validate(read_yaml(text))
