"""A cement works and a chlor-alkali plant, as data.

Unit consumption lies between level 1 and level 3 of each sector's standard (docs/reference-data.md, "Energy limits");
single figures are engineering estimates that add up to it (unsourced). All names are invented.
"""

from __future__ import annotations

from schemas.readings import Kind
from schemas.registry import ProductLine, Sector, Site
from simulators.plants.plan import Consumer, PlantPlan, Utility

CEMENT = PlantPlan(
    # GB 16780-2021, cement: 80 / 87 / 94 kgce/t. Mills grind at night, when electricity is cheap.
    site=Site(
        site_id="CEMENT1",
        name="Taohe cement works",
        name_zh="桃河水泥",
        sector=Sector.CEMENT,
        city="阳泉",
        coal_yuan_t=1_100,
        product_lines=[
            ProductLine(name="Cement", name_zh="水泥", product="cement", parameters={"clinker_ratio_pct": 75})
        ],
    ),
    product="Portland cement",
    product_zh="普通硅酸盐水泥",
    grade="P·O 42.5",
    capacity_t_h=260,
    level=0.85,
    daily=0.12,
    peak_hour=3,
    weekly=0.06,
    feeds=(Consumer("CLINKER", "Clinker made", "熟料", per_t=0.75),),
    utilities=(
        Utility(
            "C", Kind.PRODUCTION, "raw_coal", "Coal", "原煤", 50,
            period_s=60, sub_period_s=60, loss=0.003,
            consumers=(
                Consumer("KILN", "kiln burner", "窑头煤", base=0.3, per_t=0.042),
                Consumer("CALC", "calciner", "分解炉煤", base=0.3, per_t=0.061),
            ),
        ),
        Utility(
            "E", Kind.ELECTRICITY, "electricity", "Electricity", "用电", 32_000, volts=35_800,
            consumers=(
                Consumer("RAW", "raw mills", "生料磨", base=250, per_t=17),
                Consumer("KILN", "kiln and coolers", "烧成", base=450, per_t=21),
                Consumer("MILL", "cement mills", "水泥磨", base=250, per_t=31),
                Consumer("PACK", "packing and dispatch", "包装", base=120, per_t=1.6),
                Consumer("AUX", "dedusting and auxiliaries", "收尘及辅助", base=350, per_t=2, per_k=3),
            ),
        ),
        Utility(
            "W", Kind.WATER, "fresh_water", "Fresh water", "新水", 180,
            period_s=60, sub_period_s=900, loss=0.004, pressure_mpa=0.4, temperature_c=13,
            consumers=(
                Consumer("COOL", "kiln cooling make-up", "循环水补水", base=6, per_t=0.14, cooling=True),
                Consumer("SPRAY", "conditioning tower", "增湿塔", base=2, per_t=0.08),
                Consumer("LIFE", "offices and canteen", "生活", base=4),
            ),
        ),
    ),
)  # fmt: skip

CAUSTIC_SODA = PlantPlan(
    # GB 21257-2024, liquid of 30 % and more: 308 / 315 / 350 kgce/t.
    site=Site(
        site_id="SODA1",
        name="Yaodu chlor-alkali plant",
        name_zh="尧都氯碱",
        sector=Sector.CAUSTIC_SODA,
        city="临汾",
        coal_yuan_t=3_700,
        product_lines=[ProductLine(name="Caustic soda, liquid", name_zh="液碱", product="caustic_liquid_30")],
    ),
    product="Caustic soda, 32 %",
    product_zh="32%离子膜烧碱（折百）",
    grade="IL-I",
    capacity_t_h=38,
    level=0.94,
    noise=0.008,
    feed_carrier="salt",
    feeds=(Consumer("SALT", "Salt dissolved", "原盐", per_t=1.53),),
    utilities=(
        Utility(
            "E", Kind.ELECTRICITY, "electricity", "Electricity", "用电", 120_000, volts=110_000,
            period_s=60, loss=0.004,
            consumers=(
                Consumer("CELL1", "electrolysers, line 1", "电解槽一线", base=100, per_t=1_135),
                Consumer("CELL2", "electrolysers, line 2", "电解槽二线", base=100, per_t=1_125),
                Consumer("CHLOR", "chlorine and hydrogen", "氯氢处理", base=250, per_t=62, per_k=5),
                Consumer("BRINE", "brine and auxiliaries", "盐水及辅助", base=250, per_t=48),
            ),
        ),
        Utility(
            "S", Kind.STEAM, "steam_saturated", "Steam bought in", "外购蒸汽", 25,
            period_s=60, sub_period_s=60, pressure_mpa=0.8, temperature_c=175,
            consumers=(
                Consumer("BRINE", "brine heating", "盐水加热", base=0.5, per_t=0.19, per_k=-0.02),
                Consumer("CONC", "dechlorination", "脱氯", base=0.3, per_t=0.10),
            ),
        ),
        Utility(
            "W", Kind.WATER, "fresh_water", "Fresh water", "新水", 500,
            period_s=60, sub_period_s=900, loss=0.004, pressure_mpa=0.4, temperature_c=14,
            consumers=(
                Consumer("COOL", "circulating water make-up", "循环水补水", base=10, per_t=3.4, cooling=True),
                Consumer("DEMI", "pure water", "纯水", base=6, per_t=2.3),
                Consumer("LIFE", "offices and canteen", "生活", base=5),
            ),
        ),
    ),
)  # fmt: skip
