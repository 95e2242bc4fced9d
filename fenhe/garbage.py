"""The garbage collector, kept out of the hot path."""

from __future__ import annotations

import gc

THRESHOLDS = (100_000, 50, 100)


def look_for_none() -> None:
    """While a process starts nearly everything it makes stays: the collector would walk through it again and again."""
    gc.disable()


def spare_what_stays() -> None:
    """Take what stays (modules, registry, states) out of the collector's sight, and let it look less often.

    A batch makes tens of thousands of objects and no cycles. With the defaults the collector walked the whole
    registry several times a batch: three quarters of the worker's decoding time went into it (measured).
    """
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    gc.enable()
