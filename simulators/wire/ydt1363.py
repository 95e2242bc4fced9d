"""Writes YD/T 1363 frames as a BMS answers to command 42H."""

from __future__ import annotations

from schemas.frames.ydt1363 import (
    ABSENT,
    BATTERY,
    END,
    ENERGY_WRAP_KWH,
    RETURN_OK,
    START,
    VERSION,
    BatteryFrame,
    Frame,
    checksum,
    length_field,
)


def encode_frame(frame: Frame) -> bytes:
    """Write a frame: ASCII hex between `~` and CR. Raises ValueError for more content than its length can name."""
    info = frame.info.hex().upper().encode()
    if len(info) >= 1 << 12:
        msg = f"{len(info)} characters of content; a frame holds 4 095"
        raise ValueError(msg)
    head = bytes([frame.version, frame.address, frame.cid1, frame.cid2]) + length_field(len(info)).to_bytes(2, "big")
    body = head.hex().upper().encode() + info
    return START + body + f"{checksum(body):04X}".encode() + END


def encode_battery(values: BatteryFrame, address: int = 1) -> bytes:
    """Write a set's analogue values, at the frame's resolution. Raises OverflowError for what two bytes cannot hold."""
    info = b"".join(
        (
            _word(values.soc_pct, 0.01),
            _word(values.pack_voltage_v, 0.01),
            _list(values.cell_voltage_v, 0.001, signed=False),
            b"".join(_word(each, 0.1, signed=True) for each in values.fixed_temperature_c),
            _list(values.temperature_c, 0.1, signed=True),
            _word(values.current_a, 0.01, signed=True),
            _word(values.soh_pct, 1),
            _word(values.full_ah, 0.01),
            _word(values.remaining_ah, 0.01),
            _word(values.cycles, 1),
            b"".join(word.to_bytes(2, "big") for word in values.status_words),
            values.balance_mask.to_bytes(2, "big"),
            _word(None if values.discharge_kwh is None else values.discharge_kwh % ENERGY_WRAP_KWH, 0.1),
        )
    )
    return encode_frame(Frame(VERSION, address, BATTERY, RETURN_OK, info))


def _list(values: list[float | None], unit: float, *, signed: bool) -> bytes:
    return bytes([len(values)]) + b"".join(_word(each, unit, signed=signed) for each in values)


def _word(value: float | None, unit: float, *, signed: bool = False) -> bytes:
    """Two bytes; what is not known is 0xFFFF, or 0x8000 where that would be a value."""
    if value is None:
        return (0x8000 if signed else ABSENT).to_bytes(2, "big")
    return round(value / unit).to_bytes(2, "big", signed=signed)
