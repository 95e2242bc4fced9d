"""Reference data: conversion factors and limits, versioned, each row with its source. Never constants in code."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class EnergyFactor(BaseModel):
    """Energy of one unit of a carrier, in kilograms of coal equivalent (kgce, 标准煤)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kgce: Annotated[float, Field(ge=0)]
    per: str
    """Unit of the register it multiplies: kWh, m3, t, GJ."""
    name_zh: str
    standard: str
    year: int
    verified: bool = False
    """Whether somebody held it against the official text of the standard."""


class EnergyFactors(BaseModel):
    """All conversion factors of one version; the version is stored with every figure computed from them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    factors: dict[str, EnergyFactor]
