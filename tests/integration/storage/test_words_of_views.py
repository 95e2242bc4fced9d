"""Every value that a view says in place of a figure has a word on the pages, in both languages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
import pytest

from dashboards.pages.pipeline import STORE_STATES
from dashboards.words import battery, cycling, plans
from storage.statements import trusted

if TYPE_CHECKING:
    from collections.abc import Collection

    from tests.fixtures.dashboards import ReaderDatabase

REASON = "backup_reason"
"""Of a site: what it says is handed on by other views."""
WORDS: list[tuple[str, str, Collection[str]]] = [
    ("battery_site", "remaining_reason", battery.SITE_REASON),
    ("battery_site", REASON, plans.REASON),
    ("battery_site", REASON, plans.GAIN_REASON),
    ("battery_site_risk", "reason", plans.REASON),
    ("battery_site_risk", "verdict", plans.VERDICT),
    ("battery_test_value", "decides", plans.DECIDES),
    ("battery_test_value", "others", plans.OTHERS),
    ("battery_swap", "reason", plans.GAIN_REASON),
    ("battery_cycling", "fade", cycling.FADE),
    ("battery_cycles_of", "reason", cycling.CYCLE_REASON),
    ("store_forecast", "state", STORE_STATES),
]


def values_of(definition: str, column: str) -> set[str]:
    """Texts that a CASE gives a column, wherever in the definition it is given its name."""
    cases = re.findall(rf"\bCASE\b((?:(?!\bCASE\b).)*?)\bEND AS {column}\b", definition, re.DOTALL)
    return {value for case in cases for value in re.findall(r"\b(?:THEN|ELSE)\s+'(\w+)'", case)}


def test_values_are_read_from_a_definition() -> None:
    """Of the column asked for, and of no other CASE."""
    other = "CASE WHEN a = 'x' THEN 'p'::text END AS other"
    sql = f"{other}, CASE WHEN b THEN 'q' WHEN c THEN NULL ELSE 'r'::text END AS this"
    assert values_of(sql, "this") == {"q", "r"}


@pytest.mark.parametrize(("view", "column", "words"), WORDS)
def test_every_value_has_a_word(
    view: str, column: str, words: Collection[str], migrated_database: ReaderDatabase
) -> None:
    """A value without one would stand on a Chinese page as it stands in the database."""
    of = f"pg_get_functiondef('{view}'::regproc)" if view.endswith("_of") else f"pg_get_viewdef('{view}'::regclass)"
    with psycopg.connect(migrated_database.reader_url) as reader:
        (definition,) = reader.execute(trusted(f"SELECT {of}")).fetchone() or ("",)
    values = values_of(definition, column)
    assert values
    assert values <= set(words)
