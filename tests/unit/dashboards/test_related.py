"""Pages that belong together lead to each other, in the same language and of the same thing."""

from __future__ import annotations

import pytest

from dashboards.grafana.build import DEFINITIONS, dashboard_json
from dashboards.pages import battery_passport, battery_set
from dashboards.preview.model import load
from dashboards.preview.passport import address
from dashboards.preview.view import View
from schemas.words import Language

RELATED = [definition for definition in DEFINITIONS if definition.related]


def test_a_set_and_its_passport_lead_to_each_other() -> None:
    """By the page that somebody looks at, not only by the menu."""
    leads = {definition.slug: [page.slug for page in definition.related] for definition in RELATED}
    assert leads[battery_set.DASHBOARD.slug] == [battery_passport.DASHBOARD.slug]
    assert leads[battery_passport.DASHBOARD.slug] == [battery_set.DASHBOARD.slug]


@pytest.mark.parametrize("language", list(Language))
def test_related_pages_exist_and_keep_variables_range_and_language(language: Language) -> None:
    """In Grafana a link of the page, in the preview one in its bar; the other language is not taken for one."""
    slugs = {definition.slug for definition in DEFINITIONS}
    for definition in RELATED:
        built = dashboard_json(definition, language)
        links = [link for link in built["links"] if link.get("url", "").endswith(f"-{language}")]
        assert len(links) == len(definition.related)
        assert all(link["includeVars"] and link["keepTime"] for link in links)
        found = load(built).related
        assert [slug for slug, _ in found] == [page.slug for page in definition.related]
        assert {slug for slug, _ in found} <= slugs
        assert [title for _, title in found] == [page.title(language) for page in definition.related]
    assert load(dashboard_json(DEFINITIONS[0], language)).related == ()


def test_the_document_is_of_the_set_that_the_page_shows() -> None:
    """Its address has the page's variables."""
    view = View.parse("battery-passport", {"var-set": "bs1-b1", "lang": "zh"}, "")
    assert address(view).startswith("/passport.json?")
    assert "var-set=bs1-b1" in address(view)
