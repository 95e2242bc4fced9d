"""Words of the pages: one thing has one name, whichever page says it."""

from __future__ import annotations

import importlib
import pkgutil
from enum import Enum

from dashboards import words
from schemas.words import Text


def test_one_value_has_one_word_on_every_page() -> None:
    """No two tables of words name the same values: passport and set's page say the same of a witness."""
    homes: dict[tuple[type, Enum], set[str]] = {}
    for module in pkgutil.iter_modules(words.__path__):
        for name, table in vars(importlib.import_module(f"{words.__name__}.{module.name}")).items():
            if isinstance(table, dict) and all(isinstance(text, Text) for text in table.values()):
                for value in table:
                    if isinstance(value, Enum):
                        homes.setdefault((type(value), value), set()).add(f"{module.name}.{name}")
    assert homes
    assert [(value, tables) for value, tables in homes.items() if len(tables) > 1] == []
