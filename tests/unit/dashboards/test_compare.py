"""What a chart is compared with is asked for in a form that is cheap on years of rows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

import pytest

from dashboards.grafana.build import DEFINITIONS
from schemas.words import Language

if TYPE_CHECKING:
    from dashboards.kit.dashboard import Definition
    from dashboards.kit.query import SqlQuery

SHIFTED = re.compile(r"(\S+ <= \$__timeTo\(\)::timestamptz AND )?([\w.]+) BETWEEN \(\$__timeFrom\(\)::timestamptz - ")


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda each: each.slug)
def test_a_compared_time_has_bounds_that_are_known_before_the_query_runs(definition: Definition) -> None:
    """Else planning looks at each of a year's 730 chunks of minutes, whatever is compared, and if nothing is."""
    found = [
        match
        for panel in definition.panels(Language.EN)
        for target in panel.build().targets or ()
        for match in SHIFTED.finditer(cast("SqlQuery", target).sql)
    ]
    assert [match[2] for match in found if match[1] is None] == []
