"""An older fenhe's database, as it was left, becomes one of this fenhe: nothing is lost, pages answer, work goes on."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psycopg
import pytest

from dashboards.grafana.build import DEFINITIONS, dashboard_json
from dashboards.preview.macros import Scope, parse_range
from dashboards.preview.model import load
from dashboards.preview.reader import Reader
from dashboards.preview.variables import resolve
from fenhe.local.postgres import SUPERUSER
from schemas.time import MINUTE_MS
from schemas.words import Language
from storage.books.balance import balance
from storage.migrate import migrate
from storage.pool import connect
from storage.statements import trusted
from tests.support.pipeline import RAW, START_TS, open_engine, readings, record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fenhe.local import Postgres

OLD = Path(__file__).parents[2] / "data" / "fenhe-2026-11-29.sql"
SENT = readings(12)
"""What it had stored, as three records."""
KEPT = (*RAW, "device", "site", "ledger", "quarantine", "alarm", "alarm_transition", "meter_minute", "battery_quarter")


class Upgraded(NamedTuple):
    """A database of that time, migrated."""

    url: str
    reader_url: str
    before: dict[str, int]
    """Rows of some tables, as they were."""


def _counts(url: str) -> dict[str, int]:
    with connect(url, name="test") as connection:
        tables = {name for (name,) in connection.execute("SELECT relname FROM pg_class WHERE relkind IN ('r', 'v')")}
        return {
            name: connection.execute(trusted(f"SELECT count(*) FROM {name}")).fetchone()[0]  # type: ignore[index]  # noqa: S608
            for name in KEPT
            if name in tables
        }


@pytest.fixture
def upgraded(postgres: Postgres, own_url: str) -> Iterator[Upgraded]:
    """An older database, brought up to date."""
    assert own_url  # its migration has made the roles of this server
    name = own_url.rpartition("/")[2] + "_old"
    url = postgres.create_database(name)
    with psycopg.connect(postgres.url(SUPERUSER, name), autocommit=True) as connection:
        connection.execute(trusted(OLD.read_text(encoding="utf-8")))
    before = _counts(url)
    applied = migrate(url)
    assert applied[0].startswith("0100_")
    yield Upgraded(url, postgres.url("fenhe_reader", name), before)
    postgres.drop_database(name)


async def test_an_older_database_is_brought_up_to_date_with_all_its_rows(upgraded: Upgraded) -> None:
    """Rows are kept, every panel's query answers, and a worker goes on where the older one had stopped."""
    after = _counts(upgraded.url)
    assert {name: after[name] for name in upgraded.before} == upgraded.before
    assert sum(upgraded.before[name] for name in RAW if name in upgraded.before) > 80

    reader = Reader(upgraded.reader_url)
    now = dt.datetime.fromtimestamp(START_TS / 1000 + 720, dt.UTC)
    chosen = {"city": "*", "product_unit": "t", "set": "b-1", "unit": "u-1", "severity": "*", "kind": "*"}
    chosen |= {"site": "plant-1", "meter": "e-1"}
    whole = parse_range("now-6h", "now", now)
    try:
        for definition in DEFINITIONS:
            dashboard = load(dashboard_json(definition, Language.EN))
            own = (await resolve(reader, dashboard.variables, chosen, whole)).values
            scope = Scope(whole, {**own, **chosen})
            for panel in dashboard.panels:
                rows = await reader.fetch(scope.bind(panel.sql, shortest_interval_s=panel.shortest_interval_s))
                assert set(panel.fields) <= set(rows.columns), panel.title
    finally:
        await reader.close()

    engine = open_engine(upgraded.url)
    later = [item._replace(reading={**item.reading, "ts": item.reading["ts"] + 12 * MINUTE_MS}) for item in SENT]
    engine.apply(engine.open(0), [record(3, SENT), record(4, later)])
    with connect(upgraded.url, name="test") as connection:
        books = balance(connection)
    assert (books.closed, books.duplicate) == (True, len(SENT))
