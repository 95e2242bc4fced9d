"""The sentence on top of every page in Grafana, on a real database, as the reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from dashboards.grafana.build import DEFINITIONS, dashboard_json
from dashboards.kit.dashboard import BAND_ID
from dashboards.parts import data_state
from schemas.words import Language
from storage.statements import trusted

if TYPE_CHECKING:
    from tests.fixtures.dashboards import ReaderDatabase

PROGRESS = """
INSERT INTO partition_progress (topic, partition, record_at, event_at)
VALUES ('fenhe.readings', 0, now() - %(stored)s * interval '1 second', now() - %(event)s * interval '1 second')
"""


@pytest.mark.parametrize(
    ("age_s", "zh", "en"),
    [
        (5, "● 实时 · 数据至 ", "● live · data to "),
        (120, "◐ 数据至 ", "◐ data to "),
        (7200, "：以下不是现在的数字", ": the figures below are not of now"),
        (90_000, "，落后 1.0 d", "behind by 1.0 d"),
    ],
)
def test_the_age_of_the_data_is_a_sentence(migrated_database: ReaderDatabase, age_s: int, zh: str, en: str) -> None:
    """Live to a minute, behind to three, and beyond that the figures are said not to be of now."""
    with psycopg.connect(migrated_database.owner_url, autocommit=True) as owner:
        owner.execute("DELETE FROM partition_progress")
        owner.execute(trusted(PROGRESS), {"stored": 2, "event": age_s})
    assert zh in _said(migrated_database, Language.ZH)
    assert en in _said(migrated_database, Language.EN)


def test_no_data_at_all_is_said(migrated_database: ReaderDatabase) -> None:
    """A fresh installation says that nothing has come in, and nothing that looks well."""
    with psycopg.connect(migrated_database.owner_url, autocommit=True) as owner:
        owner.execute("DELETE FROM partition_progress")
    for language in Language:
        assert _said(migrated_database, language) == data_state.NOTHING_YET(language)


def _said(database: ReaderDatabase, language: Language) -> str:
    (band,) = (each for each in dashboard_json(DEFINITIONS[0], language)["panels"] if each["id"] == BAND_ID)
    with psycopg.connect(database.reader_url) as reader:
        (said,) = reader.execute(trusted(band["targets"][0]["rawSql"])).fetchone() or ("no row",)
    return str(said)
