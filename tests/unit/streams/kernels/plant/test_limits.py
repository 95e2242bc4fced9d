"""Limits, corrections, grades and gaps; and that reference data is what its version says."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from schemas.reference import Correction, EnergyLimit, Level, Reference
from streams.kernels.plant.limits import CORRECTIONS, corrected, gap_pct, grade
from streams.kernels.plant.reference import reference

REFERENCE = reference()


def levels(product: str, **parameters: float) -> list[float | None]:
    """Corrected levels 1, 2, 3 of a product."""
    found = corrected(REFERENCE, product, parameters)
    assert found is not None
    return [found.levels.get(level) for level in Level]


@pytest.mark.parametrize(
    ("product", "parameters", "expected"),
    [
        ("sinter", {}, [43, 46, 52]),
        ("cement", {"clinker_ratio_pct": 78}, [83.3, 90.45, 97.6]),
        ("cement", {"clinker_ratio_pct": 70}, [74.5, 81.25, 88.0]),
        ("blast_furnace", {"ore_grade_pct": 60}, [368.22, 377.22, 422.22]),
        ("blast_furnace", {"ore_grade_pct": 50}, [379.05, 388.05, 433.05]),
        ("blast_furnace", {"ore_grade_pct": 64}, [361, 370, 415]),
        ("eaf_50", {"hot_metal_pct": 30}, [37, None, 48]),
        ("converter", {"scrap_pct": 20}, [-25.4, -23.4, -7.4]),
        ("converter", {}, [-30, -28, -12]),
        ("power_super_high_200", {}, [None, None, 352]),
    ],
)
def test_limits_move_with_the_row_as_the_standard_says(
    product: str, parameters: dict[str, float], expected: list[float | None]
) -> None:
    """Clinker ratio both ways from 75 %, ore grade five points at most, hot metal down, scrap up."""
    assert levels(product, **parameters) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("product", "value", "reached"),
    [
        ("sinter", 43.0, 1),
        ("sinter", 45.0, 2),
        ("sinter", 52.0, 3),
        ("sinter", 52.1, None),
        ("converter", -31.0, 1),
        ("converter", -29.0, 2),
        ("converter", 5.0, None),
        ("eaf_50", 62.0, 3),
        ("eaf_50", 60.0, 1),
        ("power_subcritical_300", 300.0, 3),
        ("power_subcritical_300", 284.0, 1),
        ("power_super_high_200", 340.0, 3),
    ],
)
def test_a_grade_needs_every_less_strict_level_too(product: str, value: float, reached: int | None) -> None:
    """A missing level is passed over, a negative limit compares by sign, a crooked table flatters nobody."""
    found = corrected(REFERENCE, product, {})
    assert found is not None
    assert grade(value, found.levels) == reached


def test_a_gap_is_positive_where_the_figure_is_worse_for_a_negative_limit_too() -> None:
    """(e − L)/|L|: −20 against −28 is worse."""
    assert gap_pct(110.0, 100.0) == pytest.approx(10.0)
    assert gap_pct(-20.0, -28.0) == pytest.approx(28.571, rel=1e-4)
    assert gap_pct(-30.0, -28.0) == pytest.approx(-7.143, rel=1e-3)
    assert gap_pct(1.0, None) is None


def test_level_1_stands_in_for_a_leader_nobody_published() -> None:
    """And says so; a published leader moves with the correction of level 1."""
    plain = corrected(REFERENCE, "cement", {"clinker_ratio_pct": 76})
    assert plain is not None
    assert plain.leader == pytest.approx(81.1)
    assert plain.leader_is_level_1
    limits = REFERENCE.limits | {"cement": REFERENCE.limits["cement"].model_copy(update={"leader": 70.0})}
    published = corrected(REFERENCE.model_copy(update={"limits": limits}), "cement", {"clinker_ratio_pct": 76})
    assert published is not None
    assert published.leader == pytest.approx(71.1)
    assert not published.leader_is_level_1


def test_every_entry_names_its_source_and_every_correction_has_its_function() -> None:
    """Reference data has a standard, a year and an honest `verified`, or it is not reference data."""
    for part in (REFERENCE.factors, REFERENCE.limits, REFERENCE.corrections, REFERENCE.quotas, REFERENCE.targets):
        assert all(
            entry.standard and entry.year > 2000 and entry.name_zh and not entry.verified for entry in part.values()
        )
    assert set(REFERENCE.corrections) == set(CORRECTIONS)
    assert all(setting.standard and setting.unit for setting in REFERENCE.settings.values())
    assert any(setting.standard == "unsourced" for setting in REFERENCE.settings.values())


def test_a_changed_figure_is_another_digest_and_another_version_is_not() -> None:
    """What tells that somebody changed a number and forgot the version."""
    sinter = REFERENCE.limits["sinter"].model_copy(update={"level_3": 53.0})
    changed = REFERENCE.model_copy(update={"limits": REFERENCE.limits | {"sinter": sinter}})
    assert changed.digest != REFERENCE.digest
    assert REFERENCE.model_copy(update={"version": "next"}).digest == REFERENCE.digest


def test_a_limit_without_levels_or_with_an_unknown_correction_is_refused() -> None:
    """Validated when loaded, not when a plant is first held to it."""
    with pytest.raises(ValidationError, match="at least one level"):
        EnergyLimit(sector="steel", unit="kgce/t", name="x", name_zh="x", standard="x", year=2025)
    whole = REFERENCE.model_dump()
    whole["corrections"].pop("converter_scrap")
    with pytest.raises(ValidationError, match="converter_scrap"):
        Reference.model_validate(whole)
    assert isinstance(REFERENCE.corrections["eaf_hot_metal"], Correction)
