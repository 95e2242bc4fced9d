"""The examples of the documents run, on readings as a worker has them, and do what the text around them says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import schemas.metrics
from schemas.arrival import Arrival
from schemas.detection import Positive, _Rule
from schemas.metrics import Json, Moment, Quality, Real
from schemas.metrics.signal import SignalKind
from schemas.readings import FlowReading, Kind, SitePowerReading
from schemas.registry import Device
from schemas.structs import as_struct
from schemas.time import MINUTE_MS
from schemas.words import Language
from storage.tables import column_names

DOCS = Path(__file__).parents[2] / "docs"
T0 = 1_780_243_200_000


def blocks(document: str, language: str = "python") -> list[str]:
    """Every block of code of a document."""
    text = (DOCS / document).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def run(*sources: str, **names: object) -> dict[str, Any]:
    """Run examples as one module in which `names` are there already, and return what it defines."""
    module: dict[str, Any] = {"__name__": "example", **names}
    for source in sources:
        exec(compile(source, "example", "exec", dont_inherit=True), module)  # noqa: S102 - our own document
    return module


def test_the_detector_of_the_document_detects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Told while the pressure is low, until it has returned beyond the deadband; a missing pressure is no evidence."""
    _, rule, detector = blocks("add-a-detector.md")
    monkeypatch.setattr(SignalKind, "LOW_PRESSURE", SignalKind.LIMIT, raising=False)
    module = run(rule, detector, _Rule=_Rule, Positive=Positive)
    kernel = module["LowPressure"](module["LowPressureRule"](), "test")
    device = Device(device_id="s-1", site_id="plant-1", kind=Kind.STEAM)
    pressures = [0.6, 0.3, 0.3, None, 0.42, 0.5, None, 0.42]
    items = [
        Arrival("s-1", 0, as_struct(Kind.STEAM, FlowReading(ts=T0 + minute * MINUTE_MS, pressure_mpa=pressure)))
        for minute, pressure in enumerate(pressures)
    ]
    state, rows = kernel.fold(None, device, items)
    assert [((row.ts - T0) // MINUTE_MS, row.active) for row in rows] == [
        (1, True),
        (2, True),
        (4, True),
        (5, False),
        (7, False),
    ]
    for cut in range(len(items)):
        first, before = kernel.fold(None, device, items[:cut])
        second, after = kernel.fold(kernel.load(kernel.dump(first)), device, items[cut:])
        assert (second, before + after) == (state, rows)


def test_the_metric_of_the_document_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lowest voltage of a quarter with its coverage, also where it is cut; its table has the row's columns."""
    row, _table, kernel_source = blocks("add-a-metric.md")
    row_type = run("from typing import NamedTuple\n" + row, Moment=Moment, Real=Real, Json=Json, Quality=Quality)[
        "SitePowerQuarter"
    ]
    monkeypatch.setattr(schemas.metrics, "SitePowerQuarter", row_type, raising=False)
    kernel = run(kernel_source)["LowestVoltage"]()
    device = Device(device_id="p-1", site_id="bs-1", kind=Kind.SITE_POWER)
    volts = [53.5] * 7 + [51.2] + [None] * 5 + [53.5] * 3
    items = [
        Arrival("p-1", 0, as_struct(Kind.SITE_POWER, SitePowerReading(ts=T0 + minute * MINUTE_MS, dc_voltage_v=each)))
        for minute, each in enumerate(volts)
    ]
    state, rows = kernel.fold(None, device, items)
    assert rows == [row_type("p-1", T0, "bs-1", 51.2, pytest.approx(9 / 15), Quality.PARTIAL)]
    for cut in range(len(items)):
        first, before = kernel.fold(None, device, items[:cut])
        second, after = kernel.fold(kernel.load(kernel.dump(first)), device, items[cut:])
        assert (second, before + after) == (state, rows)
    (sql,) = blocks("add-a-metric.md", "sql")
    assert tuple(re.findall(r"^    (\w+) +\w", sql, re.MULTILINE))[:-1] == column_names(row_type)


def test_the_panel_of_the_document_is_built() -> None:
    """In both languages, with its source."""
    (source,) = blocks("add-a-dashboard.md")
    panel = run(source)["lowest_voltage"]
    built = {language: panel(language).build() for language in Language}
    assert built[Language.ZH].title == "直流电压最低值 V"
    assert "Source: site_power_quarter" in built[Language.EN].description
