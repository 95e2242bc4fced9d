"""A page's SQL puts a refusal into Chinese as Python does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg

from dashboards.grafana.build import DEFINITIONS, dashboard_json
from dashboards.preview.model import load
from schemas.words import Language, refusals, refused, standing
from storage.statements import trusted
from tests.support.dashboard_queries import fetch, standard_scope

if TYPE_CHECKING:
    from tests.fixtures.dashboards import ReaderDatabase

KEPT_BY_POSTGRESQL = 32
"""Compiled expressions that a backend keeps (MAX_CACHED_RES)."""


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
        "3 of 3 elements refused, the first: x: y: not a number (and 1 more)",
        "the key 'not a number' stands twice in one object: which of them is meant?",
        "the key 'x: the key 'y' stands twice in one object: which of them is meant?",
        "x: the key 'y' stands twice in one object: which of them is meant?: is missing",
        "is missing: no such field of this kind: see the message format",
        "a table that cannot be read: Invalid flag (and 3 more)",
        "odd: Input should be odd (and 2 more)",
        "two lines\nof a database: is missing",
        "value out of range: underflow",
        "",
    ]
    with psycopg.connect(reader_database.reader_url) as reader:
        for language in Language:
            query = f"SELECT {refused.sql_of('d.detail', language)} FROM unnest(%s::text[]) AS d (detail)"  # noqa: S608
            found = [row[0] for row in reader.execute(trusted(query), (said,))]
            assert found == [refused.in_language(detail, language) for detail in said]


def test_a_page_looks_at_each_sentence_once(reader_database: ReaderDatabase) -> None:
    """PostgreSQL writes out what a subquery gives wherever it is named: 284 expressions stood in the plan of a page."""
    query = f"EXPLAIN (VERBOSE) SELECT {refused.sql_of('d.detail', Language.ZH)} FROM quarantine d"  # noqa: S608
    with psycopg.connect(reader_database.reader_url) as reader:
        plan = "\n".join(row[0] for row in reader.execute(trusted(query)))
    assert 1 < plan.count("regexp_replace(") + plan.count("regexp_match(") <= KEPT_BY_POSTGRESQL


def test_why_a_partition_stands_is_said_in_the_page_s_language(reader_database: ReaderDatabase) -> None:
    """The worker's own sentences in Chinese; an error of another program keeps its words, and is said to."""
    error = "OperationalError('it''s % away')"
    stored = [*(said.en for said in standing.SENTENCES), error, None]
    with psycopg.connect(reader_database.reader_url) as reader:
        for language in Language:
            query = f"SELECT {standing.sql_of('s.error', language)} FROM unnest(%s::text[]) AS s (error)"  # noqa: S608
            found = [row[0] for row in reader.execute(trusted(query), (stored,))]
            own = error if language is Language.EN else f"原文：{error}"
            assert found == [*(said(language) for said in standing.SENTENCES), own, None]


async def test_the_page_of_the_pipeline_says_in_chinese_why_a_partition_stands(
    migrated_database: ReaderDatabase,
) -> None:
    """What the worker wrote down is what the panel shows, in Chinese."""
    with psycopg.connect(migrated_database.owner_url) as owner:
        owner.execute("INSERT INTO checkpoint (topic, partition, next_offset) VALUES ('t', 0, 5), ('t', 1, 5)")
        owner.execute(
            "INSERT INTO stuck_partition (topic, partition, next_offset, since, error)"
            " VALUES ('t', 0, 5, now() - interval '9 min', %s), ('t', 1, 5, now() - interval '8 min', 'DiskFull()')",
            [standing.DISK_IS_FULL.en],
        )
    page = load(dashboard_json(next(each for each in DEFINITIONS if each.slug == "pipeline"), Language.ZH))
    panel = next(panel for panel in page.panels if panel.title == "分区进度")
    rows = await fetch(migrated_database.reader_url, panel, standard_scope())
    assert [row[-1] for row in rows.rows] == [standing.DISK_IS_FULL.zh, "原文：DiskFull()"]
