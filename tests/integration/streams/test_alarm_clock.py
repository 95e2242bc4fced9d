"""Silence and deadlines through the engine, on a real database."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from psycopg.rows import dict_row

from schemas.kafka.record import encode_micro_batch
from schemas.readings import Kind
from schemas.registry import Device, Registry, Sector, Site
from schemas.time import MINUTE_MS
from schemas.topics import partition_of
from storage.alarm_tables import operator
from storage.pool import connect, open_pool
from streams.engine.engine import Engine
from streams.engine.kernels import Kernels
from streams.installed import installed
from streams.intake.decode import Record
from tests.support.pipeline import Sent, prepare, record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


OUTAGE_MIN = 8
START_TS = 1_780_000_000_000
BEATS_MS = (20_000, 40_000)


NOBODY: Mapping[str, int] = MappingProxyType({})


def report(site: str, device: str, ts: int) -> Sent:
    """What a device says of a moment."""
    return Sent(site, Kind.SITE_POWER, device, {"ts": ts, "dc_voltage_v": 53.5})


class World:
    """Sites with devices that report every minute, until they fall silent; time is the records'."""

    def __init__(self, owner_url: str, sites: int, devices: int, *, partitions: int = 2) -> None:
        self.owner_url = owner_url
        self.now_ts = START_TS
        self._partitions = partitions
        names = [f"s-{at}" for at in range(sites)]
        self.devices = {name: [f"{name}-{at}" for at in range(devices)] for name in names}
        prepare(
            owner_url,
            Registry(
                sites=[
                    Site(site_id=name, name=name, name_zh=name, sector=Sector.BASE_STATION, city="朔州")
                    for name in names
                ],
                devices=[
                    Device(device_id=device, site_id=name, kind=Kind.SITE_POWER, period_s=60)
                    for name, own in self.devices.items()
                    for device in own
                ],
            ),
        )
        kernels = installed()
        only = Kernels(
            tuple(fold for fold in kernels.readings if fold.name in {"site_power_view", "site_power"}),
            (),
            kernels.stages,
        )
        assert only.readings, [fold.name for fold in kernels.readings]
        self._engine = Engine(open_pool(owner_url, size=2, name="test"), only, "test", partitions)
        self._open = [self._engine.open(number) for number in range(partitions)]
        self._offsets = [0] * partitions

    def close(self) -> None:
        """Give connections back."""
        self._engine.close()

    def minutes(self, count: int, silent: Sequence[str] = (), slow_ms: Mapping[str, int] = NOBODY) -> None:
        """Let time pass: every device that is not silent reports each minute; collectors beat meanwhile.

        `slow_ms`: by how much the clocks of a site's devices, or of a device, are behind.
        """
        for _ in range(count):
            for number in range(self._partitions):
                sent = [
                    report(site, device, self.now_ts - slow_ms.get(device, slow_ms.get(site, 0)))
                    for site, own in self.devices.items()
                    if partition_of(site, self._partitions) == number
                    for device in own
                    if device not in silent and site not in silent
                ]
                if sent:
                    self._put(number, record(self._offsets[number], sent, self.now_ts))
                for beat_ms in BEATS_MS:
                    empty = encode_micro_batch("test", {}, [], [])
                    self._put(number, Record(self._offsets[number], self.now_ts + beat_ms, empty))
            self.now_ts += MINUTE_MS

    def late(self, site: str, device: str, minutes_ago: Iterable[int]) -> None:
        """Have a device's buffered readings come in, in one record."""
        number = partition_of(site, self._partitions)
        sent = [report(site, device, self.now_ts - ago * MINUTE_MS) for ago in minutes_ago]
        self._put(number, record(self._offsets[number], sent, self.now_ts))

    def _put(self, number: int, item: Record) -> None:
        self._engine.apply(self._open[number], [item])
        self._offsets[number] += 1

    def alarms(self) -> list[dict[str, Any]]:
        """All alarms."""
        with connect(self.owner_url, name="test") as connection, connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute("SELECT * FROM alarm ORDER BY raised_at, site_id, device_id").fetchall()

    def presented(self) -> int:
        """How often something was put before an operator."""
        with connect(self.owner_url, name="test") as connection:
            row = connection.execute("SELECT count(*) FROM alarm_transition WHERE presented").fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def small(own_url: str) -> Iterator[World]:
    """Two sites of six devices."""
    world = World(own_url, 2, 6)
    yield world
    world.close()


def states(world: World) -> dict[str, str]:
    """State of each alarm by its device."""
    return {alarm["device_id"]: alarm["state"] for alarm in world.alarms()}


def test_one_silent_device_is_one_alarm_with_delays_both_ways(small: World) -> None:
    """Raised after five of its periods, cleared three after it is heard again; a short gap is none."""
    small.minutes(3)
    small.minutes(4, silent=["s-0-0"])
    small.minutes(3)
    assert states(small) == {}
    small.minutes(7, silent=["s-0-0"])
    assert states(small) == {"s-0-0": "active_unacknowledged"}
    small.minutes(2)
    assert states(small) == {"s-0-0": "active_unacknowledged"}
    small.minutes(3)
    assert states(small) == {"s-0-0": "returned_unacknowledged"}
    assert small.presented() == 1


