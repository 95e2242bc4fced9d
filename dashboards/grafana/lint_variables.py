"""Rules for the variables of a dashboard: lists of thousands are searched, and offered in the page's words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dashboards.kit.sql import TYPED, TYPED_IN_FULL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Json = dict[str, Any]


def variables_are_quiet(dashboard: Json) -> Iterator[str]:
    """Variables are asked when the page is opened, not with every refresh; a long list is searched in the database."""
    for variable in dashboard["templating"].get("list", []):
        if variable["refresh"] != 1:
            yield f"variable {variable['name']}: is asked with every refresh"
        of_sets = "kind = 'battery'" in variable["query"]
        if of_sets and ("$__searchFilter" not in variable["query"] or "LIMIT" not in variable["query"]):
            yield f"variable {variable['name']}: loads every set"


def lists_are_full_before_anybody_types(dashboard: Json) -> Iterator[str]:
    """Grafana 13 leaves `$__searchFilter` as it stands until somebody types, and then adds no `%`."""
    for variable in dashboard["templating"].get("list", []):
        bare = variable["query"].replace(f"concat('%', {TYPED}, '%')", "").replace(TYPED_IN_FULL, "")
        if "$__searchFilter" in bare:
            yield f"variable {variable['name']}: is empty until somebody types"


def what_is_typed_is_shown(dashboard: Json) -> Iterator[str]:
    """Grafana offers what the database found only if the typed characters are in the option's text too."""
    for variable in dashboard["templating"].get("list", []):
        shown = variable["query"].rpartition(" AS __text")[0].rpartition(" AS __value,")[2]
        for column in sorted(set(re.findall(r"(\w+\.\w+_id) ILIKE", variable["query"]))):
            if "concat_ws" not in shown or column not in shown:
                yield f"variable {variable['name']}: {column} is searched and not shown"


def everything_is_a_word_of_the_page(dashboard: Json) -> Iterator[str]:
    """Grafana's own option for all values is called "All" on a Chinese page: the query offers one instead."""
    for variable in dashboard["templating"].get("list", []):
        if variable.get("includeAll"):
            yield f"variable {variable['name']}: offers Grafana's All"


VARIABLE_RULES: tuple[Callable[[Json], Iterator[str]], ...] = (
    variables_are_quiet,
    lists_are_full_before_anybody_types,
    what_is_typed_is_shown,
    everything_is_a_word_of_the_page,
)
