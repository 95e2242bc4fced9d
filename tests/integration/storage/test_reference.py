"""Reference data in the database: what dashboards draw their limits from."""

from __future__ import annotations

import pytest

from schemas.registry import ProductLine, Registry, Sector, Site
from storage.pool import connect
from storage.reference import ReferenceConflictError, load_reference
from storage.registry import import_registry, load_registry
from streams.kernels.plant.reference import reference

SHIPPED = reference()


def test_a_version_is_loaded_once_and_the_newest_is_current(own_url: str) -> None:
    """Loading again changes nothing; an older version stays and can become current again."""
    newer = SHIPPED.model_copy(
        update={
            "version": "next",
            "limits": SHIPPED.limits | {"sinter": SHIPPED.limits["sinter"].model_copy(update={"level_3": 50.0})},
        }
    )
    with connect(own_url, name="test") as connection:
        assert [load_reference(connection, each) for each in (SHIPPED, SHIPPED, newer)] == [True, False, True]
        limits = (
            "SELECT level_1, level_2, level_3, unit, standard, year, verified FROM reference_energy_limit"
            " WHERE key = 'sinter' AND version = (SELECT version FROM reference_current)"
        )
        assert connection.execute(limits).fetchone() == (43.0, 46.0, 50.0, "kgce/t", "GB 21256", 2025, False)
        assert load_reference(connection, SHIPPED)
        assert connection.execute(limits).fetchone() == (43.0, 46.0, 52.0, "kgce/t", "GB 21256", 2025, False)
        missing = connection.execute(
            "SELECT key FROM reference_energy_limit WHERE level_2 IS NULL AND version = %s ORDER BY 1",
            (SHIPPED.version,),
        ).fetchall()
    assert missing == [("eaf_50",), ("eaf_small",), ("power_super_high_200",)]


def test_other_figures_under_a_loaded_version_are_refused(own_url: str) -> None:
    """A row's version must lead to the very figures it was computed with."""
    forged = SHIPPED.model_copy(update={"quotas": dict(list(SHIPPED.quotas.items())[1:])})
    with connect(own_url, name="test") as connection:
        load_reference(connection, SHIPPED)
        with pytest.raises(ReferenceConflictError, match=SHIPPED.version):
            load_reference(connection, forged)


def test_product_lines_go_through_the_registry_and_are_rows_for_dashboards(own_url: str) -> None:
    """Every plant has the line `plant`, declared or not; a base station has none."""
    mill = Site(
        site_id="mill",
        name="Mill",
        name_zh="厂",
        sector=Sector.STEEL,
        city="太原",
        product_lines=[ProductLine(product="eaf_70", water_quota="steel_eaf", parameters={"hot_metal_pct": 10})],
    )
    plain = Site(site_id="plain", name="Plain", name_zh="厂", sector=Sector.COKING, city="长治")
    station = Site(site_id="bs", name="BS", name_zh="站", sector=Sector.BASE_STATION, city="长治")
    with connect(own_url, name="test") as connection:
        import_registry(connection, Registry(sites=[mill, plain, station]))
        _, stored = load_registry(connection)
        rows = connection.execute("SELECT site_id, line_id, product FROM product_line ORDER BY 1").fetchall()
    assert {site.site_id: site for site in stored.sites} == {"mill": mill, "plain": plain, "bs": station}
    assert rows == [("mill", "plant", "eaf_70"), ("plain", "plant", "")]
    assert [line.line_id for line in plain.lines] == ["plant"]
