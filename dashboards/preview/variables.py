"""Template variables of an open page: their options come from the database and may change under it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dashboards.kit.dashboard import ALL
from dashboards.preview.macros import Scope, TimeRange
from dashboards.words import labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboards.preview.model import Variable
    from dashboards.preview.reader import Source
    from schemas.words import Language


FORMER_ALL = "$__all"
"""How addresses that were kept before December 2026 say that all values are chosen."""
SEARCHED = "$__searchFilter"


@dataclass(slots=True)
class Resolved:
    """Values to query with, options to offer, and what was asked for but isn't there."""

    values: dict[str, str] = field(default_factory=dict)
    """As the SQL sees them."""
    chosen: dict[str, str] = field(default_factory=dict)
    """As the page's controls show them."""
    options: dict[str, dict[str, str]] = field(default_factory=dict)
    """Per variable: value to text."""
    unknown: dict[str, str] = field(default_factory=dict)
    """Variables whose value is none of the options. It is queried all the same: another plant would be a lie."""


async def resolve(
    reader: Source, variables: Sequence[Variable], wanted: Mapping[str, str], time_range: TimeRange
) -> Resolved:
    """Query every variable's options in order, a later one may depend on an earlier one."""
    found = Resolved()
    for variable in variables:
        rows = await reader.fetch(Scope(time_range, found.values).bind(variable.sql))
        at, text = rows.columns.index("__value"), rows.columns.index("__text")
        options = {str(row[at]): str(row[text]) for row in rows.rows}
        value = "" if variable.hidden else wanted.get(variable.name, "")
        if value == FORMER_ALL and ALL in options:
            value = ALL
        if value and value not in options and SEARCHED in variable.sql:
            # The list is only the first of many: what an address asks for is looked up by its name.
            more = await reader.fetch(Scope(time_range, found.values).bind(variable.sql, search=value))
            options |= {str(row[at]): str(row[text]) for row in more.rows if str(row[at]) == value}
        if value not in options and variable.falls_back_to in options:
            value = variable.falls_back_to
        if not value:
            value = next(iter(options), "")
        elif value not in options:
            found.unknown[variable.name] = value
        found.options[variable.name] = options
        found.chosen[variable.name] = value
        found.values[variable.name] = value
    return found


def notice_of(variables: Sequence[Variable], resolved: Resolved, language: Language) -> str:
    """Say that what was asked for is not registered, or that there is nothing to choose from; "" where all is well."""
    if resolved.unknown:
        return " ".join(f"“{value}” {labels.UNKNOWN_VALUE(language)}." for value in resolved.unknown.values())
    empty = [variable.label for variable in variables if not resolved.values[variable.name]]
    return labels.NOTHING_TO_CHOOSE(language).format(choice=empty[0]) if empty else ""
