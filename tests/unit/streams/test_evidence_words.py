"""What detectors write into an alarm's evidence has Chinese words: a Chinese page is Chinese throughout."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import streams
from dashboards.preview.operators.alarm_figures import detector, evidence
from schemas.metrics.battery_prospects import SohChange
from schemas.metrics.meter import MeterEventKind
from schemas.words import Language
from schemas.words.alarm_reasons import EVIDENCE
from streams.kernels.alarms.device_clock import ClockFault
from streams.kernels.detection.batteries.channels import END, JUMPED, OPEN, POWER_ON
from streams.kernels.detection.batteries.safety_verdicts import EVENT, SENSOR_OR_EVENT

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES = sorted(
    path
    for folder in ("alarms", "kernels/detection")
    for path in (Path(streams.__file__).parent / folder).rglob("*.py")
)


def _texts(node: ast.AST) -> Iterator[str]:
    """Texts that an expression may be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


def _pairs(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Names and values of a dictionary, or of a tuple of pairs."""
    if isinstance(node, ast.Dict):
        if any(isinstance(key, ast.Constant) and key.value == "evidence" for key in node.keys):
            return  # an alarm's figures, its evidence among them
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant):
                yield str(key.value), value
    elif isinstance(node, ast.Tuple):
        for pair in node.elts:
            if isinstance(pair, ast.Tuple) and len(pair.elts) == 2 and isinstance(pair.elts[0], ast.Constant):
                yield str(pair.elts[0].value), pair.elts[1]
    elif isinstance(node, ast.IfExp):
        yield from _pairs(node.body)
        yield from _pairs(node.orelse)
    elif isinstance(node, ast.BinOp):
        yield from _pairs(node.left)
        yield from _pairs(node.right)


def _written() -> Iterator[tuple[str, ast.AST]]:
    """Where detectors write evidence: an argument or a variable of that name, or one entry of it."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "evidence":
                yield from _pairs(node.value)
            elif isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "evidence":
                        yield from _pairs(value)
            elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                (target, *_) = node.targets if isinstance(node, ast.Assign) else [node.target]
                if isinstance(target, ast.Name) and target.id == "evidence":
                    yield from _pairs(node.value)
                elif (
                    isinstance(target, ast.Subscript)
                    and isinstance(target.value, ast.Name)
                    and target.value.id == "evidence"
                    and isinstance(target.slice, ast.Constant)
                ):
                    yield str(target.slice.value), node.value


NAMES = {name for name, _ in _written()}
VALUES = {(name, text) for name, value in _written() for text in _texts(value)} | {
    *(("ended", how) for how in ("adopted", "returned")),
    *(("fault", fault.value) for fault in ClockFault),
    *(("event", kind.value) for kind in MeterEventKind),
    *(("change", change.value) for change in SohChange),
    *(("may_be", word) for word in (EVENT, SENSOR_OR_EVENT)),
    *(("why", word) for word in (OPEN, POWER_ON, END, JUMPED, "hot", f"{OPEN}, {JUMPED}")),
    ("meter", "cannot be told"),
}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_name_of_evidence_has_words(name: str) -> None:
    """In both languages; nobody reads what a detector calls it."""
    assert name in EVIDENCE


@pytest.mark.parametrize(("name", "value"), sorted(VALUES))
def test_a_value_of_evidence_has_chinese_words(name: str, value: str) -> None:
    """One that is a word; units, ids and figures are nobody's language."""
    shown = evidence({name: value}, Language.ZH)
    assert not re.search(r"[A-Za-z]{2,}", shown.replace("CUSUM", "")), shown


def test_what_detectors_write_is_found() -> None:
    """A sample of each way of writing: a test that finds none could not fail."""
    assert {"bus_low_v", "judged", "ended", "of", "fault", "cell", "may_be"} <= NAMES
    assert {("judged", "as counted"), ("production", "not measured"), ("found_by", "jump")} <= VALUES


@pytest.mark.parametrize(
    ("stored", "zh", "en"),
    [
        (
            "night_flow detection-2026.7",
            "夜间流量升高（疑似漏水），版本 2026.7",
            "night flow risen (leak?), version 2026.7",
        ),
        (
            "night_flow/1 detection-2026.1",
            "夜间流量升高（疑似漏水），版本 2026.1",
            "night flow risen (leak?), version 2026.1",
        ),
        ("no_data/1", "无数据，版本 1", "no data, version 1"),
        ("over_temperature 1", "电池过温，版本 1", "battery over temperature, version 1"),
        ("somebody's own <b>", "somebody&#x27;s own &lt;b&gt;", "somebody&#x27;s own &lt;b&gt;"),
    ],
)
def test_a_detector_is_named_in_words(stored: str, zh: str, en: str) -> None:
    """Which detector spoke, and which version of it: what is stored is made for programs."""
    assert (detector(stored, Language.ZH), detector(stored, Language.EN)) == (zh, en)
