"""A failure of mains is told with what the bus was before it, also once it is over."""

from __future__ import annotations

import pytest

from schemas.arrival import Arrival
from schemas.metrics.battery_sites import SiteOutage
from schemas.readings import Kind, SitePowerReading
from schemas.registry import Device
from streams.kernels.battery.outages import SiteOutages

T0 = 1_780_000_020_000
POWER = Device(device_id="p", site_id="s", kind=Kind.SITE_POWER, period_s=60)


def test_the_end_of_an_outage_keeps_the_bus_that_was_before_it() -> None:
    """Mains is back and charges: the bus is at 51.4 V now, and was at 54.0 V."""
    bus = [54.0] * 5 + [53.0, 52.0, 51.0] * 5 + [51.4, 51.9]
    readings = [
        SitePowerReading(ts=T0 + at * 60_000, dc_voltage_v=volts, mains_failed=5 <= at < 20)
        for at, volts in enumerate(bus)
    ]
    rows = SiteOutages().fold(None, POWER, [Arrival("p", 0, reading) for reading in readings])[1]
    last = [row for row in rows if isinstance(row, SiteOutage)][-1]
    assert (last.ended_ts, last.bus_before_v, last.bus_low_v) == (T0 + 20 * 60_000, 54.0, 51.0)


def outages(bus: list[float], failed: list[bool], *, phases: bool = False) -> list[SiteOutage]:
    """The last word on each outage, of a reading a minute."""
    readings = [
        SitePowerReading(ts=T0 + at * 60_000, dc_voltage_v=volts, mains_voltage_v=[0.0 if out else 220.0] * 3)
        if phases
        else SitePowerReading(ts=T0 + at * 60_000, dc_voltage_v=volts, mains_failed=out)
        for at, (volts, out) in enumerate(zip(bus, failed, strict=True))
    ]
    rows = SiteOutages().fold(None, POWER, [Arrival("p", 0, reading) for reading in readings])[1]
    return list({row.ts: row for row in rows if isinstance(row, SiteOutage)}.values())


FALLING = [52.6, 52.4, *[52.3 - at * 0.01 for at in range(40)]]


def test_a_bus_that_comes_down_while_mains_is_said_to_be_on_is_told_as_contradicted() -> None:
    """From when it fell until somebody holds it again."""
    [row] = outages([54.3] * 40 + FALLING + [53.1, 54.2, 54.3], [False] * 85)
    assert (row.ts, row.ended_ts, row.contradicted) == (T0 + 40 * 60_000, T0 + 82 * 60_000, True)
    assert row.bus_before_v == 54.3
    assert row.bus_low_v == pytest.approx(51.91)


def test_a_bus_that_sways_for_minutes_or_by_little_is_not_told() -> None:
    """A load that comes and goes, a setting that is half a volt lower, a day's drift with the weather."""
    assert outages([54.3] * 40 + [52.9] * 8 + [54.3] * 40, [False] * 88) == []
    assert outages([54.3] * 40 + [53.8] * 60, [False] * 100) == []
    assert outages([54.3 - at * 0.01 for at in range(300)], [False] * 300) == []


def test_a_flag_that_comes_late_finds_the_bus_as_it_was() -> None:
    """Three minutes on its sets before anybody says so: the bus had been at 54.3 V."""
    [row] = outages([54.3] * 40 + FALLING, [False] * 43 + [True] * 39, phases=True)
    assert (row.bus_before_v, row.contradicted) == (54.3, False)


def test_mains_that_fails_while_its_phases_read_zero_for_hours_fails_when_the_bus_comes_down() -> None:
    """What lay before is contradicted."""
    bus = [54.3] * 300 + FALLING
    first, second = outages(bus, [at >= 60 for at in range(len(bus))], phases=True)
    assert (first.ts, first.ended_ts, first.contradicted) == (T0 + 60 * 60_000, T0 + 300 * 60_000, True)
    assert (second.ts, second.ended_ts, second.contradicted) == (T0 + 300 * 60_000, None, False)


def test_the_end_of_a_boost_is_no_outage_and_a_lower_setting_is_one_until_the_bus_lies_level() -> None:
    """Both lie open for days else, and with them whatever is made of them."""
    relaxing = [54.3 - at * 0.04 for at in range(20)]
    assert outages([56.0] * 60 + relaxing + [53.5] * 1440, [False] * 1520) == []
    [row] = outages([54.4] * 60 + [51.5] * 1440, [False] * 1500)
    assert (row.ts, row.ended_ts) == (T0 + 60 * 60_000, T0 + 90 * 60_000)


def test_phases_that_read_zero_long_after_a_boost_are_held_against_the_bus_as_it_lay() -> None:
    """The bus had not come from 56 V to 53.5 V because mains failed two days later."""
    swaying = [53.5 - 0.25 * (at // 20 % 2) for at in range(2880)]
    for float_v in ([53.5] * 2880, swaying):
        bus = [56.0] * 120 + float_v + [53.5] * 360
        [row] = [
            row for row in outages(bus, [at >= 3000 for at in range(len(bus))], phases=True) if row.ts > T0 + 10**8
        ]
        assert (row.bus_before_v, row.contradicted) == (float_v[-1], True)


def test_a_bus_alone_contradicts_nobody() -> None:
    """A site that is cycled, of whose mains nothing is sent."""
    bus = [54.3] * 40 + [52.3 - at * 0.01 for at in range(200)]
    readings = [SitePowerReading(ts=T0 + at * 60_000, dc_voltage_v=volts) for at, volts in enumerate(bus)]
    rows = SiteOutages().fold(None, POWER, [Arrival("p", 0, reading) for reading in readings])[1]
    assert [row for row in rows if isinstance(row, SiteOutage)] == []


def test_phases_that_are_dead_before_mains_fails_begin_its_failure_where_the_bus_comes_down() -> None:
    """Held for an hour, then down by a volt within one reading: what lay before is contradicted, what follows is not.

    A bus that is drawn from by little comes down slowly: its failure began where it was said.
    """
    bus = [54.3] * 60 + FALLING
    held, failure = outages([54.3] * 10 + bus, [False] * 10 + [True] * len(bus), phases=True)
    assert (held.ts, held.ended_ts, held.contradicted) == (T0 + 10 * 60_000, T0 + 70 * 60_000, True)
    assert (failure.ts, failure.ended_ts, failure.contradicted) == (T0 + 70 * 60_000, None, False)
    slow = [54.3 - at * 0.02 for at in range(90)]
    [row] = outages([54.3] * 10 + slow, [False] * 10 + [True] * len(slow), phases=True)
    assert (row.ts, row.contradicted) == (T0 + 10 * 60_000, False)


@pytest.mark.parametrize("outlier_v", [0.0, 52.9])
def test_outliers_of_a_bus_that_is_held_begin_no_outage(outlier_v: float) -> None:
    """One reading, or two in a row, that the next takes back: the failure stays contradicted, and its bus held."""
    bus = [54.0] * 500
    bus[100], bus[200], bus[201] = outlier_v, outlier_v, outlier_v
    [row] = outages(bus, [60 <= at < 400 for at in range(500)], phases=True)
    assert (row.contradicted, row.bus_low_v) == (True, 54.0)
