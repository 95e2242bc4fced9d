"""The load's readings: valid, registered, unique, with registers that grow."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import orjson
import pytest

from schemas.readings import ADAPTERS, Kind, registers_of
from simulators.wire import load
from simulators.wire.connection import remaining_length, string
from simulators.wire.load import ORIGIN_TS, Template, registry, templates

NOW_TS = ORIGIN_TS + 90_000_000_123


def prepared() -> list[Template]:
    """Those of twenty sets and two plants."""
    return templates(20, 2)


@pytest.mark.parametrize("array", [1, 50])
def test_every_payload_is_valid_unique_and_of_a_registered_device(array: int) -> None:
    """Whatever the rate, even thrice within a millisecond."""
    devices = {device.device_id for device in registry(20, 2).devices}
    found = prepared()
    assert {template.device.device_id for template in found} == devices
    for template in found:
        kind, seen = template.device.kind, list[dict[str, Any]]()
        for _ in range(3):
            payload = orjson.loads(template.payload(NOW_TS, array))
            seen += payload if array > 1 else [payload]
        assert len({reading["ts"] for reading in seen}) == 3 * array
        assert [reading["ts"] for reading in seen] == sorted(reading["ts"] for reading in seen)
        for reading in seen:
            ADAPTERS[kind].validate_json(orjson.dumps(reading))
        for register in registers_of(kind):
            shown = [reading[register] for reading in seen if register in reading]
            assert shown == sorted(shown)


def test_the_mix_has_batteries_electricity_water_and_production() -> None:
    """What a benchmark of the whole way must carry."""
    counts: dict[Kind, int] = defaultdict(int)
    for device in registry(20, 2).devices:
        counts[device.kind] += 1
    assert counts == {Kind.BATTERY: 20, Kind.ELECTRICITY: 28, Kind.WATER: 10, Kind.PRODUCTION: 2}


@pytest.mark.parametrize(
    ("length", "encoded"), [(0, "00"), (127, "7f"), (128, "8001"), (16_383, "ff7f"), (16_384, "808001")]
)
def test_remaining_length_is_mqtts_variable_integer(length: int, encoded: str) -> None:
    """The examples of MQTT 3.1.1, section 2.2.3."""
    assert remaining_length(length).hex() == encoded


def test_strings_carry_their_length_in_bytes() -> None:
    """UTF-8, two bytes of length."""
    assert string("汾") == b"\x00\x03\xe6\xb1\xbe"


def test_more_sets_than_a_fleet_has_are_several_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a reading costs at ten times as many sets is measured so: names differ, nothing else."""
    monkeypatch.setattr(load, "SETS_MAX", 4)
    registered = registry(10, 1)
    ids = [device.device_id for device in registered.devices]
    assert len(set(ids)) == len(ids) == 10 + 20
    assert {device.site_id for device in registered.devices} <= {site.site_id for site in registered.sites}
    assert [template.device.device_id for template in templates(10, 1)] == ids
