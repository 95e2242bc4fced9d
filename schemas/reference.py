"""Reference data: conversion factors, limits, quotas, corrections and targets. Never constants in code.

One version stands for all of it, and every derived row names the version it was computed with. Each entry names its
standard and year; `verified` says whether somebody held it against the official text.
"""

from __future__ import annotations

import hashlib
from enum import IntEnum, StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Sourced(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    name_zh: str
    standard: str
    """For example `GB 21256`, or `unsourced`."""
    year: int
    verified: bool = False
    """Whether somebody held it against the official text of the standard."""
    note: str = ""


class EnergyFactor(_Sourced):
    """Energy of one unit of a carrier, in kilograms of coal equivalent (kgce, 折标准煤系数)."""

    kgce: Annotated[float, Field(ge=0)]
    per: str
    """Unit of the register it multiplies: kWh, m3, t, GJ."""


class Level(IntEnum):
    """A level of an energy limit: the lower, the better."""

    ADVANCED = 1
    """先进值"""
    ADMISSION = 2
    """准入值"""
    LIMIT = 3
    """限定值"""


class Limited(StrEnum):
    """What of a product's energy a limit is held against."""

    ENERGY = "energy"
    """All of it (综合能耗)."""
    ELECTRICITY = "electricity"
    """Electricity alone (电耗)."""
    FUEL = "fuel"
    """Coal and other fuels by weight alone (煤耗)."""


class EnergyLimit(_Sourced):
    """Energy limits of one product (单位产品能源消耗限额). A level may be missing, and levels need not be monotonic."""

    sector: str
    unit: str
    """kgce/t, kWh/t, or gce/kWh of electricity supplied."""
    limits: Limited | None = None
    """What it is held against; None: electricity where the unit is kWh/t, else all energy."""
    level_1: float | None = None
    level_2: float | None = None
    level_3: float | None = None
    leader: float | None = None
    """Best in class (能效领跑者); None: level 1 stands in its place."""
    correction: str = ""
    """Name of the correction its levels are moved by; empty: none."""

    @model_validator(mode="after")
    def _some_level(self) -> Self:
        if all(value is None for value in self.levels.values()):
            msg = "an energy limit needs at least one level"
            raise ValueError(msg)
        return self

    @property
    def of(self) -> Limited:
        """What it is held against."""
        if self.limits is not None:
            return self.limits
        return Limited.ELECTRICITY if self.unit == "kWh/t" else Limited.ENERGY

    @property
    def levels(self) -> dict[Level, float | None]:
        """All three levels, in the limit's unit."""
        return {Level.ADVANCED: self.level_1, Level.ADMISSION: self.level_2, Level.LIMIT: self.level_3}


class Correction(_Sourced):
    """How a limit moves with a measured property of raw material or product, per percentage point."""

    parameter: str
    """Name under which a product line states the property: `clinker_ratio_pct`."""
    from_pct: float
    """Where the correction begins."""
    level_1: float
    """kgce/t per point; the sign is that of the change of the limit for a point above `from_pct`."""
    level_2: float
    level_3: float
    points_below: Annotated[float, Field(ge=0)] | None = None
    """At most so many points below `from_pct` count; None: any number."""
    points_above: Annotated[float, Field(ge=0)] | None = None
    """At most so many points above `from_pct` count; None: any number."""

    @property
    def per_point(self) -> dict[Level, float]:
        """Change of each level's limit per point."""
        return {Level.ADVANCED: self.level_1, Level.ADMISSION: self.level_2, Level.LIMIT: self.level_3}


class WaterQuota(_Sourced):
    """Fresh-water intake quota of one product (取水定额), m³ per tonne."""

    sector: str
    general_m3_t: Annotated[float, Field(gt=0)]
    """通用值"""
    advanced_m3_t: Annotated[float, Field(gt=0)]
    """先进值"""


class UtilisationTarget(_Sourced):
    """Yearly tonnes of an industrial solid waste to be used (综合利用), in one base or in the province."""

    material: str
    """One of `gangue`, `fly_ash`, `gypsum` and `slag`."""
    base: str
    """朔州, 晋城, 长治; empty: the whole province."""
    target_t: Annotated[float, Field(gt=0)] | None
    """None: no figure is published for this base; its progress is shown in tonnes."""


class Setting(_Sourced):
    """A threshold or default that no standard gives."""

    value: float
    unit: str


class EnergyFactors(BaseModel):
    """All conversion factors of one version."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    factors: dict[str, EnergyFactor]


class Reference(BaseModel):
    """All reference data of one version."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    factors: dict[str, EnergyFactor]
    limits: dict[str, EnergyLimit]
    corrections: dict[str, Correction]
    quotas: dict[str, WaterQuota]
    targets: dict[str, UtilisationTarget]
    settings: dict[str, Setting]

    @model_validator(mode="after")
    def _corrections_exist(self) -> Self:
        for key, limit in self.limits.items():
            if limit.correction and limit.correction not in self.corrections:
                msg = f"limit {key} names correction {limit.correction!r}, which is not there"
                raise ValueError(msg)
        return self

    @property
    def energy_factors(self) -> EnergyFactors:
        """The conversion factors alone."""
        return EnergyFactors(version=self.version, factors=self.factors)

    @property
    def digest(self) -> str:
        """SHA-256 of everything but the version: tells whether two versions differ."""
        return hashlib.sha256(self.model_dump_json(exclude={"version"}).encode()).hexdigest()

    def setting(self, key: str) -> float:
        """Value of a setting; KeyError where there is none of this name."""
        return self.settings[key].value
