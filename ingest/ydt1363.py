"""Reads YD/T 1363 frames that a BMS answers to command 42H, into values of a battery reading."""

from __future__ import annotations

import re
from typing import Any

from schemas.frames.ydt1363 import (
    ABSENT,
    CELLS_MOST,
    END,
    FIXED_TEMPERATURES,
    RETURN_OK,
    START,
    STATUS_WORDS,
    TEMPERATURES_MOST,
    BatteryFrame,
    Frame,
    FrameError,
    FrameFault,
    checksum,
    length_field,
)

HEAD, TAIL = 12, 4
"""Characters before INFO and of CHKSUM."""
_HEX = re.compile(rb"[0-9A-Fa-f]*")
NO_TEMPERATURE = -0x8000


def decode_frame(raw: bytes) -> Frame:
    """Read the framing. Raises FrameError that says what is wrong."""
    if not (raw.startswith(START) and raw.endswith(END) and len(raw) >= 2 + HEAD + TAIL):
        raise FrameError(FrameFault.DELIMITERS, f"{raw[:20]!r}… is not ~…CR of at least {HEAD + TAIL} characters")
    body, tail = raw[1 : -1 - TAIL], raw[-1 - TAIL : -1]
    if not _HEX.fullmatch(body) or not _HEX.fullmatch(tail):
        raise FrameError(FrameFault.NOT_HEX, "a character between the delimiters is no hexadecimal digit")
    if int(tail, 16) != checksum(body):
        raise FrameError(FrameFault.CHECKSUM, f"CHKSUM {tail.decode()}, computed {checksum(body):04X}")
    length, info = int(body[HEAD - 4 : HEAD], 16), body[HEAD:]
    if length != length_field(len(info)) or len(info) % 2:
        raise FrameError(FrameFault.LENGTH, f"LENGTH {length:04X} over {len(info)} characters")
    version, address, cid1, cid2 = bytes.fromhex(body[: HEAD - 4].decode())
    return Frame(version, address, cid1, cid2, bytes.fromhex(info.decode()))


def decode_battery(raw: bytes) -> BatteryFrame:
    """Read a set's analogue values. Raises FrameError for a broken frame, an error of the BMS, or other content."""
    frame = decode_frame(raw)
    if frame.cid2 != RETURN_OK:
        raise FrameError(FrameFault.RETURN_CODE, f"the BMS answers RTN {frame.cid2:02X}")
    reader = _Reader(frame.info)
    values = BatteryFrame(
        soc_pct=reader.value(100),
        pack_voltage_v=reader.value(100),
        cell_voltage_v=reader.values(CELLS_MOST, 1_000),
        fixed_temperature_c=[reader.signed(10) for _ in range(FIXED_TEMPERATURES)],
        temperature_c=[reader.signed(10) for _ in range(reader.count(TEMPERATURES_MOST))],
        current_a=reader.signed(100),
        soh_pct=reader.value(1),
        full_ah=reader.value(100),
        remaining_ah=reader.value(100),
        cycles=reader.whole(),
        status_words=[reader.word() for _ in range(STATUS_WORDS)],
        balance_mask=reader.word(),
        discharge_kwh=reader.value(10),
    )
    reader.end()
    return values


def battery_reading(values: BatteryFrame, at_ts: int) -> dict[str, Any]:
    """Fields of a battery reading: what the BMS does not have is left out. Temperatures are those of the cells."""
    reading: dict[str, Any] = {
        "ts": at_ts,
        "pack_voltage_v": values.pack_voltage_v,
        "current_a": values.current_a,
        "soc_pct": values.soc_pct,
        "soh_bms_pct": values.soh_pct,
        "cell_voltage_v": values.cell_voltage_v[:16] or None,
        "temperature_c": values.temperature_c[:4] or None,
        "ambient_c": values.fixed_temperature_c[0],
        "remaining_ah": values.remaining_ah,
        "full_ah": values.full_ah,
        "cycles": values.cycles,
        "alarm_words": values.status_words,
    }
    return {name: value for name, value in reading.items() if value is not None}


class _Reader:
    """Takes words off the content."""

    def __init__(self, info: bytes) -> None:
        self._info, self._at = info, 0

    def word(self) -> int:
        """Two bytes, unsigned."""
        return int.from_bytes(self._take(2), "big")

    def whole(self) -> int | None:
        """A word that may be absent."""
        word = self.word()
        return None if word == ABSENT else word

    def value(self, parts: int) -> float | None:
        """A word in `parts` of the unit."""
        word = self.whole()
        return None if word is None else word / parts

    def signed(self, parts: int) -> float | None:
        """A signed word in `parts` of the unit."""
        word = int.from_bytes(self._take(2), "big", signed=True)
        return None if word == NO_TEMPERATURE else word / parts

    def count(self, most: int) -> int:
        """Number of elements that follow."""
        count = self._take(1)[0]
        if count > most:
            raise FrameError(FrameFault.CONTENT, f"{count} elements, at most {most}")
        return count

    def values(self, most: int, parts: int) -> list[float | None]:
        """As many words as the byte before them says."""
        return [self.value(parts) for _ in range(self.count(most))]

    def end(self) -> None:
        """Nothing may be left."""
        if self._at != len(self._info):
            raise FrameError(FrameFault.CONTENT, f"{len(self._info) - self._at} bytes more than the fields")

    def _take(self, size: int) -> bytes:
        taken = self._info[self._at : self._at + size]
        if len(taken) < size:
            raise FrameError(FrameFault.CONTENT, f"ends after {len(self._info)} bytes, inside a field")
        self._at += size
        return taken
