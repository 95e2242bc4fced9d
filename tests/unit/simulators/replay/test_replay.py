"""Replay: columns become fields, increments become registers, and disorder loses nothing."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.replay.mapping import Mapping
from simulators.replay.play import Tempo, play
from simulators.replay.recording import Recording, RecordingError
from simulators.wire.disorder import Disorder
from simulators.wire.message import encode

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable
    from pathlib import Path

    from simulators.wire.message import DeviceMessage

SITE = {"site_id": "S", "name": "S", "name_zh": "S", "sector": "steel", "city": "太原"}
METER: dict[str, Any] = {
    "device": {"device_id": "E", "site_id": "S", "kind": "electricity"},
    "fields": {"energy_import_kwh": {"column": "kwh", "increments": True, "start": 10}},
}
TIME: dict[str, Any] = {"column": "t", "format": "%Y-%m-%d %H:%M", "zone": "Asia/Shanghai", "interval_s": 900}


def mapping(*devices: dict[str, Any], time: dict[str, Any] | None = None) -> Mapping:
    """A mapping of one site."""
    return Mapping.model_validate({"sites": [SITE], "time": time or TIME, "devices": devices or [METER]})


def recording(folder: Path, text: str, what: Mapping | None = None) -> Recording:
    """A file of this text with its mapping."""
    path = folder / "data.csv"
    path.write_text(text, encoding="utf-8")
    return Recording(path, what or mapping())


def readings(messages: Iterable[DeviceMessage]) -> list[dict[str, Any]]:
    """All readings, in order, without their sequence numbers."""
    return [
        {name: value for name, value in reading.items() if name != "seq"}
        for each in messages
        for reading in each.readings
    ]


def through(found: Recording) -> list[DeviceMessage]:
    """Go through a recording as a replay does."""
    found.survey()
    return list(found.messages())


class Taken:
    """A publisher that keeps what it is given."""

    def __init__(self) -> None:
        self.messages: list[DeviceMessage] = []

    def publish(self, message: DeviceMessage, stop: threading.Event | None = None) -> bool:  # noqa: ARG002 - a publisher's
        """Keep it."""
        self.messages.append(message)
        return True

    def flush(self, timeout_s: float = 30.0) -> bool:  # noqa: ARG002 - a publisher's
        """Nothing is under way."""
        return True

    def report(self) -> dict[str, Any]:
        """Count what came."""
        counts = Counter({each.device_id: 0 for each in self.messages})
        for each in self.messages:
            counts[each.device_id] += len(each.readings)
        return {"published_total": counts.total(), "per_device": dict(counts)}


def test_increments_build_a_register_that_begins_before_the_first_interval(tmp_path: Path) -> None:
    """The opening reading tells what the register was before the first row; the last is the start plus the sum."""
    sent = readings(recording(tmp_path, "t,kwh\n2026-01-01 00:15,1.5\n2026-01-01 00:30,2\n").messages())
    midnight = 1_767_196_800_000
    assert sent == [
        {"ts": midnight, "energy_import_kwh": 10.0},
        {"ts": midnight + 900_000, "energy_import_kwh": 11.5},
        {"ts": midnight + 1_800_000, "energy_import_kwh": 13.5},
    ]


def test_a_row_stamped_with_its_start_is_sent_at_its_end(tmp_path: Path) -> None:
    """An interval's increment stands in the register when the interval is over."""
    text = "t,kwh\n2026-01-01 00:00,1\n"
    end = recording(tmp_path, text).survey().first_ts
    start = recording(tmp_path, text, mapping(time={**TIME, "stamps": "start"})).survey().first_ts
    assert start - end == 900_000


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ({"column": "t"}, "2026-01-01T08:00:00+08:00"),
        ({"column": "t", "format": "epoch_s"}, "1767225600"),
        ({"column": "t", "format": "epoch_ms"}, "1767225600000"),
        ({"column": "t", "zone": "Asia/Shanghai"}, "2026-01-01 08:00:00"),
        ({"column": "t", "format": "elapsed_s", "begins": "2025-12-31T23:59:50Z"}, "10.0"),
        ({"column": "t", "format": "%d.%m.%Y %H:%M", "zone": "UTC"}, "01.01.2026 00:00"),
    ],
)
def test_a_time_is_the_same_moment_in_every_format(tmp_path: Path, time: dict[str, Any], text: str) -> None:
    """Zones, epochs, elapsed seconds and patterns name one moment."""
    assert recording(tmp_path, f"t,kwh\n{text},1\n", mapping(time=time)).survey().first_ts == 1_767_225_600_000


