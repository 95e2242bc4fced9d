"""A coal-fired unit's figures from what it generated, used and burnt (docs/plant-metrics.md, "Coal-gangue power")."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from schemas.reference import Reference

MJ_PER_GJ = 1000.0
KG_PER_T = 1000.0
KWH_PER_MWH = 1000.0


class HeatRateFigures(NamedTuple):
    """Ratios of a unit; None where the denominator is unknown or too small."""

    gross_heat_rate_kj_kwh: float | None
    net_heat_rate_kj_kwh: float | None
    gross_coal_rate_gce_kwh: float | None
    net_coal_rate_gce_kwh: float | None
    net_coal_rate_check_gce_kwh: float | None
    station_service_pct: float | None
    net_efficiency_pct: float | None
    capacity_factor_pct: float | None
    equivalent_h: float | None
    gangue_rate_kg_kwh: float | None
    gangue_share_pct: float | None


def figures(
    reference: Reference,
    *,
    generated_mwh: float | None,
    auxiliary_mwh: float | None,
    fuel_heat_gj: float | None,
    gangue_t: float | None,
    fuel_t: float | None,
    rated_mw: float | None,
    hours: float,
) -> HeatRateFigures:
    """Compute a unit's ratios over `hours`; `fuel_heat_gj` is the fuel's less exported heat.

    Heat rates are kJ/kWh, coal rates gce/kWh, with coal equivalent at 29 307.6 kJ/kg. Nothing is divided by less than
    1 % of what the unit would generate at its rating (unsourced): a unit that stands still has no heat rate.
    """
    generated = _enough(generated_mwh, rated_mw, hours)
    supplied = None if generated is None or auxiliary_mwh is None else _positive(generated - auxiliary_mwh)
    gross, net = (_ratio(fuel_heat_gj, energy, MJ_PER_GJ) for energy in (generated, supplied))
    kj_per_gce = reference.setting("coal_equivalent_kj_kg") / 1000
    service = _ratio(auxiliary_mwh, generated, 1.0)
    gross_coal = None if gross is None else gross / kj_per_gce
    net_coal = None if net is None else net / kj_per_gce
    factor = None if generated_mwh is None or rated_mw is None else generated_mwh / (rated_mw * hours)
    gangue_rate = _ratio(gangue_t, generated, KG_PER_T / KWH_PER_MWH)
    share = _ratio(gangue_t, _positive(fuel_t), 100.0)
    return HeatRateFigures(
        gross,
        net,
        gross_coal,
        net_coal,
        None if gross_coal is None or service is None or service >= 1 else gross_coal / (1 - service),
        None if service is None else 100 * service,
        None if net_coal is None else 100 * reference.setting("net_efficiency_constant") / net_coal,
        None if factor is None else 100 * factor,
        None if factor is None else factor * reference.setting("base_hours"),
        gangue_rate,
        share,
    )


def gypsum_t(reference: Reference, sulphur_t: float) -> float:
    """FGD gypsum (脱硫石膏) of a mass of sulphur burnt: S·η_S·5.375/purity, tonnes."""
    removed = sulphur_t * reference.setting("desulphurisation")
    return removed * reference.setting("gypsum_per_sulphur") / reference.setting("gypsum_purity")


def _enough(generated_mwh: float | None, rated_mw: float | None, hours: float) -> float | None:
    least = 0.01 * (rated_mw or 1.0) * hours
    return generated_mwh if generated_mwh is not None and generated_mwh >= least else None


def _positive(value: float | None) -> float | None:
    return value if value is not None and value > 0 else None


def _ratio(amount: float | None, per: float | None, scale: float) -> float | None:
    """Amount per unit of `per`; None where one of them is unknown."""
    return None if amount is None or per is None else scale * amount / per
