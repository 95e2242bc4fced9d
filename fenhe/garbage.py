"""The garbage collector, kept out of the hot path."""

from __future__ import annotations

import contextlib
import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

THRESHOLDS = (100_000, 50, 100)


def look_for_none() -> None:
    """While a process starts nearly everything it makes stays: the collector would walk through it again and again."""
    gc.disable()


@contextlib.contextmanager
def none_to_look_for() -> Iterator[None]:
    """Keep the collector from looking while what stays is made."""
    look_for_none()
    try:
        yield
    finally:
        gc.enable()


def spare_what_stays() -> None:
    """Take what stays (modules, registry, states) out of the collector's sight, and let it look less often.

    A batch makes tens of thousands of objects and no cycles. With the defaults the collector walked the whole
    registry several times a batch: three quarters of the worker's decoding time went into it (measured).
    """
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    gc.enable()
