"""Whether the cells are those that were measured: told by their own voltages, before any discharge gives a capacity."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from schemas.metrics import Signal
from schemas.metrics.battery_health import BatteryCapacity, BatteryIdentity, CapacityReason, Identity, IdentitySign
from schemas.metrics.battery_prospects import SohChange
from schemas.metrics.common import Quality
from streams.kernels.battery.prospects.state_of_health import StateOfHealth
from streams.kernels.battery.reference import health_reference
from streams.kernels.battery.tracking.health import SetHealth
from streams.kernels.battery.tracking.identity import likeness
from streams.kernels.detection.batteries.set_changes import SetChanges
from tests.support.worlds.battery_faults import Doubtful
from tests.support.worlds.fault_kinds import worlds_of
from tests.support.worlds.sets import Rig, lfp_set

if TYPE_CHECKING:
    from schemas.metrics.battery_prospects import BatterySoh

REFERENCE = health_reference()
SPREAD_V = 0.004


def identities_of(world: Doubtful | Rig) -> list[BatteryIdentity]:
    """What a set's own readings say of its cells."""
    rows = SetHealth(REFERENCE).fold(None, world.device, world.readings)[1]
    return [row for row in rows if isinstance(row, BatteryIdentity)]


def shown(rig: Rig) -> list[BatterySoh]:
    """What is published of a rig's set."""
    rows = SetHealth(REFERENCE).fold(None, rig.device, rig.readings)[1]
    last = {row.ts: row for row in rows if isinstance(row, BatteryCapacity)}
    identities = [row for row in rows if isinstance(row, BatteryIdentity)]
    return list(StateOfHealth(REFERENCE).history(rig.device, list(last.values()), identities=identities))


def measured(seed: int = 1) -> Rig:
    """A set of uneven cells after one discharge to its cut-off, full again and on float."""
    rig = Rig(lfp_set(), soh=0.85)
    uneven(rig, seed)
    rig.run(3)
    rig.run(6, -30.0, until_cell_v=2.8)
    rig.run(0.5)
    rig.run(8, 20.0)
    rig.run(3)
    return rig


def uneven(rig: Rig, seed: int) -> None:
    """Give a rig cells of its own: each a few millivolts off, differently for each seed."""
    rng = random.Random(seed)
    rig.cells_off_v = {cell: rng.gauss(0.0, SPREAD_V) for cell in range(16)}


@pytest.mark.parametrize("seed", [400, 401, 402, 403])
@pytest.mark.parametrize("kind", ["swapped for 95 %", "swapped for 70 %"])
def test_a_swap_is_told_before_the_first_discharge_that_gives_a_capacity(kind: str, seed: int) -> None:
    """A discharge into the flat region says nothing of the capacity, but that the cells are others: unknown, named."""
    (world,) = worlds_of(kind, [seed])
    rows = world.shown()
    swapped_ts = world.truths[3][0]
    first = next(row for row in rows if row.ts > swapped_ts)
    assert (first.soh_pct, first.change, first.reason) == (None, SohChange.SET_REPLACED, CapacityReason.FLAT_REGION)
    assert first.believed_pct is not None
    signals = [row for row in SetChanges("test").fold(None, world.device, rows)[1] if isinstance(row, Signal)]
    assert signals[0].active
    assert signals[0].since_ts == first.ts
    assert not signals[-1].active


def test_the_same_cells_are_never_taken_for_others() -> None:
    """Healthy sets, weeks of silence between discharges of many depths, and one whose joint goes bad meanwhile."""
    for seed in range(500, 510):
        (world,) = worlds_of("sampling changes" if seed % 2 else "nothing wrong", [seed])
        assert not identities_of(world)
    world = Doubtful(510, "lfp_a")
    for left in (None, 45.0):
        world.use(left)
    world.r0[3] *= 3.0
    for left in (45.0, None):
        world.use(left)
    assert not identities_of(world)