def test_runs_whose_time_begins_anew_follow_each_other(tmp_path: Path) -> None:
    """Each change of the grouping column begins the next run, `every_s` after the last began."""
    time = {
        "column": "t",
        "format": "elapsed_s",
        "begins": "2026-01-01T00:00:00Z",
        "group": {"column": "run", "every_s": 100},
        "thin_s": 10,
    }
    meter = {**METER, "fields": {"power_kw": {"column": "kwh"}}}
    found = recording(tmp_path, "run,t,kwh\na,0,1\na,4,2\na,11,3\nb,0,4\nb,9,5\n", mapping(meter, time=time))
    first = found.survey().first_ts
    assert [(each["ts"] - first, each["power_kw"]) for each in readings(found.messages())] == [
        (0, 1.0),
        (11_000, 3.0),
        (100_000, 4.0),
    ]
    assert found.findings.rows_thinned == 2


def test_cells_become_values_of_the_fields_own_type(tmp_path: Path) -> None:
    """Lists, integers, words, factors and missing cells; what nobody can read is counted, with its line."""
    battery = {
        "device": {"device_id": "B", "site_id": "S", "kind": "battery", "battery": {"nominal_ah": 100}},
        "fields": {
            "cell_voltage_v": {"column": ["c1", "c2"], "factor": 0.001},
            "cycles": {"column": "n"},
            "mode": {"column": "m", "values": {"1": "charge"}},
            "soc_pct": {"column": "s"},
        },
    }
    power = {
        "device": {"device_id": "P", "site_id": "S", "kind": "site_power"},
        "fields": {"mains_failed": {"column": "f", "values": {"ja": True, "nein": False}}},
    }
    text = "t,c1,c2,n,m,s,f\n1767225600,3301,,7,1,NA,ja\n1767225660,,,8.0,float,x,vielleicht\n"
    found = recording(tmp_path, text, mapping(battery, power, time={"column": "t", "format": "epoch_s"}))
    assert readings(found.messages()) == [
        {"ts": 1_767_225_600_000, "cell_voltage_v": [3.301, None], "cycles": 7, "mode": "charge"},
        {"ts": 1_767_225_600_000, "mains_failed": True},
        {"ts": 1_767_225_660_000, "cycles": 8, "mode": "float"},
    ]
    assert found.findings.unreadable == {"s": 1, "f": 1}
    assert found.findings.examples["s"] == "line 3: 'x'"