def test_a_dead_gateway_is_one_alarm(small: World) -> None:
    """Of the site; its devices come up by themselves only where they stay silent when the site is back."""
    small.minutes(3)
    small.minutes(10, silent=["s-0"])
    assert states(small) == {"s-0": "active_unacknowledged"}
    (alarm,) = small.alarms()
    assert (alarm["severity"], alarm["value"], alarm["evidence"]["of"]) == ("high", 6.0, 6)
    small.minutes(12, silent=["s-0-3"])
    assert states(small) == {"s-0": "returned_unacknowledged", "s-0-3": "active_unacknowledged"}


def test_a_slow_clock_is_no_silence(small: World) -> None:
    """Eight hours behind, a device is heard as its readings arrive, and missed when they do not."""
    slow = {"s-0-0": 8 * 60 * MINUTE_MS}
    small.minutes(8, slow_ms=slow)
    assert states(small) == {}
    small.minutes(8, silent=["s-0-0"], slow_ms=slow)
    assert states(small) == {"s-0-0": "active_unacknowledged"}
    (alarm,) = small.alarms()
    assert alarm["value"] < 8 * 60


def test_a_site_of_slow_clocks_is_missed_too(own_url: str) -> None:
    """Alone on its partition: once its lag has stayed for five minutes."""
    world = World(own_url, 1, 2, partitions=1)
    slow = {"s-0": 8 * 60 * MINUTE_MS}
    world.minutes(8, slow_ms=slow)
    assert states(world) == {}
    world.minutes(8, silent=["s-0"], slow_ms=slow)
    assert states(world) == {"s-0": "active_unacknowledged"}
    world.close()


def test_late_readings_that_fill_a_silence_amend_its_alarm_once(small: World) -> None:
    """Only when no gap is left, of any device of a silent site; what came before the end is said with the end."""

    def said_of(device: str) -> list[tuple[str, bool]]:
        with connect(small.owner_url, name="test") as connection:
            return connection.execute(
                "SELECT event, detail ? 'filled' FROM alarm_transition t JOIN alarm a USING (alarm_id)"
                " WHERE a.device_id = %s ORDER BY t.id",
                (device,),
            ).fetchall()

    small.minutes(3)
    small.minutes(8, silent=["s-0-0", "s-1-0", "s-1-1"])
    small.late("s-1", "s-1-1", range(9, 0, -1))
    small.minutes(6)
    assert said_of("s-0-0") == said_of("s-1-0") == [("raise", False), ("clear", False)]
    assert said_of("s-1-1") == [("raise", False), ("clear", True)]
    small.late("s-0", "s-0-0", range(14, 10, -1))
    assert said_of("s-0-0") == [("raise", False), ("clear", False)], "four of eight minutes are still missing"
    small.late("s-0", "s-0-0", range(10, 6, -1))
    small.late("s-0", "s-0-0", [12, 11])
    assert said_of("s-0-0") == [("raise", False), ("clear", False), ("amend", True)]


def test_a_silent_site_is_filled_with_its_last_device(small: World) -> None:
    """Not before."""
    small.minutes(3)
    small.minutes(8, silent=["s-0"])
    small.minutes(6)
    amended = []
    for at in range(6):
        small.late("s-0", f"s-0-{at}", range(15, 6, -1))
        (alarm,) = small.alarms()
        amended.append(alarm["amended"])
    assert amended == [False] * 5 + [True]


def test_a_standing_pipeline_makes_nobody_silent(small: World) -> None:
    """Without collectors' beats nothing is known, however much time has passed by any other clock."""
    small.minutes(3)
    small.now_ts += 120 * MINUTE_MS
    small.minutes(2)
    assert states(small) == {}
    assert small.presented() == 0


def test_the_clock_ends_shelves_and_maintenance_and_alarms_again(small: World) -> None:
    """What an operator left for later comes back by itself."""
    small.minutes(3)
    small.minutes(8, silent=["s-0-0", "s-1-0"])
    first, second = (alarm["alarm_id"] for alarm in small.alarms())

    def owner(statement: str, *parameters: object) -> None:
        with connect(small.owner_url, name="test") as connection:
            connection.execute(statement.encode(), parameters)

    with connect(small.owner_url, name="test", autocommit=True) as connection:
        operator.call(connection, "alarm_shelve", first, 1, "a", "b")
        operator.call(connection, "alarm_acknowledge", second, "a", "b")
    small.minutes(1, silent=["s-0-0", "s-1-0"])
    assert set(states(small).values()) == {"shelved", "active_acknowledged"}
    owner("UPDATE alarm SET shelved_until = now() - interval '1 s' WHERE alarm_id = %s", first)
    owner("UPDATE alarm SET acknowledged_at = now() - interval '30 h' WHERE alarm_id = %s", second)
    small.minutes(1, silent=["s-0-0", "s-1-0"])
    assert set(states(small).values()) == {"active_unacknowledged"}


def test_a_region_that_is_out_is_one_alarm(own_url: str) -> None:
    """A thousand sites, out for eight minutes: one alarm, and no flood when they come back."""
    world = World(own_url, 1000, 1, partitions=2)
    everything = [*world.devices]
    world.minutes(1)
    world.minutes(OUTAGE_MIN, silent=everything)
    assert states(world)["朔州"] == "active_unacknowledged"
    world.minutes(5)
    with connect(own_url, name="test") as connection:
        worst = connection.execute("SELECT max(presented) FROM alarm_rate_10min").fetchone()
    assert worst == (1,)
    assert world.presented() == 1
    assert {alarm["state"] for alarm in world.alarms()} <= {"normal", "returned_unacknowledged"}
    world.close()
