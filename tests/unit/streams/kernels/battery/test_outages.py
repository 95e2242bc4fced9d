"""A failure of mains is told with what the bus was before it, also once it is over."""

from __future__ import annotations

import pytest

from schemas.arrival import Arrival
from schemas.metrics.battery_sites import SiteOutage
from schemas.readings import Kind, SitePowerReading
from schemas.registered.bus import Bus, PowerSystem, bus_of, with_buses
from schemas.registry import BatterySet, Chemistry, Device
from streams.kernels.battery.bus import limits_at
from streams.kernels.battery.outages import SiteOutages

T0 = 1_780_000_020_000
POWER = Device(device_id="p", site_id="s", kind=Kind.SITE_POWER, period_s=60)


def test_the_end_of_an_outage_keeps_the_bus_that_was_before_it() -> None:
    """Mains is back and charges: the bus is at 51.4 V now, and was at 54.0 V."""
    bus = [54.0] * 5 + [53.0] * 5 + [52.0] * 5 + [51.0] * 5 + [51.4, 51.9]
    readings = [
        SitePowerReading(ts=T0 + at * 60_000, dc_voltage_v=volts, mains_failed=5 <= at < 20)
        for at, volts in enumerate(bus)
    ]
    rows = SiteOutages().fold(None, POWER, [Arrival("p", 0, reading) for reading in readings])[1]
    last = [row for row in rows if isinstance(row, SiteOutage)][-1]
    assert (last.ended_ts, last.bus_before_v, last.bus_low_v) == (T0 + 20 * 60_000, 54.0, 51.0)


def outages(bus: list[float], failed: list[bool], *, phases: bool = False, power: Device = POWER) -> list[SiteOutage]:
    """The last word on each outage, of a reading a minute."""
    readings = [
        SitePowerReading(ts=T0 + at * 60_000, dc_voltage_v=volts, mains_voltage_v=[0.0 if out else 220.0] * 3)
        if phases
        else SitePowerReading(ts=T0 + at * 60_000, dc_voltage_v=volts, mains_failed=out)
        for at, (volts, out) in enumerate(zip(bus, failed, strict=True))
    ]
    rows = SiteOutages().fold(None, power, [Arrival("p", 0, reading) for reading in readings])[1]
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


