"""The documents of the pages say what the panels say."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboards.grafana.build import DEFINITIONS
from dashboards.grafana.documents import HEAD, build_documents, document, panels_of

FOLDER = Path(__file__).parents[3] / "docs" / "dashboards"
PAGES = {definition.slug: definition for definition in DEFINITIONS}


@pytest.mark.parametrize("slug", PAGES)
def test_a_page_s_document_names_its_panels_and_says_what_they_say(slug: str) -> None:
    """`fenhe dashboards build` writes it; a panel that has gone stands in none."""
    text = (FOLDER / f"{slug}.md").read_text(encoding="utf-8")
    assert text == document(text, PAGES[slug])


def test_every_document_is_of_a_page() -> None:
    """A page that is no more has none."""
    assert {path.stem for path in FOLDER.glob("*.md")} - {"README", "README.zh-CN"} == set(PAGES)


def test_what_stands_above_the_table_is_left_alone(tmp_path: Path) -> None:
    """Only the table is written over, and only in documents that are there."""
    page = tmp_path / "water.md"
    page.write_text(f"# Water\n\nBy hand.\n\n{HEAD}|---|---|\n| a panel that has gone | … |\n", encoding="utf-8")
    assert build_documents(tmp_path) == [page]
    assert page.read_text(encoding="utf-8") == "# Water\n\nBy hand.\n\n" + panels_of(PAGES["water"])


def test_a_document_without_a_table_is_told() -> None:
    """Nothing is appended where nobody left room."""
    with pytest.raises(ValueError, match="water has no line"):
        document("# Water\n", PAGES["water"])
