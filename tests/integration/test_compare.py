"""Every chart that can be compared shows, beside its own hours, what the same chart showed so many days before."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, cast

from dashboards.grafana.build import DEFINITIONS, dashboard_json
from dashboards.preview.macros import Scope, TimeRange
from dashboards.preview.model import load
from dashboards.preview.reader import Reader
from schemas.words import Language
from tests.support.dashboard_queries import bound, standard_scope

if TYPE_CHECKING:
    from dashboards.preview.model import Panel
    from tests.fixtures.dashboards import ReaderDatabase

PAGES = {"plant-energy", "gangue", "water", "meter", "battery-fleet", "alarms", "pipeline"}
"""Where a chart over time stands that another day says something to; on a set's page a year stands already."""
CHOICE = {"gangue": {"site": "pinglu-power"}, "meter": {"site": "taihang-steel", "meter": "taihang-steel-e1"}}


def _compared() -> list[tuple[str, Panel]]:
    found = []
    for definition in DEFINITIONS:
        dashboard = load(dashboard_json(definition, Language.EN))
        for panel in dashboard.panels:
            if "${compare:sqlstring}" in panel.sql:
                assert "compare" in {variable.name for variable in dashboard.variables}
                found.append((definition.slug, panel))
    return found


async def test_a_chart_stands_beside_what_it_showed_a_day_and_a_week_before(reader_database: ReaderDatabase) -> None:
    """Each compared value is one of the chart's own row so many whole days earlier, and no row of then is left out."""
    panels = _compared()
    assert {slug for slug, _ in panels} == PAGES
    reader = Reader(reader_database.reader_url)
    end = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0) - dt.timedelta(hours=1)
    seen = set()
    try:
        for slug, panel in panels:
            for word, days in (("none", 0), ("day", 1), ("week", 7)):
                back = dt.timedelta(days=days)
                shown = await reader.fetch(bound(panel, _scope(slug, end, word)))
                then = await reader.fetch(bound(panel, _scope(slug, end - back, "none")))
                at, compared = shown.columns.index("time"), shown.columns.index("compared")
                earlier = {
                    cast("dt.datetime", row[at]) + back: {each for each in row[1:] if each is not None}
                    for row in then.rows
                }
                values = {
                    cast("dt.datetime", row[at]): row[compared] for row in shown.rows if row[compared] is not None
                }
                assert all(value in earlier[moment] for moment, value in values.items()), (slug, panel.title, word)
                if days == 0:
                    assert values == {}
                elif values:
                    assert set(earlier) <= {row[at] for row in shown.rows}
                    seen.add(slug)
    finally:
        await reader.close()
    assert seen >= {"plant-energy", "gangue", "water", "alarms"}


def _scope(slug: str, end: dt.datetime, compare: str) -> Scope:
    chosen = standard_scope(compare=compare, **CHOICE.get(slug, {})).variables
    return Scope(TimeRange(end - dt.timedelta(days=3 if slug in {"gangue", "water"} else 1), end), chosen)
