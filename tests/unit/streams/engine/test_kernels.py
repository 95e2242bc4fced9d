"""What a transaction keeps of its rows: those that something follows from."""

from __future__ import annotations

from typing import cast

from schemas.metrics import MeterMinute, MeterQuarter, PlantWindow, Quality, Row, Signal
from streams.engine.derivation import Derivation
from streams.engine.kernels import Kernels
from streams.engine.quiet import QuietWays, Shelves
from streams.installed import installed
from streams.kernels.plant.quarters import Quarters

MINUTE = MeterMinute("e-1", "energy_import_kwh", 60_000, "plant-1", 1.0, 1.0, Quality.GOOD)
WINDOW = PlantWindow(
    "plant-1", 15, 60_000, None, None, None, None, None, None, None, 0.0, Quality.UNKNOWN, "1"
)  # fmt: skip


def test_every_type_that_a_kernel_or_a_stage_is_given_is_heard() -> None:
    """Minutes and quarters by views, signals by the alarms; nothing is made of a plant's windows, two a minute."""
    heard = installed().heard
    assert {MeterMinute, MeterQuarter, Signal} <= heard
    assert PlantWindow not in heard


def test_rows_that_nothing_follows_from_are_not_kept_until_the_transaction_ends() -> None:
    """After six silent days they are hundreds of thousands: they were most of what a transaction had in memory."""
    derivation = Derivation(
        cast("object", None),  # type: ignore[arg-type] # nothing is read or written
        Kernels((), (Quarters(),)),
        cast("object", None),  # type: ignore[arg-type] # nor looked up
        {},
        {},
        quiet=QuietWays(Shelves(), 1),
    )
    rows: list[Row] = [MINUTE, WINDOW, MINUTE, WINDOW]
    kept: dict[type[Row], dict[str, list[Row]]] = {}
    derivation._note(kept, rows)
    derivation._note(kept, [WINDOW])
    assert kept == {MeterMinute: {"plant-1": [MINUTE, MINUTE]}}
