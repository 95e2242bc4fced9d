"""A kernel's saved states keep their form until its version says that they have another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from streams.installed import installed
from tests.support.kernel_states import Recorded, contradictions, now, recorded

if TYPE_CHECKING:
    from streams.kernels.contract import Fold

RECORDED = recorded()
WHAT_TO_DO = (
    "what is saved may have changed: raise the kernel's version, then run `.venv/bin/python -m"
    " tests.support.kernel_states`; where only a name changed and the meaning of what is saved did not, the same"
    " with --same-meaning"
)


@pytest.mark.parametrize("fold", installed().folds, ids=lambda fold: fold.name)
def test_a_saved_state_keeps_its_form_until_the_version_is_raised(fold: Fold) -> None:
    """States saved under this version are read and written back as they were, and mean what they meant."""
    assert fold.name in RECORDED, f"its states are recorded nowhere: {WHAT_TO_DO}"
    known = RECORDED[fold.name]
    assert known.version == fold.version, f"version {fold.version} is not recorded: {WHAT_TO_DO}"
    assert [fold.dump(fold.load(text)) for text in known.states] == known.states, WHAT_TO_DO
    assert not contradictions(known, now(fold, known.states)), WHAT_TO_DO


def test_nothing_is_recorded_of_a_kernel_that_is_gone() -> None:
    """The record is of what is installed."""
    assert set(RECORDED) == {fold.name for fold in installed().folds}


def test_a_field_in_anothers_place_asks_for_a_new_version() -> None:
    """Or one that is gone; a further member of an enum that is saved by value does not."""
    before = {"Part": ["low: float", "high: float"], "Colour": ["= red"], "Severity": ["low", "high"]}

    def differ(version: int = 1, **form: list[str]) -> list[str]:
        return contradictions(Recorded(1, before, []), Recorded(version, before | form, []))

    assert differ(Part=["high: float", "low: float"]) == ["Part"]
    assert differ(Part=["low: float", "mean: float", "high: float"]) == ["Part"]
    assert differ(Severity=["low", "medium", "high"]) == ["Severity"]
    assert differ(Colour=["= green", "= red"]) == []
    assert differ(Colour=["= green"]) == ["Colour"]
    assert differ(2, Part=["high: float"]) == []
