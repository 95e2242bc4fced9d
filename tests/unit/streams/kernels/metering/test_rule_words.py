"""What the metering kernels give as a reason has Chinese words: a Chinese page is Chinese throughout."""

from __future__ import annotations

import ast
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dashboards.kit.fields import Field
from dashboards.preview.formats import show
from dashboards.preview.model import FieldConfig
from schemas.words import Language
from schemas.words.meter_rules import METER_RULES, meter_rule
from streams.kernels import metering

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES = sorted(Path(metering.__file__).parent.glob("*.py"))


def _texts(node: ast.AST) -> Iterator[str]:
    """Texts that an expression may be; a figure in one is 7."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)
    elif isinstance(node, ast.IfExp):
        yield from chain(_texts(node.body), _texts(node.orelse))
    elif isinstance(node, ast.Tuple):
        yield from chain.from_iterable(_texts(each) for each in node.elts)


def _reasons(tree: ast.AST) -> Iterator[str]:
    """Where the kernels write one: a `rule`, a constant, a step's own, what a function of texts returns."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "rule":
            yield from _texts(node.value)
        elif isinstance(node, ast.Assign):
            names = {name.id for each in node.targets for name in ast.walk(each) if isinstance(name, ast.Name)}
            if "rule" in names or any(name.isupper() for name in names):
                yield from _texts(node.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"Step", "Line"}:
            yield from chain.from_iterable(_texts(each) for each in node.args)
        elif isinstance(node, ast.FunctionDef) and isinstance(node.returns, ast.Name) and node.returns.id == "str":
            returned = (each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value)
            yield from chain.from_iterable(_texts(each) for each in returned)


def _sentences() -> set[str]:
    found = {text for path in SOURCES for text in _reasons(ast.parse(path.read_text(encoding="utf-8"))) if " " in text}
    variants = {"the 7 register": ("the import register", "the export register"), "counts 7 of": ("counts a third of",)}
    for short, long in variants.items():
        for text in [each for each in found if short in each]:
            found |= {text.replace(short, each) for each in long}
            found.discard(text)
    return found


@pytest.mark.parametrize("reason", sorted(_sentences()))
def test_a_reason_has_chinese_words(reason: str) -> None:
    """On the alarm's page and in a table alike; in English it stands as it is, and a figure in it is kept."""
    shown = meter_rule(reason, Language.ZH)
    assert not any(letter.isascii() and letter.isalpha() for letter in shown), shown
    assert ("7" in reason) == ("7" in shown)
    assert meter_rule(reason, Language.EN) == reason
    for language in Language:
        properties = {each.id_val: each.value for each in Field(name="rule", chinese=METER_RULES).properties(language)}
        assert show(reason, FieldConfig("rule", properties), no_value="", zone="UTC").text == meter_rule(
            reason, language
        )


def test_the_kernels_reasons_are_found() -> None:
    """A sample of each place: a test that finds none could not fail."""
    assert {"agrees again", "shows its first unit again", "no reading for more than seven days"} < _sentences()
