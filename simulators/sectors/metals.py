"""An arc-furnace steel works and an aluminium smelter, as data.

Unit consumption lies between level 1 and level 3 of each sector's standard (docs/reference-data.md, "Energy limits");
single figures are engineering estimates that add up to it (unsourced). All names are invented.
"""

from __future__ import annotations

from schemas.readings import Kind
from schemas.registry import ProductLine, Sector, Site, VirtualMeter, VirtualPart
from simulators.plants.plan import Consumer, Output, PlantPlan, Utility

STEEL = PlantPlan(
    # GB 21256-2025, arc furnace of 70 t and more: 61 / 64 / 72 kgce/t.
    site=Site(
        site_id="STEEL1",
        name="Fenbei special steel works",
        name_zh="汾北特钢",
        sector=Sector.STEEL,
        city="太原",
        coal_yuan_t=4_500,
        product_lines=[
            ProductLine(name="Arc-furnace steel", name_zh="电炉钢", product="eaf_70", water_quota="steel_eaf")
        ],
    ),
    product="Cast steel",
    product_zh="连铸钢坯",
    grade="45#",
    capacity_t_h=140,
    level=0.92,
    daily=0.05,
    peak_hour=2,
    weekly=0.05,
    utilities=(
        Utility(
            "E", Kind.ELECTRICITY, "electricity", "Electricity", "用电", 110_000, volts=35_800,
            consumers=(
                Consumer("EAF", "arc furnace", "电弧炉", base=400, per_t=300, pulsed=True),
                Consumer("LF", "ladle furnace", "精炼炉", base=300, per_t=32),
                Consumer("ROLL", "casting and rolling", "连铸轧钢", base=800, per_t=40),
                Consumer("OXY", "oxygen plant", "制氧站", base=900, per_t=25),
                Consumer("AUX", "pumps and dedusting", "水泵除尘", base=900, per_t=4, per_k=6),
            ),
        ),
        Utility(
            "G", Kind.GAS, "natural_gas_low", "Natural gas", "天然气", 4_000,
            period_s=30, sub_period_s=60, pressure_mpa=0.2, temperature_c=15,
            consumers=(
                Consumer("HEAT", "ladle heating", "烤包", base=30, per_t=3.4),
                Consumer("FURN", "reheating furnace", "加热炉", base=40, per_t=5.0),
            ),
        ),
        Utility(
            "W", Kind.WATER, "fresh_water", "Fresh water", "新水", 500,
            period_s=60, sub_period_s=900, loss=0.004, pressure_mpa=0.4, temperature_c=16,
            consumers=(
                Consumer("COOL", "furnace cooling make-up", "炉体冷却补水", base=12, per_t=0.75, cooling=True),
                Consumer("ROLLW", "rolling mill", "轧钢浊环", base=6, per_t=0.35),
                Consumer("LIFE", "offices and canteen", "生活", base=6),
            ),
        ),
    ),
)  # fmt: skip

