"""What the registry says of a reading: is its device known, is it who it says, are its values possible?"""

from __future__ import annotations

import datetime as dt
import math
import threading
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from schemas.aside import AsideReason, SetAside, is_senseless, measured
from schemas.kafka.quarantine import Reason
from schemas.kinds import described
from schemas.quantity import EARLIEST_TS, FAR_BEHIND_MS, HORIZON_MS, LARGEST
from schemas.readings import DeviceQuality, Kind, elements_apart, ranges_of
from schemas.registered.bus import with_buses
from schemas.time import DAY_MS
from schemas.words import refusals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy.typing as npt

    from schemas.arrival import Arrival
    from schemas.columns.arrivals import Arrivals
    from schemas.columns.block import Block
    from schemas.registry import Device, Registry, Site


class Refusal(NamedTuple):
    """Why a reading is not admitted."""

    reason: Reason
    detail: str


class _Check(NamedTuple):
    field: str
    low: float
    high: float


_ALWAYS = "(always)"
"""Stands for what is to be looked at one by one whatever its values are."""


class Directory:
    """The registry as a worker uses it; built once per registry version."""

    def __init__(self, version: int, registry: Registry) -> None:
        self.version = version
        self.sites: dict[str, Site] = {site.site_id: site for site in registry.sites}
        self.devices: dict[str, Device] = {device.device_id: device for device in with_buses(registry.devices)}
        self.site_devices: dict[str, list[Device]] = {}
        for device in self.devices.values():
            self.site_devices.setdefault(device.site_id, []).append(device)
        self._virtual = {
            meter.meter_id: meter.as_device(site) for site in registry.sites for meter in site.virtual_meters
        }
        """Rows may be of these; readings never are."""
        self._checks: dict[str, tuple[_Check, ...]] = {}
        self._sieves = {kind: _Sieve() for kind in Kind}

    def entities_of(self, site_id: str) -> list[str]:
        """Everything at a site that a kernel may remember something of."""
        devices = (device.device_id for device in self.site_devices.get(site_id, ()))
        site = self.sites.get(site_id)
        return [site_id, *devices, *(meter.meter_id for meter in (site.virtual_meters if site else ()))]

    def subject(self, entity_id: str) -> Device | Site:
        """Look up what an entity's id stands for. Raises KeyError where nothing is registered under it."""
        return self.devices.get(entity_id) or self._virtual.get(entity_id) or self.sites[entity_id]

    def checks(self, device: Device) -> tuple[_Check, ...]:
        """Ranges that a device's readings are held to."""
        found = self._checks.get(device.device_id)
        if found is None:
            found = self._checks[device.device_id] = tuple(_checks_of(device))
        return found

    def suspects(self, devices: Sequence[Device], arrivals: Arrivals) -> list[int]:
        """Places of arrivals of one kind that `admit` may do anything to; all others it gives back."""
        block = arrivals.block
        if not len(block):
            return []
        sieve = self._sieves[block.kind]
        rows = sieve.rows(devices, arrivals.device_ids, self.checks)
        odd = sieve.odd(rows, block)
        if (said := block.others.get("quality")) is not None:
            odd |= np.array([quality == DeviceQuality.BAD for quality in said])
        # In Python: a device may send whatever integer as its time, also one beyond 64 bits.
        if min(block.ts) < max(arrivals.received_ts) - FAR_BEHIND_MS:
            each = zip(arrivals.received_ts, block.ts, strict=True)
            odd |= np.array([received_ts - ts > FAR_BEHIND_MS for received_ts, ts in each])
        return np.flatnonzero(odd).tolist()


