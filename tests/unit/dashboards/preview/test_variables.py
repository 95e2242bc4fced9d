"""What a page's variables become: a choice that is not offered here falls back, an unknown plant is told."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING

import pytest

from dashboards.grafana.build import DEFINITIONS, dashboard_json
from dashboards.preview.macros import TimeRange
from dashboards.preview.model import load
from dashboards.preview.reader import Rows
from dashboards.preview.variables import notice_of, resolve
from schemas.words import Language

if TYPE_CHECKING:
    from dashboards.kit.dashboard import Definition
    from dashboards.preview.macros import Query

COMPARING = [each for each in DEFINITIONS if any(variable.name == "compare" for variable in each.variables)]
NOW = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)


class _Offers:
    """A database without a best day, and with one of everything else."""

    async def fetch(self, query: Query) -> Rows:
        compared = "'week'" in query.sql
        rows: list[tuple[object, ...]] = [("none", "nothing"), ("day", "the day before")] if compared else [("a", "A")]
        return Rows(["__value", "__text"], rows)


@pytest.mark.parametrize("definition", COMPARING, ids=lambda definition: definition.slug)
def test_a_compared_time_that_a_page_has_not_falls_back_in_silence(definition: Definition) -> None:
    """Neither `best ?` in the control nor a banner."""
    page = load(dashboard_json(definition, Language.EN))
    wanted = {"compare": "best", "site": "elsewhere"}
    time_range = TimeRange(NOW - dt.timedelta(hours=6), NOW)
    found = asyncio.run(resolve(_Offers(), page.variables, wanted, time_range))
    assert (found.chosen["compare"], found.values["compare"]) == ("none", "none")
    assert found.unknown == ({"site": "elsewhere"} if "site" in found.chosen else {})


def test_a_compared_time_that_a_page_has_is_kept() -> None:
    """What is offered is chosen as asked for."""
    page = load(dashboard_json(COMPARING[0], Language.EN))
    time_range = TimeRange(NOW - dt.timedelta(hours=6), NOW)
    found = asyncio.run(resolve(_Offers(), page.variables, {"compare": "day"}, time_range))
    assert (found.chosen["compare"], found.unknown) == ("day", {})


class _OffersNoSets:
    """A database with cities, and nothing that is run for peak shaving."""

    async def fetch(self, query: Query) -> Rows:
        return Rows(["__value", "__text"], [] if "battery_cycling_set" in query.sql else [("*", "All")])


@pytest.mark.parametrize(("language", "says"), [(Language.EN, "“Set”"), (Language.ZH, "“电池组”")])
def test_a_page_with_nothing_to_choose_from_says_of_what_there_is_none(language: Language, says: str) -> None:
    """With five thousand sites and no set that cycles it does not say that no site is registered."""
    (cycling,) = (each for each in DEFINITIONS if each.slug == "battery-cycling")
    page = load(dashboard_json(cycling, language))
    time_range = TimeRange(NOW - dt.timedelta(hours=6), NOW)
    found = asyncio.run(resolve(_OffersNoSets(), page.variables, {}, time_range))
    assert says in notice_of(page.variables, found, language)