ALUMINIUM = PlantPlan(
    # GB 21346-2022, ingot: 1670 / 1680 / 1720 kgce/t; liquid metal of a potline: 12 950 / 13 000 / 13 350 kWh/t, AC.
    # Pots never stop: production is flat. Each potline has a feeder and a scale of its own.
    site=Site(
        site_id="ALU1",
        name="Yanhu aluminium smelter",
        name_zh="盐湖铝业",
        sector=Sector.ALUMINIUM,
        city="运城",
        coal_yuan_t=3_400,
        product_lines=[
            ProductLine(name="Aluminium ingot", name_zh="铝锭", product="aluminium_ingot"),
            ProductLine(
                line_id="potline-1",
                name="Potline 1, liquid metal",
                name_zh="电解一系列铝液",
                product="aluminium_liquid_ac",
                meters=["ALU1-A0", "ALU1-MES1"],
            ),
            ProductLine(
                line_id="potline-2",
                name="Potline 2, liquid metal",
                name_zh="电解二系列铝液",
                product="aluminium_liquid_ac",
                meters=["ALU1-B0", "ALU1-MES2"],
            ),
        ],
        virtual_meters=(
            VirtualMeter(
                meter_id="ALU1-POTS",
                name="Electricity, both potlines",
                name_zh="电解用电合计",
                kind=Kind.ELECTRICITY,
                quantity="energy_import_kwh",
                parts=(
                    VirtualPart(meter_id="ALU1-A0", quantity="energy_import_kwh"),
                    VirtualPart(meter_id="ALU1-B0", quantity="energy_import_kwh"),
                ),
            ),
            VirtualMeter(
                meter_id="ALU1-UNSEEN",
                name="Fresh water that no sub-meter sees",
                name_zh="新水未计量水量",
                kind=Kind.WATER,
                quantity="volume_m3",
                parts=(
                    VirtualPart(meter_id="ALU1-W0", quantity="volume_m3"),
                    *(VirtualPart(meter_id=f"ALU1-W{place}", quantity="volume_m3", sign=-1) for place in (1, 2, 3)),
                ),
            ),
        ),
    ),
    product="Aluminium ingot",
    product_zh="重熔用铝锭",
    grade="Al99.70",
    capacity_t_h=28.5,
    level=0.96,
    noise=0.004,
    spread=0.006,
    feed_carrier="alumina",
    outputs=(
        Output("MES1", "Liquid metal, potline 1", "一系列铝液", share=0.5),
        Output("MES2", "Liquid metal, potline 2", "二系列铝液", share=0.5),
    ),
    feeds=(Consumer("ALUMINA", "Alumina fed", "氧化铝", per_t=1.92),),
    utilities=(
        Utility(
            "A", Kind.ELECTRICITY, "electricity", "Electricity of potline 1", "电解一系列用电", 215_000, volts=220_000,
            loss=0.002,
            consumers=(
                Consumer("RECT1", "rectifiers 1 to 3", "整流1–3#机组", base=100, per_t=3_280),
                Consumer("RECT2", "rectifiers 4 to 6", "整流4–6#机组", base=100, per_t=3_280),
            ),
        ),
        Utility(
            "B", Kind.ELECTRICITY, "electricity", "Electricity of potline 2", "电解二系列用电", 215_000, volts=220_000,
            loss=0.002,
            consumers=(
                Consumer("RECT1", "rectifiers 1 to 3", "整流1–3#机组", base=100, per_t=3_270),
                Consumer("RECT2", "rectifiers 4 to 6", "整流4–6#机组", base=100, per_t=3_270),
            ),
        ),
        Utility(
            "E", Kind.ELECTRICITY, "electricity", "Electricity of all else", "动力用电", 20_000, volts=35_800,
            loss=0.002,
            consumers=(
                Consumer("DUST", "pot gas cleaning", "电解烟气净化", base=600, per_t=115),
                Consumer("CAST", "casthouse", "铸造", base=150, per_t=45),
                Consumer("AUX", "compressed air and auxiliaries", "空压及辅助", base=700, per_t=60, per_k=10),
            ),
        ),
        Utility(
            "G", Kind.GAS, "natural_gas_high", "Natural gas", "天然气", 3_000,
            period_s=30, sub_period_s=60, pressure_mpa=0.2, temperature_c=15,
            consumers=(
                Consumer("FURN", "holding furnaces", "混合炉", base=60, per_t=21),
                Consumer("HEAT", "anode preheating and crucibles", "抬包烘烤", base=30, per_t=5),
            ),
        ),
        Utility(
            "W", Kind.WATER, "fresh_water", "Fresh water", "新水", 250,
            period_s=60, sub_period_s=900, loss=0.004, pressure_mpa=0.4, temperature_c=15,
            consumers=(
                Consumer("COOL", "rectifier and compressor cooling", "循环水补水", base=12, per_t=1.0, cooling=True),
                Consumer("CASTW", "casting", "铸造冷却", base=3, per_t=0.5),
                Consumer("LIFE", "offices and canteen", "生活", base=6),
            ),
        ),
    ),
)  # fmt: skip
