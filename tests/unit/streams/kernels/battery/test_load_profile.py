"""The load of a site as backup time is forecast with it, and how far that is doubted."""

from __future__ import annotations

import math
import random

import pytest

from schemas.metrics.battery_health import BatteryEpisode, BatteryHour
from schemas.metrics.battery_sites import SiteLoadHour
from schemas.time import DAY_MS, HOUR_MS
from streams.kernels.battery.backup import LoadProfile, Store, backup_of
from streams.kernels.battery.limits import Limits
from streams.kernels.battery.prospects.days import SetDays
from streams.kernels.battery.prospects.discharges import Discharges
from tests.support.worlds.sets import T0
from tests.unit.streams.kernels.battery.test_battery_views import POWER, REFERENCE, SITE, battery, loads


def test_the_load_is_yesterday_s_at_the_same_hour() -> None:
    """A site that draws more at night is forecast with its night's load at night."""
    watts = {T0 + at * HOUR_MS: 3000.0 if -24 <= at < -18 else 1000.0 for at in range(-40, 0)}
    profile = LoadProfile(watts, T0)
    assert (profile.at(2), profile.at(10)) == (3000.0, 1000.0)
    assert profile.hours_for(9000.0, 1.0) == pytest.approx(3.0)


def test_a_load_is_doubted_by_what_its_forecast_missed_on_the_days_before() -> None:
    """A steady site less than usual, a restless one more; of many hours less than of one, of days unknown as usual."""
    usual, rng = 0.08, random.Random(3)
    steady = {T0 - at * HOUR_MS: 2000.0 + 500.0 * (at % 24 < 8) for at in range(1, 194)}
    restless = {ts: watts * rng.uniform(0.7, 1.3) for ts, watts in steady.items()}
    assert LoadProfile(steady, T0).miss(3.0, usual) == pytest.approx(usual / math.sqrt(8), rel=0.2)
    shaken = LoadProfile(restless, T0)
    assert shaken.miss(1.0, usual) > 0.15 > shaken.miss(6.0, usual) > LoadProfile(steady, T0).miss(6.0, usual)
    yesterday = {ts: watts for ts, watts in restless.items() if ts >= T0 - DAY_MS}
    assert LoadProfile(yesterday, T0).miss(3.0, usual) == usual


def test_p10_follows_how_restless_the_site_s_load_is() -> None:
    """Two sites of one mean load and one set: the restless one is promised less."""
    limits, rng = Limits(battery("b"), REFERENCE), random.Random(4)
    steady = {T0 - at * HOUR_MS: 1000.0 for at in range(1, 194)}
    restless = {ts: 1000.0 if ts >= T0 - DAY_MS else watts * rng.uniform(0.6, 1.4) for ts, watts in steady.items()}
    low = []
    for load_w in (steady, restless):
        backup = backup_of(Store(0.85, 0.01, 1.0, 0.01, 25.0, 1.0), LoadProfile(load_w, T0), limits, REFERENCE)
        assert backup is not None
        assert backup.p50_h == pytest.approx(4.2, abs=0.2)
        low.append(backup.p10_h / backup.p50_h)
    assert low[0] > 0.95
    assert low[1] < low[0] - 0.05


def test_a_load_that_is_told_late_tells_the_forecasts_of_the_week_after_again() -> None:
    """Discharges and days up to eight days later: the spread of the load enters their p10."""
    late = loads(2000)[0]
    devices = [battery("b"), POWER]
    for view, row_type in ((Discharges(REFERENCE), BatteryEpisode), (SetDays(REFERENCE), BatteryHour)):
        wants = view.wants(SITE, devices, {SiteLoadHour: [late]})
        (own,) = (want for want in wants if want.row_type is row_type)
        assert own.to_ts > late.ts + 8 * DAY_MS
