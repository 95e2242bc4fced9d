"""A page's SQL puts a refusal into Chinese as Python does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg

from schemas.words import Language, refusals
from storage.statements import trusted

if TYPE_CHECKING:
    from tests.fixtures.dashboards import ReaderDatabase


def test_postgresql_says_a_refusal_as_python_does(reader_database: ReaderDatabase) -> None:
    """Every sentence, some within others, words of another program, and none."""
    said = [
        sentence(**{name: 41 + at for at, name in enumerate(re.findall(r"(?<!\{)\{(\w+)\}", sentence.text.en))})
        for sentence in refusals.sentences()
    ]
    said += [
        "4 of 9 elements refused, the first: ts: is missing (and 2 more)",
        "Invalid JSON: expected `,` or `}` at line 1 column 27",
        "power_kw is [1.5, -2], valid is 0 to 1e+06: nothing is left",
        "the key 'it\\'s' stands twice in one object: which of them is meant?",
        "value out of range: underflow",
        "",
    ]
    with psycopg.connect(reader_database.reader_url) as reader:
        for language in Language:
            query = f"SELECT {refusals.sql_of('d.detail', language)} FROM unnest(%s::text[]) AS d (detail)"  # noqa: S608
            found = [row[0] for row in reader.execute(trusted(query), (said,))]
            assert found == [refusals.in_language(detail, language) for detail in said]