def test_a_file_may_hold_several_devices_one_below_the_other(tmp_path: Path) -> None:
    """`where` picks a device's rows; each has its own register."""
    second = {**METER, "device": {**METER["device"], "device_id": "F"}, "where": {"meter": "2"}}
    text = "t,meter,kwh\n2026-01-01 00:15,1,1\n2026-01-01 00:15,2,5\n2026-01-01 00:30,1,1\n"
    found = recording(tmp_path, text, mapping({**METER, "where": {"meter": "1"}}, second))
    last = {each.device_id: each.readings[-1]["energy_import_kwh"] for each in found.messages()}
    assert last == {"E": 12.0, "F": 15.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t,kw\n", "no column kwh; it has t, kw"),
        ("t,kwh\nyesterday,1\n", "line 2"),
        ("t,kwh\n", "no row"),
        ("t,kwh\n2026-01-01 00:30,1\n2026-01-01 00:15,1\n", "back in time"),
    ],
)
def test_a_file_that_does_not_fit_its_mapping_says_where(tmp_path: Path, text: str, message: str) -> None:
    """Missing columns, unreadable times and unsorted increments end the replay with the place."""
    found = recording(tmp_path, text)
    with pytest.raises(RecordingError, match=message):
        through(found)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fields": {"energy_kwh": {"column": "kwh"}}}, "has no field energy_kwh"),
        ({"fields": {"power_kw": {"column": "kwh", "increments": True}}}, "is no register"),
        ({"fields": {"voltage_v": {"column": "kwh"}}}, "takes a list of columns"),
        ({"device": {"device_id": "E", "site_id": "T", "kind": "electricity"}}, "names site T"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused_before_anything_is_sent(change: dict[str, Any], message: str) -> None:
    """Unknown fields, increments of what is no register, and sites that nobody knows."""
    with pytest.raises(ValueError, match=message):
        mapping({**METER, **change})


def minutes(folder: Path, count: int) -> Recording:
    """A reading a minute."""
    rows = "".join(f"{1_767_225_600 + 60 * number},{number}\n" for number in range(count))
    meter = {**METER, "fields": {"power_kw": {"column": "kwh"}}}
    return recording(folder, "t,kwh\n" + rows, mapping(meter, time={"column": "t", "format": "epoch_s"}))


@given(
    duplicates=st.floats(0, 1),
    late=st.floats(0, 1),
    late_by_s=st.floats(1, 5_000),
    shuffle_s=st.sampled_from([0.0, 60.0, 600.0]),
    seed=st.integers(0, 5),
)
@settings(max_examples=30, deadline=None)
def test_disorder_loses_nothing_and_invents_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    **how: Any,  # noqa: ANN401
) -> None:
    """Every reading arrives once or twice, in the order of sending, and the same seed gives the same order."""
    source = minutes(tmp_path_factory.mktemp("disorder"), 60)
    clean = [encode(each) for each in source.messages()]
    carried = list(Disorder(**how).carry(source.messages()))
    counts = Counter(encode(each) for each in carried)
    assert set(counts) == set(clean)
    assert max(counts.values()) <= 2
    if not how["shuffle_s"]:
        assert all(a.at_ts <= b.at_ts for a, b in pairwise(carried))
    assert carried == list(Disorder(**how).carry(source.messages()))


def test_everything_twice_late_and_shuffled_is_what_was_asked_for(tmp_path: Path) -> None:
    """Shares of one are all of them; a shuffle of ten minutes changes the order and stays within its window."""
    source = minutes(tmp_path, 100)
    assert len(list(Disorder(duplicates=1).carry(source.messages()))) == 200
    late = list(Disorder(late=1, late_by_s=7_200).carry(source.messages()))
    assert sum(each.at_ts > each.ts for each in late) > 90
    shuffled = [each.ts for each in Disorder(shuffle_s=600).carry(source.messages())]
    assert shuffled != sorted(shuffled)
    latest = list(accumulate(shuffled, max))
    assert all(newest - ts < 600_000 for newest, ts in zip(latest, shuffled, strict=True))
    with pytest.raises(ValueError, match="share"):
        Disorder(late=1.5)


def test_a_speed_paces_sending_by_the_recordings_own_time(tmp_path: Path) -> None:
    """An hour at 60 times real time takes a minute of the clock; device times stay as recorded."""
    clock = [0.0]

    class Clocked(Taken):
        def __init__(self) -> None:
            super().__init__()
            self.when: list[float] = []

        def publish(self, message: DeviceMessage, stop: threading.Event | None = None) -> bool:
            self.when.append(clock[0])
            return super().publish(message, stop)

    def tick() -> float:
        clock[0] += 0.05
        return clock[0]

    publisher = Clocked()
    source = minutes(tmp_path, 60)

    class NoWait:
        def is_set(self) -> bool:
            return False

        def wait(self, _timeout: float) -> bool:
            return False

    sent = play(source, publisher, Tempo(speed=60, array=1), stop=NoWait(), monotonic=tick)  # type: ignore[arg-type]
    assert publisher.when[-1] - publisher.when[0] == pytest.approx(59, abs=1)
    assert sent["first_ts_ms"] == 1_767_225_600_000
    assert sent["per_device"] == {"E": 60}


