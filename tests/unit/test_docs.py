"""What the documents say of the code is true of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fenhe.commands.alarm_kinds import document
from schemas.words import Language

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
TESTS = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/*.py"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_test_a_document_names_exists(document: Path) -> None:
    """A promise is shown by a test; a test that was renamed shows nothing."""
    named = set(re.findall(r"`(test_\w+)`", document.read_text(encoding="utf-8")))
    assert not {name for name in named if f"def {name}(" not in TESTS}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_a_document_links_to_exists(document: Path) -> None:
    """A link inside the project leads somewhere."""
    targets = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", document.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (document.parent / target).exists()]


@pytest.mark.parametrize(("language", "name"), [(Language.EN, "alarm-kinds.md"), (Language.ZH, "alarm-kinds.zh-CN.md")])
def test_the_document_of_alarm_kinds_says_what_the_pages_say(language: Language, name: str) -> None:
    """One source for the document, the alarm's page and the message: `fenhe alarms kinds` writes the file."""
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == document(language)
