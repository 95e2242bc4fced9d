"""A coking plant, a methanol plant and an ammonia plant, as data.

Unit consumption lies between level 1 and level 3 of each sector's standard (docs/reference-data.md, "Energy limits");
single figures are engineering estimates that add up to it (unsourced). All names are invented.
"""

from __future__ import annotations

from schemas.readings import Kind
from schemas.registry import ProductLine, Sector, Site
from simulators.plants.plan import Consumer, PlantPlan, Tank, Utility

COKING = PlantPlan(
    # GB 21342-2025, stamp-charged: 115 / 115 / 140 kgce/t. Coal in and coke out are raw material, not fuel.
    site=Site(
        site_id="COKE1",
        name="Heguang coking plant",
        name_zh="河光焦化",
        sector=Sector.COKING,
        city="吕梁",
        coal_yuan_t=1_150,
        product_lines=[ProductLine(name="Coke, stamp-charged", name_zh="捣固焦", product="coke_stamp_charged")],
    ),
    product="Coke, dry",
    product_zh="干焦",
    grade="一级冶金焦",
    capacity_t_h=120,
    level=0.92,
    noise=0.01,
    feed_carrier="raw_coal",
    feeds=(Consumer("COAL", "Coking coal charged", "入炉煤", per_t=1.36),),
    utilities=(
        Utility(
            "E", Kind.ELECTRICITY, "electricity", "Electricity", "用电", 8_000,
            consumers=(
                Consumer("PREP", "coal preparation", "备煤捣固", base=80, per_t=8),
                Consumer("OVEN", "oven machines and dedusting", "炼焦除尘", base=120, per_t=6),
                Consumer("GAS", "gas recovery", "化产回收", base=150, per_t=10),
                Consumer("CDQ", "dry quenching", "干熄焦", base=60, per_t=5),
                Consumer("WWT", "waste water", "污水处理", base=200, per_t=2),
            ),
        ),
        Utility(
            "G", Kind.GAS, "coke_oven_gas", "Heating gas", "加热煤气", 30_000,
            period_s=30, sub_period_s=60, loss=0.005, pressure_mpa=0.006, temperature_c=35,
            consumers=(
                Consumer("B1", "battery 1", "1#焦炉", base=250, per_t=92),
                Consumer("B2", "battery 2", "2#焦炉", base=250, per_t=91),
            ),
        ),
        Utility(
            "S", Kind.STEAM, "steam_saturated", "Steam", "蒸汽", 20,
            period_s=60, sub_period_s=60, pressure_mpa=0.8, temperature_c=175,
            consumers=(
                Consumer("STRIP", "ammonia still", "蒸氨", base=0.4, per_t=0.03),
                Consumer("BENZ", "benzol recovery", "粗苯", base=0.3, per_t=0.03, per_k=-0.01),
            ),
        ),
        Utility(
            "W", Kind.WATER, "fresh_water", "Fresh water", "新水", 400,
            period_s=60, sub_period_s=900, loss=0.004, pressure_mpa=0.4, temperature_c=14,
            consumers=(
                Consumer("COOL", "circulating water make-up", "循环水补水",
                         base=10, per_t=0.9, cooling=True),
                Consumer("CHEM", "gas recovery", "化产回收", base=5, per_t=0.4),
                Consumer("LIFE", "offices and canteen", "生活", base=5),
            ),
        ),
    ),
)  # fmt: skip

