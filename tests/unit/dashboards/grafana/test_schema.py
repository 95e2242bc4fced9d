"""Built dashboards hold what Grafana's published schema knows, of the two lines that are supported."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dashboards.grafana.build import DEFINITIONS, dashboard_json
from schemas.words import Language
from tests.support.grafana_schema import LINES, NoCompilerError, broken, complaints, install

ROOT = Path(__file__).parents[4]
DASHBOARDS = [dashboard_json(definition, Language.ZH) for definition in DEFINITIONS]
"""The English ones differ in their words alone."""


@pytest.fixture(scope="module")
def compiler() -> Path:
    """The schemas and TypeScript under `.cache`; without Node or a registry there is nothing to check with."""
    if os.environ.get("FENHE_TEST_SERVICES") == "embedded":
        pytest.skip("FENHE_TEST_SERVICES=embedded asks for nothing from outside")
    try:
        return install(ROOT / ".cache" / "grafana-schema")
    except NoCompilerError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("line", LINES)
def test_dashboards_are_of_the_published_schema(compiler: Path, line: str) -> None:
    """No property that Grafana does not know, and none of another type, in dashboards, panels and fields."""
    assert complaints(compiler, line, DASHBOARDS) == []


def test_what_the_schema_does_not_know_is_named(compiler: Path) -> None:
    """The check can fail: a table's footer and a variable's `auto`, both built until November 2026."""
    dashboard = next(each for each in DASHBOARDS if each["templating"].get("list"))
    said = " ".join(complaints(compiler, max(LINES), [broken(dashboard)]))
    assert "'\"footer\"' does not exist" in said
    assert "'\"auto\"' does not exist" in said
