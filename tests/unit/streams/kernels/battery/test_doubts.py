"""Why a figure is not good is told beside it, by name, and in the words of both languages on the page of its set."""

from __future__ import annotations

from pathlib import Path

import pytest

import dashboards
from dashboards.words import battery_soh as words
from schemas.metrics.battery_health import BatteryCapacity, Doubt, Witness
from schemas.metrics.battery_prospects import BatterySoh, SohChange
from schemas.metrics.common import Quality
from schemas.words import Language
from streams.kernels.battery.prospects.state_of_health import StateOfHealth
from streams.kernels.battery.reference import health_reference
from streams.kernels.battery.tracking.cells import Cells
from streams.kernels.battery.tracking.health import SetHealth
from tests.support.worlds.sets import Rig, lfp_set

BUILT = Path(dashboards.__file__).parent / "generated"


def newest_soh(rig: Rig, accuracy: float | None) -> BatterySoh:
    """The last word on a rig's set whose current sensor is registered so."""
    reference = health_reference()
    device = rig.device.model_copy(update={"accuracy": accuracy})
    rows = SetHealth(reference).fold(None, device, rig.readings)[1]
    last = {row.ts: row for row in rows if isinstance(row, BatteryCapacity)}
    return list(StateOfHealth(reference).history(device, list(last.values())))[-1]


def discharged(rig: Rig) -> Rig:
    """To the cut-off, and rested."""
    rig.run(2)
    assert rig.run(6, -30.0, until_cell_v=2.8)
    rig.run(0.5)
    return rig


def test_a_figure_that_is_good_has_no_doubts_and_any_other_says_them() -> None:
    """Nobody vouches for the sensor; the weakest cell has no channel; readings are missing; the current was turned."""
    rig = discharged(Rig(lfp_set()))
    good, partial = newest_soh(rig, 0.01), newest_soh(rig, None)
    assert (good.quality, good.doubts) == (Quality.GOOD, "")
    assert (partial.quality, partial.doubts) == (Quality.PARTIAL, Doubt.GAIN)

    blind = Rig(lfp_set())
    blind.cells_off_v, blind.absent = {4: -0.05}, {4}
    found = newest_soh(discharged(blind), 0.01)
    assert (found.quality, found.doubts) == (Quality.PARTIAL, Doubt.CHANNEL)

    holed = discharged(Rig(lfp_set()))
    del holed.readings[150:154]
    found = newest_soh(holed, None)
    assert (found.quality, found.doubts) == (Quality.ESTIMATED, "gain,gap")

    turned = Rig(lfp_set())
    turned.sign = -1
    found = newest_soh(discharged(turned), 0.01)
    assert (found.quality, found.doubts) == (Quality.ESTIMATED, Doubt.CURRENT)


@pytest.mark.parametrize("language", list(Language))
def test_the_page_of_a_set_shows_both_figures_its_weakest_cell_and_every_reason_in_words(language: Language) -> None:
    """No code of ours stands on the page: each doubt, witness and change has a word in its language."""
    shown = (BUILT / f"battery-set.{language}.json").read_text(encoding="utf-8")
    for texts, names in ((words.DOUBT, Doubt), (words.WITNESS, Witness), (words.CHANGE, SohChange)):
        assert set(texts) == set(names)
        assert all(text(language).replace("'", "''") in shown for text in texts.values())
    for column in ("usable_pct", "others_pct", "weakest_cell", "doubts"):
        assert column in shown


def test_the_weakest_cell_is_compared_with_the_median_one() -> None:
    """Of sixteen cells two are weak: the second of them moves the mean, not the median."""
    volts = [2.8, 2.9, *[3.2] * 14]
    assert Cells(volts, volts).median_v == pytest.approx(3.2)
    assert Cells([None, *volts[1:]], volts[1:], unseen_v=2.8).median_v == pytest.approx(3.2)
    assert Cells([3.2], [3.2]).median_v is None