METHANOL = PlantPlan(
    # GB 29436-2023, from coke-oven gas: 1280 / 1400 / 1500 kgce/t.
    site=Site(
        site_id="METH1",
        name="Qinshui methanol plant",
        name_zh="沁源甲醇",
        sector=Sector.METHANOL,
        city="长治",
        coal_yuan_t=1_000,
        product_lines=[
            ProductLine(
                name="Methanol from coke-oven gas",
                name_zh="焦炉煤气制甲醇",
                product="methanol_coke_oven_gas",
                water_quota="methanol_coke_oven_gas",
            )
        ],
    ),
    product="Refined methanol",
    product_zh="精甲醇",
    grade="优等品",
    capacity_t_h=27,
    level=0.93,
    noise=0.01,
    utilities=(
        Utility(
            "E", Kind.ELECTRICITY, "electricity", "Electricity", "用电", 40_000,
            consumers=(
                Consumer("COMP", "gas compression", "焦炉气压缩", base=300, per_t=420),
                Consumer("SYN", "synthesis compressor", "合成压缩", base=200, per_t=205),
                Consumer("ASU", "air separation", "空分", base=400, per_t=105),
                Consumer("COOL", "cooling water", "循环水", base=300, per_t=35, per_k=8),
            ),
        ),
        Utility(
            "G", Kind.GAS, "coke_oven_gas", "Coke-oven gas", "焦炉煤气", 70_000,
            period_s=30, sub_period_s=60, loss=0.003, pressure_mpa=0.008, temperature_c=30,
            consumers=(
                Consumer("SYNG", "synthesis gas", "原料气", base=100, per_t=1_850),
                Consumer("FUEL", "fuel gas", "燃料气", base=150, per_t=195),
            ),
        ),
        Utility(
            "N", Kind.GAS, "natural_gas_high", "Natural gas", "天然气", 1_500,
            period_s=60, sub_period_s=60, pressure_mpa=0.4, temperature_c=15,
            consumers=(Consumer("REF", "reformer preheating", "转化预热", base=30, per_t=24),),
        ),
        Utility(
            "S", Kind.STEAM, "steam_saturated", "Steam", "蒸汽", 30,
            period_s=60, sub_period_s=60, pressure_mpa=0.9, temperature_c=179,
            consumers=(
                Consumer("DIST", "distillation", "精馏", base=0.5, per_t=0.3),
                Consumer("DES", "desulphurisation", "脱硫", base=0.3, per_t=0.06),
            ),
        ),
        Utility(
            "W", Kind.WATER, "fresh_water", "Fresh water", "新水", 500,
            period_s=60, sub_period_s=900, loss=0.004, pressure_mpa=0.4, temperature_c=13,
            consumers=(
                Consumer("COOL", "circulating water make-up", "循环水补水", base=15, per_t=5.4, cooling=True),
                Consumer("DEMI", "demineralised water", "脱盐水", base=5, per_t=1.9),
                Consumer("LIFE", "offices and canteen", "生活", base=4),
            ),
        ),
    ),
)  # fmt: skip

AMMONIA = PlantPlan(
    # GB 21344-2023, from premium anthracite lump: 1090 / 1100 / 1350 kgce/t.
    site=Site(
        site_id="AMMON1",
        name="Danhe ammonia plant",
        name_zh="丹河化肥",
        sector=Sector.AMMONIA,
        city="晋城",
        coal_yuan_t=1_000,
        product_lines=[
            ProductLine(
                name="Ammonia from anthracite lump",
                name_zh="无烟块煤制合成氨",
                product="ammonia_anthracite_lump",
                water_quota="ammonia_anthracite",
            )
        ],
    ),
    product="Liquid ammonia",
    product_zh="液氨",
    grade="优等品",
    capacity_t_h=45,
    level=0.93,
    noise=0.01,
    utilities=(
        Utility(
            "C", Kind.PRODUCTION, "raw_coal", "Anthracite", "无烟煤", 80,
            period_s=60, sub_period_s=60, loss=0.003,
            consumers=(
                Consumer("GASIF", "gasifiers", "造气炉", base=0.6, per_t=1.10),
                Consumer("BOIL", "boilers", "锅炉", base=0.8, per_t=0.12, per_k=-0.01),
            ),
        ),
        Utility(
            "E", Kind.ELECTRICITY, "electricity", "Electricity", "用电", 80_000, volts=110_000,
            consumers=(
                Consumer("COMP", "synthesis gas compression", "压缩", base=900, per_t=820),
                Consumer("BLOW", "gasification blowers", "造气风机", base=300, per_t=130),
                Consumer("REFR", "refrigeration", "冰机", base=200, per_t=95, per_k=12),
                Consumer("PUMP", "pumps", "泵", base=400, per_t=110),
                Consumer("COOL", "cooling water", "循环水", base=400, per_t=60, per_k=8),
            ),
        ),
        Utility(
            "S", Kind.STEAM, "steam_saturated", "Steam bought in", "外购蒸汽", 90,
            period_s=60, sub_period_s=60, pressure_mpa=0.9, temperature_c=180,
            consumers=(
                Consumer("SHIFT", "shift conversion", "变换", base=1.5, per_t=0.72),
                Consumer("WASH", "gas purification", "净化", base=0.8, per_t=0.34),
            ),
        ),
        Utility(
            "W", Kind.WATER, "fresh_water", "Fresh water", "新水", 800,
            period_s=60, sub_period_s=900, loss=0.004, pressure_mpa=0.4, temperature_c=14,
            tank=Tank(capacity_m3=1_500, pump_m3_h=420),
            consumers=(
                Consumer("COOL", "circulating water make-up", "循环水补水",
                         base=20, per_t=5.2, cooling=True, from_tank=True),
                Consumer("DEMI", "demineralised water", "脱盐水", base=8, per_t=2.4),
                Consumer("LIFE", "offices and canteen", "生活", base=6),
            ),
        ),
    ),
)  # fmt: skip
