"""A value as Grafana would show it: mapped to a word, or with unit, decimals and the colour of its threshold."""

from __future__ import annotations

import datetime as dt
import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from dashboards.kit import units

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboards.preview.model import FieldConfig

PLAIN = "text"
"""Grafana's name for the theme's own colour of text."""


class Shown(NamedTuple):
    """What stands on the page."""

    text: str
    unit: str
    color: str
    """A CSS colour, or `text`."""
    known: bool = True

    @property
    def full(self) -> str:
        """Value and unit."""
        return f"{self.text} {self.unit}" if self.unit and self.known else self.text


def on_the_wall(moment: dt.datetime, zone: str) -> dt.datetime:
    """A moment by the clock of a zone; what would lie beyond the years 1 to 9999 there is the end of them."""
    there = ZoneInfo(zone)
    try:
        return moment.astimezone(there)
    except OverflowError:
        return dt.datetime.max.replace(tzinfo=there) if moment.year > 1 else dt.datetime.min.replace(tzinfo=there)


def number(value: object) -> float | None:
    """Return a finite number, or None for anything that is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    found = float(value)
    return found if math.isfinite(found) else None


def show(value: object, field: FieldConfig, *, no_value: str, zone: str) -> Shown:
    """Show a value; null and NaN are the field's word for unknown, whatever the unit."""
    properties = field.properties
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return _null(properties, no_value)
    if found := word(value, properties):
        return found
    if isinstance(value, dt.datetime):
        return Shown(f"{on_the_wall(value, zone):%Y-%m-%d %H:%M}", "", PLAIN)
    amount = number(value)
    if amount is None:
        return Shown(str(value), "", PLAIN)
    text, unit = measure(amount, properties.get("unit", ""), properties.get("decimals"))
    return Shown(text, unit, color_of(amount, properties))


def measure(amount: float, unit: str, decimals: int | None) -> tuple[str, str]:
    """Return text and unit of a number in one of the units that the definitions use."""
    if unit == "percentunit":
        return _plain(amount * 100, decimals), "%"
    if unit == "s":
        return duration(amount)
    return _plain(amount, decimals), behind(unit)


def behind(unit: str) -> str:
    """Return what stands behind a number of one of Grafana's units that compute nothing."""
    return units.shown(unit) or (unit.removeprefix("suffix:").strip() if unit.startswith("suffix:") else "")


def duration(seconds: float) -> tuple[str, str]:
    """Return a length of time in its largest fitting unit, as Grafana's `s` does."""
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= length:
            return _plain(seconds / length, 1), unit
    return _plain(seconds, 0), "s"


def _plain(amount: float, decimals: int | None) -> str:
    if decimals is None:
        decimals = 0 if amount == int(amount) else 2
    text = f"{amount:,.{decimals}f}"
    return text.removeprefix("-") if not any(digit in text for digit in "123456789") else text.replace("-", "−")


def color_of(amount: float, properties: Mapping[str, Any]) -> str:
    """Return the colour of the highest threshold that the value reaches, or the field's fixed colour."""
    if "thresholds" in properties:
        color = PLAIN
        for step in properties["thresholds"]["steps"]:
            if step["value"] is None or amount >= step["value"]:
                color = step["color"]
        return str(color)
    return str(properties.get("color", {}).get("fixedColor", PLAIN))


def _null(properties: Mapping[str, Any], no_value: str) -> Shown:
    for mapping in properties.get("mappings", ()):
        if mapping["type"] == "special":
            result = mapping["options"]["result"]
            return Shown(result["text"].rstrip(units.WORD_JOINER), "", result["color"], known=False)
    return Shown(no_value, "", PLAIN, known=False)


def word(value: object, properties: Mapping[str, Any]) -> Shown | None:
    """Return the word that a definition has for this value, if it has one."""
    for mapping in properties.get("mappings", ()):
        options = mapping["options"]
        if mapping["type"] == "value" and (found := options.get(str(value))):
            return Shown(found["text"], "", found["color"])
        if mapping["type"] == "regex" and isinstance(value, str):
            result, found = options["result"], re.search(options["pattern"].strip("/"), value)
            if found and "text" not in result:
                return Shown(value, "", result["color"])
            if found:  # as in JavaScript, $1 is what the first bracket holds
                return Shown(found.expand(re.sub(r"\$(\d)", r"\\\1", result["text"])), "", result["color"])
    return None
