"""Fleet plans 电池计划: which sites fail next, which sets to test, which to retire or move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit import sql
from dashboards.kit.dashboard import Definition, Variable
from dashboards.parts import books, fleet_plans
from dashboards.parts.battery_sets import CITY
from dashboards.words import plans as words
from schemas.words import Language, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.kit.panels import Panel

TESTS_A_MONTH = (20, 10, 50, 100, 200)
"""To choose from; the first is what the page opens with."""


def _tests(_language: Language) -> str:
    values = ", ".join(f"({at}, {sql.quote(str(count))})" for at, count in enumerate(TESTS_A_MONTH))
    return f"SELECT tests AS __value, tests AS __text FROM (VALUES {values}) AS v (at, tests) ORDER BY at"  # noqa: S608 - numbers of ours


def _panels(language: Language) -> Sequence[Panel]:
    return [
        fleet_plans.outlook(language),
        fleet_plans.why_unknown(language),
        fleet_plans.at_risk(language),
        fleet_plans.tests(language),
        fleet_plans.swaps(language),
        *books.row(language),
    ]


DASHBOARD = Definition(
    slug="fleet-plans",
    title=words.FLEET_PLANS,
    description=Text(
        "下次停电哪些站先断、下月测哪些组、哪些组退役或对调，各为什么。",
        "Which sites fail first in the next outage, which sets to test next month, which to retire or move, and why.",
    ),
    refresh="1m",
    variables=[CITY, Variable(name="tests", label=words.TESTS, query=_tests)],
    panels=_panels,
)
