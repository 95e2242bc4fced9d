"""The sentence on top of every page: how old its data are."""

from __future__ import annotations

import datetime as dt

import pytest

from dashboards.preview.state import Look, Tone, state_of
from schemas.time import LOCAL
from schemas.words import Language

NOW = dt.datetime(2026, 11, 29, 23, 41, tzinfo=LOCAL).timestamp()


def said(lag_s: float, before_lag_s: float | None = None) -> tuple[Tone, str, str]:
    """What is said at a lag, where it was another one half a minute ago."""
    before = None if before_lag_s is None else Look(NOW - 30, NOW - 30 - before_lag_s, NOW - 30 - before_lag_s)
    state = state_of(before, Look(NOW, NOW - lag_s, NOW - lag_s), LOCAL)
    return state.level, state.text(Language.EN), state.text(Language.ZH)


def test_a_lag_of_forty_minutes_is_never_quiet() -> None:
    """It is said first, with its length, and the figures are dimmed."""
    level, english, chinese = said(2_400.0, 2_400.0)
    assert level is Tone.STOPPED
    assert "40 min behind and not moving" in english
    assert "落后 40 分钟" in chinese


def test_who_catches_up_says_when_the_page_will_be_live() -> None:
    """Two looks tell the pace."""
    level, english, _ = said(2_400.0, 2_600.0)
    assert level is Tone.STOPPED
    assert english == "Data to 23:01:00, 40 min behind; catching up, live in about 6 min."


@pytest.mark.parametrize("lag_s", [0.0, 12.0, 60.0])
def test_live_data_say_how_far_they_reach(lag_s: float) -> None:
    """A page that is live says so quietly."""
    level, english, _ = said(lag_s)
    assert level is Tone.LIVE
    assert english.startswith("live · data to 23:")


def test_nothing_is_green_because_nothing_is_known() -> None:
    """A database without a reading is no healthy plant."""
    state = state_of(None, Look(NOW, None, None), LOCAL)
    assert state.level is Tone.EMPTY
    assert state.is_stale


def test_the_slowest_partition_counts() -> None:
    """Newest readings of one partition do not hide another that stands."""
    assert state_of(None, Look(NOW, NOW - 1, NOW - 900), LOCAL).is_stale
