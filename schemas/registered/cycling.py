"""What a battery set is run for, and the prices by which cycling earns."""

from __future__ import annotations

from enum import StrEnum
from itertools import zip_longest
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class BatteryUse(StrEnum):
    """What a set is run for."""

    BACKUP = "backup"
    """Full, and waiting for an outage (备电)."""
    PEAK_SHAVING = "peak_shaving"
    """Discharged at the dear hours, beside backup (削峰填谷)."""
    STORAGE = "storage"
    """Charged and discharged for other ends, with a contract of its own (储能)."""


class TariffPeriod(BaseModel):
    """Hours of the local day at which electricity has one price (分时电价)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=40)]
    """Such as peak or 峰; periods of one name are added up."""
    begins: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):(00|15|30|45)$")]
    """HH:MM, at a quarter of an hour: what is counted is counted by these."""
    ends: Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):(00|15|30|45)|24:00)$")]
    """Behind it; 24:00 is midnight. A period over midnight is two."""
    yuan_kwh: Annotated[float, Field(allow_inf_nan=False)]
    """Below zero where one is paid for taking electricity."""


def checked_tariff(periods: tuple[TariffPeriod, ...]) -> tuple[TariffPeriod, ...]:
    """Return a tariff in which every moment of the day has one price at most; ValueError names what is wrong."""
    ordered = sorted(periods, key=lambda period: period.begins)
    for period, following in zip_longest(ordered, ordered[1:]):
        if period.ends <= period.begins:
            msg = f"tariff {period.name!r}: {period.begins}-{period.ends} is no span within a day"
            raise ValueError(msg)
        if following is not None and following.begins < period.ends:
            msg = f"tariff: {following.name!r} begins at {following.begins}, before {period.name!r} ends"
            raise ValueError(msg)
    return periods
