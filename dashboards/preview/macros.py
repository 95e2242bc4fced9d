"""Grafana's SQL macros and variables as a psycopg query with parameters: values never enter the SQL's text."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_NICE_S = (1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
"""Lengths that Grafana rounds `$__interval` to, seconds."""

MAX_POINTS = 400
"""Points on a chart's time axis: more than that many pixels nobody tells apart."""

_TOKEN = re.compile(
    r"(?P<from>\$__timeFrom\(\))|(?P<to>\$__timeTo\(\))"
    r"|\$__timeFilter\((?P<filter>[\w.]+)\)"
    r"|(?P<interval>\$__interval\b)"
    r"|\$\{(?P<quoted>\w+):sqlstring\}"
    r"|(?P<search>'\$__searchFilter')"
    r"|(?P<percent>%)"
)
_LEFTOVER = re.compile(r"\$__\w+|\$\{[^}]*\}|\$[A-Za-z]\w*")
_TITLE = re.compile(r"\$\{(\w+)\}")


class Query(NamedTuple):
    """SQL with `%(name)s` places and the values for them."""

    sql: str
    parameters: dict[str, object]


@dataclass(frozen=True, slots=True)
class TimeRange:
    """What the page shows, both ends with a time zone."""

    start: dt.datetime
    end: dt.datetime

    @property
    def seconds(self) -> float:
        """Length of the range."""
        return (self.end - self.start).total_seconds()

    def interval_s(self, shortest_s: int, points: int = MAX_POINTS) -> int:
        """Return the shortest nice interval that keeps a chart under `points` points."""
        wanted = max(self.seconds / points, shortest_s)
        return next((nice for nice in _NICE_S if nice >= wanted), _NICE_S[-1])


@dataclass(frozen=True, slots=True)
class Scope:
    """All that a query may refer to."""

    range: TimeRange
    variables: Mapping[str, str] = field(default_factory=dict)
    """Name to value; "all" has been replaced by what it stands for."""

    def bind(self, sql: str, *, shortest_interval_s: int = 1, search: str = "") -> Query:
        """Replace macros and variables by parameters; `search` is what was typed into a variable's box.

        Raises LookupError on a macro or variable that the preview does not know: Grafana alone would show it.
        """
        parameters: dict[str, object] = {"time_from": self.range.start, "time_to": self.range.end}

        def place(match: re.Match[str]) -> str:
            if match["percent"]:
                return "%%"
            if match["from"] or match["to"]:
                return "%(time_from)s" if match["from"] else "%(time_to)s"
            if match["filter"]:
                return f"{match['filter']} BETWEEN %(time_from)s AND %(time_to)s"
            if match["search"]:
                parameters["search"] = f"{literal(search)}%"
                return "%(search)s"
            if match["interval"]:
                return f"{self.range.interval_s(shortest_interval_s)}s"
            name = match["quoted"]
            if name not in self.variables:
                msg = f"the dashboard has no variable {name!r}"
                raise LookupError(msg)
            parameters[f"variable_{name}"] = self.variables[name]
            return f"%(variable_{name})s"

        bound = _TOKEN.sub(place, sql)
        if leftover := _LEFTOVER.search(bound):
            msg = f"the preview does not know {leftover[0]!r}"
            raise LookupError(msg)
        return Query(bound, parameters)

    def title(self, text: str) -> str:
        """Replace `${variable}` in a panel's title."""
        return _TITLE.sub(lambda match: self.variables.get(match[1]) or "–", text)


def literal(typed: str) -> str:
    """What was typed, for a pattern of ILIKE: percent signs and underscores are themselves."""
    return typed.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def pending_title(text: str) -> str:
    """Return a panel's title before its variables are read: a sign for each of them, never its raw name."""
    return _TITLE.sub("…", text)


def parse_range(start: str, end: str, now: dt.datetime) -> TimeRange:
    """Read `now-6h`/`now`, or milliseconds since the epoch as in Grafana's addresses. Raises ValueError."""
    moments = [_moment(start, now), _moment(end, now)]
    if moments[0] >= moments[1]:
        msg = f"the range {start} to {end} is empty"
        raise ValueError(msg)
    return TimeRange(*moments)


def _moment(text: str, now: dt.datetime) -> dt.datetime:
    if text == "now":
        return now
    if match := re.fullmatch(r"now-(\d{1,4})([smhd])", text):
        unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[match[2]]
        return now - dt.timedelta(**{unit: int(match[1])})
    if re.fullmatch(r"\d{1,14}", text):
        return dt.datetime.fromtimestamp(int(text) / 1000, tz=dt.UTC)
    msg = f"a time looks like now-6h or 1764000000000, not {text!r}"
    raise ValueError(msg)