def test_what_is_known_of_the_cells_outlives_a_restart() -> None:
    """Readings one by one, the state written and read back between: the same rows."""
    (world,) = worlds_of("swapped for 95 %", [404])
    kernel, state, rows = SetHealth(REFERENCE), None, []
    cuts = [*range(0, len(world.readings), 97), len(world.readings)]
    for begin, end in pairwise(cuts):
        state, given = kernel.fold(state, world.device, world.readings[begin:end])
        state = kernel.load(kernel.dump(state))
        rows += [row for row in given if isinstance(row, BatteryIdentity)]
    assert rows == identities_of(world)
    assert [row.identity for row in rows] == [Identity.OTHER]


@pytest.mark.parametrize(
    ("loaded_as", "identity", "soh_is_known"), [(1, Identity.SAME, "yes"), (2, Identity.OTHER, "no")]
)
def test_another_pattern_on_float_after_a_silence_is_a_doubt_until_the_load_tells(
    loaded_as: int, identity: Identity, soh_is_known: str
) -> None:
    """The figure is partial until then: as before if a recharge had moved the cells, unknown if they are others."""
    rig = measured(1)
    rig.silence(2)
    uneven(rig, 2)
    rig.run(3)
    (row,) = identities_of(rig)
    assert (row.sign, row.identity) == (IdentitySign.CELLS_ON_FLOAT, Identity.DOUBTED)
    before, doubted = shown(rig)
    assert (before.soh_pct, doubted.quality) == (doubted.soh_pct, Quality.PARTIAL)
    uneven(rig, loaded_as)
    rig.run(0.9, -30.0)
    rig.run(0.5)
    assert [each.identity for each in identities_of(rig)] == [Identity.DOUBTED, identity]
    newest = shown(rig)[-1]
    assert (newest.soh_pct is not None) == (soh_is_known == "yes")
    assert newest.change == (None if identity is Identity.SAME else SohChange.SET_REPLACED)


def test_without_a_silence_no_set_can_have_been_exchanged() -> None:
    """Whatever its cells show: nobody takes a set away between two readings a minute apart."""
    rig = measured()
    uneven(rig, 2)
    rig.run(3)
    rig.run(0.9, -30.0)
    assert not identities_of(rig)


@pytest.mark.parametrize(
    ("counts", "silent_h", "doubts"),
    [((812, 3), 1.0, 1), ((812, 810), 1.0, 0), ((812, 813), 1.0, 0), ((812, 3), 0.0, 0), ((4, 2), 1.0, 0)],
)
def test_a_cycle_count_that_fell_over_a_silence_is_a_doubt(
    counts: tuple[int, int], silent_h: float, doubts: int
) -> None:
    """Another BMS, or one that was reset."""
    rig = Rig(lfp_set(), soh=0.85)
    rig.run(2)
    before = len(rig.readings)
    rig.silence(silent_h)
    rig.run(1)
    for at, arrival in enumerate(rig.readings):
        arrival.reading.cycles = counts[at >= before]  # type: ignore[attr-defined] # of a battery
    assert [row.sign for row in identities_of(rig)] == doubts * [IdentitySign.CYCLE_COUNT]


def test_noise_is_no_pattern() -> None:
    """Two patterns that noise may have made say neither yes nor no."""
    rng = random.Random(3)
    first, second = ([rng.gauss(0.0, 1.0) for _ in range(16)] for _ in range(2))
    assert likeness(first, second, (0.9, 0.9), REFERENCE.identity) is None
    alike = likeness(first, first, (0.01, 0.01), REFERENCE.identity)
    assert alike is not None
    assert alike.value == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("cells", [1, 2, 3])
def test_a_set_of_few_cells_has_no_pattern(cells: int) -> None:
    """A single cell on a test bench is discharged like any other, and nothing is told of which cell it is."""
    rig = Rig(lfp_set(cells=cells), soh=0.85)
    rig.run(3)
    rig.run(6, -30.0, until_cell_v=2.8)
    rig.run(8, 20.0)
    assert identities_of(rig) == []
