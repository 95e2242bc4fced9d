"""What a registry says that cannot be meant: refused at import, with the entry, the field and what to write instead.

The models of `schemas.registry` hold what any registry must; this is asked only when one is imported, so that a
registry that is in the database already goes on being read.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemas.registry import Device, Registry

LEAST_DIGITS = 3
"""A register with fewer digits is not looked at: 99 may be a modulus of its own."""


class Nonsense(NamedTuple):
    """An entry that cannot be meant so."""

    entry: str
    """Id of the device or site."""
    field: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.entry}: {self.field}: {self.sentence}"


class NonsenseError(ValueError):
    """A registry holds entries that cannot be meant."""

    def __init__(self, found: Iterable[Nonsense]) -> None:
        self.found = tuple(found)
        super().__init__("\n".join(str(each) for each in self.found))


def check(registry: Registry, more: Iterable[Nonsense] = ()) -> None:
    """Refuse what cannot be meant, `more` with it. Raises NonsenseError with all there is of it."""
    found = [*(each for device in registry.devices for each in _rollovers(device)), *more]
    if found:
        raise NonsenseError(found)


def _rollovers(device: Device) -> Iterable[Nonsense]:
    for register, value in device.rollover.items():
        modulus = modulus_meant(value)
        if modulus is not None:
            yield Nonsense(
                device.device_id,
                f"rollover.{register}",
                f"{value:.12g} is the highest value the register shows; a rollover is the value at which it starts"
                f" again from zero. Write {modulus:.12g}",
            )


def modulus_meant(value: float) -> float | None:
    """The modulus that is meant by a register's highest value, 99 999 999 or 99 999.99; None where it may be one."""
    if value <= 0:
        return None
    power = 10.0 ** math.ceil(math.log10(value))
    if power < 10.0**LEAST_DIGITS or power == value:
        return None
    for digits in range(5):
        if math.isclose(value, power - 10.0**-digits, rel_tol=0.0, abs_tol=10.0 ** -(digits + 2)):
            return power
    return None


def line_of(text: str, nonsense: Nonsense) -> int | None:
    """Line of a registry's YAML in which an entry's field stands; None where it is not found."""
    lines = text.splitlines()
    entry = re.compile(rf"^[\s-]*\{{?\s*(device_id|site_id)\s*:\s*[\"']?{re.escape(nonsense.entry)}[\"']?\s*(,.*)?$")
    field = nonsense.field.split(".", maxsplit=1)[0]
    at = next((number for number, line in enumerate(lines) if entry.match(line)), None)
    if at is None:
        return None
    for number in range(at, len(lines)):
        if number > at and re.match(r"^\s*-\s", lines[number]):
            break
        if re.search(rf"\b{field}\s*:", lines[number]):
            return number + 1
    return at + 1
