"""Meter faults: what a device says is what its label promises, and outside of it nothing changes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from schemas.readings import Kind
from schemas.registry import Device
from simulators.plants.faults import FAULT_KINDS, PHASE_LOSS, Faults, MeterFault, fault_for
from simulators.truth import Label, LabelKind
from simulators.wire.message import DeviceMessage

PERIOD_MS = 10_000
START_TS, END_TS = 605_000, 1_205_000
"""Between two readings, so that a fault begins where none is read."""
METER = Device(device_id="M1", site_id="S1", kind=Kind.ELECTRICITY, rated=500)
KWH_A_READING = 1.25


def raw(count: int = 200) -> list[DeviceMessage]:
    """A meter under a constant 450 kW, read every ten seconds."""
    return [
        DeviceMessage(
            "fenhe/v1/S1/electricity/M1",
            "M1",
            [
                {
                    "ts": number * PERIOD_MS,
                    "seq": number,
                    "energy_import_kwh": round(9_000 + KWH_A_READING * number, 3),
                    "power_kw": 450.0,
                    "voltage_v": [230.0, 231.0, 229.0],
                    "current_a": [650.0, 651.0, 652.0],
                }
            ],
        )
        for number in range(count)
    ]


def label(kind: LabelKind, size: float = 0.0, *, end_ts: int | None = END_TS, **params: Any) -> Label:  # noqa: ANN401
    """A label of the meter."""
    return Label(kind, "S1", "M1", "energy_import_kwh", START_TS, end_ts, size, "", params)


def sent(fault: MeterFault) -> list[DeviceMessage]:
    """What comes of the meter's readings, in the order of sending."""
    return sorted(Faults([fault]).through(raw()), key=lambda message: message.at_ts)


def registers(messages: list[DeviceMessage]) -> dict[int, float]:
    """Register by device time."""
    return {message.ts: message.readings[0]["energy_import_kwh"] for message in messages}


TRUE = registers(raw())
EVERY = {
    LabelKind.FREEZE: label(LabelKind.FREEZE),
    LabelKind.FREEZE_CATCH_UP: label(LabelKind.FREEZE_CATCH_UP),
    LabelKind.GAP: label(LabelKind.GAP),
    LabelKind.DUPLICATE: label(LabelKind.DUPLICATE, 3, copies=3),
    LabelKind.LATE: label(LabelKind.LATE),
    LabelKind.CLOCK_JUMP: label(LabelKind.CLOCK_JUMP, -900.0),
    LabelKind.RESET: label(LabelKind.RESET, end_ts=None),
    LabelKind.ROLLOVER: label(LabelKind.ROLLOVER, rollover_at=100.0, lead=90.0),
    LabelKind.REPLACEMENT: label(LabelKind.REPLACEMENT, register=12.5),
    LabelKind.PHASE_LOSS: label(LabelKind.PHASE_LOSS, PHASE_LOSS),
    LabelKind.SCALE: label(LabelKind.SCALE, 10.0),
    LabelKind.SLOW_BIAS: label(LabelKind.SLOW_BIAS, -0.08),
}


def test_every_meter_fault_is_tried_here() -> None:
    """A new kind of fault cannot go without a test."""
    assert set(EVERY) == FAULT_KINDS


@pytest.mark.parametrize("kind", sorted(FAULT_KINDS - {LabelKind.ROLLOVER}))
def test_a_fault_leaves_alone_what_was_before_it_and_changes_what_it_labels(kind: LabelKind) -> None:
    """Readings before the start are the meter's own, byte for byte; from the start on something differs."""
    before = [message for message in raw() if message.ts < START_TS]
    messages = list(Faults([fault_for(EVERY[kind], METER)]).through(raw()))
    assert messages[: len(before)] == before
    assert messages[len(before) :] != raw()[len(before) :]


def test_a_frozen_register_stands_and_loses_what_flowed() -> None:
    """Constant within the fault; afterwards short of the truth by what flowed meanwhile."""
    shown = registers(sent(fault_for(EVERY[LabelKind.FREEZE], METER)))
    inside = {shown[ts] for ts in shown if START_TS <= ts < END_TS}
    assert len(inside) == 1
    lost = KWH_A_READING * (END_TS - START_TS) / PERIOD_MS
    assert all(shown[ts] == pytest.approx(TRUE[ts] - lost, abs=0.002) for ts in shown if ts >= END_TS)


def test_a_freeze_that_catches_up_loses_nothing() -> None:
    """Constant within the fault; afterwards the truth again."""
    shown = registers(sent(fault_for(EVERY[LabelKind.FREEZE_CATCH_UP], METER)))
    assert len({shown[ts] for ts in shown if START_TS <= ts < END_TS}) == 1
    assert all(shown[ts] == TRUE[ts] for ts in shown if not START_TS <= ts < END_TS)


def test_a_gap_is_silent_and_the_register_goes_on() -> None:
    """Nothing from within; the truth around it."""
    shown = registers(sent(fault_for(EVERY[LabelKind.GAP], METER)))
    assert shown == {ts: TRUE[ts] for ts in TRUE if not START_TS <= ts < END_TS}


def test_duplicates_are_the_same_bytes_again() -> None:
    """Three of each within the fault, later by seconds, equal in everything."""
    messages = sent(fault_for(EVERY[LabelKind.DUPLICATE], METER))
    inside = [message for message in messages if START_TS <= message.ts < END_TS]
    assert len(inside) == 3 * sum(START_TS <= ts < END_TS for ts in TRUE)
    assert registers(messages) == TRUE
    assert len(messages) - len(inside) == sum(not START_TS <= ts < END_TS for ts in TRUE)


