"""How a column is shown: label, unit, decimals, thresholds, words for values. Null is always said, in grey."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from grafana_foundation_sdk.models import dashboard as model

from dashboards.kit import thresholds, units
from dashboards.words import labels
from schemas.metrics import GOOD_COVERAGE, Quality
from schemas.words import Language, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

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


class Link(NamedTuple):
    """Where a cell leads: another dashboard, in the same time range, with variables from columns of the same row."""

    slug: str
    title: Text
    variables: Mapping[str, str]
    """Variable to column; a column that is only for a link is a `hidden` field."""

    def url(self, language: Language) -> str:
        """Return Grafana's address with its own macros."""
        values = "".join(f"&var-{name}=${{__data.fields.{column}}}" for name, column in self.variables.items())
        return f"/d/fenhe-{self.slug}-{language}?${{__url_time_range}}{values}"


class Cell(StrEnum):
    """How a table shows a column."""

    PLAIN = "auto"
    COLORED = "color-text"
    """Thresholds and words colour the text."""
    HEAT = "color-background"
    """The value colours the cell, between the field's minimum and maximum; it is written in it too."""
    GAUGE = "gauge"
    """A bar between the field's minimum and maximum, with the value beside it."""


MARKS = {"●": GOOD, "◐": PARTIAL, "✕": BAD, "○": UNKNOWN, "◇": ESTIMATED}
"""Colour of a text by the mark that it begins with: colour is never the only signal."""
MARK_OF = {color: mark for mark, color in MARKS.items()}

_SET = Text("朔州2470号基站 2组", "Base station 2470 set 2")
NAMES = {"site": Text("朔州2470号基站", "Base station 2470"), "battery_set": _SET, "partner": _SET}
NAMES["plant"] = Text("平鲁煤矸石电厂", "Pinglu gangue power")
NAMES["material"] = Text("冶炼渣（朔州）", "smelting slag, Shuozhou")
"""Names that columns of these names have room for, as long as those of 7 000 sets and of the demo's plants are."""
FREE_TEXTS = frozenset(
    {
        "advice_reasons",
        "because",
        "detail",
        "doubts",
        "others",
        "reason",
        "rule",
        "said",
        "value_sent",
        "what",
        "witnesses",
    }
)
"""Columns of these names hold texts of any length, or lists of words: in a table they go on in further lines."""
MOMENT_PX = 150
"""Width in a table in which `2026-11-29 18:02` is not cut."""


class Word(NamedTuple):
    """What is shown in place of a value."""

    text: Text
    color: str


COVERAGE_STEPS = (Step(None, BAD), Step(0.5, PARTIAL), Step(GOOD_COVERAGE, GOOD))
"""Half a window is the lower bound of amber. (unsourced)"""
SPREAD_STEPS = (Step(None, PLAIN), Step(30, PARTIAL), Step(thresholds.SPREAD_RETIRE_MV, BAD))
"""mV. 30 as a warning is unsourced."""
TEMPERATURE_STEPS = (Step(None, PLAIN), Step(45, PARTIAL), Step(thresholds.TEMPERATURE_MAX_C, BAD))
"""°C. 45 as a warning is unsourced."""
TEMPERATURE_RATE_STEPS = (Step(None, PLAIN), Step(thresholds.TEMPERATURE_RATE_MAX_C_MIN, BAD))
"""°C/min, at rest."""
ANY_IS_BAD = (Step(None, GOOD), Step(1, BAD))
ANY_IS_WARNING = (Step(None, GOOD), Step(1, PARTIAL))

HATCHED = {"fillOpacity": 25, "lineWidth": 1, "lineStyle": {"fill": "dash", "dash": [3, 4]}}
"""Bars of estimated values: pale with a dashed rim in Grafana, hatched in the preview."""

LEFT_BAR, RIGHT_BAR = {"barAlignment": -1, "barWidthFactor": 0.4}, {"barAlignment": 1, "barWidthFactor": 0.4}
"""Two bars of one moment beside each other: Grafana draws those of all columns at the same place, the last on top."""

