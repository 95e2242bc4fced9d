"""Made-up hours of a plant's meter beside its production, for the detectors' tests."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

from schemas.metrics import MeterLoad, Signal
from schemas.time import HOUR_MS
from streams.kernels.alarms.reference import alarm_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from schemas.metrics import Row

T0 = 1_780_243_200_000
"""Monday, midnight in China."""


def nothing(_hour: float) -> float:
    """No leak."""
    return 0.0


def usual(_hour: int) -> float:
    """Production as ever."""
    return 1.0


def plant_hours(
    days: int,
    *,
    quantity: str = "volume_m3",
    share: Callable[[int], float] = usual,
    leak: Callable[[float], float] = nothing,
    is_measured: bool = True,
    is_known: Callable[[int], bool] = lambda _: True,
    seed: int = 1,
) -> list[MeterLoad]:
    """A plant that runs day and night takes 20 m³/h and 0.6 m³/t, at about 100 t/h; 2 % noise a quarter."""
    rng = random.Random(seed)
    slow, rows = 0.0, []
    for hour in range(24 * days):
        slow = 0.95 * slow + rng.gauss(0, 0.006)
        week_end = 0.95 if hour // 24 % 7 >= 5 else 1.0
        made = 100 * share(hour) * week_end * (1 + 0.05 * math.sin((hour % 24 - 6) / 12 * math.pi) + slow)
        rates = [(20 + 0.6 * made) * (1 + rng.gauss(0, 0.02)) + leak(hour + at / 4) for at in range(4)]
        known = made if is_known(hour) and is_measured else None
        ts = T0 + hour * HOUR_MS
        rows.append(MeterLoad("w", quantity, ts, "s", *rates, is_measured, known, is_idle=made <= 0))  # type: ignore[call-arg,arg-type,misc]
    return rows


def raised(rows: Iterable[Row]) -> list[Signal]:
    """Verdicts that complete their kind's on-delay: what an operator is told."""
    return [
        row
        for row in rows
        if isinstance(row, Signal)
        and row.active
        and row.samples == alarm_rules().handling(row.kind.value).on_delay_samples
    ]
