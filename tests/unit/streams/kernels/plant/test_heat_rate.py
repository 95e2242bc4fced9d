"""A unit's figures: the examples of docs/plant-metrics.md, "Worked examples"."""

from __future__ import annotations

import pytest

from streams.kernels.plant.heat_rate import HeatRateFigures, figures, gypsum_t
from streams.kernels.plant.reference import reference

REFERENCE = reference()
KCAL_KJ = REFERENCE.setting("kcal_kj")


def unit(
    *, generated_mwh: float, supplied_mwh: float, fuel_t: float, lhv_kcal_kg: float, hours: float
) -> HeatRateFigures:
    """A 300 MW unit that burns one fuel, gangue, for some hours."""
    return figures(
        REFERENCE,
        generated_mwh=generated_mwh,
        auxiliary_mwh=generated_mwh - supplied_mwh,
        fuel_heat_gj=fuel_t * lhv_kcal_kg * KCAL_KJ / 1000,
        gangue_t=fuel_t,
        fuel_t=fuel_t,
        rated_mw=300,
        hours=hours,
    )


@pytest.mark.parametrize(
    ("net_coal_rate", "lhv_kcal_kg", "net_heat_rate", "kg_per_kwh", "efficiency_pct"),
    [(330, 3000, 9672, 0.77, 37.2), (350, 2500, 10258, 0.98, 35.1)],
)
def test_coal_rate_heat_rate_fuel_and_efficiency_agree(
    net_coal_rate: float, lhv_kcal_kg: float, net_heat_rate: float, kg_per_kwh: float, efficiency_pct: float
) -> None:
    """330 gce/kWh at 3 000 kcal/kg is 9 672 kJ/kWh, 0.77 kg/kWh and 37.2 %; 350 at 2 500 is 10 258, 0.98 and 35.1 %."""
    supplied_mwh = 1000.0
    fuel_t = net_coal_rate * 29.3076 * supplied_mwh / (lhv_kcal_kg * KCAL_KJ)
    found = unit(generated_mwh=1100, supplied_mwh=supplied_mwh, fuel_t=fuel_t, lhv_kcal_kg=lhv_kcal_kg, hours=10)
    assert found.net_coal_rate_gce_kwh == pytest.approx(net_coal_rate)
    assert found.net_heat_rate_kj_kwh == pytest.approx(net_heat_rate, abs=0.6)
    assert fuel_t / supplied_mwh == pytest.approx(kg_per_kwh, abs=0.005)
    assert found.net_efficiency_pct == pytest.approx(efficiency_pct, abs=0.05)
    assert found.gross_heat_rate_kj_kwh == pytest.approx(net_heat_rate / 1.1, abs=0.6)
    assert found.net_coal_rate_check_gce_kwh == pytest.approx(net_coal_rate)
    assert found.station_service_pct == pytest.approx(100 / 11)
    assert found.gangue_share_pct == pytest.approx(100)


def test_a_year_at_sixty_per_cent_is_5256_hours_and_about_1_11_million_tonnes() -> None:
    """A 300 MW unit at a capacity factor of 60 % and 0.77 kg/kWh burns about 1.11 Mt a year (of what it supplies)."""
    supplied_mwh = 300 * 8760 * 0.6 * 0.915
    found = unit(generated_mwh=300 * 8760 * 0.6, supplied_mwh=supplied_mwh, fuel_t=1.11e6, lhv_kcal_kg=3000, hours=8760)
    assert found.capacity_factor_pct == pytest.approx(60)
    assert found.equivalent_h == pytest.approx(5256)
    assert 1.11e6 / supplied_mwh == pytest.approx(0.77, abs=0.003)


def test_a_unit_that_stands_still_has_no_rates() -> None:
    """Null when the denominator is below its minimum; the capacity factor is known all the same."""
    found = unit(generated_mwh=0.5, supplied_mwh=0.4, fuel_t=3, lhv_kcal_kg=3000, hours=10)
    assert (found.gross_heat_rate_kj_kwh, found.net_coal_rate_gce_kwh, found.station_service_pct) == (None, None, None)
    assert found.capacity_factor_pct == pytest.approx(100 * 0.5 / 3000)


def test_a_unit_that_takes_more_than_it_gives_has_no_net_rates() -> None:
    """Supplied energy below zero is no denominator."""
    found = unit(generated_mwh=100, supplied_mwh=-20, fuel_t=100, lhv_kcal_kg=3000, hours=10)
    assert found.gross_heat_rate_kj_kwh is not None
    assert (found.net_heat_rate_kj_kwh, found.net_efficiency_pct) == (None, None)


def test_what_is_unknown_stays_unknown() -> None:
    """Unknown heat gives no rate, unknown auxiliary power no net rate."""
    found = figures(
        REFERENCE, generated_mwh=180, auxiliary_mwh=None, fuel_heat_gj=None, gangue_t=None, fuel_t=None,
        rated_mw=None, hours=1,
    )  # fmt: skip
    assert found == HeatRateFigures(*([None] * len(HeatRateFigures._fields)))


def test_gypsum_of_sulphur() -> None:
    """A tonne of sulphur, 90 % removed, is 172/32 t of gypsum at 100 % purity: 5.375 t at 90 %."""
    assert gypsum_t(REFERENCE, 1.0) == pytest.approx(5.375)
