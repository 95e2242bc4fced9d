"""YD/T 1363 frames of a battery set (command 42H, analogue values): framing, checksums and the order of the fields.

Source: YD/T 1363, as docs/message-format.md, "Other encodings" has it. Fields and scales are those of public
transcriptions; widths (two bytes, most
significant first) and the command codes are (unsourced) and want a check against the standard or a capture.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

START, END = b"~", b"\r"
VERSION = 0x20
BATTERY = 0x4A
"""CID1 of a lithium iron phosphate battery system. (unsourced)"""
RETURN_OK = 0x00
ABSENT = 0xFFFF
"""A value that the BMS does not have."""
FIXED_TEMPERATURES = 3
"""Ambient, pack and power transistors, before the m of the cells."""
STATUS_WORDS = 5
CELLS_MOST, TEMPERATURES_MOST = 32, 32
ENERGY_WRAP_KWH = 6_553.5
"""The discharge-energy counter starts again from zero here."""


class FrameFault(StrEnum):
    """Why a frame is none."""

    DELIMITERS = "delimiters"
    NOT_HEX = "not_hex"
    LENGTH = "length"
    CHECKSUM = "checksum"
    RETURN_CODE = "return_code"
    CONTENT = "content"


class FrameError(ValueError):
    """A frame that cannot be used: for the quarantine."""

    def __init__(self, fault: FrameFault, detail: str) -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault = fault


class BatteryFrame(NamedTuple):
    """A set's analogue values in fenhe's units, at the frame's resolution; None where the BMS has no value."""

    soc_pct: float | None
    """0.01 %."""
    pack_voltage_v: float | None
    """0.01 V."""
    cell_voltage_v: list[float | None]
    """1 mV; a cell at exactly 0 is an absent channel."""
    fixed_temperature_c: list[float | None]
    """Ambient, pack, power transistors; 0.1 °C."""
    temperature_c: list[float | None]
    """Of the cells; 0.1 °C."""
    current_a: float | None
    """0.01 A, + charges."""
    soh_pct: float | None
    """1 %."""
    full_ah: float | None
    remaining_ah: float | None
    """0.01 Ah."""
    cycles: int | None
    status_words: list[int]
    balance_mask: int
    discharge_kwh: float | None
    """0.1 kWh; wraps at 6 553.5."""


class Frame(NamedTuple):
    """What stands between the delimiters."""

    version: int
    address: int
    cid1: int
    cid2: int
    info: bytes
    """Bytes, of which each is two characters on the wire."""


def length_field(characters: int) -> int:
    """LENGTH: the number of characters of INFO (12 bits) under its checksum (4 bits)."""
    digits = (characters & 0xF) + (characters >> 4 & 0xF) + (characters >> 8 & 0xF)
    return (-digits & 0xF) << 12 | characters


def checksum(body: bytes) -> int:
    """CHKSUM: two's complement of the sum of all characters between the delimiters, modulo 65 536."""
    return -sum(body) & 0xFFFF