def test_late_readings_come_when_the_fault_is_over_with_their_own_time() -> None:
    """All of them at its end, in order, none lost."""
    messages = sent(fault_for(EVERY[LabelKind.LATE], METER))
    assert registers(messages) == TRUE
    late = [message for message in messages if START_TS <= message.ts < END_TS]
    assert {message.at_ts for message in late} == {END_TS}
    assert all(first.ts < second.ts for first, second in pairwise(late))


def test_a_clock_that_jumps_changes_the_time_and_not_the_sending() -> None:
    """Fifteen minutes behind within the fault, sent when it always was."""
    messages = sent(fault_for(EVERY[LabelKind.CLOCK_JUMP], METER))
    assert [message.at_ts for message in messages] == sorted(TRUE)
    for message in messages:
        wrong = START_TS <= message.at_ts < END_TS
        assert message.ts == message.at_ts - 900_000 * wrong


def test_a_reset_register_counts_on_from_zero() -> None:
    """From the start it shows what flowed since then."""
    shown = registers(sent(fault_for(EVERY[LabelKind.RESET], METER)))
    for ts, register in shown.items():
        expected = TRUE[ts] if ts < START_TS else KWH_A_READING * (ts - START_TS) / PERIOD_MS
        assert register == pytest.approx(expected, abs=0.002)


def test_a_new_meter_counts_from_its_own_reading() -> None:
    """Silent while it is changed; then its own register and sequence."""
    messages = sent(fault_for(EVERY[LabelKind.REPLACEMENT], METER))
    assert not [message for message in messages if START_TS <= message.ts < END_TS]
    new = [message for message in messages if message.ts >= END_TS]
    assert [message.readings[0]["seq"] for message in new] == list(range(len(new)))
    for message in new:
        flowed = KWH_A_READING * (message.ts - END_TS) / PERIOD_MS
        assert message.readings[0]["energy_import_kwh"] == pytest.approx(12.5 + flowed, abs=0.002)


def test_a_register_rolls_over_and_the_truth_tells_when() -> None:
    """Shown within its range; unwound it is the truth; the moment is within the label."""
    fault = fault_for(EVERY[LabelKind.ROLLOVER], METER)
    faults = Faults([fault])
    shown = registers(list(faults.through(raw())))
    assert all(0 <= register < 100 for register in shown.values())
    unwound = [(second - first) % 100 for first, second in pairwise(shown.values())]
    assert unwound == pytest.approx([KWH_A_READING] * (len(TRUE) - 1), abs=0.002)
    first, _second = faults.moments()
    assert START_TS <= first.ts < END_TS
    assert shown[first.ts] < shown[first.ts - PERIOD_MS]
    assert list(faults.moments()) == []
    assert faults.registered(METER).rollover == {"energy_import_kwh": 100.0}


@pytest.mark.parametrize(("kind", "factor"), [(LabelKind.PHASE_LOSS, 2 / 3), (LabelKind.SCALE, 10.0)])
def test_a_wrong_count_is_wrong_by_its_factor(kind: LabelKind, factor: float) -> None:
    """Increments and power are the truth times the factor; what was miscounted stays in the register."""
    messages = sent(fault_for(EVERY[kind], METER))
    shown = registers(messages)
    off = (factor - 1) * KWH_A_READING * (END_TS - START_TS) / PERIOD_MS
    assert all(shown[ts] == pytest.approx(TRUE[ts] + off, abs=0.003) for ts in shown if ts >= END_TS)
    for message in messages:
        wrong = START_TS <= message.ts < END_TS
        assert message.readings[0]["power_kw"] == pytest.approx(450 * (factor if wrong else 1), abs=0.001)
        if kind is LabelKind.PHASE_LOSS:
            assert (message.readings[0]["voltage_v"][0] == 0.0) is wrong


def test_a_bias_grows_slowly_to_its_size() -> None:
    """Linear from nothing to −8 %: what it loses in all is half of that of the flow."""
    shown = registers(sent(fault_for(EVERY[LabelKind.SLOW_BIAS], METER)))
    flowed = KWH_A_READING * (END_TS - START_TS) / PERIOD_MS
    last = max(shown)
    assert shown[last] - TRUE[last] == pytest.approx(-0.04 * flowed, rel=0.02)
    steps = [second - first for first, second in pairwise(shown.values())]
    assert all(second <= first + 0.002 for first, second in pairwise(steps[60:119]))


def test_faults_compose() -> None:
    """A gap within duplicates within a reset: each does what it does alone to what the one before gave."""
    both = Faults(
        [
            fault_for(EVERY[LabelKind.RESET], METER),
            fault_for(EVERY[LabelKind.DUPLICATE], METER),
            fault_for(EVERY[LabelKind.GAP]._replace(end_ts=START_TS + 300_000), METER),
        ]
    )
    messages = list(both.through(raw()))
    assert not [message for message in messages if START_TS <= message.ts < START_TS + 300_000]
    assert sum(message.ts == 1_000_000 for message in messages) == 3
    assert registers(messages)[1_900_000] == pytest.approx(
        KWH_A_READING * (1_900_000 - START_TS) / PERIOD_MS, abs=0.002
    )


def test_only_an_electricity_meter_has_phases_to_lose() -> None:
    """An impossible fault is refused when it is planned."""
    water = Device(device_id="W1", site_id="S1", kind=Kind.WATER)
    with pytest.raises(ValueError, match="no phases"):
        fault_for(EVERY[LabelKind.PHASE_LOSS], water)
