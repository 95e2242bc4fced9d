"""Energy limits after corrections: the grade of a figure, and its gap to limit and leader."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.reference import Correction, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from schemas.reference import EnergyLimit, Reference


class CorrectedLimit(NamedTuple):
    """An energy limit as it holds for one product line, in the limit's unit."""

    levels: dict[Level, float]
    """Only the levels the standard gives."""
    leader: float | None
    leader_is_level_1: bool
    """No leader value is published: level 1 stands in its place."""


def cement_clinker_ratio(row: Correction, clinker_ratio_pct: float) -> dict[Level, float]:
    """Cement (GB 16780-2021): ±1.10 / 1.15 / 1.20 kgce/t for each point of clinker ratio from 75 %."""
    return _linear(row, clinker_ratio_pct)


def blast_furnace_ore_grade(row: Correction, ore_grade_pct: float) -> dict[Level, float]:
    """Blast furnace (GB 21256-2025): +3.61 kgce/t for each point of ore grade below 62 %, five points at most."""
    return _linear(row, ore_grade_pct)


def eaf_hot_metal(row: Correction, hot_metal_pct: float) -> dict[Level, float]:
    """Arc furnace (GB 21256-2025): −0.8 kgce/t for each point of hot metal in the charge."""
    return _linear(row, hot_metal_pct)


def converter_scrap(row: Correction, scrap_pct: float) -> dict[Level, float]:
    """Converter (GB 21256-2025): +0.23 kgce/t for each point of scrap in the charge."""
    return _linear(row, scrap_pct)


CORRECTIONS: dict[str, Callable[[Correction, float], dict[Level, float]]] = {
    function.__name__: function
    for function in (cement_clinker_ratio, blast_furnace_ore_grade, eaf_hot_metal, converter_scrap)
}
"""Corrections by the name reference data calls them; each gives the change of every level."""


def _linear(row: Correction, value_pct: float) -> dict[Level, float]:
    points = value_pct - row.from_pct
    if row.points_above is not None:
        points = min(points, row.points_above)
    if row.points_below is not None:
        points = max(points, -row.points_below)
    return {level: per_point * points for level, per_point in row.per_point.items()}


def corrected(reference: Reference, product: str, parameters: Mapping[str, float]) -> CorrectedLimit | None:
    """Return the limit of a product with its correction applied; None where the product has no limit.

    A line that does not state the property its limit is corrected by is held to the uncorrected limit.
    """
    limit = reference.limits.get(product)
    if limit is None:
        return None
    moved = _changes(reference, limit, parameters)
    levels = {level: value + moved.get(level, 0.0) for level, value in limit.levels.items() if value is not None}
    leader = limit.leader
    if leader is not None:
        leader += moved.get(Level.ADVANCED, 0.0)
    return CorrectedLimit(levels, levels.get(Level.ADVANCED) if leader is None else leader, leader is None)


def _changes(reference: Reference, limit: EnergyLimit, parameters: Mapping[str, float]) -> dict[Level, float]:
    if not limit.correction:
        return {}
    row = reference.corrections[limit.correction]
    value = parameters.get(row.parameter)
    return {} if value is None else CORRECTIONS[limit.correction](row, value)


def grade(value: float, levels: Mapping[Level, float]) -> Level | None:
    """Best level that a figure reaches together with every less strict one; None: not even the limit.

    Less is better, below zero too. Levels need not be monotonic: a figure that meets level 1 and misses a published
    level 2 is not called advanced.
    """
    reached: Level | None = None
    for level in sorted(levels, reverse=True):
        if value > levels[level]:
            return reached
        reached = level
    return reached


def gap_pct(value: float, limit: float | None) -> float | None:
    """(e − L)/|L| in per cent: positive is worse than the limit, for a negative limit too; None without a limit."""
    if limit is None or limit == 0.0:
        return None
    return 100 * (value - limit) / abs(limit)
