"""What a page says to somebody whose plant has just begun: why per-product figures are unknown, and until when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from dashboards.preview.macros import Scope
from storage.statements import trusted
from tests.fixtures.dashboards import populate
from tests.support.dashboard_queries import rows_of, standard_scope

if TYPE_CHECKING:
    from tests.fixtures.dashboards import ReaderDatabase

TRUST = "How far these figures can be trusted"
SITE = "taihang-steel"

TOO_FEW = """UPDATE plant_window SET unit_energy_kgce = NULL, production = NULL, coverage = 0.4
WHERE site_id = 'taihang-steel' AND window_min = 60"""
STANDS = """UPDATE plant_window SET unit_energy_kgce = NULL, production = 0, coverage = 1
WHERE site_id = 'taihang-steel' AND window_min = 60"""
SILENT = "DELETE FROM plant_window WHERE site_id = 'taihang-steel' AND window_min = 60"
NO_METER = """UPDATE plant_window SET unit_energy_kgce = NULL WHERE site_id = 'taihang-steel' AND window_min = 60;
UPDATE device SET role = 'sub' WHERE site_id = 'taihang-steel' AND role = 'product'"""


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("SELECT 1", "known"),
        (TOO_FEW, "wait for half an hour of readings of each meter"),
        (STANDS, "nothing was produced in the last hour"),
        (SILENT, "no readings of the last hour yet"),
        (NO_METER, "no product meter is registered"),
    ],
)
async def test_per_product_figures_say_what_they_wait_for(
    migrated_database: ReaderDatabase, change: str, expected: str
) -> None:
    """A meter that is missing, readings that are too few, a line that stands: each is told from the others."""
    populate(migrated_database.owner_url, sets=2, hours=2, days=2)
    with psycopg.connect(migrated_database.owner_url, autocommit=True) as owner:
        owner.execute(trusted(change))
    standard = standard_scope()
    (row,) = await rows_of(TRUST, migrated_database, Scope(standard.range, {**standard.variables, "site": SITE}))
    assert row["per_product"] == expected
