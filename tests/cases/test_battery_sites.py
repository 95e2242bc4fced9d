"""Devices of one base station that contradict each other: nothing is made of what stands alone (B06, B07, B14)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from schemas.readings import Kind
from schemas.registry import BatterySet, Device, Registry, Sector, Site
from tests.support.cases import Message, Run, message, needs_cases, play

if TYPE_CHECKING:
    from collections.abc import Iterator

T0 = 1_780_000_020_000
MINUTE = 60_000
FLOAT = {
    "pack_voltage_v": 54.0,
    "current_a": 0.0,
    "soc_pct": 100.0,
    "cell_voltage_v": [3.375] * 16,
    "temperature_c": [25.0, 25.1],
}


def registry(site: str = "x") -> Registry:
    """One base station: a set and a power system."""
    devices = [
        Device(device_id=f"{site}-b", site_id=site, kind=Kind.BATTERY, period_s=60, battery=BatterySet(nominal_ah=100)),
        Device(device_id=f"{site}-s", site_id=site, kind=Kind.SITE_POWER, period_s=60),
    ]
    return Registry(
        sites=[Site(site_id=site, name=site, name_zh=site, sector=Sector.BASE_STATION, city="太原")], devices=devices
    )


def at(minute: int, kind: str, reading: dict[str, Any]) -> Message:
    """A reading of a minute."""
    name = "x-b" if kind == "battery" else "x-s"
    return message("x", kind, name, {"ts": T0 + minute * MINUTE, **reading})


def bus(volts: float | None, *, failed: bool | None = None, mains_v: float = 220.0) -> dict[str, Any]:
    """What a power system says."""
    said = {"mains_voltage_v": [mains_v] * 3, "dc_load_current_a": 20.0}
    return (
        said | ({} if volts is None else {"dc_voltage_v": volts}) | ({} if failed is None else {"mains_failed": failed})
    )


def carried(minute: int) -> dict[str, Any]:
    """A set under 20 A of load, some minutes after it came on."""
    cell = 3.28 - minute * 0.0005
    return {"pack_voltage_v": round(16 * cell, 2), "current_a": -20.0, "soc_pct": 99.0, "cell_voltage_v": [cell] * 16}


@needs_cases
def test_a_set_whose_records_are_zeros_is_one_of_which_nothing_is_known(own_url: str) -> None:
    """B06: an alarm as for a silent one; no 0 °C, no 0 % anywhere, no float from an hour ago."""
    run = play("B06", own_url)
    [newest] = run.rows("SELECT * FROM battery_latest WHERE device_id = 'B06-B'")
    assert (newest["soc_pct"], newest["temperature_max_c"], newest["pack_voltage_v"]) == (None, None, None)
    [now] = run.rows("SELECT * FROM battery_state_latest WHERE device_id = 'B06-B'")
    assert (now["kind"], now["soc_pct"], now["flags"]) == ("offline", None, "blank,gap")
    raised = [(alarm["device_id"], alarm["kind"], alarm["active"]) for alarm in run.alarms()]
    assert ("B06-B", "blank", True) in raised
    assert run.rows("SELECT 1 FROM battery_quarter WHERE temperature_max_c < 20") == []


@needs_cases
def test_a_failure_of_mains_that_bus_and_set_know_nothing_of_is_contradicted(own_url: str) -> None:
    """B07: phases of zero while the bus stays at float and the set at 0 A are a meter that fell silent."""
    run = play("B07", own_url)
    outages = run.rows("SELECT contradicted FROM site_outage")
    assert outages == [{"contradicted": True}]
    assert [(alarm["device_id"], alarm["kind"], alarm["metric"]) for alarm in run.alarms()] == [
        ("B07-S", "contradiction", "mains")
    ]
    assert run.rows("SELECT 1 FROM battery_discharge WHERE cause = 'outage'") == []


@needs_cases
def test_a_reversed_current_is_turned_round_wherever_charge_is_summed(own_url: str) -> None:
    """B14: episodes, quarters and the newest view agree on what left the set, and each says that it was turned."""
    run = play("B14", own_url)
    [sums] = run.rows(
        "SELECT sum(discharge_ah) AS gave, sum(charge_ah) AS took, bool_or(flags = 'reversed_current') AS told"
        " FROM battery_quarter"
    )
    [episode] = run.rows("SELECT charge_ah, flags FROM battery_episode WHERE kind = 'discharge'")
    assert sums["told"]
    assert sums["took"] == pytest.approx(0.0, abs=0.5)
    assert sums["gave"] == pytest.approx(-episode["charge_ah"], rel=0.02)
    assert "reversed_current" in episode["flags"]
    [newest] = run.rows("SELECT flags FROM battery_latest")
    assert newest["flags"] == "reversed_current"


def outage(*, frozen: bool, fall_v: float = 8.0, before: int = 90, minutes: int = 60) -> Iterator[Message]:
    """Float, then an outage in which the bus comes down; a frozen set goes on showing float."""
    for minute in range(before):
        yield at(minute, "battery", FLOAT)
        yield at(minute, "site_power", bus(54.0, failed=False))
    for minute in range(before, before + minutes):
        gone = minute - before
        yield at(minute, "battery", FLOAT if frozen else carried(gone))
        low = 52.5 - (fall_v - 1.5) * gone / minutes
        yield at(minute, "site_power", bus(round(low, 2), failed=True, mains_v=0.0))


def test_a_set_on_float_whose_bus_has_come_down_is_frozen_and_not_healthy(own_url: str) -> None:
    """SoC and backup are unknown, with an alarm; when the set is heard truly again, all that ends."""
    run = Run(own_url, registry()).publish(outage(frozen=True))
    [now] = run.rows("SELECT soc_pct, flags FROM battery_state_latest")
    assert (now["soc_pct"], now["flags"]) == (None, "contradicted")
    [site] = run.rows("SELECT remaining_reason, backup_reason, backup_p10_h FROM battery_site")
    assert (site["remaining_reason"], site["backup_reason"], site["backup_p10_h"]) == (
        "contradicted",
        "contradicted",
        None,
    )
    assert [(alarm["device_id"], alarm["metric"], alarm["severity"]) for alarm in run.alarms()] == [
        ("x-b", "set", "high")
    ]
    run.publish(at(minute, "battery", carried(minute - 90)) for minute in range(150, 160))
    assert run.rows("SELECT 1 FROM battery_state_latest WHERE position('contradicted' IN flags) > 0") == []
    assert [alarm["active"] for alarm in run.alarms()] == [False]


def test_sets_at_rest_while_nobody_carries_the_load_are_not_believed(own_url: str) -> None:
    """One at rest may be open, but then another one gives: a current that stands at nothing hides a discharge."""
    resting = FLOAT | {"pack_voltage_v": 53.2, "cell_voltage_v": [3.325] * 16, "soc_pct": 99.0}
    messages = [at(minute, "battery", FLOAT) for minute in range(80)]
    messages += [at(minute, "battery", resting) for minute in range(80, 150)]
    power = [message for message in outage(frozen=True) if "site_power" in message.topic]
    run = Run(own_url, registry()).publish([*messages, *power])
    assert [(alarm["device_id"], alarm["metric"]) for alarm in run.alarms()] == [("x-b", "set")]
    [site] = run.rows("SELECT backup_reason FROM battery_site")
    assert site["backup_reason"] == "contradicted"


def test_a_set_on_float_above_a_bus_first_heard_in_an_outage_is_the_one_doubted(own_url: str) -> None:
    """What the bus was at before is not known, but what it is at now: not mains is contradicted, but the set."""
    run = Run(own_url, registry()).publish(outage(frozen=True, before=0))
    assert [(alarm["device_id"], alarm["metric"]) for alarm in run.alarms()] == [("x-b", "set")]
    [site] = run.rows("SELECT backup_reason FROM battery_site")
    assert site["backup_reason"] == "contradicted"


@pytest.mark.parametrize("shown", [{"pack_voltage_v": 54.0}, {"pack_voltage_v": 54.0, "current_a": -20.0}])
def test_a_set_whose_pack_is_not_its_cells_is_one_of_which_nothing_is_known(
    own_url: str, shown: dict[str, float]
) -> None:
    """Pack voltage and SoC stand while the cells come down: nobody can tell which is old; it ends when they agree."""
    run = Run(own_url, registry()).publish(at(minute, "battery", FLOAT) for minute in range(90))
    fallen = [FLOAT | shown | {"cell_voltage_v": [round(3.1 - 0.005 * gone, 3)] * 16} for gone in range(40)]
    run.publish(at(90 + gone, "battery", reading) for gone, reading in enumerate(fallen))
    [now] = run.rows("SELECT kind, soc_pct, flags FROM battery_state_latest")
    assert (now["kind"], now["soc_pct"]) == ("offline", None)
    assert "contradicted" in now["flags"]
    assert [(alarm["device_id"], alarm["metric"], alarm["active"]) for alarm in run.alarms()] == [("x-b", "set", True)]
    [site] = run.rows("SELECT backup_reason, backup_p10_h FROM battery_site")
    assert (site["backup_reason"], site["backup_p10_h"]) == ("contradicted", None)
    run.publish(at(minute, "battery", FLOAT) for minute in range(130, 140))
    assert [alarm["active"] for alarm in run.alarms()] == [False]
    [now] = run.rows("SELECT kind, flags FROM battery_state_latest")
    assert (now["kind"], "contradicted" in now["flags"]) == ("float", False)


def test_one_broken_cell_channel_does_not_make_a_pack_contradict_its_cells(own_url: str) -> None:
    """A channel that shows half a volt differs from the pack by nearly a cell: the others are believed."""
    cells = [3.375] * 15 + [0.5]
    run = Run(own_url, registry()).publish(at(minute, "battery", FLOAT) for minute in range(60))
    run.publish(at(minute, "battery", FLOAT | {"cell_voltage_v": cells}) for minute in range(60, 90))
    [now] = run.rows("SELECT kind, flags FROM battery_state_latest")
    assert (now["kind"], "contradicted" in now["flags"]) == ("float", False)


def test_a_set_that_carries_its_load_is_believed_in_any_order(own_url: str) -> None:
    """Nothing is doubted in a true outage, though the power system's readings come before any of the set's."""
    messages = list(outage(frozen=False))
    messages.sort(key=lambda each: "battery" in each.topic)
    run = Run(own_url, registry()).publish(messages)
    assert run.rows("SELECT * FROM site_doubt") == []
    assert run.rows("SELECT contradicted FROM site_outage") == [{"contradicted": False}]
    assert run.rows("SELECT cause FROM battery_discharge") == [{"cause": "outage"}]


def test_without_a_bus_the_sets_are_the_witness(own_url: str) -> None:
    """Phases of zero for an hour, no bus voltage, and every set on float: the failure of mains is not believed."""
    dead = [at(minute, "site_power", bus(None, mains_v=220.0 if minute < 90 else 0.0)) for minute in range(150)]
    run = Run(own_url, registry()).publish(at(minute, "battery", FLOAT) for minute in range(150))
    run.publish(dead)
    assert [(row["device_id"], row["kind"]) for row in run.rows("SELECT device_id, kind FROM site_doubt")] == [
        ("x-s", "mains")
    ]


def test_the_end_of_blank_records_is_told(own_url: str) -> None:
    """Ten minutes of zeros within a float are a stretch of their own with an end; the float goes on."""
    zeros = {"current_a": 0.0, "soc_pct": 0.0, "cell_voltage_v": [0.0] * 16, "temperature_c": [0.0, 0.0]}
    parts = [(range(90), FLOAT), (range(90, 100), zeros), (range(100, 130), FLOAT)]
    run = Run(own_url, registry())
    for minutes, said in parts:
        run.publish(at(minute, "battery", said) for minute in minutes)
    [doubt] = run.rows("SELECT kind, ts, ended_at FROM site_doubt")
    assert (doubt["kind"], doubt["ended_at"] - doubt["ts"]) == ("blank", dt.timedelta(minutes=11))
    [now] = run.rows("SELECT kind, soc_pct FROM battery_state_latest")
    assert (now["kind"], now["soc_pct"]) == ("float", 100.0)
    assert [each["active"] for each in run.alarms() if each["kind"] == "blank"] == [False]


def test_one_odd_answer_of_the_voltage_does_not_turn_a_sign(own_url: str) -> None:
    """A spike of the voltage at the moment a load comes on is no reversed current: the set gave what it gave."""
    run = Run(own_url, registry()).publish(at(minute, "battery", FLOAT) for minute in range(90))
    odd = carried(0) | {"pack_voltage_v": 54.6}
    run.publish([at(90, "battery", odd), *(at(minute, "battery", carried(minute - 90)) for minute in range(91, 150))])
    [sums] = run.rows("SELECT sum(discharge_ah) AS gave, sum(charge_ah) AS took FROM battery_quarter")
    assert sums["gave"] > 14.0
    assert sums["took"] == pytest.approx(0.0, abs=0.2)


def test_a_flag_is_doubted_by_bus_and_sets_together_and_not_by_the_bus_alone(own_url: str) -> None:
    """A power system that says of itself that mains failed is doubted if neither its bus nor any set knows of it."""
    said = [at(minute, "site_power", bus(54.0, failed=minute >= 90)) for minute in range(150)]
    run = Run(own_url, registry()).publish(said)
    assert run.rows("SELECT contradicted FROM site_outage") == [{"contradicted": False}]
    assert run.rows("SELECT 1 FROM site_doubt") == []
    run.publish(at(minute, "battery", FLOAT) for minute in range(150))
    assert [row["kind"] for row in run.rows("SELECT kind FROM site_doubt")] == ["mains"]
