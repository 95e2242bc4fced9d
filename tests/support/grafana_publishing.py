"""What tests publish to a Grafana, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana import library, watch
from dashboards.grafana.api import Grafana
from dashboards.grafana.build import DEFINITIONS, dashboard_json
from dashboards.grafana.publish import PublishedThing, PublishOutcome, Wanted, publish
from schemas.words import Language
from tests.support.grafana_contract import TOKEN

if TYPE_CHECKING:
    from tests.support.grafana_contract import ContractGrafana

DATABASE = "postgresql://fenhe_reader:p%40ss@db:5432/fenhe?sslmode=disable"
DASHBOARDS = [dashboard_json(definition, Language.ZH) for definition in DEFINITIONS[:2]]
"""Two stand for all: each is one request like the others."""
FIRST, SECOND = (dashboard["uid"] for dashboard in DASHBOARDS)
WANTED = Wanted(dashboards=DASHBOARDS, database_url=DATABASE, webhook="https://hooks.example.com/fenhe")
THINGS = 2 + len(library.SHARED) + len(DASHBOARDS) + 1 + len(watch.RULES)


def publish_to(server: ContractGrafana, wanted: Wanted = WANTED, *, dry_run: bool = False) -> list[PublishedThing]:
    """Publish as an editor's token may."""
    return list(publish(Grafana(server.address, TOKEN, timeout_s=5), wanted, dry_run=dry_run))


def outcomes(changes: list[PublishedThing]) -> set[PublishOutcome]:
    """What became of things, each outcome once."""
    return {change.outcome for change in changes}
