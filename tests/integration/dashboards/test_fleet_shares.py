"""Shares of the fleet are of the sets that are registered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from tests.fixtures.dashboards import populate
from tests.support.dashboard_queries import rows_of, standard_scope

if TYPE_CHECKING:
    from tests.fixtures.dashboards import ReaderDatabase


async def test_the_share_of_sets_with_an_estimate_is_of_all_that_are_registered(
    migrated_database: ReaderDatabase,
) -> None:
    """A set that was never heard of has no estimate either: it is not left out of the share."""
    populate(migrated_database.owner_url, sets=4, hours=2, days=2)
    with psycopg.connect(migrated_database.owner_url) as owner:
        owner.execute("UPDATE battery_health_latest SET soh_pct = 85, observable = true")
        owner.execute("DELETE FROM battery_health_latest WHERE device_id <> 'bs00001-b1'")
        (shares,) = owner.execute(
            "SELECT sets, estimated_share::float8, observable_share::float8 FROM battery_observability"
            " WHERE city IS NULL"
        ).fetchall()
    (row,) = await rows_of("Health and advice", migrated_database, standard_scope())
    assert (row["estimated"], row["observable"]) == (0.25, 0.25)
    assert shares == (4, 0.25, 0.25)