def test_a_bus_that_is_not_sent_while_mains_has_failed_contradicts_nothing() -> None:
    """It was sent before; the failure is told at its beginning, and again when it is due, for the sets to judge."""
    readings = [
        SitePowerReading(ts=T0 + at * 60_000, dc_voltage_v=None if at >= 40 else 54.0, mains_failed=at >= 40)
        for at in range(60)
    ]
    rows = SiteOutages().fold(None, POWER, [Arrival("p", 0, reading) for reading in readings])[1]
    outage_rows = [row for row in rows if isinstance(row, SiteOutage)]
    assert [(row.seen_ts - row.ts) // 60_000 for row in outage_rows] == [0, 10]
    assert {(row.bus_low_v, row.contradicted) for row in outage_rows} == {(None, False)}
    phases = [each.model_copy(update={"mains_failed": None, "mains_voltage_v": [0.0]}) for each in readings[40:]]
    rows = SiteOutages().fold(None, POWER, [Arrival("p", 0, each) for each in (*readings[:40], *phases)])[1]
    assert not any(row.contradicted for row in rows if isinstance(row, SiteOutage))


OUTLIERS = [0.0, 49.0, 52.9, 60.0]


@pytest.mark.parametrize("outlier_v", OUTLIERS)
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("at", [55, 58, 60, 61, 65, 69, 70, 75, 120])
def test_no_outlier_of_a_bus_that_is_held_changes_what_it_says_of_a_failure(
    outlier_v: float, count: int, at: int
) -> None:
    """Phases of zero from the sixtieth minute on: before it, at its beginning, while the bus is watched, and after."""
    bus = [54.0] * 400
    bus[at : at + count] = [outlier_v] * count
    [row] = outages(bus, [at >= 60 for at in range(400)], phases=True)
    assert (row.contradicted, row.bus_before_v, row.bus_low_v) == (True, 54.0, 54.0)


@pytest.mark.parametrize("outlier_v", [0.0, 49.0, 54.3, 60.0])
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("at", [37, 42, 45, 49, 50, 60])
def test_no_outlier_of_a_bus_on_its_sets_changes_what_it_says(outlier_v: float, count: int, at: int) -> None:
    """Whether mains is said to have failed, or to be on."""
    bus = [54.3] * 40 + FALLING + [54.3] * 20
    bus[at : at + count] = [outlier_v] * count
    for failed in ([False] * 102, [40 <= minute < 82 for minute in range(102)]):
        [row] = outages(bus, failed, phases=True)
        assert row.bus_before_v == 54.3
        assert row.bus_low_v == pytest.approx(51.91)
        assert row.contradicted is not any(failed)
        assert row.ended_ts == T0 + 82 * 60_000


@pytest.mark.parametrize("outlier_v", OUTLIERS)
def test_an_outlier_of_a_bus_that_is_read_every_quarter_of_an_hour_is_no_fall(outlier_v: float) -> None:
    """It stood for a quarter of an hour, for there was no other reading."""
    readings = [
        SitePowerReading(ts=T0 + at * 900_000, dc_voltage_v=outlier_v if at == 20 else 54.0, mains_failed=False)
        for at in range(40)
    ]
    power = POWER.model_copy(update={"period_s": 900.0})
    rows = SiteOutages().fold(None, power, [Arrival("p", 0, reading) for reading in readings])[1]
    assert [row for row in rows if isinstance(row, SiteOutage)] == []


def power_of(*sets: BatterySet) -> Device:
    """The power system of a site with these sets, as kernels are given it."""
    devices = [Device(device_id=f"b{n}", site_id="s", kind=Kind.BATTERY, battery=each) for n, each in enumerate(sets)]
    return with_buses([*devices, POWER])[-1]


def lfp(cells: int) -> BatterySet:
    """A set of LFP cells."""
    return BatterySet(cell_count=cells, nominal_ah=100, nominal_v=3.2 * cells)


@pytest.mark.parametrize("cells", [8, 15, 16])
def test_a_bus_is_judged_by_its_cells(cells: int) -> None:
    """What a bus of 16 cells says, one of 15 or of 8 says at the same voltage of each cell."""
    power, each = power_of(lfp(cells)), cells / 16

    def spans(bus: list[float], failed: list[bool], *, phases: bool = False) -> list[tuple[int, int | None, bool]]:
        rows = outages([round(each * volts, 2) for volts in bus], failed, phases=phases, power=power)
        return [
            ((row.ts - T0) // 60_000, row.ended_ts and (row.ended_ts - T0) // 60_000, row.contradicted) for row in rows
        ]

    assert spans([54.3] * 40 + FALLING + [54.2] * 3, [False] * 85) == [(40, 82, True)]
    assert spans([54.3] * 40 + FALLING, [at >= 40 for at in range(82)], phases=True) == [(40, None, False)]
    assert spans([54.3] * 82, [at >= 40 for at in range(82)], phases=True) == [(40, None, True)]
    boost_ends = [56.0] * 60 + [54.3 - at * 0.04 for at in range(20)] + [53.5] * 200
    assert spans(boost_ends, [False] * 280) == []
    held = [54.3] * 300 + FALLING
    assert spans(held, [at >= 60 for at in range(342)], phases=True) == [(60, 300, True), (300, None, False)]


def test_the_noise_of_a_bus_of_eight_cells_that_is_sent_in_steps_of_a_tenth_says_nothing() -> None:
    """A step of 0.1 V is half of what it is of 16 cells."""
    bus = [27.1 if at % 3 else 27.2 for at in range(400)]
    assert outages(bus, [False] * 400, power=power_of(lfp(8))) == []
    [row] = outages(bus, [at >= 60 for at in range(400)], phases=True, power=power_of(lfp(8)))
    assert row.contradicted


def test_the_bus_of_a_site_is_that_of_its_sets() -> None:
    """Of none it is taken for 48 V of LFP; of other cells than LFP no voltage says that a rectifier holds it."""
    nmc = BatterySet(cell_count=14, nominal_ah=100, nominal_v=51.0, chemistry=Chemistry.LI_ION)
    for sets, bus in (([], Bus()), ([lfp(8), lfp(8)], Bus(8)), ([lfp(15), lfp(16)], Bus(16))):
        power = power_of(*sets)
        assert isinstance(power, PowerSystem)
        assert power.bus == bus
    assert limits_at(power_of(nmc)).setting_v == float("inf")
    assert bus_of([]) == Bus(16, Chemistry.LFP)


@pytest.mark.parametrize("late_s", [0, 9, -9])
@pytest.mark.parametrize("period_s", [300, 600, 900, 1_200])
@pytest.mark.parametrize("slope_v", [0.2, 0.4])
def test_a_fall_is_told_once_however_seldom_the_bus_is_read(slope_v: float, period_s: int, late_s: int) -> None:
    """Of readings every quarter of an hour none was, for what it came down from was forgotten; of others six were."""
    hour = 3600 // period_s
    bus = [53.5] * 4 * hour + [50.5 - slope_v * at * period_s / 900 for at in range(4 * hour)] + [53.5] * hour
    readings = [
        SitePowerReading(ts=T0 + (at * period_s + late_s * (at % 2)) * 1000, dc_voltage_v=volts, mains_failed=False)
        for at, volts in enumerate(bus)
    ]
    rows = SiteOutages().fold(None, POWER, [Arrival("p", 0, reading) for reading in readings])[1]
    [row] = {each.ts: each for each in rows if isinstance(each, SiteOutage)}.values()
    assert row.ts == pytest.approx(T0 + 4 * 3_600_000, abs=600_000)
    assert row.ended_ts == pytest.approx(T0 + 8 * 3_600_000, abs=period_s * 2_000)
    assert (row.bus_before_v, row.contradicted) == (53.5, True)
