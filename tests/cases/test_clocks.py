"""A clock that is wrong costs itself: the cases M* that concern the time of a reading."""

from __future__ import annotations

import pytest

from schemas.registry import Registry
from tests.support.cases import Case, Message, Run, load, needs_cases, play

pytestmark = needs_cases


@pytest.mark.parametrize("name", ["M05", "M06"])
def test_a_clock_that_was_lost_invents_no_energy(own_url: str, name: str) -> None:
    """M05, M06: three readings of 2000, or of three years ago, between those of today; 29 kWh, and no hour of then."""
    run = play(name, own_url)
    assert run.total(f"{name}-E") == pytest.approx(29, abs=1.6)
    assert [reason for reason, _ in run.quarantined()] == ["clock_behind"] * 3
    assert run.rows("SELECT count(*) AS n FROM meter_minute WHERE ts < '2026-05-01'") == [{"n": 0}]


def _shifted(case: Case, by_ms: int) -> list[Message]:
    """The odd readings of M06 at other times."""
    odd = case.messages[1]
    payload = odd.payload.decode()
    for ts in (1_685_392_080_000, 1_685_392_140_000, 1_685_392_200_000):
        payload = payload.replace(str(ts), str(ts + by_ms))
    return [case.messages[0], Message(odd.topic, payload.encode())]


@pytest.mark.parametrize("years", [-23, -13, -3, 1])
def test_however_far_the_clock_jumps_back(own_url: str, years: int) -> None:
    """M06 with clocks that start anywhere from 2000 to a year and more before now."""
    case = load("M06")
    run = Run(own_url, case.registry).publish(_shifted(case, years * 365 * 86_400_000))
    assert run.books().quarantined == 3
    assert run.total("M06-E") == pytest.approx(29, abs=1.6)


def test_the_first_day_of_a_device_says_what_is_history(own_url: str) -> None:
    """What was refused is taken where the registry says that the device measured then, and nothing before that day."""
    case = load("M06")
    [device] = case.registry.devices
    known = device.model_copy(update={"first_day": 1_685_392_140_000})
    run = Run(own_url, Registry(sites=case.registry.sites, devices=[known])).publish(case.messages)
    assert run.books().quarantined == 1
    assert "before the device's first day" in run.quarantined()[0][1]


def test_a_unit_is_named(own_url: str) -> None:
    """M30: seconds, microseconds and nanoseconds."""
    run = play("M30", own_url)
    assert [reason for reason, _ in run.quarantined()] == ["schema"] * 3
    assert all("not in milliseconds" in detail for _, detail in run.quarantined())