class _Sieve:
    """Ranges of all devices of one kind as columns; most devices share theirs."""

    def __init__(self) -> None:
        self._adding = threading.Lock()
        self._rows: dict[str, int] = {}
        self._known: dict[tuple[_Check, ...] | None, int] = {}
        self._columns: dict[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]] = {}

    def rows(
        self, devices: Sequence[Device], device_ids: Sequence[str], checks: Callable[[Device], tuple[_Check, ...]]
    ) -> npt.NDArray[np.intp]:
        """Where ranges stand in the columns, of each of some devices."""
        known = self._rows
        return np.array(
            [
                known[device_id] if device_id in known else self._row(device, checks)
                for device, device_id in zip(devices, device_ids, strict=True)
            ]
        )

    def _row(self, device: Device, checks: Callable[[Device], tuple[_Check, ...]]) -> int:
        """Where a device's ranges stand in the columns; `checks` tells them, once."""
        row = self._rows.get(device.device_id)
        if row is None:
            with self._adding:
                # What is registered to stand for no value is taken out of each reading, one by one.
                own = None if device.absent_values else checks(device)
                row = self._rows[device.device_id] = self._known.setdefault(own, len(self._known))
        return row

    def odd(self, rows: npt.NDArray[np.intp], block: Block) -> npt.NDArray[np.bool_]:
        """Which readings have a value outside their device's range, or one that is not laid out as a number."""
        shared = rows[0] if (rows == rows[0]).all() else rows
        found = np.zeros(len(rows), dtype=np.bool_)
        for name, values in block.figures.items():
            low, high = (bound[shared] for bound in self._bounds(name))
            if values.ndim > 1 and np.ndim(low):
                low, high = low[:, np.newaxis], high[:, np.newaxis]
            beyond = (values < low) | (values > high)
            found |= beyond if values.ndim == 1 else beyond.any(axis=1)
        for name in block.others:
            found |= (np.isfinite(self._bounds(name)[0]) | np.isfinite(self._bounds(name)[1]))[rows]
        return found | self._bounds(_ALWAYS)[0][rows].astype(np.bool_)

    def _bounds(self, name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Lowest and highest value of a field, one of each set of ranges."""
        bounds = self._columns.get(name)
        if bounds is None or len(bounds[0]) < len(self._known):
            known = list(self._known)
            found = [_range_of(name, checks) for checks in known]
            bounds = (np.array([low for low, _ in found]), np.array([high for _, high in found]))
            self._columns[name] = bounds
        return bounds


def _range_of(name: str, checks: tuple[_Check, ...] | None) -> tuple[float, float]:
    if name == _ALWAYS:
        return float(checks is None), 0.0
    return next(((low, high) for field, low, high in checks or () if field == name), (-math.inf, math.inf))


def _checks_of(device: Device) -> Iterable[_Check]:
    """The model's ranges, narrowed by kind and rating, replaced by the device's own where it has one."""
    ranges: dict[str, tuple[float, float]] = {}
    for field, declared in ranges_of(device.kind).items():
        ranges[field] = _within_reason(declared.low, declared.high)
    kind = described(device.kind)
    for field, highest in kind.highest.items():
        ranges[field] = (ranges[field][0], highest)
    for field, low, high in kind.rated_bounds:
        rated = [None if terms.rated is None else terms.rated / terms.factor for terms in device.terms(field)]
        if (most := max((each for each in rated if each is not None), default=None)) is not None and None not in rated:
            ranges[field] = (low * most, high * most)
    for field, own in device.ranges.items():
        ranges[field] = _within_reason(own.low, own.high)
    return (_Check(field, low, high) for field, (low, high) in ranges.items())


def _within_reason(low: float | None, high: float | None) -> tuple[float, float]:
    """A range whose ends may be open: as far as anything is measured, so that nothing adds up to infinity."""
    return max(-LARGEST, -LARGEST if low is None else low), min(LARGEST, LARGEST if high is None else high)


def identify(directory: Directory, site_id: str, kind: Kind, device_id: str) -> Device | Refusal:
    """Find the device a message comes from, and hold its topic against the registry."""
    device = directory.devices.get(device_id)
    if device is None:
        return Refusal(Reason.UNKNOWN_DEVICE, refusals.NOT_REGISTERED(device_id=device_id))
    if device.site_id != site_id or device.kind is not kind:
        registered = f"{device.site_id}/{device.kind.value}"
        return Refusal(
            Reason.IDENTITY_MISMATCH,
            refusals.REGISTERED_ELSEWHERE(device_id=device_id, registered=registered, said=f"{site_id}/{kind}"),
        )
    return device


def admit(directory: Directory, device: Device, arrival: Arrival) -> Arrival | Refusal:
    """Hold an arrival's values against what this device can send; nearly always it is given back as it is.

    What cannot be is set aside, in place. What the device is registered to say in place of a value is taken, in place,
    as no value. Of a reading that its own device calls bad nothing is used.
    """
    reading = arrival.reading
    if arrival.received_ts - reading.ts > FAR_BEHIND_MS and (refusal := _long_ago(device, arrival)) is not None:
        return refusal
    for field, said in device.absent_values.items():
        setattr(reading, field, _without(getattr(reading, field), said))
    odd: list[_Check] | None = None
    for check in directory.checks(device):
        field, low, high = check
        value = getattr(reading, field)
        if value is None:
            continue
        if type(value) is list:
            present = [item for item in value if item is not None] if None in value else value
            if not present or (low <= min(present) and max(present) <= high):
                continue
        elif low <= value <= high:
            continue
        odd = [*(odd or ()), check]
    if odd is None and reading.quality != DeviceQuality.BAD:
        return arrival
    return _set_aside(device, arrival, odd or ())


def _long_ago(device: Device, arrival: Arrival) -> Refusal | None:
    """Hold an old reading against the device's first day; without one, against what no clock that runs can say."""
    ts = arrival.ts
    if ts < EARLIEST_TS:
        return Refusal(Reason.CLOCK_BEHIND, refusals.BEFORE_2000(ts=ts)[:500])
    if device.first_day is not None:
        if ts < device.first_day:
            return Refusal(Reason.CLOCK_BEHIND, refusals.BEFORE_FIRST_DAY(at=_said(ts)))
    elif arrival.received_ts - ts > HORIZON_MS:
        return Refusal(Reason.CLOCK_BEHIND, refusals.LONG_BEFORE_ARRIVAL(at=_said(ts)))
    return None


def is_old(arrival: Arrival) -> bool:
    """Whether a reading arrived so long after its time that it is held against its device's newest one too."""
    return arrival.received_ts - arrival.ts > FAR_BEHIND_MS


def far_behind(device: Device, ts: int, newest_ts: int | None) -> Refusal | None:
    """Hold a reading that arrived long after its time against the device's newest one.

    History that is loaded in order is newer than all before it; one that jumps back by more than a year is told by a
    clock that was set wrong, unless the registry says from when on the device measures.
    """
    if device.first_day is not None or newest_ts is None or ts >= newest_ts - FAR_BEHIND_MS:
        return None
    days = (newest_ts - ts) // DAY_MS
    return Refusal(Reason.CLOCK_BEHIND, refusals.BEHIND_NEWEST(at=_said(ts), days=days))


def _said(ts: int) -> str:
    return dt.datetime.fromtimestamp(ts / 1000, dt.UTC).isoformat(timespec="seconds")


def _set_aside(device: Device, arrival: Arrival, odd: Sequence[_Check]) -> Arrival | Refusal:
    """Take out of a reading what is out of range, or all of it where its device calls it bad."""
    reading = arrival.reading
    aside = dict(arrival.aside)
    for field, low, high in odd:
        value = getattr(reading, field)
        known = aside.get(field)
        if known is None or isinstance(known.value, str):
            aside[field] = SetAside(AsideReason.OUT_OF_RANGE, value)
        left: list[float | None] | None = None
        if type(value) is list and field in elements_apart(device.kind):
            left = [item if item is not None and low <= item <= high else None for item in value]
        setattr(reading, field, left if left and any(item is not None for item in left) else None)
    if reading.quality == DeviceQuality.BAD:
        for field in measured(device.kind):
            if (value := getattr(reading, field)) is not None:
                aside.setdefault(field, SetAside(AsideReason.BAD_QUALITY, value))
                setattr(reading, field, None)
    elif is_senseless(device.kind, reading, aside):
        field, low, high = odd[0]
        sent = aside[field].value
        for check in odd:
            setattr(reading, check.field, aside[check.field].value)  # the quarantine keeps it as it came
        said = refusals.NOTHING_LEFT(field=field, sent=sent, low=f"{low:g}", high=f"{high:g}")
        return Refusal(Reason.OUT_OF_RANGE, said[:500])
    return arrival._replace(aside=aside)


def _without(value: object, said: Sequence[float]) -> object:
    """A value, or a list's elements, without those that stand for none."""
    if type(value) is list:
        return [None if item in said else item for item in value]
    return None if value in said else value
