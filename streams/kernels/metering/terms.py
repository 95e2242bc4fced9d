"""What a register shows, as what it counted: its factor, and what the registry says has changed of its meter.

A register is followed on one scale for good: `offset + factor × shown`. At a registered change factor and offset
become others such that nothing passes by the change itself: an exchange whose final reading is registered counts on.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.registered.meter_changes import Terms


AMBIGUOUS = 10.0
"""Where a meter that counts on would have counted no more than so many times what it has if it shows another unit,
nobody can tell the two apart. (unsourced)"""


class Crossed(NamedTuple):
    """A register's first reading behind registered changes."""

    counted: float
    """What it shows, on the scale it is followed on."""
    offset: float
    final: float | None
    """What a meter that was exchanged showed last, on that scale; None: it is the same meter."""
    is_exact: bool
    """Whether what passed since the reading before is known, and not only how it may share the old and new factor."""


def cross(terms: Sequence[Terms], before: tuple[int, float, float], ts: int, shown: float) -> Crossed:
    """Take a register across its changes: `terms` holds what held at the reading before, and all since.

    `before` is that reading's moment, what had been counted by then, and the offset then.
    """
    _, counted, offset = before
    old, new = terms[0], terms[-1]
    if all(each.final is None for each in terms[1:]):
        return _same_meter(terms, before, ts, shown)
    face = (counted - offset) / old.factor
    final = None
    for earlier, later in pairwise(terms):
        if later.final is None:
            offset += (earlier.factor - later.factor) * face
            continue
        final = offset + earlier.factor * later.final
        offset = final - later.factor * later.first
        face = later.first
    return Crossed(offset + new.factor * shown, offset, final, is_exact=True)


def _same_meter(terms: Sequence[Terms], before: tuple[int, float, float], ts: int, shown: float) -> Crossed:
    """A new factor for the same meter: either what it shows counts on, or it shows the same amount in another unit."""
    last, counted, offset = before
    old, new = terms[0], terms[-1]
    if all(each.factor == old.factor for each in terms):
        return Crossed(offset + new.factor * shown, offset, None, is_exact=True)
    passed = shown - (counted - offset) / old.factor
    onwards = passed * _mean_factor(terms, last, ts)
    in_new_unit = offset + new.factor * shown - counted
    if passed >= 0.0 and (in_new_unit < 0.0 or onwards <= in_new_unit):
        exact = ts <= terms[1].since or passed == 0.0
        return Crossed(counted + onwards, counted + onwards - new.factor * shown, None, is_exact=exact)
    sure = passed < 0.0 or onwards > AMBIGUOUS * in_new_unit
    return Crossed(offset + new.factor * shown, offset, None, is_exact=sure)


def _mean_factor(terms: Sequence[Terms], start: int, stop: int) -> float:
    """Mean factor between two moments; what passed is taken to have passed evenly."""
    share = 0.0
    for at, each in enumerate(terms):
        begin = max(each.since, start)
        end = min(terms[at + 1].since, stop) if at + 1 < len(terms) else stop
        share += each.factor * max(0.0, end - begin)
    return share / (stop - start)
