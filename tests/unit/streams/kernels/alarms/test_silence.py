"""When silence is an alarm, and how time passes for a partition."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from schemas.readings import Kind
from schemas.registry import Device
from streams.kernels.alarms.reference import alarm_rules
from streams.kernels.alarms.silence import MAX_STEP_MS, PartitionProgress, SiteSilence, advance, is_region, silence_of

RULES = alarm_rules().no_data
NOW = 1_780_000_000_000


def site(*ages_s: float, period_s: float = 60.0) -> SiteSilence:
    """What is heard of a site whose devices were last heard so long ago."""
    devices = [
        Device(device_id=f"d-{at}", site_id="s", kind=Kind.WATER, period_s=period_s) for at in range(len(ages_s))
    ]
    found = silence_of(devices, {f"d-{at}": round(age * 1000) for at, age in enumerate(ages_s)}, RULES)
    assert found is not None
    return found


def test_a_gap_is_more_than_three_periods_and_an_alarm_after_two_more() -> None:
    """Of the device's own period."""
    assert site(180, 0).silent == ()
    assert site(181, 0).silent == ("d-0",)
    assert site(300, 0).due == frozenset()
    assert site(301, 0).due == {"d-0"}
    assert site(10_900, 0, period_s=3600).silent == ("d-0",)


def test_a_device_that_was_never_heard_is_not_silent() -> None:
    """It was registered ahead of its time."""
    devices = [Device(device_id="d", site_id="s", kind=Kind.WATER)]
    assert silence_of(devices, {}, RULES) is None


def test_three_hundred_devices_of_one_dead_gateway_are_one_alarm() -> None:
    """Of 300, or of 300 among 600: the site's; a handful among many is each its own."""
    whole = site(*[400.0] * 300)
    assert (whole.offline, whole.rolled_up, whole.site_due) == (True, True, True)
    half = site(*[400.0] * 300, *[1.0] * 300)
    assert (half.offline, half.rolled_up, half.site_due) == (False, True, True)
    few = site(*[400.0] * 4, *[1.0] * 600)
    assert (few.rolled_up, len(few.due)) == (False, 4)


def test_no_device_of_a_dead_gateway_comes_up_before_its_site() -> None:
    """However their samples were spread over the last period."""
    for age in range(240, 420, 5):
        found = site(*[age + offset for offset in range(60)])
        assert not found.due or found.rolled_up, age


@given(st.lists(st.tuples(st.integers(0, 120_000), st.none() | st.integers(-7_200_000, 600_000)), max_size=40))
def test_time_passes_with_records_and_never_runs_ahead(steps: list[tuple[int, int | None]]) -> None:
    """It never goes back, passes no faster than records were written, and knows nothing of the future."""
    now: PartitionProgress | None = None
    record = NOW
    for passed, lag in steps:
        before, record = now, record + passed
        now = advance(before, record, None if lag is None else record + lag)
        assert now.event_ts <= now.record_ts == record
        if before is not None:
            assert now.event_ts >= before.event_ts


def test_a_standstill_is_no_silence() -> None:
    """Where no record came for an hour, half a minute passed; with beats every ten seconds, an hour did."""
    start = advance(None, NOW, NOW)
    assert advance(start, NOW + 3_600_000, None).event_ts == NOW + MAX_STEP_MS
    beating = start
    for beat in range(360):
        beating = advance(beating, NOW + 10_000 * (beat + 1), None)
    assert beating.event_ts == NOW + 3_600_000


def test_a_fast_clock_makes_nobody_else_late() -> None:
    """A reading from the future counts for the time it was received at."""
    assert advance(advance(None, NOW, NOW), NOW + 1000, NOW + 3_600_000).event_ts == NOW + 1000


def test_history_that_is_fed_fast_makes_nobody_late() -> None:
    """While old readings are replayed, time is theirs."""
    now = advance(None, NOW, NOW - 6 * 3_600_000)
    assert now.event_ts == NOW - 6 * 3_600_000
    assert advance(now, NOW + 1000, NOW - 5 * 3_600_000).event_ts == NOW - 5 * 3_600_000


def test_a_region_is_ten_sites_and_a_fifth() -> None:
    """Few of many, and all of very few, are sites."""
    assert is_region(10, 10, RULES)
    assert not is_region(9, 9, RULES)
    assert not is_region(19, 100, RULES)
    assert is_region(20, 100, RULES)


def test_who_is_fed_the_past_is_not_yet_current() -> None:
    """While a history or a backlog comes in some devices are ahead of others; none of them is silent."""
    assert not advance(None, NOW, NOW - 6 * 3_600_000).is_current
    assert advance(None, NOW, NOW - 60_000).is_current
    assert advance(advance(None, NOW, NOW), NOW + 10_000, None).is_current


def fed(lag_ms: int, *, gained_ms_a_record: int, records: int) -> PartitionProgress:
    """A record every 10 s, with readings that come a little closer to the present each time."""
    now = advance(None, NOW, NOW - lag_ms)
    for at in range(1, records + 1):
        record_ts = NOW + at * 10_000
        now = advance(now, record_ts, record_ts - lag_ms + at * gained_ms_a_record)
    return now


def test_a_lag_that_stays_is_a_slow_clock_and_one_that_shrinks_the_past() -> None:
    """A site alone on its partition, in a wrong time zone, is current after five minutes; a backlog only at its end."""
    eight_hours_ms = 8 * 3_600_000
    assert not fed(eight_hours_ms, gained_ms_a_record=0, records=29).is_current
    assert fed(eight_hours_ms, gained_ms_a_record=0, records=31).is_current
    assert not fed(eight_hours_ms, gained_ms_a_record=2_000, records=600).is_current
    assert fed(eight_hours_ms, gained_ms_a_record=48_000, records=600).is_current


def test_old_data_that_were_fed_are_never_the_present() -> None:
    """Last year's, once all are in: nobody is silent."""
    assert not fed(365 * 86_400_000, gained_ms_a_record=0, records=100).is_current
