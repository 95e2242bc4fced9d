"""`python -m bench.water_volumes --days 365`: a water network's flows over MQTT, beside an independent computation.

Registers of BattLeDIM's zone A (two inlets less a pump) go to a real broker in arrays of 50, 2 % of them twice, 5 % up
to six hours late; collector and worker run as processes of their own. Every day's volumes and minimum night flow are
then compared with what NumPy makes of the flows alone.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from fenhe.local import Services, Stack, scratch_directory
from schemas.topics import Topic
from simulators.wire.disorder import Disorder
from simulators.wire.message import DeviceMessage, batch
from storage.pool import connect
from tests.support.running import Pipeline
from tests.support.worlds import battledim

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.support.pipeline import Sent
    from tests.support.worlds.battledim import Day

ARRAY = 50
LATE_S = 6 * 3600.0
STORED_S = 3_600.0


def messages(sent: Iterable[Sent]) -> Iterator[DeviceMessage]:
    """Arrays of each meter's readings, in the order in which a bad line delivers them."""
    every = (
        DeviceMessage(str(Topic(item.site_id, item.kind.value, item.device_id)), item.device_id, [item.reading])
        for item in sent
    )
    disorder = Disorder(duplicates=0.02, late=0.05, late_by_s=LATE_S, seed=4)
    return disorder.carry(batch(every, ARRAY, 86_400_000))


def worst(found: list[Day], expected: list[Day]) -> dict[str, float]:
    """Largest relative differences."""
    pairs = list(zip(found, expected, strict=True))
    return {
        "inlets": max(abs(a / b - 1) for ours, theirs in pairs for a, b in zip(ours[0], theirs[0], strict=True) if b),
        "zone": max(abs(ours.zone_m3 / theirs.zone_m3 - 1) for ours, theirs in pairs),
        "night flow": max(abs(ours.night_m3_h / theirs.night_m3_h - 1) for ours, theirs in pairs),
    }


def main() -> None:
    """Send, wait, compare."""
    parser = argparse.ArgumentParser(prog="python -m bench.water_volumes", description=__doc__)
    parser.add_argument("--days", type=int, default=365)
    options = parser.parse_args()
    measured = battledim.flows(options.days)
    sent = list(battledim.sent(measured))
    with (
        scratch_directory("water") as folder,
        Stack(folder, services=Services.REAL, partitions=1) as stack,
        Pipeline(stack, folder, battledim.REGISTRY, environment={}) as pipeline,
    ):
        pipeline.start()
        began = time.monotonic()
        pipeline.publish(list(messages(sent)))
        pipeline.wait_stored(len(sent), timeout=STORED_S)
        pipeline.settle()
        taken = time.monotonic() - began
        books = pipeline.books()
        with connect(pipeline.owner_url, name="bench") as connection:
            found = battledim.derived_days(connection)
    expected = battledim.expected(measured)
    print(f"{options.days} days, {len(sent):,} readings stored in {taken:.0f} s, {books.duplicate} duplicates, books"
          f" {'closed' if books.closed else 'OPEN'}; {len(found)} whole days of {len(expected)}")  # fmt: skip
    print("largest relative differences:", {name: f"{each:.1e}" for name, each in worst(found, expected).items()})


if __name__ == "__main__":
    main()
