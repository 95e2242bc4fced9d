"""YD/T 1363 frames: what was written is read again, and no broken frame is taken for a reading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.ydt1363 import battery_reading, decode_battery, decode_frame
from schemas.frames.ydt1363 import BatteryFrame, Frame, FrameError, FrameFault, checksum, length_field
from schemas.readings import BatteryReading
from simulators.wire.ydt1363 import encode_battery, encode_frame


def parts(low: int, high: int, per_unit: int) -> st.SearchStrategy[float]:
    """Values at the frame's resolution."""
    return st.integers(low, high).map(lambda number: number / per_unit)


frames = st.builds(
    BatteryFrame,
    soc_pct=st.none() | parts(0, 10_000, 100),
    pack_voltage_v=st.none() | parts(3_700, 6_000, 100),
    cell_voltage_v=st.lists(st.none() | st.just(0.0) | parts(2_000, 3_900, 1_000), max_size=16),
    fixed_temperature_c=st.lists(st.none() | parts(-400, 1_000, 10), min_size=3, max_size=3),
    temperature_c=st.lists(st.none() | parts(-400, 1_000, 10), max_size=4),
    current_a=st.none() | parts(-20_000, 20_000, 100),
    soh_pct=st.none() | parts(0, 100, 1),
    full_ah=st.none() | parts(0, 65_000, 100),
    remaining_ah=st.none() | parts(0, 65_000, 100),
    cycles=st.none() | st.integers(0, 20_000),
    status_words=st.lists(st.integers(0, 0xFFFF), min_size=5, max_size=5),
    balance_mask=st.integers(0, 0xFFFF),
    discharge_kwh=st.none() | parts(0, 65_534, 10),
)
SAMPLE = BatteryFrame(
    soc_pct=100.0,
    pack_voltage_v=53.5,
    cell_voltage_v=[None, *[3.345] * 14, 0.0],
    fixed_temperature_c=[18.3, 20.1, -5.0],
    temperature_c=[20.0, None],
    current_a=-12.34,
    soh_pct=87.0,
    full_ah=100.0,
    remaining_ah=99.5,
    cycles=321,
    status_words=[1, 0, 0, 0, 0x8000],
    balance_mask=0b101,
    discharge_kwh=12.3,
)


@given(frames)
def test_what_was_written_is_read_again(values: BatteryFrame) -> None:
    """Round trip, absent values included."""
    assert decode_battery(encode_battery(values)) == values


@given(frames)
def test_what_a_frame_says_is_a_battery_reading(values: BatteryFrame) -> None:
    """Every frame becomes fields that the collector's model takes; the sixteenth channel at 0 V becomes absent."""
    reading = BatteryReading.model_validate(battery_reading(values, 1_767_225_600_000))
    assert reading.current_a == values.current_a
    assert 0.0 not in (reading.cell_voltage_v or [])


def test_a_frame_looks_as_the_standard_frames_it() -> None:
    """`~`, ASCII hex, checksums, CR: the example of an empty request, computed by hand."""
    raw = encode_frame(Frame(0x20, 0x01, 0x4A, 0x42, b""))
    assert raw == b"~20014A420000FDA2\r"
    assert decode_frame(raw) == Frame(0x20, 0x01, 0x4A, 0x42, b"")
    assert length_field(0x12) == 0xD012
    assert checksum(b"20014A420000") == 0xFDA2


@given(frames, st.data())
def test_no_frame_with_a_changed_character_is_taken_for_another(values: BatteryFrame, data: st.DataObject) -> None:
    """One character changed anywhere is noticed."""
    raw = bytearray(encode_battery(values))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.sampled_from([1, 2, 4, 8, 16, 64]))
    if bytes(raw).upper() != encode_battery(values):
        with pytest.raises(FrameError):
            decode_battery(bytes(raw))


@given(st.binary(max_size=200))
def test_rubbish_is_refused_and_never_crashes(raw: bytes) -> None:
    """Any bytes: a FrameError, with its fault."""
    with pytest.raises(FrameError) as refused:
        decode_battery(raw)
    assert refused.value.fault in FrameFault


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"20014A42", FrameFault.DELIMITERS),
        (b"~20014A42000GFDA2\r", FrameFault.NOT_HEX),
        (b"~20014A420000FDA3\r", FrameFault.CHECKSUM),
        (encode_frame(Frame(0x20, 1, 0x4A, 0x06, b"")), FrameFault.RETURN_CODE),
        (encode_frame(Frame(0x20, 1, 0x4A, 0x00, b"\x00\x01")), FrameFault.CONTENT),
        (
            encode_frame(Frame(0x20, 1, 0x4A, 0x00, decode_frame(encode_battery(SAMPLE)).info + b"\0")),
            FrameFault.CONTENT,
        ),
    ],
)
def test_a_broken_frame_says_what_is_wrong(raw: bytes, fault: FrameFault) -> None:
    """One fault for each way of being broken."""
    with pytest.raises(FrameError) as refused:
        decode_battery(raw)
    assert refused.value.fault is fault


def test_the_energy_counter_wraps() -> None:
    """6 553.5 kWh is zero again."""
    assert decode_battery(encode_battery(SAMPLE._replace(discharge_kwh=6_560.0))).discharge_kwh == 6.5
