"""The documents of the pages say what the panels say."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest

from dashboards.grafana.build import DEFINITIONS, dashboard_json
from dashboards.grafana.documents import HEAD, build_documents, document, panels_of
from schemas.words import Language
from tests.support.page_pictures import in_few_colours, panels_digest, panels_shown, with_panels

FOLDER = Path(__file__).parents[3] / "docs" / "dashboards"
PAGES = {definition.slug: definition for definition in DEFINITIONS}


@pytest.mark.parametrize("slug", PAGES)
def test_a_page_s_document_names_its_panels_and_says_what_they_say(slug: str) -> None:
    """`fenhe dashboards build` writes it; a panel that has gone stands in none."""
    text = (FOLDER / f"{slug}.md").read_text(encoding="utf-8")
    assert text == document(text, PAGES[slug])


@pytest.mark.parametrize("slug", PAGES)
def test_a_page_s_picture_shows_the_panels_that_it_has(slug: str) -> None:
    """Where it does not, `python -m tests.support.page_pictures` draws it anew, from Grafana or the browser test."""
    shown = panels_shown((FOLDER / f"{slug}.png").read_bytes())
    assert shown == panels_digest(dashboard_json(PAGES[slug], Language.EN))


def test_a_picture_of_few_colours_is_the_picture() -> None:
    """Nothing is rounded where the colours are few, and what it says of itself is read again."""
    pixels = np.arange(3 * 4 * 3, dtype=np.uint8).reshape(3, 4, 3)
    picture = with_panels(in_few_colours(pixels), "told")
    assert panels_shown(picture) == "told"
    assert panels_shown(in_few_colours(pixels)) is None
    at = picture.index(b"PLTE") + 4
    palette = np.frombuffer(picture[at : at + 36], np.uint8).reshape(12, 3)
    rows = np.frombuffer(zlib.decompress(picture[picture.index(b"IDAT") + 4 : -16]), np.uint8).reshape(3, 5)
    assert (palette[rows[:, 1:]] == pixels).all()


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
