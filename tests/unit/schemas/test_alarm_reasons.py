"""What fenhe itself writes into an alarm's history is in the page's language."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from schemas.metrics.signal import Severity
from schemas.words import Language
from schemas.words.alarm_reasons import EVIDENCE, REASONS, reason, refusal

ROOT = Path(__file__).parents[3]
WRITERS = (ROOT / "streams" / "alarms", ROOT / "streams" / "kernels" / "alarms")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def _given() -> set[str]:
    """Every sentence that the code hands on as a reason: to `take`, or to the local `_clear`."""
    found: set[str] = set()
    for path in (path for folder in WRITERS for path in folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_reason(node.value):
                found.add(node.value)
    return found


def _is_reason(text: str) -> bool:
    beginnings = ("the condition ", "late readings ", "its ", "heard again", "nothing is heard", "another one ")
    return text.startswith((*beginnings, "over for as long", "maintenance is over", "acknowledged long ago"))


def test_every_reason_of_fenhes_own_has_chinese_words() -> None:
    """A new reason without Chinese words would stand in English on a Chinese page."""
    given = _given()
    assert len(given) > 12
    assert given <= set(REASONS)
    assert {f"worse: {severity}" for severity in Severity} <= set(REASONS)
    assert all(CHINESE.search(words) for words in REASONS.values())


def test_what_a_person_wrote_stays_as_written() -> None:
    """Only fenhe's own sentences are put into words; and in English they are what is stored."""
    assert reason("valve is being closed", Language.ZH) == "valve is being closed"
    assert reason("the condition holds", Language.ZH) == "条件成立"
    assert reason("the condition holds", Language.EN) == "the condition holds"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("a name and a reason are required", "请填写姓名和理由"),
        ("a name and a note are required", "请填写姓名和记事"),
        ("a note has at most 1000 characters, this one 1001", "记事最多 1000 字，现有 1001 字"),
        ("shelve for more than 0 and at most 24 hours", "搁置时间须大于 0 且不超过 24 小时"),
        ("close is not possible: alarm abc is shelved, its condition holds", "该告警的状态已经改变"),
    ],
)
def test_a_refusal_is_said_in_the_pages_language(said: str, words: str) -> None:
    """An operator who reads Chinese is told in Chinese what is missing."""
    assert refusal(said, Language.ZH).startswith(words)
    assert refusal(said, Language.EN) == said


def test_evidence_is_named_in_both_languages() -> None:
    """A name has words in each language, and no two the same ones."""
    for language in Language:
        assert len({text(language) for text in EVIDENCE.values()}) == len(EVIDENCE)
