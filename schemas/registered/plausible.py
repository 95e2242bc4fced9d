"""What a device's entry in the registry says that cannot be meant, field by field: pure, asked when one is imported.

What is refused would not be noticed later: a heat value in kJ/kg makes a thousand times the energy, a moment in seconds
lies in 1970 and so before every reading, and a range of a field that the device has not stops its worker.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from schemas.kinds import METERS
from schemas.quantity import EARLIEST_TS
from schemas.readings import Kind, ranges_of, registers_of
from schemas.registered.devices import Role
from schemas.time import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.registered.devices import BatterySet, Device
    from schemas.registered.meter_changes import MeterChange

Odd = tuple[str, str]
"""A field, and what is wrong with it in a sentence."""

PERIOD_S = (0.05, 100 * DAY_MS / 1000)
"""Between two readings of anything: a water meter may be read once a quarter. (unsourced)"""
WORST_ACCURACY = 0.2
"""No meter that is worth registering is worse than ±20 %. (unsourced)"""
LHV_MJ_KG = (2.0, 35.0)
"""From washery discards to anthracite. (unsourced)"""
FUELS = ("gangue_t", "slime_t", "coal_t")
"""Registers of a unit that weigh what it burns."""
LEAST_ROLLOVER = 10.0
LATEST_MS = 4_102_444_800_000
"""2100-01-01: nothing that is registered today lies behind it."""
CELL_NOMINAL_V = ((3.0, 3.4), (3.5, 4.2))
"""Nominal voltages of LFP and of other lithium-ion cells. (unsourced)"""
CELL_V = (1.5, 4.6)
"""Between these are cut-off and float of any lithium-ion cell. (unsourced)"""
MOST_AH, MOST_CONTRACT_H, MOST_YUAN_KWH = 10_000.0, 100.0, 10.0
FLOWS = frozenset({Kind.WATER, Kind.STEAM, Kind.HEAT, Kind.GAS})
ROLES = {
    Role.PRODUCT: (frozenset({Kind.PRODUCTION, Kind.GANGUE_UNIT}), "measures the product, by weight"),
    Role.REUSED: (frozenset({Kind.WATER}), "is of water"),
    Role.STORED: (FLOWS, "is of what flows into a tank"),
    Role.DRAWN: (FLOWS, "is of what flows out of a tank"),
}
"""Kinds that may have a role which not every meter may have, and what the role means."""


def odd_fields(device: Device) -> Iterator[Odd]:
    """What of a device cannot be meant."""
    yield from _figures(device)
    yield from odd_role(device.kind, device.role)
    yield from _of_no_meter(device)
    yield from _named_fields(device)
    yield from _heat_values(device)
    yield from _moment("first_day", device.first_day)
    for number, change in enumerate(device.changes):
        yield from _change(device, number, change)
    if device.battery is not None:
        yield from _battery(device.battery)


def odd_role(kind: Kind, role: Role) -> Iterator[Odd]:
    """Whether a role is one that a kind of meter can have."""
    if role is not Role.INTERNAL and kind not in METERS:
        yield "role", f"the kind {kind} has no part in a plant's balance: leave the role out"
    elif role in ROLES and kind not in ROLES[role][0]:
        kinds = ", ".join(sorted(ROLES[role][0]))
        yield "role", f"the role {role} {ROLES[role][1]}: it is for {kinds}, not for {kind}"


def _figures(device: Device) -> Iterator[Odd]:
    low, high = PERIOD_S
    if not low <= device.period_s <= high:
        yield "period_s", f"{device.period_s:g} s between two readings: it is from {low:g} s to 32 days, in seconds"
    if device.accuracy is not None and device.accuracy > WORST_ACCURACY:
        percent = 100 * device.accuracy
        yield (
            "accuracy",
            f"{device.accuracy:g} is ±{percent:g} %: a meter of class {device.accuracy:g} is {device.accuracy / 100:g}",
        )


def _of_no_meter(device: Device) -> Iterator[Odd]:
    if device.kind in METERS:
        if device.carrier and device.kind is Kind.GANGUE_UNIT:
            yield "carrier", "what a gangue unit burns is told by lhv_mj_kg: leave the carrier out"
        return
    if device.carrier:
        yield "carrier", f"nothing flows through a {device.kind}: leave the carrier out"
    if device.day_starts is not None:
        yield "day_starts", f"the kind {device.kind} has no register and no day: leave it out"


def _named_fields(device: Device) -> Iterator[Odd]:
    """Ranges, absent values and rollovers speak of fields that the device can send."""
    ranged, registers = ranges_of(device.kind), registers_of(device.kind)
    for field, own in device.ranges.items():
        if field not in ranged:
            yield (
                f"ranges.{field}",
                f"the kind {device.kind} has no such measured field; it has {', '.join(ranged) or 'none'}",
            )
        elif own.low is not None and own.high is not None and own.low > own.high:
            yield f"ranges.{field}", f"nothing is above {own.low:g} and below {own.high:g}: low and high change places"
    for field in device.absent_values:
        if field not in ranged:
            yield (
                f"absent_values.{field}",
                f"it is no figure; the kind {device.kind} measures {', '.join(ranged) or 'none'}",
            )
    for register, modulus in device.rollover.items():
        if register not in registers:
            yield f"rollover.{register}", f"the kind {device.kind} has {', '.join(registers) or 'no registers'}"
        elif modulus < LEAST_ROLLOVER:
            yield f"rollover.{register}", f"no register starts again at {modulus:g}: write 100000000 for eight digits"


def _heat_values(device: Device) -> Iterator[Odd]:
    low, high = LHV_MJ_KG
    for register, value in device.lhv_mj_kg.items():
        field = f"lhv_mj_kg.{register}"
        if device.kind is not Kind.GANGUE_UNIT:
            yield field, f"the kind {device.kind} burns nothing: only a gangue_unit has heat values"
        elif register not in FUELS:
            yield field, f"it weighs no fuel; a gangue unit burns {', '.join(FUELS)}"
        elif not low <= value <= high:
            meant = [f"{value:g} {unit} are {value * by:.3g}" for unit, by in _HEAT if low <= value * by <= high]
            hint = f"; {', '.join(meant)}" if meant else ""
            yield field, f"{value:g} is no heat value in MJ/kg: these are from {low:g} to {high:g}{hint}"


_HEAT = (("kJ/kg", 0.001), ("kcal/kg", 0.0041868), ("GJ/kg", 1000.0))
"""What a heat value may have been written in, and how it becomes MJ/kg."""


def _moment(field: str, ts: int | None) -> Iterator[Odd]:
    if ts is not None and ts < EARLIEST_TS:
        day = dt.datetime.fromtimestamp(ts / 1000, dt.UTC).date()
        hint = " Is it in seconds?" if ts > EARLIEST_TS / 1000 else ""
        yield field, f"{ts} ms is {day}, before anything was measured.{hint} Write 2026-03-01T08:00:00+08:00"
    elif ts is not None and ts > LATEST_MS:
        yield field, f"{ts} ms lies beyond the year 2100"


def _change(device: Device, number: int, change: MeterChange) -> Iterator[Odd]:
    at = f"changes.{number}"
    yield from _moment(f"{at}.valid_from", change.valid_from)
    if change.rated is None and not (change.multiplier or change.rollover or change.final):
        yield at, "it names nothing that changes: multiplier, rated, rollover, or final with first"
    if device.kind not in METERS:
        yield at, f"the kind {device.kind} is no meter: nothing of it changes"
        return
    for register, shown in change.final.items():
        before = device.terms_at(register, change.valid_from - 1).rollover
        if before is not None and shown > before:
            yield f"{at}.final.{register}", f"{shown:.12g} cannot be shown: the register starts again at {before:.12g}"
    for register, shown in change.first.items():
        after = device.terms_at(register, change.valid_from).rollover
        if after is not None and shown > after:
            yield f"{at}.first.{register}", f"{shown:.12g} cannot be shown: the register starts again at {after:.12g}"


def _battery(battery: BatterySet) -> Iterator[Odd]:
    yield from _moment("battery.valid_from", battery.valid_from)
    cell_v = battery.nominal_v / battery.cell_count
    if battery.chemistry is None and not any(low <= cell_v <= high for low, high in CELL_NOMINAL_V):
        meant = f"write it ({3.2 * battery.cell_count:g} for lfp), or the chemistry"
        finding = f"{battery.nominal_v:g} V of {battery.cell_count} cells are {cell_v:.3g} V a cell, neither lfp (3.2)"
        yield "battery.nominal_v", f"{finding} nor li_ion (3.6 to 3.7): {meant}"
    low, high = CELL_V
    cells = {
        "cutoff_cell_v": battery.cutoff_cell_v,
        "float_cell_v": battery.float_cell_v,
        "cutoff_v": None if battery.cutoff_v is None else battery.cutoff_v / battery.cell_count,
    }
    for field, volts in cells.items():
        if volts is not None and not low <= volts <= high:
            whose = "of the whole set" if field == "cutoff_v" else "of one cell"
            yield (
                f"battery.{field}",
                f"it is {whose}, and would be {volts:.3g} V a cell: these are from {low} to {high}",
            )
    cutoff, charged = battery.cutoff_cell_v, battery.float_cell_v
    if cutoff is not None and charged is not None and cutoff >= charged:
        yield (
            "battery.cutoff_cell_v",
            f"a cell is empty below the voltage at which it floats: {cutoff:g}, {charged:g} V",
        )
    if battery.nominal_ah > MOST_AH:
        yield "battery.nominal_ah", f"{battery.nominal_ah:g} Ah: is it in mAh?"
    if battery.contract_h > MOST_CONTRACT_H:
        yield "battery.contract_h", f"{battery.contract_h:g} hours: is it in minutes?"
    if battery.commissioned_on and not _is_date(battery.commissioned_on):
        yield "battery.commissioned_on", f"{battery.commissioned_on!r} is no date: write it as 2024-05-01"
    for period in battery.tariff:
        if abs(period.yuan_kwh) > MOST_YUAN_KWH:
            yield "battery.tariff", f"{period.yuan_kwh:g} yuan a kWh in {period.name!r}: is it in fen?"


def _is_date(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
