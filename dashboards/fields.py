"""How a column is shown: label, unit, decimals, thresholds, words for values. Null is always said, in grey."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from grafana_foundation_sdk.models import dashboard as model

from dashboards import labels
from schemas.metrics import GOOD_COVERAGE, Quality

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboards.language import Language, Text

GOOD = "#2f9e6e"
PARTIAL = "#d08a12"
ESTIMATED = "#7d71e8"
BAD = "#dd4f4a"
UNKNOWN = "#858f9f"
PRIMARY = "#3b88e0"
SECONDARY = "#17a2a0"
TERTIARY = "#b06fd8"
PLAIN = "text"
"""The theme's own colour of text: a figure that has no threshold claims nothing by colour."""


class Step(NamedTuple):
    """From this value upwards, this colour; the first step's value is None, everything below."""

    value: float | None
    color: str


class Word(NamedTuple):
    """What is shown in place of a value."""

    text: Text
    color: str


COVERAGE_STEPS = (Step(None, BAD), Step(0.5, PARTIAL), Step(GOOD_COVERAGE, GOOD))
"""Half a window is the lower bound of amber. (unsourced)"""
SPREAD_STEPS = (Step(None, PLAIN), Step(30, PARTIAL), Step(50, BAD))
"""mV. 50 at float is the retirement advice of the specification; 30 as a warning is unsourced."""
TEMPERATURE_STEPS = (Step(None, PLAIN), Step(45, PARTIAL), Step(55, BAD))
"""°C. 55 is the specification's safety limit; 45 as a warning is unsourced."""
TEMPERATURE_RATE_STEPS = (Step(None, PLAIN), Step(1, BAD))
"""°C/min, the specification's safety limit at rest."""
ANY_IS_BAD = (Step(None, GOOD), Step(1, BAD))
ANY_IS_WARNING = (Step(None, GOOD), Step(1, PARTIAL))

QUALITY_WORDS = {
    str(quality): Word(
        labels.QUALITY[quality],
        {
            Quality.GOOD: GOOD,
            Quality.PARTIAL: PARTIAL,
            Quality.ESTIMATED: ESTIMATED,
            Quality.UNKNOWN: UNKNOWN,
        }[quality],
    )
    for quality in Quality
}
STATE_WORDS = {
    "live": Word(labels.LIVE, GOOD),
    "stale": Word(labels.STALE, BAD),
    "never": Word(labels.NEVER_SEEN, UNKNOWN),
}
CLOSED_WORDS = {"1": Word(labels.BOOKS_CLOSED, GOOD), "0": Word(labels.BOOKS_OPEN, BAD)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of a panel's query and the way it is shown."""

    name: str
    """The column's alias in the SQL."""
    label: Text | None = None
    """Shown name; None where the panel's title is name enough."""
    unit: str = ""
    """Shown behind the value as it stands: kW, kgce, °C."""
    grafana_unit: str | None = None
    """A unit of Grafana's that computes: `percentunit` (0–1 shown as 0–100 %), `s` (seconds shown as a duration)."""
    decimals: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    thresholds: tuple[Step, ...] = ()
    words: Mapping[str, Word] = field(default_factory=dict)
    unknown: Text = labels.UNKNOWN
    color: str = PLAIN
    width: int | None = None
    """Column width in a table, pixels."""
    custom: Mapping[str, object] = field(default_factory=dict)
    """Grafana's `custom.*` properties: `axisPlacement`, `lineWidth`, `lineStyle`…"""

    def properties(self, language: Language) -> list[model.DynamicConfigValue]:
        """Return Grafana's override properties of this column."""
        found: dict[str, object] = {"mappings": self._mappings(language)}
        if self.label is not None:
            found["displayName"] = self.label(language)
        if self.grafana_unit is not None:
            found["unit"] = self.grafana_unit
        elif self.unit:
            found["unit"] = f"suffix: {self.unit}"
        numbers = {"decimals": self.decimals, "min": self.minimum, "max": self.maximum}
        found |= {key: value for key, value in numbers.items() if value is not None}
        if self.thresholds:
            found["thresholds"] = {
                "mode": "absolute",
                "steps": [{"value": step.value, "color": step.color} for step in self.thresholds],
            }
            found["color"] = {"mode": "thresholds"}
        else:
            found["color"] = {"mode": "fixed", "fixedColor": self.color}
        if self.width is not None:
            found["custom.width"] = self.width
        if self.width is not None and (self.thresholds or self.words):
            found["custom.cellOptions"] = {"type": "color-text"}
        found |= {f"custom.{key}": value for key, value in self.custom.items()}
        return [model.DynamicConfigValue(id_val=key, value=value) for key, value in found.items()]

    def _mappings(self, language: Language) -> list[dict[str, object]]:
        unknown: dict[str, object] = {
            "type": "special",
            "options": {
                "match": "null+nan",
                "result": {"text": self.unknown(language), "color": UNKNOWN, "index": 0},
            },
        }
        if not self.words:
            return [unknown]
        options = {
            value: {"text": word.text(language), "color": word.color, "index": index}
            for index, (value, word) in enumerate(self.words.items(), start=1)
        }
        return [unknown, {"type": "value", "options": options}]


def coverage(name: str = "coverage", *, label: Text | None = labels.COVERAGE, width: int | None = None) -> Field:
    """Share of a window backed by good readings."""
    return Field(
        name=name,
        label=label,
        grafana_unit="percentunit",
        decimals=0,
        minimum=0,
        maximum=1,
        thresholds=COVERAGE_STEPS,
        width=width,
    )


def quality(name: str = "quality", *, label: Text | None = labels.QUALITY_COLUMN, width: int | None = None) -> Field:
    """Quality as a marked word."""
    return Field(name=name, label=label, words=QUALITY_WORDS, width=width)


def state(width: int | None = None) -> Field:
    """Whether a device reports, as a marked word."""
    return Field(name="state", label=labels.STATE, words=STATE_WORDS, width=width)


def age(width: int | None = None) -> Field:
    """Seconds since the newest reading, shown as a duration."""
    return Field(name="age_s", label=labels.AGE, grafana_unit="s", decimals=0, unknown=labels.NEVER, width=width)
