"""The unit of a virtual meter's rate is that of what it counts, not of its kind."""

from __future__ import annotations

import json

from dashboards.grafana.build import dashboard_json
from dashboards.pages import plant_energy
from dashboards.parts.plants import rate_unit
from schemas.words import Language


def test_a_virtual_meters_rate_has_the_unit_of_its_quantity() -> None:
    """Heat is counted in GJ, and water, steam and gas in m³ or t; electricity as before."""
    units = rate_unit("v.quantity")
    counted = {
        "heat_gj": "GJ/h",
        "mass_t": "t/h",
        "volume_m3": "m3/h",
        "energy_import_kwh": "kW",
        "generated_mwh": "MW",
    }
    for register, unit in counted.items():
        assert f"WHEN '{register}' THEN '{unit}'" in units
    assert units in json.dumps(dashboard_json(plant_energy.DASHBOARD, Language.EN))