HEAT_SCHEME = "continuous-blues"
"""Grafana's scale for heat: one hue, so that more is darker for every eye."""

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
    """A unit of Grafana's that computes: `percentunit` (0–1 shown as 0–100 %). Lengths of time are `sql.duration`."""
    decimals: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    thresholds: tuple[Step, ...] = ()
    words: Mapping[str, Word] = field(default_factory=dict)
    unknown: Text = labels.UNKNOWN
    marked: bool = False
    """A text that begins with a mark, which gives its colour (`MARKS`)."""
    chinese: Mapping[str, str] = field(default_factory=dict)
    """Patterns of whole texts that are stored in English, to their Chinese; `$1` is what the first bracket holds."""
    color: str = PLAIN
    width: int | None = None
    """Column width in a table, pixels; None: as wide as there is room, and at least `least_px`."""
    least_px: int | None = None
    """None: the usual, which is less in a line than in a table."""
    cell: Cell | None = None
    """How a table shows it; None: as its thresholds, words and width suggest."""
    link: Link | None = None
    wraps: bool = False
    """Texts go on in further lines of a cell, so that they need no column as wide as the longest.

    A table's column does so by itself where a text may be longer than columns are widened for.
    """
    hidden: bool = False
    """A column of a table that only a link reads."""
    custom: Mapping[str, object] = field(default_factory=dict)
    """Grafana's `custom.*` properties: `axisPlacement`, `lineWidth`, `lineStyle`…"""

    def properties(self, language: Language) -> list[model.DynamicConfigValue]:
        """Return Grafana's override properties of this column."""
        found: dict[str, object] = {"mappings": self._mappings(language)}
        if self.label is not None:
            found["displayName"] = self.label(language)
        if self.grafana_unit is not None:
            found["unit"] = self.grafana_unit
        elif self.unit or self.decimals is not None:
            found["unit"] = units.grafana(self.unit)
        numbers = {"decimals": self.decimals, "min": self.minimum, "max": self.maximum}
        found |= {key: value for key, value in numbers.items() if value is not None}
        if self.thresholds:
            found["thresholds"] = {
                "mode": "absolute",
                "steps": [{"value": step.value, "color": step.color} for step in self.thresholds],
            }
            found["color"] = {"mode": "thresholds"}
        elif self.cell is Cell.HEAT:
            found["color"] = {"mode": HEAT_SCHEME}
        else:
            found["color"] = {"mode": "fixed", "fixedColor": self.color}
        if self.width is not None:
            found["custom.width"] = self.width
        if self.wraps:
            found["custom.wrapText"] = True
        found |= self._cell()
        if self.hidden:
            found["custom.hideFrom.viz"] = True
        if self.link is not None:
            found["links"] = [{"title": self.link.title(language), "url": self.link.url(language)}]
        found |= {f"custom.{key}": value for key, value in self.custom.items()}
        return [model.DynamicConfigValue(id_val=key, value=value) for key, value in found.items()]

    def _cell(self) -> dict[str, object]:
        cell = self.cell
        if cell is None and self.width is not None and (self.thresholds or self.words or self.marked):
            cell = Cell.COLORED
        options: dict[str, object] = {"type": str(cell)}
        if cell in {Cell.HEAT, Cell.GAUGE}:
            options["mode"] = "basic"
        return {"custom.cellOptions": options} if cell is not None else {}

    def _mappings(self, language: Language) -> list[dict[str, object]]:
        unknown: dict[str, object] = {
            "type": "special",
            "options": {
                "match": "null+nan",
                "result": {"text": self.unknown(language), "color": UNKNOWN, "index": 0},
            },
        }
        if self.marked:
            return [unknown, *_marks()]
        if self.chinese and language is Language.ZH:
            return [unknown, *_rewritten(self.chinese)]
        if not self.words:
            return [unknown]
        options = {
            value: {"text": word.text(language), "color": word.color, "index": index}
            for index, (value, word) in enumerate(self.words.items(), start=1)
        }
        return [unknown, {"type": "value", "options": options}]


def _marks() -> list[dict[str, object]]:
    """Colour a text by its first sign and leave the text as it is."""
    return [
        {"type": "regex", "options": {"pattern": f"/^{mark} /", "result": {"color": color, "index": index}}}
        for index, (mark, color) in enumerate(MARKS.items(), start=1)
    ]


def _rewritten(texts: Mapping[str, str]) -> list[dict[str, object]]:
    """Show other words in place of a text, with what the pattern's bracket holds."""
    return [
        {
            "type": "regex",
            "options": {"pattern": f"/^{pattern}$/", "result": {"text": text, "color": PLAIN, "index": index}},
        }
        for index, (pattern, text) in enumerate(texts.items(), start=1)
    ]


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
    """Time since the newest reading, a text of `sql.duration`."""
    return Field(name="age", label=labels.AGE, unknown=labels.NEVER, width=width)


def moment(name: str, label: Text, *, unknown: Text = labels.UNKNOWN, hidden: bool = False) -> Field:
    """A moment to the minute, in a column that does not cut it."""
    return Field(name=name, label=label, grafana_unit=units.MOMENT, unknown=unknown, width=MOMENT_PX, hidden=hidden)


def line(name: str, label: Text, color: str, *, unit: str = "", decimals: int = 0) -> Field:
    """A limit or target on a chart: thin, dashed, named in the legend; its value comes from the query."""
    custom = {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 0, "lineStyle": {"fill": "dash", "dash": [6, 6]}}
    return Field(name=name, label=label, unit=unit, decimals=decimals, color=color, custom=custom)


def estimated(name: str, label: Text, *, unit: str = "", decimals: int = 0) -> Field:
    """Values that are estimated, apart from those that are measured: violet, dashed, named ◇."""
    custom = {"lineWidth": 2.5, "fillOpacity": 0, "lineStyle": {"fill": "dash", "dash": [3, 4]}}
    return Field(name=name, label=label, unit=unit, decimals=decimals, color=ESTIMATED, custom=custom)
