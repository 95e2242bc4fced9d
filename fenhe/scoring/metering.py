"""Energy, volume and mass: what the pipeline counted in each window against what truly flowed, by fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from simulators.truth import Label

NO_FAULT = "none"
VIRTUAL, VIRTUAL_FAULTY = "virtual", "virtual_faulty"
"""Virtual meters apart from real ones: a difference of large figures has a large relative error of its own."""
SEVERAL = "several"
"""Under faults of more than one kind at once: which of them an error is of cannot be told."""


class Counted(NamedTuple):
    """A window of one meter's register, in its unit."""

    device_id: str
    quantity: str
    from_ts: int
    to_ts: int
    true: float
    """What the meter should have counted: the true flow times the meter's own gain."""
    shown: float | None
    """What the pipeline counted; None where it says that it does not know."""


class MeteringScore(NamedTuple):
    """Windows under one kind of fault. Errors are shares of what truly flowed, None where that is nothing."""

    windows: int
    known: float
    """Share of the windows for which the pipeline gives a figure."""
    true_total: float
    """What truly flowed in the known windows; mixed units, so only a measure of weight."""
    bias: float | None
    """(Σ shown − Σ true) / Σ true over the known windows, every meter weighing the same."""
    mean_absolute: float | None
    """Mean over meters of Σ|shown − true| / Σ true."""
    worst: float | None
    """Largest |bias| of one meter."""


def score_metering(
    windows: Iterable[Counted], labels: Sequence[Label], virtual: Mapping[str, Collection[str]] | None = None
) -> dict[str, MeteringScore]:
    """Score by kind of fault: a window counts to the kind of fault that touches it, to `none` or to `several`.

    A meter's windows of a kind are added up before they are divided: what a frozen register catches up with in the
    window after its fault belongs to the fault, so a label reaches one window beyond its end. `virtual`: the devices
    that each virtual meter is made of; its windows count to `virtual`, or to `virtual_faulty` where one of those has a
    fault.
    """
    spans: dict[str, list[Label]] = {}
    for label in labels:
        if label.device_id:
            spans.setdefault(label.device_id, []).append(label)
    for meter_id, parts in (virtual or {}).items():
        spans[meter_id] = [label for part in parts for label in spans.get(part, ())]
    grouped: dict[str, dict[tuple[str, str], list[Counted]]] = {}
    for window in windows:
        length = window.to_ts - window.from_ts
        kinds = {
            label.kind.value
            for label in spans.get(window.device_id, ())
            if label.start_ts < window.to_ts and window.from_ts < (label.end_ts or label.start_ts) + length
        }
        if virtual and window.device_id in virtual:
            kind = VIRTUAL_FAULTY if kinds else VIRTUAL
        else:
            kind = SEVERAL if len(kinds) > 1 else next(iter(kinds), NO_FAULT)
        grouped.setdefault(kind, {}).setdefault((window.device_id, window.quantity), []).append(window)
    return {kind: _score(meters) for kind, meters in sorted(grouped.items())}


def _score(meters: Mapping[tuple[str, str], list[Counted]]) -> MeteringScore:
    biases, absolutes, weight = [], [], 0.0
    known = total = 0
    for windows in meters.values():
        pairs = [(window.shown, window.true) for window in windows if window.shown is not None]
        total, known = total + len(windows), known + len(pairs)
        true = sum(pair[1] for pair in pairs)
        weight += true
        if true > 0:
            biases.append(sum(shown - flowed for shown, flowed in pairs) / true)
            absolutes.append(sum(abs(shown - flowed) for shown, flowed in pairs) / true)
    return MeteringScore(
        windows=total,
        known=known / total,
        true_total=weight,
        bias=sum(biases) / len(biases) if biases else None,
        mean_absolute=sum(absolutes) / len(absolutes) if absolutes else None,
        worst=max(map(abs, biases), default=None),
    )