def test_the_report_tells_what_was_sent_and_moved(tmp_path: Path) -> None:
    """Counts per device, the time covered after the shift, and arrays as large as asked for."""
    publisher = Taken()
    progress: list[int] = []
    sent = play(minutes(tmp_path, 120), publisher, Tempo(array=50, shift_ms=1_000), progress=progress.append)
    assert sent["per_device"] == {"E": 120}
    assert (sent["first_ts_ms"], sent["last_ts_ms"]) == (1_767_225_601_000, 1_767_232_741_000)
    assert [len(each.readings) for each in publisher.messages] == [50, 50, 20]
    assert progress[-1] == 120


AUTUMN = ["00:00", "00:30", "01:00", "01:30", "01:00", "01:30", "02:00", "02:30", "03:00"]
HALF_HOUR_MS = 1_800_000


def autumn(folder: Path, clock: list[str], *, increments: bool) -> Recording:
    """A historian's file of local times over the end of summer time: half hours of 30 kWh, and the register."""
    rows = [f"2020-10-25 {at},30,{1_000 + 30 * number}" for number, at in enumerate(clock, 1)]
    field = {"column": "kwh", "increments": True, "start": 1_000} if increments else {"column": "reg"}
    time = {**TIME, "zone": "Europe/London", "interval_s": 1_800, "stamps": "start" if increments else "end"}
    what = mapping({**METER, "fields": {"energy_import_kwh": field}}, time=time)
    return recording(folder, "\n".join(["t,kwh,reg", *rows]), what)


@pytest.mark.parametrize("increments", [True, False])
def test_an_hour_that_the_clock_shows_twice_is_two_hours(tmp_path: Path, increments: bool) -> None:  # noqa: FBT001
    """The second 01:00 and 01:30 are an hour later than the first, in increments as in registers."""
    found = readings(autumn(tmp_path, AUTUMN, increments=increments).messages())
    assert len(found) == 9 + increments
    assert {after["ts"] - before["ts"] for before, after in pairwise(found)} == {HALF_HOUR_MS}
    assert {after["energy_import_kwh"] - before["energy_import_kwh"] for before, after in pairwise(found)} == {30}


@pytest.mark.parametrize("increments", [True, False])
def test_hours_that_nothing_tells_apart_are_refused_before_anything_is_sent(
    tmp_path: Path,
    increments: bool,  # noqa: FBT001
) -> None:
    """Sorted by the local clock the two hours are mixed: the first pass says so, and what to do."""
    with pytest.raises(RecordingError, match="change of clocks"):
        autumn(tmp_path, sorted(AUTUMN), increments=increments).survey()


def test_increments_that_go_back_in_time_are_refused_before_anything_is_sent(tmp_path: Path) -> None:
    """Half a file in the database is worse than none."""
    rows = "t,kwh\n2026-03-01 00:00,1\n2026-03-01 00:30,1\n2026-03-01 00:15,1\n"
    with pytest.raises(RecordingError, match="goes back in time"):
        recording(tmp_path, rows).survey()


def test_a_file_that_begins_with_the_newest_row_is_refused_where_an_hour_stands_twice(tmp_path: Path) -> None:
    """Read backwards the two hours were laid over each other, and the register jumped to and fro."""
    with pytest.raises(RecordingError, match="oldest row first"):
        autumn(tmp_path, AUTUMN[::-1], increments=False).survey()


def test_a_time_that_the_clock_leaves_out_says_that_the_recording_keeps_no_summer_time(tmp_path: Path) -> None:
    """01:30 on that morning is no time in London: all summer the rows would have been an hour off."""
    what = mapping(
        {**METER, "fields": {"energy_import_kwh": {"column": "reg"}}}, time={**TIME, "zone": "Europe/London"}
    )
    rows = ["2020-03-29 00:30,0", "2020-03-29 01:30,30", "2020-03-29 02:30,60"]
    with pytest.raises(RecordingError, match=r"line 3.*keeps no summer time"):
        recording(tmp_path, "\n".join(["t,reg", *rows]), what).survey()
