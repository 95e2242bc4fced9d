"""When mains fails: from the seed alone, in pairs, and where it was told to."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.climate import CITIES
from simulators.fleet.outages import EPOCH_MS, NEVER, OutageSchedule, RegionalOutage
from tests.unit.simulators.support import HOUR_MS, START_TS

SITES = 400
CITY = np.arange(SITES) % len(CITIES)


def changes(schedule: OutageSchedule, site: int, until_ts: int) -> list[int]:
    """Take a site's changes before `until_ts` off the schedule."""
    found = []
    while schedule.next_change_ts[site] < until_ts:
        found.append(int(schedule.next_change_ts[site]))
        schedule.pass_change(site)
    return found


def test_outages_are_about_six_a_year_and_end() -> None:
    """Poisson with a mean of six a site and year, and three storms a city beside them."""
    year = 12 * EPOCH_MS
    schedule = OutageSchedule(1, CITY, START_TS, [])
    schedule.extend(START_TS + year)
    per_site = []
    for site in range(SITES):
        found = changes(schedule, site, START_TS + year)
        assert found == sorted(set(found))
        per_site.append(len(found) / 2)
    assert 5 < np.mean(per_site) < 8


def test_the_schedule_does_not_depend_on_how_far_ahead_it_was_asked() -> None:
    """Epochs are drawn from generators of their own."""
    at_once, in_steps = OutageSchedule(5, CITY, START_TS, []), OutageSchedule(5, CITY, START_TS, [])
    end = START_TS + 3 * EPOCH_MS
    at_once.extend(end)
    for day in range(90):
        in_steps.extend(START_TS + day * 24 * HOUR_MS)
    in_steps.extend(end)
    assert [changes(at_once, site, end) for site in range(SITES)] == [
        changes(in_steps, site, end) for site in range(SITES)
    ]


def test_a_forced_outage_strikes_its_city_and_passes() -> None:
    """The share of the city's sites that was asked for goes down within the onset and comes back."""
    outage = RegionalOutage(START_TS + HOUR_MS, duration_ms=HOUR_MS, city_zh="朔州", share=0.5)
    schedule = OutageSchedule(2, CITY, START_TS, [outage])
    members = np.flatnonzero([city.name_zh for city in CITIES].index("朔州") == CITY)
    onset = range(outage.start_ts, outage.start_ts + outage.onset_ts)
    struck = [
        site for site in members.tolist() if any(at in onset for at in changes(schedule, site, START_TS + EPOCH_MS))
    ]
    assert len(struck) == pytest.approx(len(members) / 2, abs=2)
    assert all(schedule.mains[site] for site in struck if schedule.next_change_ts[site] == NEVER)


def test_an_unknown_city_is_named_with_those_that_exist() -> None:
    """An error says what to do next."""
    with pytest.raises(ValueError, match="朔州"):
        OutageSchedule(2, CITY, START_TS, [RegionalOutage(START_TS, HOUR_MS, city_zh="上海")])
