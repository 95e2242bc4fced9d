"""Panels' queries, run as a page runs them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from dashboards.grafana.build import DEFINITIONS, dashboard_json
from dashboards.preview.access.accounts import Account, AccountRole, Accounts, SignedIn, changed
from dashboards.preview.macros import Query, Scope, parse_range
from dashboards.preview.model import load
from dashboards.preview.reader import Reader, Rows
from schemas.words import Language

if TYPE_CHECKING:
    from pathlib import Path

    from dashboards.preview.model import Panel
    from dashboards.preview.reader import Source
    from tests.fixtures.dashboards import ReaderDatabase


DASHBOARDS = [
    pytest.param(load(dashboard_json(definition, language)), id=f"{definition.slug}-{language}")
    for definition in DEFINITIONS
    for language in Language
]


def standard_scope(range_from: str = "now-6h", **variables: str) -> Scope:
    """Return a range until now and a choice for every page's variables."""
    now = dt.datetime.now(dt.UTC)
    chosen = {
        "city": "*",
        "compare": "none",
        "product_unit": "t",
        "set": "bs00001-b1",
        "unit": "pinglu-power-u1",
        "severity": "*",
        "kind": "*",
        "tests": "20",
    }
    chosen |= {"site": "taihang-steel", "meter": "taihang-steel-e1"}
    return Scope(parse_range(range_from, "now", now), chosen | variables)


def bound(panel: Panel, scope: Scope) -> Query:
    """Return a panel's query with its parameters."""
    return scope.bind(panel.sql, shortest_interval_s=panel.shortest_interval_s)


async def fetch(url: str, panel: Panel, scope: Scope) -> Rows:
    """Run a panel's query on a connection of its own."""
    reader = Reader(url)
    try:
        return await reader.fetch(bound(panel, scope))
    finally:
        await reader.close()


def account_of(folder: Path, *sites: str) -> SignedIn:
    """Return the session of somebody who sees these sites, and nothing else; the account is kept in the folder."""
    path = folder / "accounts.json"
    with changed(path) as accounts:
        accounts["li"] = Account(name="Li", role=AccountRole.VIEWER, password_hash="none", sites=sites)  # noqa: S106
    kept = Accounts(path)
    (account,) = kept.read()
    return kept.open(account)


async def rows_of(
    title: str, database: ReaderDatabase, scope: Scope, reader: Source | None = None
) -> list[dict[str, object]]:
    """Run the query of the English panel of this title, and return its rows by column."""
    panels = (p for d in DEFINITIONS for p in load(dashboard_json(d, Language.EN)).panels)
    panel = next(p for p in panels if p.title == title)
    rows = await (reader.fetch(bound(panel, scope)) if reader else fetch(database.reader_url, panel, scope))
    return [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]
