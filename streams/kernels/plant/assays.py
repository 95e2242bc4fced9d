"""Laboratory results of fuels: hours late, valid for a stretch of the past, standing in for what is missing."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple, cast

from schemas.metrics import FuelAssay, Row
from schemas.readings import Kind
from schemas.time import QUARTER_DAY_MS
from streams.kernels.codec import Codec, Saved

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from schemas.arrival import Arrival
    from schemas.readings import LabReading
    from schemas.registry import Device


class FuelAssays(Saved[None]):
    """Fold of laboratory readings: one row a fuel and stretch of sampling. It remembers nothing."""

    name = "fuel_assays"
    version = 2
    source = frozenset({Kind.LAB})
    events: tuple[type[Row], ...] = ()
    snapshot_ms = QUARTER_DAY_MS
    codec = Codec[None](None)

    def fold(self, state: None, laboratory: Device, arrivals: Sequence[Arrival]) -> tuple[None, list[Row]]:
        """Give each result as a row of its own, a correction too: which one stands is for its reader to say."""
        rows: list[Row] = []
        for arrival in arrivals:
            reading = cast("LabReading", arrival.reading)  # by kind
            rows.append(
                FuelAssay(
                    laboratory.device_id,
                    reading.fuel,
                    reading.sample_from,
                    laboratory.site_id,
                    reading.sample_to,
                    reading.ts,
                    reading.lhv_mj_kg,
                    reading.ash_pct,
                    reading.sulphur_pct,
                    reading.moisture_pct,
                )
            )
        return state, rows


SAME_SAMPLE = 0.9
"""Two results are of one sample where they share this part of the longer time: laboratories write down other minutes of
it. A week's composite is not one of its shifts. (unsourced)"""
REPRODUCIBLE = {"lhv_mj_kg": 0.3, "ash_pct": 0.7, "sulphur_pct": 0.3}
"""Two laboratories may differ by so much over one sample: GB/T 213, 212 and 214 of 2008 (unverified)."""


class Property(NamedTuple):
    """A fuel's property at a moment."""

    value: float
    is_measured: bool
    """A laboratory value covers the moment, and no other laboratory contradicts it; otherwise an earlier or the
    registered one stands in."""


class Laboratory:
    """What a site's laboratory says of its fuels, to be asked for a moment."""

    def __init__(self, assays: Iterable[FuelAssay], *, reach_ms: int) -> None:
        """Take results of any order; an earlier one stands in for a missing one for `reach_ms` after its end."""
        self._reach_ms = reach_ms
        self._by_fuel: dict[str, list[FuelAssay]] = {}
        for assay in sorted(assays, key=_rank):
            self._by_fuel.setdefault(assay.fuel, []).append(assay)
        self._begins = {fuel: [assay.ts for assay in own] for fuel, own in self._by_fuel.items()}

    def at(self, fuel: str, attribute: str, ts: int, *, otherwise: float | None) -> Property | None:
        """Return the property (`lhv_mj_kg`, `ash_pct`, `sulphur_pct`) of a fuel burnt at a moment.

        Of results that cover the moment the last begun stands, of those the last released: a laboratory that gives a
        sample again corrects itself. Of those released together the shorter sample: a shift's, not its day's. Where
        another laboratory says otherwise of the same sample nobody knows which is right, and it is not measured. Else
        the newest that ended before it; else `otherwise`. None where that is None.
        """
        assays = self._by_fuel.get(fuel, [])
        until = bisect_right(self._begins.get(fuel, []), ts)
        stand_in: FuelAssay | None = None
        for assay in reversed(assays[:until]):
            value: float | None = getattr(assay, attribute)
            if value is None:
                continue
            if ts < assay.until_ts:
                value = self._corrected(assay, attribute, value)
                return Property(value, is_measured=not self._is_contradicted(assay, attribute, value))
            if ts - assay.until_ts < self._reach_ms and (stand_in is None or assay.until_ts > stand_in.until_ts):
                stand_in = assay
            if ts - assay.ts > 2 * self._reach_ms:
                break
        if stand_in is not None:
            return Property(getattr(stand_in, attribute), is_measured=False)
        return None if otherwise is None else Property(otherwise, is_measured=False)

    def _corrected(self, stands: FuelAssay, attribute: str, value: float) -> float:
        """Return the last word of the same laboratory on the same sample; it may write down another minute of it."""
        same = [
            each
            for each in self._by_fuel[stands.fuel]
            if each.device_id == stands.device_id
            and getattr(each, attribute) is not None
            and each.released_ts > stands.released_ts
            and _is_same_sample(each, stands)
        ]
        last: float = getattr(max(reversed(same), key=lambda item: item.released_ts), attribute) if same else value
        return last

    def _is_contradicted(self, stands: FuelAssay, attribute: str, value: float) -> bool:
        """Whether another laboratory's last word on the same sample differs by more than two laboratories may."""
        same = (assay for assay in self._by_fuel[stands.fuel] if _is_same_sample(assay, stands))
        others = {
            assay.device_id: getattr(assay, attribute)
            for assay in sorted(same, key=lambda item: item.released_ts)
            if assay.device_id != stands.device_id and getattr(assay, attribute) is not None
        }
        return any(abs(other - value) > REPRODUCIBLE[attribute] for other in others.values())


def _rank(assay: FuelAssay) -> tuple[int, int, int, str]:
    """Order in which a later result stands over an earlier one; `enpi_variable` in the database has the same."""
    return assay.ts, assay.released_ts, -assay.until_ts, assay.device_id


def _is_same_sample(one: FuelAssay, other: FuelAssay) -> bool:
    """Whether two results are of fuel sampled over the same time, but for some minutes."""
    if (one.ts, one.until_ts) == (other.ts, other.until_ts):
        return True
    shared = min(one.until_ts, other.until_ts) - max(one.ts, other.ts)
    return shared > 0 and shared >= SAME_SAMPLE * max(one.until_ts - one.ts, other.until_ts - other.ts)
