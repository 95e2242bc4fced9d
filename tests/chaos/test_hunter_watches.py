"""The hunter itself: what it waits for must come."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from fenhe.local import wait_until
from tests.chaos.hunter.devices import PROBE_S, Devices, world_of

if TYPE_CHECKING:
    from fenhe.local import Stack
    from tests.chaos.hunter.rig import Rig

pytestmark = [pytest.mark.real, pytest.mark.chaos]


def test_a_probe_comes_after_every_fault_however_late_it_ends(real_stack: Stack) -> None:
    """A recovery is seen by a probe sent behind it, also where the fault ended with the last of all other readings."""
    wire = SimpleNamespace(port=real_stack.mqtt.port)
    rig = cast("Rig", SimpleNamespace(stack=real_stack, devices_wire=wire))
    with Devices(rig, world_of(1, 0.0, real_stack.partitions), 1, PROBE_S / 2 / 60) as devices:
        wait_until(lambda: len(devices.probes) > 0, what="the first probe")
        behind = devices.beat()
        wait_until(lambda: devices.probes[-1].reading["ts"] >= behind, what="the next probe", timeout=10 * PROBE_S)
