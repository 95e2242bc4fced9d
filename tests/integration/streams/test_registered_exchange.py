"""A meter is exchanged, an alarm asks for its final reading, and with that registered its history is exact."""

from __future__ import annotations

import pytest

from schemas.metrics import Quality
from schemas.metrics.signal import SignalKind
from schemas.readings import Kind
from schemas.registry import Device, Registry, Sector, Site
from schemas.time import MINUTE_MS
from storage.pool import connect
from storage.registry import import_registry
from streams.engine.recompute import Recompute
from tests.support.cases import Run, message
from tests.support.pipeline import open_engine

T0 = 1_780_243_200_000
FIELD = "energy_import_kwh"
METER = Device(device_id="E1", site_id="P1", kind=Kind.ELECTRICITY, period_s=60)
SITES = [Site(site_id="P1", name="Plant", name_zh="厂", sector=Sector.STEEL, city="太原")]


def test_registering_the_final_reading_ends_the_alarm_and_makes_history_exact(own_url: str) -> None:
    """120 kWh before and after; the alarm waits for a person, and is disproved when the exchange is registered."""
    shown = [80_000.0 + at for at in range(121)] + [5.0 + at for at in range(120)]
    run = Run(own_url, Registry(sites=SITES, devices=[METER]))
    run.publish(
        [
            message("P1", "electricity", "E1", {"ts": T0 + at * MINUTE_MS, FIELD: value})
            for at, value in enumerate(shown)
        ],
        arrived_ts=T0 + 300 * MINUTE_MS,
    )
    (alarm,) = run.alarms()
    assert (alarm["kind"], alarm["device_id"], alarm["metric"]) == (SignalKind.METER_CHANGED, "E1", FIELD)
    assert (alarm["state"], alarm["active"]) == ("returned_unacknowledged", False)
    assert run.total("E1", FIELD, Quality.GOOD) < 239.0

    change = {"valid_from": T0 + 121 * MINUTE_MS, "final": {FIELD: 80_121.0}, "first": {FIELD: 5.0}}
    exchanged = Device.model_validate(METER.model_dump() | {"changes": [change]})
    with connect(own_url, name="test") as connection:
        import_registry(connection, Registry(sites=SITES, devices=[exchanged]))
    recompute = Recompute(open_engine(own_url))
    while (progress := recompute.step()) is not None and not progress.is_finished:
        pass
    assert run.total("E1", FIELD, Quality.GOOD) == pytest.approx(240.0)
    assert set(run.qualities("E1")) == {Quality.GOOD}
    assert run.kinds("E1") == ["replacement"]
    assert [row["disproved"] for row in run.rows("SELECT disproved FROM alarm")] == [True]
