"""One-sided CUSUM, the one place of its formula: small deviations in one direction add up until they cannot be chance.

    S ← max(0, S + z − k)     in alarm from S > h until S is 0 again

In alarm the sum is held at h: it comes down within h/k samples once the cause is gone, and is armed again.
Source: E. S. Page, Continuous inspection schemes, Biometrika 41 (1954).
"""

from __future__ import annotations

from typing import NamedTuple


def summed(before: float, z: float, k: float) -> float:
    """Add one deviation `z`, in standard deviations and held within its bounds by the caller."""
    return max(0.0, before + z - k)


def in_alarm(total: float, h: float, *, active: bool) -> bool:
    """Tell whether a sum is in alarm; `active` says whether it was before."""
    return total > (0.0 if active else h)


class SumStep(NamedTuple):
    """Where a sum stands after a sample."""

    total: float
    """S as it came out, before it is held: what a verdict's evidence shows."""
    active: bool
    kept: float
    """What the next sample begins with."""


def step(before: float, z: float, *, k: float, h: float, active: bool) -> SumStep:
    """Take one deviation."""
    total = summed(before, z, k)
    active = in_alarm(total, h, active=active)
    return SumStep(total, active, min(total, h) if active else total)
