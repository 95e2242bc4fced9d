"""A steel works' real year: few alarms where nothing was changed, and a base load left on is found within a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.metrics import Signal
from schemas.time import DAY_MS
from streams.kernels.alarms.reference import alarm_rules
from streams.kernels.detection.judgement import Subject
from streams.kernels.detection.reference import detection
from streams.kernels.detection.series.series import SeriesDetectors
from tests.support.worlds.steel import FILE, QUARTER_MS, START_TS, quarters

if TYPE_CHECKING:
    from schemas.metrics.signal import SignalKind

SHIFT_KW, SHIFT_DAYS = 20.0, 14
SHIFTS = [day * 96 + 40 for day in (100, 190, 280)]
"""Quarters in which a load of 20 kW is left on, for two weeks each."""

pytestmark = pytest.mark.skipif(not FILE.exists(), reason="the recorded steel year is not on this machine")


def alarms(power_kw: list[float]) -> list[tuple[int, SignalKind]]:
    """When alarms of a year would be raised, and what kind of."""
    made = SeriesDetectors(detection().series["energy_import_kwh"], period_s=900, rated=None, version="test")
    subject, state, found = Subject("m", "s", "energy_import_kwh", "kW", "test"), None, []
    for at, power in enumerate(power_kw, 1):
        state, rows = made.advance(state, subject, START_TS + at * QUARTER_MS, power, START_TS + at * QUARTER_MS)
        found += [
            (row.ts, row.kind)
            for row in rows
            if isinstance(row, Signal)
            and row.active
            and row.samples == alarm_rules().handling(row.kind.value).on_delay_samples
        ]
    return found


def test_three_loads_left_on_are_found_within_a_day_and_little_else_is_said() -> None:
    """All detectors of the meter together: at most two alarms in the year that no shift accounts for."""
    power = [4 * energy for energy in quarters()]
    for start in SHIFTS:
        for at in range(start, start + SHIFT_DAYS * 96):
            power[at] += SHIFT_KW
    found = alarms(power)
    onsets = [START_TS + start * QUARTER_MS for start in SHIFTS]
    for onset in onsets:
        assert any(onset < ts <= onset + DAY_MS for ts, _ in found)
    assert sum(not any(onset < ts <= onset + SHIFT_DAYS * DAY_MS for onset in onsets) for ts, _ in found) <= 2
