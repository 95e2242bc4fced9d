"""Our own texts within SQL: as a literal, and as words that replace the values of a column."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def quote(text: str) -> str:
    """SQL literal of a text of ours."""
    return "'" + text.replace("'", "''") + "'"


def case_of(column: str, words: Mapping[str, str], otherwise: str | None = None) -> str:
    """Replace known values of a column by words; others become `otherwise`, an SQL expression, or stay as they are."""
    whens = " ".join(f"WHEN {quote(value)} THEN {quote(word)}" for value, word in words.items())
    return f"CASE {column} {whens} ELSE {column if otherwise is None else otherwise} END"
